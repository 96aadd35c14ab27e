"""The samples of others give the answers their documentation says."""

from __future__ import annotations

from pathlib import Path

import pytest

from kaval.core.errors import NotRecognisedError
from kaval.knownsets.formats import recognise
from tests.knownsets.making import read, skipped_of, statements_of, values_of
from tests.testdata import shared

ALPHA, BETA, GAMMA = (
    "9f9f90dbe3e5ee1218c86b8839db1995", "f0cf2a92516045024a0c99147b28f05b", "e2c865db4162bed963bfaa9ef6ac18f0",
)  # fmt: skip
SAMPLES = {
    "own-examples/list.md5": ("digest-list", {"md5": 3}),
    "own-examples/list_bsd.md5": ("digest-list", {"md5": 3}),
    "own-examples/hashkeeper.hsh": ("hashkeeper", {"md5": 3}),
    "own-examples/encase.hash": ("encase", {"md5": 3}),
    "own-examples/example.kdb": ("kdb", {"md5": 3}),
    "own-examples/icse_shape.csv": ("icse", {"md5": 3, "sha1": 3}),
    "own-examples/NSRLFile.txt": ("nsrl-text", {"md5": 3, "sha1": 3}),
    "own-examples/RDS_example_minimal.db": ("rds", {"md5": 3, "sha1": 3, "sha256": 3}),
    "own-examples/hashlookup.ndjson": ("hashlookup", {"md5": 3, "sha1": 3, "sha256": 3}),
    "own-examples/vics12_nsrl_caid_shape_KNOWN_GOOD.json": ("vics", {"md5": 3, "sha1": 3}),
    "own-examples/vics13_hashset.json": ("vics", {"md5": 3, "sha1": 3, "sha256": 3}),
    "own-examples/vics20_case.json": ("vics", {"md5": 3, "sha1": 3, "sha256": 1}),
    "own-examples/vics20_hashset_string_booleans_bom.json": ("vics", {"md5": 3, "sha1": 3}),
}
STRANGERS = (
    "own-examples/NSRLProd.txt", "own-examples/NSRLMfg.txt", "own-examples/NSRLOS.txt", "own-examples/src_alpha.txt",
    "own-examples/src_gamma.bin", "own-examples/cybertip_report_minimal.xml", "own-examples/RDS_example_delta.sql",
    "own-examples/case_examination_full.jsonld", "own-examples/cybertip_le_export_shape.json", "case/file.json",
    "ncmec-hashsharing/status_xml.xml", "ncmec-hashsharing/feedback_reasons_xml.xml", "misp/object_file.json",
    "pdq/bridge-mods/aaa-orig.jpg", "pdq/text/short64.dat", "vpdq/pattern-sd-grey-bar.mp4",
)  # fmt: skip


@pytest.mark.parametrize("name", SAMPLES)
def test_three_files_in_every_format(name: str, tmp_path: Path) -> None:
    path = shared(f"formats/{name}")
    kind, counts = SAMPLES[name]
    batches = read(path, tmp_path)
    found = values_of(batches)

    assert recognise(path).name == kind
    assert {algorithm: len(values) for algorithm, values in found.items()} == counts
    assert sorted(value.hex() for value in found["md5"]) == sorted([ALPHA, BETA, GAMMA])
    assert skipped_of(batches) == {}


@pytest.mark.parametrize("name", STRANGERS)
def test_what_is_no_set_is_refused(name: str) -> None:
    with pytest.raises(NotRecognisedError):
        recognise(shared(f"formats/{name}"))


def test_answers_as_texts_and_the_other_header_shapes() -> None:
    path = shared("formats/own-examples/vics20_hashset_string_booleans_bom.json")
    first, second, third = statements_of(path, read(path))

    assert (first.category, third.category) == ("5", "0")
    assert second.flags["victim identified"] is True
    assert first.flags == {"victim identified": False, "offender identified": False, "distributed": True}


def test_the_index_of_the_sleuth_kit() -> None:
    found = values_of(read(shared("formats/tsk/testmd5.dat-md5.idx")))

    assert len(found["md5"]) == 28
    assert found["md5"][0].hex().upper() == "03782788D3DAECCC91BBF5402B0D95FA"


def test_the_binary_file_of_hashlookup() -> None:
    path = shared("formats/hashlookup/sample_binary_file.json")
    (statement,) = statements_of(path, read(path))

    assert statement.values["md5"] == "945fedb3a3c290d69f075f997e5320ff"
    assert (statement.size, statement.notes["name"]) == (110080, "./bin/ls")


@pytest.mark.parametrize(
    ("name", "frames"), [("doorknob-hd-no-bar", 62), ("pattern-hd-no-bar", 105), ("pattern-sd-grey-bar", 105)]
)
def test_the_headers_of_tmk_files(name: str, frames: int) -> None:
    path = shared(f"formats/tmk/{name}.tmk")
    (statement,) = statements_of(path, read(path))

    assert statement.notes["frames"] == str(frames)
    assert statement.notes["frames a second"] == "15"


def test_the_table_of_pdq_values_by_its_columns() -> None:
    path = shared("formats/pdq/pdq_expected.csv")
    found = values_of(read(path, columns={"pdq": "pdqhash_0.2.8_pillow"}))

    assert len(found["pdq"]) == 20
    assert found["pdq"][0].hex() == "f8f8f0cee0f4a84f06370a22038f63f0b36e2ed596621e1d33e6b39c4e9c9b22"


def test_a_column_that_holds_pdq_hashes_and_md5_digests() -> None:
    found = values_of(read(shared("formats/pdq/text/PDQMD5TestData_wasm.csv"), hex64="pdq"))

    assert {name: len(values) for name, values in found.items()} == {"pdq": 16, "md5": 2}
