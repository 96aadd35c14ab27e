"""Hits for the report: by known set, one row a file, exact and near apart, no more rows than a page can carry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kaval.reports.questions import Questions, literal, query_command
from kaval.reports.thumbnails import Thumbnails

ALERT_ROWS = 300
"""Rows of hits in sets of role alert that are printed in all; the rest is counted, and the question is given."""

OTHER_ROWS = 100
"""The same for the other roles that are listed."""

COUNTED_ONLY = ("known-good", "negative")
"""Roles whose hits are given as a count only."""

ROLE_ORDER = ("alert", "review", "negative", "known-good")
_EXACT = "('md5', 'sha1', 'sha256')"


@dataclass(frozen=True, kw_only=True)
class HitRow:
    """One file that agrees with a set, and in what; several hits of one file in one set are one row."""

    path: str
    locator: str
    state: str
    content: str
    size: int
    assumed_size: int
    overlap_size: int
    md5: str | None
    sha1: str | None
    sha256: str | None
    media_type: str | None
    modified_at: int | None
    times_zone: str | None
    algorithms: tuple[str, ...]
    categories: tuple[str, ...]
    distance: int
    threshold: int
    orientation: str | None
    at_ms: int | None
    count: int
    thumbnail: str | None = None


@dataclass(frozen=True, kw_only=True)
class HitList:
    """The files of one set that agree exactly, or nearly: all are counted, some are listed."""

    total: int
    rows: tuple[HitRow, ...]
    question: str

    @property
    def left_out(self) -> int:
        return self.total - len(self.rows)


@dataclass(frozen=True, kw_only=True)
class KnownSetHits:
    """One known set and what agreed with it. ``near`` leaves out files that are exact hits of the same set."""

    name: str
    version: str
    role: str
    files: int
    deleted_files: int
    near_too: int
    exact: HitList
    near: HitList

    @property
    def counted_only(self) -> bool:
        return self.role in COUNTED_ONLY


_TEMPORARY = f"""
    CREATE TEMP TABLE hit_files AS
    SELECT role, set_name, set_version, algorithm NOT IN {_EXACT} AS near, entry_id,
           min(distance) AS distance, max(threshold) AS threshold, count(*) AS hits,
           list_sort(list(DISTINCT algorithm)) AS algorithms,
           list_sort(list(DISTINCT category) FILTER (category IS NOT NULL AND category <> '')) AS categories,
           first(orientation ORDER BY distance, frame NULLS FIRST, value, orientation) AS orientation,
           first(at_ms ORDER BY distance, frame NULLS FIRST, value, orientation) AS at_ms,
           first(frame ORDER BY distance, frame NULLS FIRST, value, orientation) AS frame,
           any_value(state) AS state, any_value(content) AS content
    FROM hits WHERE role NOT IN {COUNTED_ONLY} GROUP BY ALL
"""  # noqa: S608


def gather_hits(
    questions: Questions, manifest: Mapping[str, Any], thumbnails: Thumbnails | None
) -> tuple[tuple[KnownSetHits, ...], dict[str, int]]:
    """Return the hits by known set, and the totals over all sets of role alert."""
    questions.do(_TEMPORARY)
    questions.do(
        """
        CREATE TEMP TABLE listed AS SELECT * FROM hit_files h WHERE NOT near OR NOT EXISTS (
            SELECT 1 FROM hit_files e WHERE NOT e.near AND e.entry_id = h.entry_id AND e.role = h.role
            AND e.set_name = h.set_name AND e.set_version = h.set_version)
        """
    )
    counts = {
        (role, name, version): tuple(map(int, numbers))
        for role, name, version, *numbers in questions.rows(
            f"""
            SELECT role, set_name, set_version, count(DISTINCT entry_id),
                   count(DISTINCT entry_id) FILTER (state <> 'allocated'),
                   count(DISTINCT entry_id) FILTER (algorithm IN {_EXACT}),
                   count(DISTINCT entry_id) FILTER (algorithm NOT IN {_EXACT})
            FROM hits GROUP BY ALL
            """  # noqa: S608
        )
    }
    keys = _ordered_keys(manifest, counts)
    room = _room(keys, counts)
    known = tuple(_of_set(questions, key, counts.get(key, (0, 0, 0, 0)), room, thumbnails) for key in keys)
    return known, _alert_totals(questions)


Key = tuple[str, str, str]


def _ordered_keys(manifest: Mapping[str, Any], counts: Mapping[Key, Any]) -> list[Key]:
    """Return every set, those of the plan without a hit included, alert first."""
    planned = {
        (str(known.get("role")), str(known.get("name")), str(known.get("version")))
        for known in manifest.get("known_sets", ())
    }
    order = list(ROLE_ORDER)
    return sorted(planned | set(counts), key=lambda key: (order.index(key[0]) if key[0] in order else len(order), key))


def shares(wanted: Sequence[int], room: int) -> list[int]:
    """Return how many rows each list gets: small ones whole, large ones what is left in equal parts."""
    given = [0] * len(wanted)
    open_lists = sorted(range(len(wanted)), key=lambda index: wanted[index])
    while open_lists:
        index = open_lists.pop(0)
        given[index] = min(wanted[index], room // (len(open_lists) + 1))
        room -= given[index]
    return given


def _room(keys: Sequence[Key], counts: Mapping[Key, tuple[int, ...]]) -> dict[tuple[Key, bool], int]:
    """Return how many rows are printed of each set, exact and near."""
    room: dict[tuple[Key, bool], int] = {}
    for chosen, rows in (
        ([key for key in keys if key[0] == "alert"], ALERT_ROWS),
        ([key for key in keys if key[0] != "alert" and key[0] not in COUNTED_ONLY], OTHER_ROWS),
    ):
        lists = [(key, near) for key in chosen for near in (False, True)]
        wanted = [counts.get(key, (0, 0, 0, 0))[3 if near else 2] for key, near in lists]
        room.update(zip(lists, shares(wanted, rows), strict=True))
    return room


def _of_set(
    questions: Questions,
    key: Key,
    counts: tuple[int, ...],
    room: Mapping[tuple[Key, bool], int],
    thumbnails: Thumbnails | None,
) -> KnownSetHits:
    files, deleted, exact, near = counts
    near_only = files - exact
    role, name, version = key
    return KnownSetHits(
        name=name,
        version=version,
        role=role,
        files=files,
        deleted_files=deleted,
        near_too=near - near_only,
        exact=_list(questions, key, exact, room.get((key, False), 0), near=False, thumbnails=thumbnails),
        near=_list(questions, key, near_only, room.get((key, True), 0), near=True, thumbnails=thumbnails),
    )


def _list(
    questions: Questions, key: Key, total: int, room: int, *, near: bool, thumbnails: Thumbnails | None
) -> HitList:
    rows: tuple[HitRow, ...] = ()
    if total and room:
        rows = tuple(_row(row, thumbnails) for row in questions.rows(_LISTING, [*key, near, room]))
    return HitList(total=total, rows=rows, question=_question(key, near=near))


_LISTING = """
    WITH chosen AS (
        SELECT * FROM listed WHERE role = ? AND set_name = ? AND set_version = ? AND near = ?
        ORDER BY distance, entry_id LIMIT ?
    ), pictures AS (
        SELECT entry_id, frame, any_value(thumbnail) AS thumbnail FROM media
        WHERE entry_id IN (SELECT entry_id FROM chosen) AND thumbnail IS NOT NULL AND thumbnail <> '' GROUP BY ALL
    ), first_pictures AS (
        SELECT entry_id, first(thumbnail ORDER BY frame) AS thumbnail FROM pictures GROUP BY ALL
    )
    SELECT e.path, e.locator, c.state, c.content, e.size, e.assumed_size, e.overlap_size,
           e.md5, e.sha1, e.sha256, e.media_type, epoch_ns(e.modified_at), e.times_zone,
           c.algorithms, c.categories, c.distance, c.threshold, c.orientation, c.at_ms, c.hits,
           s.sha256, s.pack, s."offset", s.length
    FROM chosen c JOIN entries e USING (entry_id)
    LEFT JOIN pictures p ON p.entry_id = c.entry_id AND p.frame = c.frame
    LEFT JOIN first_pictures f ON f.entry_id = c.entry_id
    LEFT JOIN (SELECT sha256, first(pack ORDER BY pack, "offset") AS pack,
                      first("offset" ORDER BY pack, "offset") AS "offset",
                      first(length ORDER BY pack, "offset") AS length FROM sealed GROUP BY sha256) s
           ON s.sha256 = coalesce(p.thumbnail, f.thumbnail)
    ORDER BY c.distance, c.entry_id
"""


def _row(row: tuple[Any, ...], thumbnails: Thumbnails | None) -> HitRow:
    picture = None
    if thumbnails is not None and row[20] is not None:
        picture = thumbnails.show(digest=row[20], pack=row[21], offset=row[22], length=row[23])
    return HitRow(
        path=row[0],
        locator=row[1],
        state=row[2],
        content=row[3],
        size=int(row[4] or 0),
        assumed_size=int(row[5] or 0),
        overlap_size=int(row[6] or 0),
        md5=row[7],
        sha1=row[8],
        sha256=row[9],
        media_type=row[10],
        modified_at=row[11],
        times_zone=row[12],
        algorithms=tuple(row[13] or ()),
        categories=tuple(row[14] or ()),
        distance=int(row[15] or 0),
        threshold=int(row[16] or 0),
        orientation=row[17],
        at_ms=row[18],
        count=int(row[19]),
        thumbnail=picture,
    )


def _question(key: Key, *, near: bool) -> str:
    """Return the command that lists every hit of a set."""
    role, name, version = map(literal, key)
    kind = "NOT IN" if near else "IN"
    return query_command(
        f"SELECT * FROM hits WHERE role = {role} AND set_name = {name} AND set_version = {version} "  # noqa: S608
        f"AND algorithm {kind} {_EXACT} ORDER BY entry_id"
    )


def _alert_totals(questions: Questions) -> dict[str, int]:
    row = questions.rows(
        """
        WITH files AS (
            SELECT entry_id, bool_or(NOT near) AS exact, bool_or(state <> 'allocated') AS deleted,
                   bool_or(content NOT IN ('intact', 'none')) AS doubtful
            FROM hit_files WHERE role = 'alert' GROUP BY entry_id
        ) SELECT count(*), count(*) FILTER (deleted), count(*) FILTER (exact), count(*) FILTER (NOT exact),
                 count(*) FILTER (doubtful) FROM files
        """
    )[0]
    names = ("files", "deleted", "exact", "near", "doubtful")
    return dict(zip(names, map(int, row), strict=True))


def hits_by_month(questions: Questions) -> tuple[tuple[tuple[int, int, int], ...], dict[str, int]]:
    """Return ``(year, month, files)`` of alert hits by the stored time of modification, and files by zone of that time.

    Files without such a time count under the zone ``none``.
    """
    chosen = "(SELECT DISTINCT entry_id FROM hit_files WHERE role = 'alert')"
    months = questions.rows(
        f"""
        SELECT year(modified_at), month(modified_at), count(*) FROM entries
        WHERE entry_id IN {chosen} AND modified_at IS NOT NULL GROUP BY ALL ORDER BY ALL
        """  # noqa: S608
    )
    zones = questions.rows(
        f"""
        SELECT CASE WHEN modified_at IS NULL THEN 'none' ELSE coalesce(times_zone, 'unknown') END AS zone, count(*)
        FROM entries WHERE entry_id IN {chosen} GROUP BY ALL ORDER BY ALL
        """  # noqa: S608
    )
    return tuple((int(y), int(m), int(n)) for y, m, n in months), {zone: int(n) for zone, n in zones}
