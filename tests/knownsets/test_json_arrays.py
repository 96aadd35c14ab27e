"""The items of an array are those a plain JSON reader finds, whatever the block, the spaces and the nesting."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaval.core.errors import CorruptStructureError, KavalError
from kaval.knownsets import json_arrays
from kaval.knownsets.json_arrays import EACH, JsonArrays

CASES = ("value", EACH, "Media")

TEXTS = st.text(alphabet='{}[],:"\\ \n\tആaz', max_size=12)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS
NESTED = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=12
)
ITEMS = st.lists(st.dictionaries(TEXTS, NESTED, max_size=4), max_size=12)
SEPARATORS = st.sampled_from([(",", ":"), (", ", ": "), (" ,\n ", " : "), ("\r\n,\t", ":")])


def items_of(path: Path, wanted: tuple[str, ...], start: int = 0) -> tuple[list[Any], list[int]]:
    document = JsonArrays(path, wanted, start)
    found: list[Any] = []
    places = []
    try:
        for items in document.items():
            assert json.loads(bytes(items.text)) == [json.loads(bytes(one)) for one in items.raw]
            found += [json.loads(bytes(one)) for one in items.raw]
            places.append((items.position, len(found)))
    finally:
        document.close()
    for position, count in places:
        assert count <= len(found)
        assert position > 0
    return found, [position for position, _ in places]


@settings(max_examples=150, deadline=None)
@given(items=ITEMS, more=NESTED, separators=SEPARATORS, block=st.sampled_from([64, 200, 1 << 20]), indent=st.booleans())
def test_the_items_of_an_array_are_found(
    items: list[Any],
    more: Any,
    separators: tuple[str, str],
    block: int,
    indent: bool,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    path = tmp_path_factory.mktemp("json") / "x.json"
    document = {"head": more, "value": items, "tail": [more]}
    text = json.dumps(document, separators=separators, indent=1 if indent else None, ensure_ascii=False)
    path.write_text(text, encoding="utf-8", newline="")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_arrays, "BLOCK_SIZE", block)
        found, positions = items_of(path, ("value",))
        assert found == items
        for position in positions:
            rest, _ = items_of(path, ("value",), position)
            assert rest == items[len(items) - len(rest) :]


@settings(max_examples=60, deadline=None)
@given(cases=st.lists(ITEMS, max_size=5), noise=NESTED, block=st.sampled_from([64, 300, 1 << 20]))
def test_the_items_of_many_arrays_are_found_and_those_of_others_are_not(
    cases: list[list[Any]], noise: Any, block: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("json") / "x.json"
    value = [{"Identifiers": [{"Media": [{"no": 1}]}], "Media": media, "Other": noise} for media in cases]
    path.write_text(json.dumps({"Media": [{"no": 2}], "value": value}), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_arrays, "BLOCK_SIZE", block)
        found, _ = items_of(path, CASES)
    assert found == [one for media in cases for one in media]


@pytest.mark.parametrize("block", [64, 1 << 20])
def test_a_document_cut_anywhere_is_refused_at_its_end(
    block: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_arrays, "BLOCK_SIZE", block)
    items = [{"MD5": "x" * number, "a": [{"b": '"},{"'}, {"c": "\\"}]} for number in range(20)]
    content = json.dumps({"head": "osk", "value": items, "tail": {"x": [1]}}).encode()
    path = tmp_path / "x.json"
    for size in range(len(content) - 1):
        path.write_bytes(content[:size])
        with pytest.raises(CorruptStructureError) as told:
            items_of(path, ("value",))
        assert told.value.offset is not None
        assert told.value.offset <= size


@pytest.mark.parametrize(
    "text",
    [
        '{"value": [{}]} {}', '{"value": [{}]}]', '{"value": [{} {}]}', '{"value": [{},]}', '{"value": [1]}',
        '{"value": [{"a": tru}]}', '{"value": [{]}', '["value"}', '{"value": [{}', "",
    ],
)  # fmt: skip
def test_what_is_no_json_is_damage(text: str, tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(CorruptStructureError):
        items_of(path, ("value",))


def test_mutated_documents_end_in_items_or_our_own_errors(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_arrays, "BLOCK_SIZE", 128)
    source = random.Random(7)
    content = json.dumps({"value": [{"a": [{"b": "x"}, {}], "c": '},{"'}] * 9}).encode()
    path = tmp_path / "x.json"
    for _ in range(600):
        mutated = bytearray(content)
        for _ in range(source.randint(1, 4)):
            mutated[source.randrange(len(mutated))] = source.choice(b'{}[],:"\\ \x00\xffx')
        path.write_bytes(mutated)
        document = JsonArrays(path, ("value",))
        try:
            for _ in document.items():
                pass
        except KavalError:
            continue
        finally:
            document.close()
