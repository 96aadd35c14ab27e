"""Segments, sealed store and views: what is written reads back, what was altered is told."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from kaval.core.errors import FolderError, UsageError
from kaval.folder.sealed import PackWriter, SealingKey, read_sealed
from kaval.folder.segments import RowBuffer, Segment
from kaval.folder.tables import COLUMNS
from kaval.folder.views import VIEWS, ask, connect, load_manifest


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    for name in ("segments", "units", "sealed"):
        (tmp_path / name).mkdir()
    return tmp_path


def _entry(number: int) -> tuple[Any, ...]:
    values: dict[str, Any] = {
        "entry_id": number, "locator": f"EX/raw/ext:{number}", "path": "ചിത്രം/चित्र.jpg", "name": "चित्र.jpg",
        "kind": "file", "size": 10, "state": "deleted", "content": "assumed", "modified_at": 1_700_000_000_123_456_789,
        "times_zone": "unknown", "extents": [{"offset": 4096, "length": 10, "sparse": False, "assumed": True}],
        "assumed_size": 10, "overlap_size": 0, "depth": 0,
    }  # fmt: skip
    return tuple(values.get(name) for name, _, _ in COLUMNS["entries"])


def test_rows_read_back_through_the_views(folder: Path) -> None:
    rows = RowBuffer()
    rows.add("entries", _entry(1))
    rows.add("digests", (1, 10, b"a" * 16, b"b" * 20, b"c" * 32, "image/jpeg", False, 0))
    segments = rows.write(folder, "unit")
    names, rows_found = ask(connect(folder, segments), "SELECT path, state, md5, sha256, extents FROM entries")

    assert names == ["path", "state", "md5", "sha256", "extents"]
    answer = list(rows_found)
    assert answer == [
        (
            "ചിത്രം/चित्र.jpg",
            "deleted",
            "61" * 16,
            "63" * 32,
            [{"offset": 4096, "length": 10, "sparse": False, "assumed": True}],
        )
    ]


def test_equal_rows_give_equal_bytes(folder: Path) -> None:
    written = []
    for _ in range(2):
        rows = RowBuffer()
        for number in range(100):
            rows.add("entries", _entry(number))
        written.append(rows.write(folder, "unit"))

    assert written[0] == written[1]
    content = (folder / written[0][0].name).read_bytes()
    assert hashlib.sha256(content).hexdigest() == written[0][0].sha256


def test_every_view_answers_where_there_are_no_rows(folder: Path) -> None:
    connection = connect(folder, [])

    for view in VIEWS:
        assert list(ask(connection, f"SELECT * FROM {view}")[1]) == []


def test_a_question_reaches_nothing_but_the_views(folder: Path) -> None:
    outside = folder / "other.csv"
    outside.write_text("a\n1\n")
    connection = connect(folder, [])

    with pytest.raises(UsageError):
        ask(connection, f"SELECT * FROM read_csv('{outside}')")
    with pytest.raises(UsageError):
        ask(connection, f"COPY (SELECT 1) TO '{folder / 'out.csv'}'")
    with pytest.raises(UsageError):
        ask(connection, "SELEKT")


def test_a_missing_segment_is_told(folder: Path) -> None:
    lost = Segment(table="entries", name="segments/entries-x.parquet", rows=1, size=1, sha256="0" * 64)

    with pytest.raises(FolderError, match=r"entries-x\.parquet is missing"):
        connect(folder, [lost])


def test_a_folder_without_manifest_says_whether_it_was_interrupted(tmp_path: Path) -> None:
    with pytest.raises(FolderError, match="neither a plan nor a manifest"):
        load_manifest(tmp_path)
    (tmp_path / "plan.json").write_text("{}")
    with pytest.raises(FolderError, match="interrupted"):
        load_manifest(tmp_path)
    (tmp_path / "manifest.json").write_text('{"half":')
    with pytest.raises(FolderError, match="cannot be read"):
        load_manifest(tmp_path)


def test_sealed_content_opens_with_its_key_only(folder: Path) -> None:
    key = SealingKey.create(folder / "keys" / "one.key")
    rows = RowBuffer()
    pack = PackWriter(folder, "unit", key)
    digest = pack.add(b"thumbnail", rows)
    assert pack.add(b"thumbnail", rows) == digest
    (written,) = pack.write()
    segments = rows.write(folder, "unit")
    ((sha256, name, offset, length),) = ask(connect(folder, segments), "SELECT * FROM sealed")[1]

    assert b"thumbnail" not in (folder / written.name).read_bytes()
    again = SealingKey.load(folder / "keys" / "one.key")
    assert read_sealed(folder, again, name, offset, length, bytes.fromhex(sha256)) == b"thumbnail"
    other = SealingKey.create(folder / "keys" / "two.key")
    with pytest.raises(FolderError, match="altered or the key is another"):
        read_sealed(folder, other, name, offset, length, bytes.fromhex(sha256))
    with pytest.raises(FolderError, match="shorter than its index"):
        read_sealed(folder, key, name, offset, length + 1, bytes.fromhex(sha256))


def test_the_key_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "one.key"
    SealingKey.create(path)

    assert path.stat().st_mode & 0o077 == 0
    path.write_text("no key")
    with pytest.raises(FolderError, match="cannot be read"):
        SealingKey.load(path)
