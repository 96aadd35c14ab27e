"""NCMEC pages: of entries with one key the latest stands, deletions delete, and disputes are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from kaval.core.errors import CorruptStructureError
from kaval.knownsets import Role
from kaval.knownsets.importing import Order
from kaval.knownsets.store import Description, Store
from tests.knownsets.making import MD5, NCMEC_PAGE, ncmec_image, read, skipped_of, statements_of, values_of
from tests.testdata import shared

FIRST, LATER = "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"


def page(folder: Path, name: str, *entries: str, following: str = "") -> Path:
    path = folder / name
    text = NCMEC_PAGE.format("".join(entries))
    if following:
        text = text.replace("</queryResult>", f"<paging><next>{following}</next></paging></queryResult>")
    path.write_text(text, encoding="utf-8")
    return path


def image(identity: str, at: str, name: str = "tarn.txt", *, deleted: bool = False) -> str:
    return ncmec_image(identity, at, f"<md5>{MD5[name]}</md5>", deleted=deleted)


@pytest.mark.parametrize("turned", [False, True], ids=["in order of time", "against it"])
def test_the_latest_of_a_key_stands_whatever_the_order_of_pages(turned: bool, tmp_path: Path) -> None:
    one = page(tmp_path, "1.xml", image("a", FIRST), image("b", FIRST, "osk.txt"))
    two = page(tmp_path, "2.xml", image("a", LATER, "quor.bin"), image("b", LATER, deleted=True))
    first, second = (two, one) if turned else (one, two)
    batches = read(first, tmp_path, further=(second,))

    assert values_of(batches) == {"md5": [bytes.fromhex(MD5["quor.bin"])]}
    assert skipped_of(batches) == {"entry that its member deleted": 1}


def test_a_list_that_goes_on_is_remarked(tmp_path: Path) -> None:
    one = page(tmp_path, "1.xml", image("a", FIRST), following="/v2/entries?start=2")
    two = page(tmp_path, "2.xml", image("b", FIRST))

    def remarks(*paths: Path) -> str:
        batches = read(paths[0], tmp_path, further=paths[1:])
        return " ".join(remark for batch in batches for remark in batch.remarks)

    assert "not complete" in remarks(one)
    assert "not complete" not in remarks(one, two)


def test_a_value_that_is_none_is_told_and_not_matched(tmp_path: Path) -> None:
    path = page(tmp_path, "1.xml", ncmec_image("a", FIRST, f"<md5>{MD5['osk.txt']}</md5><sha1>zz</sha1><pdq/>"))
    batches = read(path, tmp_path)

    assert skipped_of(batches) == {"sha1 that is none": 1}
    assert next(statements_of(path, batches)).values == {"md5": MD5["osk.txt"], "sha1": "zz"}


def test_the_public_pages_give_what_they_document(tmp_path: Path) -> None:
    names = ("entries_xml", "entries_xml2", "entries_xml3", "entries_no_data_xml")
    paths = tuple(shared(f"formats/ncmec-hashsharing/{name}.xml") for name in names)
    store = Store(tmp_path / "sets")
    info = store.import_set(Order(paths=paths, role=Role.ALERT), Description(name="pages", role=Role.ALERT))

    assert (info.entries, info.counts) == (5, {"md5": 5, "sha1": 3})
    assert info.dropped == {"entry that its member deleted": 2}
    known = store.open("pages")
    (match,) = known.exact("md5", [bytes.fromhex("a1" * 16)])[0]
    assert (match.category, match.statements[0].identity) == ("A1", "42/image1")
    assert match.statements[0].disputing == ("Example Member",)
    assert [said.reason for said in match.statements[0].feedback] == [None, "Example Reason 1"]
    assert known.exact("md5", [bytes.fromhex("face" * 8)])[0][0].statements[0].source == "TX Example"
    assert store.record("pages")["tallies"]["entries that a member disputes"] == 1


@pytest.mark.parametrize("declared", ['<!DOCTYPE x [<!ENTITY a "b">]>', "<!doctype x>"])
def test_declarations_are_refused(declared: str, tmp_path: Path) -> None:
    path = page(tmp_path, "1.xml", image("a", FIRST))
    path.write_text(path.read_text().replace("?>", f"?>{declared}", 1), encoding="utf-8")

    with pytest.raises(CorruptStructureError, match="declares"):
        read(path, tmp_path)


def test_nothing_stays_beside_the_pages(tmp_path: Path) -> None:
    read(page(tmp_path, "1.xml", image("a", FIRST)), tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["1.xml"]
