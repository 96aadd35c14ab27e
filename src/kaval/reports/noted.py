"""What applications noted, for the report: counts, accounts, conversations, recovered rows, files that are mentioned.

No text of a message is gathered. An identifier or a title is shown as stored.
"""

from __future__ import annotations

from dataclasses import dataclass

from kaval.reports.questions import Questions, query_command

KINDS_LISTED = 80
ACCOUNTS_LISTED = 40
CONVERSATIONS_LISTED = 40
MENTIONS_LISTED = 40


@dataclass(frozen=True, kw_only=True)
class KindRow:
    """How many records of one kind an application left: those it shows, and those recovered, by their certainty."""

    application: str
    kind: str
    live: int
    certain: int
    inferred: int
    earlier: int

    @property
    def recovered(self) -> int:
        return self.certain + self.inferred


@dataclass(frozen=True, kw_only=True)
class AccountRow:
    """An account of the device's owner, as one application stores it."""

    application: str
    who: str
    name: str
    identifiers: tuple[str, ...]
    recovered: bool
    locator: str


@dataclass(frozen=True, kw_only=True)
class ConversationRow:
    """A conversation: how many messages of it there are, and from when to when; ``zone`` is that of all of them."""

    application: str
    identifier: str
    title: str
    members: int
    messages: int
    recovered: int
    first_at: int | None
    last_at: int | None
    zone: str


@dataclass(frozen=True, kw_only=True)
class RemainsRow:
    """Rows a database no longer shows, by where in it they were found; ``twins`` repeat a row that is live."""

    recovered_from: str
    databases: int
    rows: int
    certain: int
    complete: int
    twins: int


@dataclass(frozen=True, kw_only=True)
class AttachmentRow:
    """Files that records of one application speak of, and whether they are in what was examined."""

    application: str
    named: int
    by_digest: int
    by_name: int

    @property
    def missing(self) -> int:
        return self.named - self.by_digest - self.by_name


@dataclass(frozen=True, kw_only=True)
class MentionRow:
    """A file of an alert set that a record gives the digest of."""

    set_name: str
    algorithm: str
    value: str
    present: bool
    application: str
    conversation: str
    direction: str
    who: str
    happened_at: int | None
    zone: str
    recovered: bool
    locator: str
    place: str


@dataclass(frozen=True, kw_only=True)
class Noted:
    """All of it; ``mentioned`` counts known files by role and set: how often, and how many are not present."""

    kinds: tuple[KindRow, ...]
    kinds_left_out: int
    live: int
    recovered: int
    by_kind: tuple[tuple[str, int], ...]
    accounts: tuple[AccountRow, ...]
    accounts_total: int
    conversations: tuple[ConversationRow, ...]
    conversations_total: int
    remains: tuple[RemainsRow, ...]
    attachments: tuple[AttachmentRow, ...]
    mentioned: tuple[tuple[str, str, int, int], ...]
    mentions: tuple[MentionRow, ...]
    mentions_total: int

    @property
    def is_empty(self) -> bool:
        return not (self.kinds or self.remains)

    @property
    def missing(self) -> int:
        return sum(row.missing for row in self.attachments)


ACCOUNTS_QUESTION = query_command("SELECT application, who, who_name, identifiers, locator FROM accounts")
CONVERSATIONS_QUESTION = query_command(
    "SELECT application, conversation, conversation_title, count(*) FROM messages GROUP BY ALL"
)
MISSING_QUESTION = query_command(
    "SELECT application, name, size, sha256, locator, place FROM attachments WHERE present_by = 'not-present'"
)
MENTIONS_QUESTION = query_command("SELECT * FROM mentions WHERE role = 'alert'")
REMAINS_QUESTION = query_command("SELECT * FROM recovered_rows")
KINDS_QUESTION = query_command("SELECT application, kind, recovered, count(*) FROM artefacts GROUP BY ALL")


def gather_noted(questions: Questions) -> Noted:
    """Return what applications noted."""
    kinds = _kinds(questions)
    by_kind: dict[str, int] = {}
    for row in kinds:
        by_kind[row.kind] = by_kind.get(row.kind, 0) + row.live + row.recovered
    has_any = bool(kinds)
    return Noted(
        kinds=tuple(kinds[:KINDS_LISTED]),
        kinds_left_out=max(0, len(kinds) - KINDS_LISTED),
        live=sum(row.live for row in kinds),
        recovered=sum(row.recovered for row in kinds),
        by_kind=tuple(sorted(by_kind.items(), key=lambda item: (-item[1], item[0]))),
        accounts=_accounts(questions),
        accounts_total=questions.number("SELECT count(*) FROM accounts"),
        conversations=_conversations(questions),
        conversations_total=questions.number(f"SELECT count(*) FROM ({_TALKS})"),  # noqa: S608
        remains=_remains(questions),
        attachments=_attachments(questions) if has_any else (),
        mentioned=_mentioned(questions) if has_any else (),
        mentions=_mentions(questions) if has_any else (),
        mentions_total=questions.number("SELECT count(*) FROM mentions WHERE role = 'alert'") if has_any else 0,
    )


def _kinds(questions: Questions) -> list[KindRow]:
    rows = questions.rows(
        """
        SELECT coalesce(application, ''), kind, count(*) FILTER (NOT recovered),
               count(*) FILTER (recovered AND certainty = 'certain'),
               count(*) FILTER (recovered AND certainty IS DISTINCT FROM 'certain'),
               count(*) FILTER (recovered AND earlier_form)
        FROM artefacts GROUP BY ALL ORDER BY count(*) DESC, 1, 2
        """
    )
    names = ("application", "kind", "live", "certain", "inferred", "earlier")
    return [KindRow(**dict(zip(names, row, strict=True))) for row in rows]


def _accounts(questions: Questions) -> tuple[AccountRow, ...]:
    rows = questions.rows(
        f"""
        SELECT coalesce(application, ''), coalesce(who, ''), coalesce(who_name, title, ''), identifiers, recovered,
               locator
        FROM accounts ORDER BY recovered, 1, 2, 3, locator, place LIMIT {ACCOUNTS_LISTED}
        """  # noqa: S608
    )
    return tuple(
        AccountRow(
            application=application,
            who=who,
            name=name,
            identifiers=tuple(each for each in identifiers or () if each != who),
            recovered=recovered,
            locator=locator,
        )
        for application, who, name, identifiers, recovered, locator in rows
    )


_TALKS = """
    SELECT coalesce(application, '') AS application, coalesce(conversation, who, whom[1], '') AS identifier,
           max(coalesce(conversation_title, CASE WHEN conversation IS NULL THEN who_name END, '')) AS title,
           count(*) AS messages, count(*) FILTER (recovered) AS recovered, min(epoch_ns(happened_at)) AS first_at,
           max(epoch_ns(happened_at)) AS last_at,
           CASE WHEN count(DISTINCT zone) = 1 THEN max(zone) ELSE 'unknown' END AS zone
    FROM messages GROUP BY 1, 2
"""


def _conversations(questions: Questions) -> tuple[ConversationRow, ...]:
    rows = questions.rows(
        f"""
        SELECT t.application, t.identifier, t.title, coalesce(m.members, 0), t.messages, t.recovered, t.first_at,
               t.last_at, t.zone
        FROM ({_TALKS}) t LEFT JOIN (
            SELECT coalesce(application, '') AS application, conversation AS identifier, count(DISTINCT who) AS members
            FROM members WHERE conversation IS NOT NULL GROUP BY ALL
        ) m USING (application, identifier)
        ORDER BY t.messages DESC, 1, 2 LIMIT {CONVERSATIONS_LISTED}
        """  # noqa: S608
    )
    names = ("application", "identifier", "title", "members", "messages", "recovered", "first_at", "last_at", "zone")
    return tuple(ConversationRow(**dict(zip(names, row, strict=True))) for row in rows)


def _remains(questions: Questions) -> tuple[RemainsRow, ...]:
    rows = questions.rows(
        """
        SELECT coalesce(recovered_from, ''), count(DISTINCT entry_id), count(*), count(*) FILTER (certain),
               count(*) FILTER (complete), count(*) FILTER (live_twin)
        FROM recovered_rows GROUP BY ALL ORDER BY 3 DESC, 1
        """
    )
    names = ("recovered_from", "databases", "rows", "certain", "complete", "twins")
    return tuple(RemainsRow(**dict(zip(names, row, strict=True))) for row in rows)


def _attachments(questions: Questions) -> tuple[AttachmentRow, ...]:
    rows = questions.rows(
        """
        SELECT coalesce(application, ''), count(*), count(*) FILTER (present_by = 'digest'),
               count(*) FILTER (present_by = 'name')
        FROM attachments GROUP BY ALL ORDER BY 2 DESC, 1
        """
    )
    names = ("application", "named", "by_digest", "by_name")
    return tuple(AttachmentRow(**dict(zip(names, row, strict=True))) for row in rows)


def _mentioned(questions: Questions) -> tuple[tuple[str, str, int, int], ...]:
    rows = questions.rows(
        """
        SELECT role, set_name, count(*), count(*) FILTER (NOT present) FROM mentions GROUP BY role, set_name
        ORDER BY role, set_name
        """
    )
    return tuple((str(role), str(name), int(count), int(missing)) for role, name, count, missing in rows)


def _mentions(questions: Questions) -> tuple[MentionRow, ...]:
    rows = questions.rows(
        f"""
        SELECT set_name, algorithm, value, present, coalesce(application, ''), coalesce(conversation, ''),
               coalesce(direction, ''), coalesce(who, ''), epoch_ns(happened_at), zone, recovered, locator,
               coalesce(place, '')
        FROM mentions WHERE role = 'alert' ORDER BY present, happened_at, value, locator, place LIMIT {MENTIONS_LISTED}
        """  # noqa: S608
    )
    names = (
        "set_name", "algorithm", "value", "present", "application", "conversation", "direction", "who", "happened_at",
        "zone", "recovered", "locator", "place",
    )  # fmt: skip
    return tuple(MentionRow(**dict(zip(names, row, strict=True))) for row in rows)
