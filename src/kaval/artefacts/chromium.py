"""Chromium and its kin (Chrome, Edge, Brave, Opera, Android's Chrome): ``History``, by the source of Chromium.

Times are microseconds since 1601; downloads of versions before 26 are in seconds since 1970.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from kaval.artefacts import ARTEFACTS, Wanted
from kaval.artefacts.found import Tables, found, text_of, told, whole
from kaval.artefacts.items import Item
from kaval.artefacts.records import Artefact, ArtefactKind, Attachment, Moment
from kaval.artefacts.sqlite import Row
from kaval.artefacts.times import unix_seconds, webkit_microseconds
from kaval.core.records import Notice

_CORE_TRANSITIONS = (
    "link", "typed", "bookmark", "subframe", "subframe, by hand", "generated", "start page", "form sent", "reloaded",
    "keyword", "keyword generated",
)  # fmt: skip
"""The low byte of ``visits.transition``: ui/base/page_transition_types.h."""

_STATES = {0: "in progress", 1: "complete", 2: "cancelled", 3: "interrupted", 4: "interrupted"}
_BROWSERS = (
    ("microsoft/edge", "edge"), ("microsoft-edge", "edge"), ("com.microsoft.emmx", "edge"), ("brave", "brave"),
    ("opera", "opera"), ("vivaldi", "vivaldi"), ("sec.android.app.sbrowser", "samsung-internet"),
    ("yandex", "yandex"), ("chromium", "chromium"),
)  # fmt: skip


def browser_of(path: str) -> str:
    """Return the browser a path belongs to, as far as its folders say; ``chrome`` otherwise."""
    lowered = path.lower()
    return next((name for part, name in _BROWSERS if part in lowered), "chrome")


@ARTEFACTS.register
class Chromium:
    """Reads visits, searches typed into the address bar, and downloads."""

    name: ClassVar[str] = "chromium"
    title: ClassVar[str] = "Browser history (Chrome, Chromium and kin)"
    rank: ClassVar[int] = 40
    requires: ClassVar[tuple[str, ...]] = ()
    wanted: ClassVar[Wanted] = Wanted(
        columns=(frozenset({"urls.url", "urls.last_visit_time", "visits.visit_time", "visits.transition"}),)
    )

    def parse(self, item: Item) -> Iterator[Artefact | Notice]:
        tables = item.tables
        browser = browser_of(item.path)
        urls = tables.by("urls", "id")
        visited = set()
        for row in tables.rows("visits"):
            visited.add(row.get("url"))
            yield _visit(browser, row, urls)
        for number, row in urls.items():
            if number not in visited:
                yield _unvisited(browser, row)
        for row in tables.rows("keyword_search_terms"):
            yield _search(browser, row, urls.get(row.get("url_id")))
        yield from _downloads(browser, tables)


def _visit(browser: str, row: Row, urls: dict[Any, Row]) -> Artefact:
    page = urls.get(row.get("url"))
    transition = whole(row.get("transition"))
    core = None if transition is None else transition & 0xFF
    duration = whole(row.get("visit_duration"))
    return Artefact(
        kind=ArtefactKind.VISIT,
        application=browser,
        at=webkit_microseconds(row.get("visit_time")),
        meaning="visited",
        zone="utc",
        url=text_of(page.get("url")) if page else None,
        title=text_of(page.get("title")) if page else None,
        duration_s=None if duration is None else duration // 1_000_000,
        identity=text_of(row.get("id")),
        details=told(
            {
                "came by": _CORE_TRANSITIONS[core] if core is not None and core < len(_CORE_TRANSITIONS) else core,
                "from visit": row.get("from_visit") or None,
                "visits in all": page.get("visit_count") if page else None,
                "typed": (page.get("typed_count") or None) if page else None,
            }
        ),
        **found(row),
    )


def _unvisited(browser: str, row: Row) -> Artefact:
    """Return a page whose visits are not kept, as it is after old ones were expired."""
    return Artefact(
        kind=ArtefactKind.BOOKMARK if not row.get("last_visit_time") else ArtefactKind.VISIT,
        application=browser,
        at=webkit_microseconds(row.get("last_visit_time")),
        meaning="last visited",
        zone="utc",
        url=text_of(row.get("url")),
        title=text_of(row.get("title")),
        identity=f"url {whole(row.get('id'))}",
        details=told({"visits in all": row.get("visit_count"), "visits": "not kept one by one"}),
        **found(row),
    )


def _search(browser: str, row: Row, page: Row | None) -> Artefact:
    return Artefact(
        kind=ArtefactKind.SEARCH,
        application=browser,
        at=webkit_microseconds(page.get("last_visit_time")) if page else None,
        meaning="last visited",
        zone="utc",
        text=text_of(row.get("term")) or text_of(row.get("lower_term")),
        url=text_of(page.get("url")) if page else None,
        title=text_of(page.get("title")) if page else None,
        **found(row),
    )


def _downloads(browser: str, tables: Tables) -> Iterator[Artefact]:
    chains = tables.grouped("downloads_url_chains", "id")
    for row in tables.rows("downloads"):
        chain = sorted(chains.get(row.get("id"), []), key=lambda part: whole(part.get("chain_index")) or 0)
        older = row.get("target_path") is None and row.get("full_path") is not None
        path = text_of(row.get("target_path")) or text_of(row.get("current_path")) or text_of(row.get("full_path"))
        ended = webkit_microseconds(row.get("end_time"))
        opened = webkit_microseconds(row.get("last_access_time"))
        moments = [(ended, "finished"), (opened, "opened from the browser")]
        yield Artefact(
            kind=ArtefactKind.DOWNLOAD,
            application=browser,
            at=(unix_seconds if older else webkit_microseconds)(row.get("start_time")),
            meaning="begun",
            zone="utc",
            moments=tuple(Moment(at=at, meaning=meaning) for at, meaning in moments if at is not None),
            url=text_of(chain[-1].get("url")) if chain else text_of(row.get("url")) or text_of(row.get("tab_url")),
            identity=text_of(row.get("guid")) or text_of(row.get("id")),
            attachments=(
                Attachment(
                    name=_last_part(path),
                    path=path,
                    size=whole(row.get("total_bytes")),
                    media_type=text_of(row.get("mime_type")),
                ),
            ),
            details=told(
                {
                    "state": _STATES.get(whole(row.get("state")) or 0, row.get("state")),
                    "received": row.get("received_bytes"),
                    "page": row.get("tab_url"),
                    "referrer": row.get("referrer"),
                    "danger": row.get("danger_type") or None,
                }
            ),
            **found(row),
        )


def _last_part(path: str | None) -> str | None:
    return path.replace("\\", "/").rpartition("/")[2] if path else None


def searched_words(url: str | None) -> str | None:
    """Return what was searched for, by the usual parameters of search engines in an address."""
    if not url or "?" not in url or len(url) > 8192:
        return None
    try:
        parts = urlsplit(url)
        values = parse_qs(parts.query, max_num_fields=200)
    except ValueError:
        return None
    if not any(word in parts.netloc + parts.path for word in ("search", "google.", "bing.", "duckduckgo.", "yandex.")):
        return None
    return next((values[name][0] for name in ("q", "query", "search_query", "text", "p") if name in values), None)
