"""From an exhibit to a report, as the examiner and the defence's expert go it: the command line, unmocked."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from tests.journeys.conftest import Run
from tests.journeys.evidence import Evidence


@pytest.fixture(name="examined")
def _examined(evidence: Evidence, tmp_path: Path, kaval: Run) -> Path:
    folder = tmp_path / "examination"
    kaval(
        "examine", evidence.image, "--exhibit", "MO 7/2026", "--authority", "Order 12/2026", "--operator", "Inga",
        "--out", folder, "--known", f"alert={evidence.alert_list}", "--known", f"known-good={evidence.good_list}",
        code=3,
    )  # fmt: skip
    return folder


def _ask(kaval: Run, folder: Path, question: str) -> list[dict[str, object]]:
    answer = kaval("query", folder, question, "--format", "json").stdout
    return [json.loads(line) for line in answer.splitlines()]


def test_the_whole_way(evidence: Evidence, examined: Path, kaval: Run, tmp_path: Path) -> None:
    listed = {
        row["path"]: row["sha256"]
        for row in _ask(kaval, examined, "SELECT path, sha256 FROM entries WHERE kind = 'file' AND depth = 0")
    }
    assert {path: listed.get(path) for path in evidence.files} == evidence.files

    hits = _ask(kaval, examined, "SELECT path, role, algorithm, distance, locator FROM hits ORDER BY path")
    assert {hit["path"] for hit in hits if hit["role"] == "alert"} == evidence.alert_paths
    assert [hit["path"] for hit in hits if hit["role"] == "known-good"] == ["Documents/note-7.txt"]

    notices = _ask(kaval, examined, "SELECT locator, code FROM notices")
    assert notices

    shown = kaval("show", examined).stdout
    assert "MO 7/2026" in shown
    assert "Order 12/2026" in shown

    checked = kaval("verify", examined, "--source", evidence.image)
    assert " 0 failed" in checked.stdout

    inside = next(hit for hit in hits if hit["path"] == "inside/picture-902.jpg")
    out = tmp_path / "out.jpg"
    kaval("extract", examined, inside["locator"], "--out", out, "--purpose", "journey")
    content = out.read_bytes()
    assert hashlib.md5(content).hexdigest() in evidence.alert_list.read_text(encoding="utf-8")
    record = json.loads((examined / "extractions.jsonl").read_text(encoding="utf-8"))
    assert (record["purpose"], record["sha256"]) == ("journey", hashlib.sha256(content).hexdigest())

    kaval("report", examined)
    html = (examined / "report" / "report.html").read_text(encoding="utf-8")
    assert "MO 7/2026" in html
    assert "<script" not in html
    assert (examined / "report" / "report.pdf").read_bytes().startswith(b"%PDF")


def test_an_altered_folder_is_told(examined: Path, kaval: Run) -> None:
    segment = next((examined / "segments").glob("hits-*.parquet"))
    content = bytearray(segment.read_bytes())
    content[len(content) // 2] ^= 1
    segment.write_bytes(content)

    told = kaval("verify", examined, code=5)
    assert segment.name in told.stderr


def test_nothing_starts_without_exhibit_and_authority(evidence: Evidence, kaval: Run, tmp_path: Path) -> None:
    told = kaval("examine", evidence.image, "--out", tmp_path / "x", "--exhibit", "MO-7", code=2)

    assert "--authority" in told.stderr
    assert not (tmp_path / "x").exists()


def test_nothing_is_brought_out_without_a_purpose(examined: Path, kaval: Run, tmp_path: Path) -> None:
    locator = _ask(kaval, examined, "SELECT locator FROM entries WHERE name = 'note-1.txt'")[0]["locator"]

    told = kaval("extract", examined, locator, "--out", tmp_path / "out", code=2)
    assert "--purpose" in told.stderr
    assert not (tmp_path / "out").exists()


def test_a_wrong_acquisition_hash_is_said_aloud(evidence: Evidence, kaval: Run, tmp_path: Path) -> None:
    told = kaval(
        "examine", evidence.image, "--exhibit", "E", "--authority", "A", "--out", tmp_path / "x",
        "--acquisition-hash", "0" * 64, "--no-media", code=5,
    )  # fmt: skip

    assert "DIFFERS" in told.stderr


def test_a_right_acquisition_hash_is_verified(evidence: Evidence, kaval: Run, tmp_path: Path) -> None:
    digest = hashlib.sha256(evidence.image.read_bytes()).hexdigest()
    kaval(
        "examine", evidence.image, "--exhibit", "E", "--authority", "A", "--out", tmp_path / "x",
        "--acquisition-hash", digest, "--no-media", code=(0, 3),
    )  # fmt: skip

    manifest = json.loads((tmp_path / "x" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["source"]["verification"] == "matches"


def test_a_source_that_is_nothing_known_is_refused_not_guessed(kaval: Run, tmp_path: Path) -> None:
    blob = tmp_path / "blob.bin"
    blob.write_bytes(bytes(range(256)) * 4096)

    kaval("examine", blob, "--exhibit", "E", "--authority", "A", "--out", tmp_path / "x", code=4)
    notices = _ask(kaval, tmp_path / "x", "SELECT code FROM notices")
    assert {"code": "unrecognised"} in notices
