"""Questions over artefacts: words searched in any script, the timeline, the graph of persons."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kaval.core.errors import UsageError
from kaval.folder.folding import fold
from kaval.folder.graph import OWNER, build_graph, graphml
from kaval.folder.searching import search
from kaval.folder.segments import RowBuffer
from kaval.folder.tables import COLUMNS
from kaval.folder.timeline import body_lines, events
from kaval.folder.views import connect

SECOND = 1_000_000_000
START = 1_700_000_000


def _row(table: str, **values: Any) -> tuple[Any, ...]:
    return tuple(values.get(name) for name, _, _ in COLUMNS[table])


def _artefact(number: int, kind: str, **values: Any) -> tuple[Any, ...]:
    told = {
        "artefact_id": number, "entry_id": 1, "locator": "E/folder:a.db", "place": f"t page {number}", "read_by": "p",
        "kind": kind, "application": "chat", "zone": "utc", "whom": [], "identifiers": [], "moments": [],
        "attachments": [], "details": json.dumps({}), "recovered": False, "complete": True, "earlier_form": False,
    }  # fmt: skip
    return _row("artefacts", **{**told, **values})


def _message(number: int, text: str, **values: Any) -> tuple[Any, ...]:
    return _artefact(number, "message", text=text, happened_at=(START + number) * SECOND, meaning="sent", **values)


@pytest.fixture(name="connection")
def _connection(tmp_path: Path) -> Any:
    (tmp_path / "segments").mkdir()
    rows = RowBuffer()
    entry = {"locator": "E/folder:a.db", "path": "data/Ünïcode/മലയാളം.db", "name": "മലയാളം.db", "kind": "file", "size": 9}
    entry |= {"state": "allocated", "content": "intact", "modified_at": (START + 50) * SECOND, "times_zone": "unknown"}
    entry |= {"extents": [], "depth": 0, "assumed_size": 0, "overlap_size": 0}
    rows.add("entries", _row("entries", entry_id=1, **entry))
    document = {"locator": "E/folder:a.db", "read_by": "plain", "text": "Straße | शब्द", "complete": True}
    rows.add("texts", _row("texts", entry_id=1, **document))
    group = {"conversation": "g1", "conversation_title": "Lopel"}
    direct = {"conversation": "tarn"}
    rows.add("artefacts", _artefact(1, "contact", who="tarn", who_name="Tarn Quor", identifiers=["tarn", "+001"]))
    for number, who in ((2, "tarn"), (3, "osk")):
        rows.add("artefacts", _artefact(number, "member", who=who, role="member", **group))
    rows.add("artefacts", _message(4, "mirul Benta", direction="incoming", who="tarn", **direct))
    rows.add("artefacts", _message(5, "quor", direction="outgoing", whom=["tarn"], **direct))
    rows.add("artefacts", _message(6, "ന്‍ gone", direction="incoming", who="osk", recovered=True, **group))
    rows.add("artefacts", _message(7, "bad \x01 | text", direction="outgoing", whom=["g1"], zone="unknown", **group))
    call = {"direction": "incoming", "who": "tarn", "duration_s": 61, "meaning": "begun"}
    call["happened_at"] = (START + 8) * SECOND
    rows.add("artefacts", _artefact(8, "call", **call))
    moments = [{"happened_at": (START + 90) * SECOND, "meaning": "read"}]
    rows.add("artefacts", _artefact(9, "visit", url="https://example.org/", zone="+05:30", moments=moments))
    return connect(tmp_path, rows.write(tmp_path, "unit"))


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("STRASSE", "straße"),
        ("mirul", "Mirul"),
        ("ക്ഷ", "ക\u0d4d\u200cഷ"),
        ("ന\u0d4d\u200d", "\u0d7b"),
        ("क\u093c", "\u0958"),
        ("e\u0301", "é"),
        ("a  b", "a\n\tb"),
    ],
)
def test_what_a_person_means_as_the_same_is_compared_as_the_same(typed: str, stored: str) -> None:
    assert fold(typed) == fold(stored)


def test_nothing_is_stemmed_or_transliterated() -> None:
    assert fold("വാക്കുകൾ") != fold("വാക്ക്")
    assert fold("vakku") != fold("വാക്ക്")


@pytest.mark.parametrize(
    ("words", "kinds"),
    [
        (("benta", "MIRUL"), ["message"]),
        (("strasse",), ["document"]),
        (("शब्द",), ["document"]),
        (("മലയാളം",), ["name"]),
        (("\u0d7b",), ["message"]),
        (("tarn quor",), ["artefact"]),
        (("nowhere",), []),
    ],
)
def test_words_are_found_where_they_stand(connection: Any, words: tuple[str, ...], kinds: list[str]) -> None:
    assert [found.kind for found in search(connection, words)] == kinds


def test_what_is_found_leads_to_its_bytes(connection: Any) -> None:
    (found,) = search(connection, ["gone"], ["message"])

    assert (found.locator, found.place, found.recovered) == ("E/folder:a.db", "t page 6", True)
    assert (found.before + found.word).endswith("gone")


def test_a_search_without_words_is_refused(connection: Any) -> None:
    with pytest.raises(UsageError, match="which words"):
        list(search(connection, [" "]))


def test_the_timeline_holds_everything_in_order(connection: Any) -> None:
    told = [(event.kind, event.meaning, event.utc_at is None) for event in events(connection, None, None)]

    assert told == [
        ("visit", "read", False),
        ("message", "sent", False),
        ("message", "sent", False),
        ("message", "sent", False),
        ("message", "sent", True),
        ("call", "begun", False),
        ("entry", "modified", True),
    ]


def test_a_time_with_an_offset_is_converted_and_one_without_zone_never(connection: Any) -> None:
    by_kind = {event.kind: event for event in events(connection, None, None)}

    assert by_kind["visit"].utc_at == datetime.fromtimestamp(START + 90 - 19_800, UTC).replace(tzinfo=None)
    assert (by_kind["entry"].utc_at, by_kind["entry"].zone) == (None, "unknown")


def test_a_period_keeps_what_may_lie_in_it(connection: Any) -> None:
    since = datetime.fromtimestamp(START + 5, UTC)
    until = datetime.fromtimestamp(START + 6, UTC)

    told = [event.subject for event in events(connection, since, until)]
    assert told == ["quor", "bad \x01 | text", "data/Ünïcode/മലയാളം.db"]


def test_a_bodyfile_has_eleven_fields_whatever_the_text(connection: Any) -> None:
    lines = list(body_lines(connection))

    assert {line.count("|") for line in lines} == {10}
    assert any("(zone unknown)" in line for line in lines)
    wanted = "0|[chat message: sent] tarn in tarn mirul Benta|E/folder:a.db t page 4|"
    assert any(line.startswith(wanted) for line in lines)


def test_the_graph_tells_who_wrote_to_whom_how_often(connection: Any) -> None:
    graph = build_graph(connection)
    owner, tarn, osk, group = f"owner {OWNER}", "person tarn", "person osk", "conversation g1"
    edges = {(edge.kind, edge.source, edge.target): (edge.count, edge.recovered) for edge in graph.edges.values()}

    assert edges == {
        ("contact", owner, tarn): (1, 0),
        ("contact", owner, "person +001"): (1, 0),
        ("member", tarn, group): (1, 0),
        ("member", osk, group): (1, 0),
        ("wrote", tarn, owner): (1, 0),
        ("wrote", owner, tarn): (1, 0),
        ("wrote", osk, group): (1, 1),
        ("wrote", owner, group): (1, 0),
        ("called", tarn, owner): (1, 0),
    }
    assert graph.nodes[tarn].name == "Tarn Quor"


def test_graphml_is_well_formed_whatever_names_hold(connection: Any) -> None:
    graph = build_graph(connection)
    graph.person("\x00<&\ud800\"'", "chat", "ശബ്ദം")
    root = ET.fromstring("\n".join(graphml(graph)))
    space = "{http://graphml.graphdrawing.org/xmlns}"

    assert len(root.findall(f".//{space}node")) == len(graph.nodes)
    assert len(root.findall(f".//{space}edge")) == len(graph.edges)
