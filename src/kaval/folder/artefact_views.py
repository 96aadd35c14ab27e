"""The views over artefacts: one for each kind, their attachments, and the timeline of everything.

``happened_at`` is as stored and ``zone`` says by which clock; ``utc_at`` is given only where that is known. A
``recovered`` row stands where it once stood, beside the live ones.
"""

from __future__ import annotations


def _utc(at: str, zone: str) -> str:
    """Return the SQL of an instant in UTC, null where the zone is unknown."""
    hours = f"CAST(substr({zone}, 2, 2) AS INTEGER) * 60 + CAST(substr({zone}, 5, 2) AS INTEGER)"
    offset = f"to_minutes(CASE WHEN {zone}[1] = '-' THEN -1 ELSE 1 END * ({hours}))"
    return (
        f"CASE WHEN {zone} = 'utc' THEN CAST({at} AS TIMESTAMP) "
        f"WHEN regexp_full_match({zone}, '[+-][0-9][0-9]:[0-9][0-9]') THEN CAST({at} AS TIMESTAMP) - {offset} END"
    )


_ENDING = (
    "recovered, earlier_form, certainty, complete, recovered_from, details, locator, place, read_by, artefact_id,\n"
    "               entry_id"
)


def _of_kind(kind: str, columns: str) -> str:
    return f"""
        SELECT {columns},
               {_ENDING}
        FROM artefacts_stored WHERE kind = '{kind}'
        """  # noqa: S608


_AT = "happened_at, meaning, zone, moments"

_ENTRY_TIMES = ("modified", "accessed", "changed", "created", "deleted")


def _timeline() -> str:
    """Return the SQL of every time on record: of entries, of artefacts, of pictures' own tags."""
    described = "coalesce(text, title, url, conversation_title, identity)"
    parts = [
        f"""SELECT {name}_at AS happened_at, times_zone AS zone, 'entry' AS kind, '{name}' AS meaning,
                   NULL AS application, NULL AS direction, NULL AS who, NULL AS conversation, path AS subject,
                   state <> 'allocated' AS recovered, locator, NULL AS place, entry_id
            FROM entries_stored WHERE {name}_at IS NOT NULL"""  # noqa: S608
        for name in _ENTRY_TIMES
    ]
    parts.append(
        f"""SELECT happened_at, zone, kind, meaning, application, direction, who, conversation, {described}, recovered,
                   locator, place, entry_id
            FROM artefacts_stored WHERE happened_at IS NOT NULL"""  # noqa: S608
    )
    parts.append(
        f"""SELECT moment.happened_at, zone, kind, moment.meaning, application, direction, who, conversation,
                   {described}, recovered, locator, place, entry_id
            FROM (SELECT *, unnest(moments) AS moment FROM artefacts_stored)"""  # noqa: S608
    )
    parts.append(
        """SELECT CAST(try_strptime(m.taken_at, '%Y:%m:%d %H:%M:%S') AS TIMESTAMP_NS), 'unknown', 'picture', 'taken',
                   concat_ws(' ', m.make, m.model), NULL, NULL, NULL, e.path, e.state <> 'allocated', m.locator, NULL,
                   m.entry_id
            FROM media_stored m JOIN entries_stored e USING (entry_id)
            WHERE m.frame = 0 AND try_strptime(m.taken_at, '%Y:%m:%d %H:%M:%S') IS NOT NULL"""
    )
    everything = "\n            UNION ALL ".join(parts)
    return f"""
        SELECT happened_at, zone, {_utc("happened_at", "zone")} AS utc_at, kind, meaning, application, direction, who,
               conversation, subject, recovered, locator, place, entry_id
        FROM ({everything})
        """  # noqa: S608


ARTEFACT_VIEWS: dict[str, str] = {
    "artefacts": f"""
        SELECT kind, application, {_AT}, account, direction, who, who_name, whom, identifiers, conversation,
               conversation_title, role, identity, reply_to, forwarded, title, text, url, latitude, longitude,
               duration_s, attachments,
               {_ENDING}
        FROM artefacts_stored
        """,  # noqa: S608
    "messages": _of_kind(
        "message",
        f"application, conversation, conversation_title, {_AT}, direction, account, who, who_name, whom, title, text,\n"
        "               attachments, reply_to, forwarded, identity, latitude, longitude",
    ),
    "conversations": _of_kind("conversation", f"application, conversation, conversation_title, {_AT}, account, text"),
    "members": _of_kind("member", f"application, conversation, conversation_title, who, who_name, role, {_AT}"),
    "contacts": _of_kind(
        "contact", f"application, who, who_name, identifiers, title, text, url, account, {_AT}, identity"
    ),
    "accounts": _of_kind("account", f"application, who, who_name, identifiers, title, text, {_AT}, identity"),
    "calls": _of_kind(
        "call",
        f"application, {_AT}, direction, account, who, who_name, whom, conversation, duration_s, title, identity",
    ),
    "voicemails": _of_kind("voicemail", f"application, {_AT}, who, whom, duration_s, text, attachments, identity"),
    "notes": _of_kind("note", f"application, {_AT}, account, title, text, attachments, identity"),
    "visits": _of_kind("visit", f"application, {_AT}, url, title, duration_s, identity"),
    "bookmarks": _of_kind("bookmark", f"application, {_AT}, url, title, identity"),
    "downloads": _of_kind("download", f"application, {_AT}, url, title, attachments, identity"),
    "searches": _of_kind("search", f"application, {_AT}, text, url, title"),
    "applications": _of_kind("application", f"application, {_AT}, title, identity, account"),
    "networks": _of_kind("network", f"application, {_AT}, title, identity"),
    "identifiers": _of_kind("identifier", "application, title, text"),
    "discarded": _of_kind("discarded", f"application, {_AT}, attachments, account"),
    "shortcuts": _of_kind("shortcut", f"application, {_AT}, title, attachments, identity"),
    "backup_files": _of_kind("file", f"application, {_AT}, title, attachments, identity"),
    "places": """
        SELECT happened_at, meaning, zone, latitude, longitude, kind, application, who, title, recovered, details,
               locator, place, entry_id
        FROM artefacts_stored WHERE latitude IS NOT NULL AND longitude IS NOT NULL
        UNION ALL
        SELECT CAST(try_strptime(m.taken_at, '%Y:%m:%d %H:%M:%S') AS TIMESTAMP_NS), 'taken', 'unknown', m.latitude,
               m.longitude, 'picture', concat_ws(' ', m.make, m.model), NULL, e.path, e.state <> 'allocated', NULL,
               m.locator, NULL, m.entry_id
        FROM media_stored m JOIN entries_stored e USING (entry_id)
        WHERE m.frame = 0 AND m.latitude IS NOT NULL AND m.longitude IS NOT NULL
        """,
    "attachments": """
        WITH told AS (
            SELECT artefact_id, entry_id AS told_by, kind, application, conversation, happened_at, zone, recovered,
                   locator, place, unnest(attachments) AS file
            FROM artefacts_stored WHERE kind IN ('message', 'note', 'voicemail', 'download', 'discarded')
        ), named AS (
            SELECT *, lower(regexp_extract(coalesce(file.path, file.name), '[^/\\\\]*$')) AS last_part FROM told
        ), by_digest AS (
            SELECT artefact_id, file, min(entry_id) AS entry_id FROM (
                SELECT n.artefact_id, n.file, e.entry_id FROM named n JOIN entries e ON n.file.sha256 = e.sha256
                UNION ALL
                SELECT n.artefact_id, n.file, e.entry_id FROM named n JOIN entries e ON n.file.sha1 = e.sha1
                UNION ALL
                SELECT n.artefact_id, n.file, e.entry_id FROM named n JOIN entries e ON n.file.md5 = e.md5
            ) GROUP BY ALL
        ), by_name AS (
            SELECT n.artefact_id, n.file, min(e.entry_id) AS entry_id
            FROM named n JOIN entries_stored e ON n.last_part = lower(e.name)
            WHERE n.last_part <> '' AND e.kind IN ('file', 'stream')
              AND (n.file.size IS NULL OR n.file.size = 0 OR n.file.size = e.size)
            GROUP BY ALL
        )
        SELECT n.kind, n.application, n.conversation, n.happened_at, n.zone, n.file.name AS name, n.file.path AS path,
               n.file.size AS size, n.file.media_type AS media_type, n.file.md5 AS md5, n.file.sha1 AS sha1,
               n.file.sha256 AS sha256,
               CASE WHEN d.entry_id IS NOT NULL THEN 'digest' WHEN b.entry_id IS NOT NULL THEN 'name'
                    ELSE 'not-present' END AS present_by,
               coalesce(d.entry_id, b.entry_id) AS entry_id, n.recovered, n.locator, n.place, n.artefact_id
        FROM named n
        LEFT JOIN by_digest d ON d.artefact_id = n.artefact_id AND d.file = n.file
        LEFT JOIN by_name b ON b.artefact_id = n.artefact_id AND b.file = n.file
        """,
    "mentions": """
        SELECT m.role, m.set_name, m.name, m.algorithm, m.value, m.category,
               CASE m.algorithm
                   WHEN 'md5' THEN m.value IN (SELECT md5 FROM entries WHERE md5 IS NOT NULL)
                   WHEN 'sha1' THEN m.value IN (SELECT sha1 FROM entries WHERE sha1 IS NOT NULL)
                   ELSE m.value IN (SELECT sha256 FROM entries WHERE sha256 IS NOT NULL)
               END AS present,
               a.kind, a.application, a.conversation, a.direction, a.who, a.happened_at, a.zone, a.recovered, m.locator,
               a.place, m.set_version, m.artefact_id, m.entry_id
        FROM mentions_stored m JOIN artefacts_stored a USING (artefact_id)
        """,
    "recovered_rows": """
        SELECT table_name, certain, complete, missing, row_id, stored_values, recovered_from, live_twin, locator, place,
               entry_id
        FROM recovered_rows_stored
        """,
    "unallocated_pages": """
        SELECT p.table_name, p.certain, p.also_fits, p.locator, d.path AS database_path, d.locator AS database,
               p.source, p.extents, p.entry_id
        FROM unallocated_pages_stored p JOIN entries_stored d USING (entry_id)
        """,
    "thumbnails": """
        SELECT e.path, e.media_type, e.size, e.sha256, e.state, e.modified_at, e.times_zone, p.path AS kept_in,
               e.locator, e.entry_id
        FROM entries e
        LEFT JOIN entries_stored p ON p.locator = regexp_replace(e.locator, '/thumb(cache|data|sdb):[^/]*$', '')
        WHERE regexp_matches(e.locator, '/thumb(cache|data|sdb):[^/]*$')
        """,
    "texts": "SELECT locator, read_by, text, complete, entry_id FROM texts_stored",
    "timeline": _timeline(),
}
