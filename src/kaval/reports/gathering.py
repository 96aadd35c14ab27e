"""Gathering: everything a report says, read once from the examination folder as plain records."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from kaval.core.errors import FolderError
from kaval.core.records import EntryState
from kaval.folder.sealed import SealingKey
from kaval.folder.views import open_folder
from kaval.reports import wording
from kaval.reports.hits import KnownSetHits, gather_hits, hits_by_month
from kaval.reports.moments import zone_named
from kaval.reports.noted import Noted, gather_noted
from kaval.reports.notices import NoticeGroup, gather_notices
from kaval.reports.questions import Questions
from kaval.reports.rereading import Example, find_example
from kaval.reports.thumbnails import Thumbnails

SOURCES_LISTED = 60
TYPES_LISTED = 25
_STORED_KINDS = "('file', 'stream', 'unknown')"


@dataclass(frozen=True, kw_only=True)
class Showing:
    """How the report is to be shown: zone of its moments, the key of the sealed store if thumbnails are wanted."""

    zone: str
    key: SealingKey | None = None
    clear: bool = False


@dataclass(frozen=True, kw_only=True)
class SourceRow:
    """One container, volume or file system of the exhibit, with what it is known by."""

    locator: str
    stage: str
    layer: str
    title: str
    size: int | None
    offset: int | None
    depth: int
    facts: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class FamilyRow:
    """How many files of one family there are in each state, and the bytes read of them."""

    family: str
    by_state: Mapping[str, int]
    size: int

    @property
    def total(self) -> int:
        return sum(self.by_state.values())


@dataclass(frozen=True, kw_only=True)
class StateRow:
    """Files of one state and one reliability of content: how many, their stated size, the bytes read."""

    state: str
    content: str
    files: int
    stated_size: int
    read_size: int


@dataclass(frozen=True, kw_only=True)
class Facts:
    """All that the report says. ``folder_name`` is only ever shown as FOLDER, so that a copy reads the same."""

    manifest: Mapping[str, Any]
    zone: ZoneInfo
    sources: tuple[SourceRow, ...]
    sources_left_out: int
    inner_sources: tuple[tuple[str, int], ...]
    families: tuple[FamilyRow, ...]
    states: tuple[StateRow, ...]
    media_types: tuple[tuple[str, int, int], ...]
    known_sets: tuple[KnownSetHits, ...]
    alert: Mapping[str, int]
    months: tuple[tuple[int, int, int], ...]
    months_zones: Mapping[str, int]
    noted: Noted
    notices: tuple[NoticeGroup, ...]
    example: Example | None
    with_thumbnails: bool
    clear: bool

    @property
    def files(self) -> int:
        """Every file and stream that was listed."""
        return sum(row.files for row in self.states)

    @property
    def deleted_files(self) -> int:
        """Those of them no file system lists as existing."""
        return sum(row.files for row in self.states if row.state != EntryState.ALLOCATED)


def gather(folder: Path, showing: Showing) -> Facts:
    """Return what a report on this folder says.

    Raises:
        FolderError: The folder is unfinished or damaged, or its sealed store does not fit the key.
        UsageError: The zone is not known.
    """
    zone = zone_named(showing.zone)
    manifest, connection = open_folder(folder)
    _require_head(folder, manifest)
    questions = Questions(folder, connection)
    try:
        thumbnails = Thumbnails(folder, showing.key, clear=showing.clear) if showing.key else None
        known_sets, alert = gather_hits(questions, manifest, thumbnails)
        months, months_zones = hits_by_month(questions)
        sources = questions.rows(
            "SELECT * FROM sources WHERE depth = 0 "  # noqa: S608
            f"ORDER BY string_split(locator, '/')[:2], \"offset\" NULLS FIRST, locator, stage LIMIT {SOURCES_LISTED}"
        )
        return Facts(
            manifest=manifest,
            zone=zone,
            sources=tuple(sorted(map(_source_row, sources), key=_natural_key)),
            sources_left_out=questions.number("SELECT count(*) FROM sources WHERE depth = 0") - len(sources),
            inner_sources=_inner_sources(questions),
            families=_families(questions),
            states=_states(questions),
            media_types=_media_types(questions),
            known_sets=known_sets,
            alert=alert,
            months=months,
            months_zones=months_zones,
            noted=gather_noted(questions),
            notices=gather_notices(questions),
            example=find_example(questions),
            with_thumbnails=showing.key is not None,
            clear=showing.clear,
        )
    finally:
        connection.close()


def _require_head(folder: Path, manifest: Mapping[str, Any]) -> None:
    for name in ("exhibit", "authority", "operator", "examination", "kaval"):
        if not isinstance(manifest.get(name), str):
            raise FolderError(folder, f"its manifest.json does not say what {name} is")


def _source_row(row: tuple[Any, ...]) -> SourceRow:
    locator, stage, layer, title, size, offset, depth, facts = row
    try:
        known = json.loads(facts) if facts else {}
    except ValueError:
        known = {}
    pairs = {str(name): str(value) for name, value in known.items()} if isinstance(known, dict) else {}
    return SourceRow(
        locator=locator,
        stage=stage,
        layer=layer,
        title=title or layer,
        size=size,
        offset=offset,
        depth=depth or 0,
        facts=pairs,
    )


def _natural_key(row: SourceRow) -> tuple[tuple[int, int, str], ...]:
    """Return a key by which volume 2 stands before volume 10, and what lies in a volume behind it."""
    parts = re.split(r"(\d+)", row.locator)
    return tuple((0, int(part), "") if part.isdigit() else (1, 0, part) for part in parts)


def _inner_sources(questions: Questions) -> tuple[tuple[str, int], ...]:
    """Return how many archives, documents and images inside the device were opened, by what they are."""
    rows = questions.rows(
        "SELECT coalesce(title, layer) AS title, count(*) AS number FROM sources WHERE depth > 0 GROUP BY ALL "  # noqa: S608
        f"ORDER BY number DESC, title LIMIT {TYPES_LISTED}"
    )
    return tuple((str(title), int(number)) for title, number in rows)


def _family_case() -> str:
    whens = " ".join(f"WHEN media_type LIKE '{pattern}' THEN '{family}'" for pattern, family in wording.FAMILIES)
    return f"""
        CASE WHEN sha256 IS NULL THEN '{wording.NOT_READ}' WHEN read_size = 0 THEN '{wording.EMPTY}'
        WHEN media_type IS NULL OR media_type = '' THEN '{wording.NO_TYPE}' {whens} ELSE '{wording.OTHER_FAMILY}' END
    """


def _families(questions: Questions) -> tuple[FamilyRow, ...]:
    rows = questions.rows(
        f"""
        SELECT {_family_case()} AS family, state, count(*), sum(coalesce(read_size, 0)) FROM entries
        WHERE kind IN {_STORED_KINDS} GROUP BY ALL ORDER BY ALL
        """  # noqa: S608
    )
    result = []
    for family in wording.FAMILY_ORDER:
        mine = [row for row in rows if row[0] == family]
        if mine:
            by_state = {row[1]: int(row[2]) for row in mine}
            result.append(FamilyRow(family=family, by_state=by_state, size=sum(int(row[3]) for row in mine)))
    return tuple(result)


def _states(questions: Questions) -> tuple[StateRow, ...]:
    rows = questions.rows(
        f"""
        SELECT state, content, count(*), sum(size), sum(coalesce(read_size, 0)) FROM entries
        WHERE kind IN {_STORED_KINDS} GROUP BY ALL ORDER BY ALL
        """  # noqa: S608
    )
    found = [
        StateRow(state=state, content=content, files=files, stated_size=int(stated or 0), read_size=int(read or 0))
        for state, content, files, stated, read in rows
    ]
    states, contents = list(wording.STATES), list(wording.CONTENTS)
    return tuple(
        sorted(
            found, key=lambda row: (_place(states, row.state), _place(contents, row.content), row.state, row.content)
        )
    )


def _place(order: list[str], value: str) -> int:
    return order.index(value) if value in order else len(order)


def _media_types(questions: Questions) -> tuple[tuple[str, int, int], ...]:
    rows = questions.rows(
        f"""
        SELECT media_type, count(*) AS files, sum(read_size) FROM entries
        WHERE media_type IS NOT NULL AND media_type <> ''
        GROUP BY ALL ORDER BY files DESC, media_type LIMIT {TYPES_LISTED}
        """  # noqa: S608
    )
    return tuple((media_type, int(files), int(size or 0)) for media_type, files, size in rows)
