"""What holds for every format: it is recognised, read, cut off anywhere with an error or in part, and never crashes."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from kaval.core.errors import CorruptStructureError, KavalError, NotRecognisedError
from kaval.knownsets import Role
from kaval.knownsets.compiled import compile_set, open_set
from kaval.knownsets.formats import SET_FORMATS, Reading, recognise
from tests.knownsets.making import FILES, MD5, SHA1, read, values_of

MUTATIONS = 150


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_recognised_and_read(name: str, tmp_path: Path) -> None:
    kind, make, counts = FILES[name]
    path = make(tmp_path / name)

    assert recognise(path).name == kind
    found = values_of(read(path, tmp_path))
    assert {algorithm: len(values) for algorithm, values in found.items()} == counts
    if counts.get("md5") and kind != "rds":
        assert {value.hex() for value in found["md5"]} == set(MD5.values())
    if counts.get("sha1") and kind != "rds":
        assert {value.hex() for value in found["sha1"]} == set(SHA1.values())


def test_there_is_a_file_of_every_format() -> None:
    assert {kind for kind, _, _ in FILES.values()} == {known.name for known in SET_FORMATS.all()}


@pytest.mark.parametrize("name", FILES)
def test_a_set_of_any_format_answers(name: str, tmp_path: Path) -> None:
    kind, make, counts = FILES[name]
    info = compile_set(make(tmp_path / name), name=name, role=Role.REVIEW, target=tmp_path / "set")
    known = open_set(tmp_path / "set")

    assert (info.format, info.counts) == (kind, counts)
    if counts.get("md5") and kind != "rds":
        assert all(known.exact("md5", [bytes.fromhex(value)])[0] for value in MD5.values())
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, "set"])


@pytest.mark.parametrize("name", FILES)
def test_reading_goes_on_where_it_stopped(name: str, tmp_path: Path) -> None:
    path = FILES[name][1](tmp_path / name)
    known = recognise(path)
    if known.joint or known.name in ("vpdq", "tmk"):
        pytest.skip("read as a whole")
    batches = read(path, tmp_path)

    for number, batch in enumerate(batches):
        rest = list(known.read(Reading(path=path, start=batch.position)))
        again = values_of(batches[: number + 1] + rest)
        assert again == values_of(batches)


@pytest.mark.parametrize("name", FILES)
def test_a_file_cut_off_is_an_error_or_holds_whole_entries_only(name: str, tmp_path: Path) -> None:
    path = FILES[name][1](tmp_path / name)
    content = path.read_bytes()
    whole = {value for values in values_of(read(path, tmp_path)).values() for value in values}
    for size in range(content.find(b"\n") + 1, len(content), max(1, len(content) // 97)):
        path.write_bytes(content[:size])
        try:
            batches = read(path, tmp_path)
        except KavalError:
            continue
        assert {value for values in values_of(batches).values() for value in values} <= whole


@pytest.mark.parametrize("name", FILES)
def test_mutated_bytes_end_in_entries_or_our_own_errors(name: str, tmp_path: Path) -> None:
    path = FILES[name][1](tmp_path / name)
    content = path.read_bytes()
    source = random.Random(name)
    for _ in range(MUTATIONS):
        mutated = bytearray(content)
        for _ in range(source.randint(1, 8)):
            place = source.randrange(len(mutated))
            if source.random() < 0.7:
                mutated[place] = source.randrange(256)
            else:
                del mutated[place : place + source.randint(1, 40)]
                mutated += b"\0"
        path.write_bytes(mutated)
        try:
            read(path, tmp_path)
        except KavalError:
            continue


@pytest.mark.parametrize("name", ["vics.json", "table.csv", "list.md5", "set.hash", "lookup.ndjson", "NSRLFile.txt"])
def test_a_truncated_file_says_at_which_byte(name: str, tmp_path: Path) -> None:
    path = FILES[name][1](tmp_path / name)
    content = path.read_bytes()
    cut = content.rstrip(b"\n")[: -len(content) // 7]
    path.write_bytes(cut)

    with pytest.raises(CorruptStructureError) as told:
        read(path, tmp_path)
    assert told.value.offset is not None
    assert 0 <= told.value.offset <= len(cut)


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"{}", b'{"a": 1}', b"<x/>", b"tarn,osk\n1,2\n", bytes(100), b"\xff" * 99]
)
def test_what_is_none_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(content)

    with pytest.raises(NotRecognisedError):
        recognise(path)
