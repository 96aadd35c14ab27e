"""Compiled sets: what is in the file matches, what is not does not, and it is said why."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

import pytest

from kaval.core.errors import CorruptStructureError, NotRecognisedError
from kaval.knownsets import Role
from kaval.knownsets.algorithms import ZERO_LENGTH
from kaval.knownsets.compiled import CompiledSet, compile_set, open_set
from tests.testdata import shared

ALPHA = "9f9f90dbe3e5ee1218c86b8839db1995"


def compiled(path: Path, folder: Path, role: Role = Role.ALERT) -> CompiledSet:
    target = folder / "set"
    compile_set(path, name="tarn list", role=role, target=target)
    return open_set(target)


def test_a_list_of_digests_matches_what_is_in_it(tmp_path: Path) -> None:
    source = random.Random(7)
    digests = [source.randbytes(20) for _ in range(5000)]
    path = tmp_path / "list.sha1"
    path.write_text("".join(f"{digest.hex().upper()}\n" for digest in digests), encoding="utf-8")
    known = compiled(path, tmp_path)
    strangers = [source.randbytes(20) for _ in range(5000)]

    assert known.info.counts == {"sha1": 5000}
    assert [match[0].value for match in known.exact("sha1", digests)] == [digest.hex() for digest in digests]
    assert known.exact("sha1", strangers) == [[] for _ in strangers]
    assert known.exact("sha1", digests[:1])[0][0].set_name == "tarn list"
    assert known.exact("sha1", strangers[:1]) == [[]]
    assert known.exact("md5", [bytes(16)]) == [[]]


def test_digests_that_begin_alike_are_told_apart(tmp_path: Path) -> None:
    digests = [bytes(15) + bytes([number]) for number in range(1, 200)]
    path = tmp_path / "list.md5"
    path.write_text("".join(f"{digest.hex()}\n" for digest in digests[::2]), encoding="utf-8")
    known = compiled(path, tmp_path)

    found = [bool(matches) for matches in known.exact("md5", digests)]
    assert found == [number % 2 == 0 for number in range(len(digests))]


def test_the_digest_of_nothing_is_left_out_with_its_count(tmp_path: Path) -> None:
    path = tmp_path / "list.md5"
    path.write_text(f"{hashlib.md5(b'').hexdigest()}  empty\n{ALPHA} *alpha.txt\n", encoding="utf-8")
    known = compiled(path, tmp_path)

    assert known.info.counts == {"md5": 1}
    assert known.info.dropped == {"digest of a file of no bytes": 1}
    assert known.exact("md5", [ZERO_LENGTH["md5"]]) == [[]]


@pytest.mark.parametrize(
    ("name", "category"),
    [("list.md5", None), ("list_bsd.md5", None), ("icse_shape.csv", None), ("vics13_hashset.json", "0"),
     ("vics12_nsrl_caid_shape_KNOWN_GOOD.json", "8"), ("vics20_hashset_string_booleans_bom.json", "5")],
)  # fmt: skip
def test_the_samples_of_each_format_are_read(name: str, category: str | None, tmp_path: Path) -> None:
    known = compiled(shared(f"formats/own-examples/{name}"), tmp_path, Role.REVIEW)

    match = known.exact("md5", [bytes.fromhex(ALPHA)])[0][0]
    assert (match.role, match.category, match.distance) == (Role.REVIEW, category, 0)


def test_a_picture_matches_turned_and_within_the_distance_only(tmp_path: Path) -> None:
    source = random.Random(8)
    hashes = [source.randbytes(32) for _ in range(300)]
    path = tmp_path / "set.json"
    media = ",".join(
        f'{{"MD5": "{number:032x}", "Category": 1, '
        f'"AlternativeHashes": [{{"HashName": "PDQ", "HashValue": "{value.hex()}"}}]}}'
        for number, value in enumerate(hashes)
    )
    header = "http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/Default/$metadata#Media"
    path.write_text(f'{{"@odata.context": "{header}", "value": [{media}]}}', encoding="utf-8")
    known = compiled(path, tmp_path)
    near = bytearray(hashes[42])
    near[3] ^= 0xFF
    turned = tuple(bytes(near) if place == 3 else source.randbytes(32) for place in range(8))

    assert known.info.counts["pdq"] == 300
    match = known.near([turned], 8)[0][0]
    assert (match.value, match.distance, match.threshold) == (hashes[42].hex(), 8, 8)
    assert (match.orientation, match.category) == ("rotate-270", "1")
    assert known.near([turned], 7) == [[]]


def test_a_stranger_is_refused_not_guessed(tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    path.write_text("tarn lopel vindra\nosk mirul\n", encoding="utf-8")

    with pytest.raises(NotRecognisedError):
        compile_set(path, name="x", role=Role.ALERT, target=tmp_path / "set")
    assert not (tmp_path / "set").exists()


def test_a_cut_off_document_leaves_nothing(tmp_path: Path) -> None:
    content = shared("formats/own-examples/vics13_hashset.json").read_bytes()
    path = tmp_path / "cut.json"
    path.write_bytes(content[:-40])

    with pytest.raises(CorruptStructureError):
        compile_set(path, name="x", role=Role.ALERT, target=tmp_path / "set")
    assert list(tmp_path.iterdir()) == [path]
