"""Folders as logical sources."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from kaval.containers import CONTAINERS
from kaval.containers.folder import FolderTree, open_folder
from kaval.core.errors import LocatorError, UnreadableError, UnsupportedError
from kaval.core.records import ContentState, Entry, EntryKind, Notice, NoticeCode
from kaval.core.sources import BytesSource
from tests.containers.contract import entries_of, notices_of, read_all


def test_a_folder_lists_every_entry_in_the_order_of_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "deep").mkdir()
    (tmp_path / "b" / "deep" / "x.bin").write_bytes(b"x" * 10)
    (tmp_path / "a.txt").write_bytes(b"glimber")
    (tmp_path / "Z").write_bytes(b"")

    found = entries_of(open_folder(tmp_path).tree)

    assert [entry.path for entry in found] == ["Z", "a.txt", "b", "b/deep", "b/deep/x.bin"]
    assert [entry.size for entry in found] == [0, 7, 0, 0, 10]
    assert [entry.parent for entry in found] == [None, None, None, "b", "b/deep"]
    assert found == entries_of(open_folder(tmp_path).tree)


def test_times_owner_and_mode_are_told_as_stored(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"glimber")
    path.chmod(0o640)
    os.utime(path, ns=(1_600_000_000_123_456_789, 1_500_000_000_987_654_321))

    (entry,) = entries_of(open_folder(tmp_path).tree)

    assert entry.times.accessed == 1_600_000_000_123_456_789
    assert entry.times.modified == 1_500_000_000_987_654_321
    assert entry.times.created is None
    assert entry.times.zone == "utc"
    assert entry.mode == stat.S_IFREG | 0o640
    assert (entry.owner, entry.group) == (str(path.stat().st_uid), str(path.stat().st_gid))


def test_a_name_that_is_no_utf8_is_shown_kept_and_readable(tmp_path: Path) -> None:
    raw = b"sn\xf6rf\xff.jpg"
    (tmp_path / os.fsdecode(raw)).write_bytes(b"quorn")

    tree = open_folder(tmp_path).tree
    (entry,) = entries_of(tree)

    assert entry.path == "sn�rf�.jpg"
    assert entry.path_raw == raw
    assert read_all(tree, entry) == b"quorn"


def test_symbolic_links_are_told_and_never_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_bytes(b"not part of the exhibit")
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "loop").symlink_to(inside)
    (inside / "out").symlink_to(outside)
    (inside / "gone").symlink_to(b"br\xf6ken".decode("utf-8", "surrogateescape"))

    tree = FolderTree(inside)
    found = {entry.name: entry for entry in entries_of(tree)}

    assert {entry.kind for entry in found.values()} == {EntryKind.SYMLINK}
    assert {entry.content for entry in found.values()} == {ContentState.NONE}
    assert found["out"].link_target == str(outside)
    assert found["gone"].link_target == "br�ken"
    assert found.keys() == {"gone", "loop", "out"}
    for address in (
        "out",
        "out/secret.txt",
        "loop/out/secret.txt",
        "../outside/secret.txt",
        "",
        "/etc/hostname",
        "./out",
    ):
        with pytest.raises(LocatorError):
            tree.open_stream(address)


def test_pipes_sockets_and_directories_are_never_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    server = socket.socket(socket.AF_UNIX)
    try:
        server.bind("socket")
    finally:
        server.close()

    tree = FolderTree(tmp_path)
    found = {entry.name: entry for entry in entries_of(tree)}

    assert found["pipe"].kind is EntryKind.FIFO
    assert found["socket"].kind is EntryKind.SOCKET
    assert found["pipe"].content is ContentState.NONE
    for address in found:
        with pytest.raises(UnsupportedError):
            tree.open_stream(address)


def test_what_cannot_be_opened_is_unreadable_and_not_absent(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError):
        open_folder(tmp_path / "absent")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UnreadableError):
        open_folder(tmp_path / "file")
    with pytest.raises(UnreadableError):
        FolderTree(tmp_path).open_stream("absent")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may look at everything")
def test_a_directory_that_may_not_be_listed_leaves_a_notice(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0)
    (tmp_path / "open.txt").write_bytes(b"x")

    records = list(open_folder(tmp_path).tree.entries())  # type: ignore[union-attr]

    assert [record.code for record in records if isinstance(record, Notice)] == [NoticeCode.UNREADABLE]
    assert [record.address for record in records] == ["closed", "closed", "open.txt"]


def test_a_file_that_goes_while_it_is_listed_leaves_a_notice(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).write_bytes(b"x")

    records = FolderTree(tmp_path).entries()
    first = next(records)
    (tmp_path / "b").unlink()
    rest = list(records)

    assert isinstance(first, Entry)
    assert [(type(record), record.address) for record in rest] == [(Notice, "b"), (Entry, "c")]


def test_count_and_depth_are_limited_with_a_notice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "1" / "2" / "3").mkdir(parents=True)
    monkeypatch.setattr(FolderTree, "MAXIMUM_DEPTH", 2)
    tree = open_folder(tmp_path).tree
    assert [entry.path for entry in entries_of(tree)] == ["1", "1/2"]
    assert [notice.code for notice in notices_of(tree)] == [NoticeCode.DEPTH_LIMIT]

    monkeypatch.setattr(FolderTree, "MAXIMUM_ENTRIES", 1)
    assert [entry.path for entry in entries_of(tree)] == ["1"]
    assert [notice.code for notice in notices_of(tree)] == [NoticeCode.COUNT_LIMIT]


def test_no_bytes_are_ever_taken_for_a_folder() -> None:
    folder = CONTAINERS.get("folder")
    assert not folder.probe(BytesSource(b"anything"), "folder")
    with pytest.raises(UnsupportedError):
        folder.open(BytesSource(b""), "folder", lambda name: None)


def test_reading_leaves_the_times_of_access_alone(tmp_path: Path) -> None:
    long_ago = 1_000_000_000_000_000_000
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.txt").write_bytes(b"glimber")
    for path in (tmp_path / "sub" / "a.txt", tmp_path / "sub"):
        os.utime(path, ns=(long_ago, long_ago))

    tree = FolderTree(tmp_path)
    found = entries_of(tree)
    assert read_all(tree, found[1]) == b"glimber"

    assert [entry.times.accessed for entry in entries_of(tree)] == [long_ago, long_ago]
    assert (tmp_path / "sub" / "a.txt").stat().st_atime_ns == long_ago
