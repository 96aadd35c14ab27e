"""Three other readers see the same tree with the same bytes."""

from __future__ import annotations

import gzip
import hashlib
import io
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from kaval.core.records import Entry, EntryKind, EntryState
from kaval.core.sources import BytesSource
from tests.filesystems.ext.make_images import words
from tests.filesystems.ext.volumes import digest, kept_image, listed, make_volume
from tests.testdata import shared

Seen = dict[str, str]
"""Path to digest for files, to ``/`` for directories, to the target for links."""


def seen_by_kaval(content: bytes) -> Seen:
    entries, notices = listed(content)
    assert notices == []
    seen = {}
    for path, entry in entries.items():
        if entry.state is EntryState.ALLOCATED and entry.kind is not EntryKind.SYSTEM:
            seen[path] = _value(BytesSource(content), entry)
    return seen


def _value(source: BytesSource, entry: Entry) -> str:
    if entry.kind is EntryKind.DIRECTORY:
        return "/"
    if entry.kind is EntryKind.SYMLINK:
        return entry.link_target or ""
    return digest(source, entry)


def seen_by_sleuthkit(content: bytes, path: Path) -> Seen:
    pytsk3 = pytest.importorskip("pytsk3")
    path.write_bytes(content)
    system = pytsk3.FS_Info(pytsk3.Img_Info(str(path)))

    def walk(inode: int, above: str) -> Iterator[tuple[str, str]]:
        for file in system.open_dir(inode=inode):
            name = file.info.name.name.decode()
            if name in (".", "..") or name == "$OrphanFiles" or file.info.meta is None or int(file.info.name.flags) & 2:
                continue
            here = f"{above}/{name}" if above else name
            kind, size = file.info.meta.type, file.info.meta.size
            if kind == pytsk3.TSK_FS_META_TYPE_DIR:
                yield here, "/"
                yield from walk(file.info.meta.addr, here)
            elif kind == pytsk3.TSK_FS_META_TYPE_LNK:
                yield here, (file.info.meta.link or file.read_random(0, size)).decode()
            else:
                yield here, hashlib.sha256(file.read_random(0, size) if size else b"").hexdigest()

    return dict(walk(system.info.root_inum, ""))


def seen_by_libfsext(content: bytes) -> Seen:
    pyfsext = pytest.importorskip("pyfsext")
    volume = pyfsext.volume()
    volume.open_file_object(io.BytesIO(content))

    def walk(directory: object, above: str) -> Iterator[tuple[str, str]]:
        for file in directory.sub_file_entries:  # type: ignore[attr-defined]
            here = f"{above}/{file.name}" if above else file.name
            kind = file.file_mode & 0xF000
            if kind == 0x4000:
                yield here, "/"
                yield from walk(file, here)
            elif kind == 0xA000:
                yield here, file.symbolic_link_target
            else:
                yield here, hashlib.sha256(file.read() if file.size else b"").hexdigest()

    return dict(walk(volume.get_root_directory(), ""))


def seen_by_dissect(content: bytes) -> Seen:
    extfs = pytest.importorskip("dissect.extfs")
    system = extfs.ExtFS(io.BytesIO(content))

    def walk(directory: object, above: str) -> Iterator[tuple[str, str]]:
        for name, inode in directory.listdir().items():  # type: ignore[attr-defined]
            if name in (".", ".."):
                continue
            here = f"{above}/{name}" if above else name
            kind = inode.filetype
            if kind == 0x4000:
                yield here, "/"
                yield from walk(inode, here)
            elif kind == 0xA000:
                yield here, inode.link
            else:
                yield here, hashlib.sha256(inode.open().read()).hexdigest()

    return dict(walk(system.root, ""))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with files of all sizes, holes, links and many names."""
    root = tmp_path / "folder"
    chosen = random.Random(5)
    for index in range(120):
        file = root / f"dast{index % 7}" / ("velk" * chosen.randint(1, 20) + f"{index}.txt")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(words(index, chosen.choice([0, 1, 59, 60, 61, 1000, 4096, 30_000, 200_000])))
    with (root / "holes").open("wb") as file_with_holes:
        for place in (5000, 90_000, 700_000):
            file_with_holes.seek(place)
            file_with_holes.write(words(place, 9000))
    (root / "short").symlink_to("dast1")
    (root / "long").symlink_to("x" * 80)
    return root


OPTIONS = [
    ("-t", "ext2", "-b", "1024", "-I", "128"),
    ("-t", "ext2", "-b", "4096"),
    ("-t", "ext3", "-b", "2048"),
    ("-t", "ext4", "-b", "1024"),
    ("-t", "ext4", "-b", "4096", "-O", "^64bit,^metadata_csum,uninit_bg"),
    ("-t", "ext4", "-b", "1024", "-O", "meta_bg,^resize_inode"),
    ("-t", "ext4", "-b", "1024", "-g", "1024", "-N", "512"),
]


@pytest.mark.parametrize("options", OPTIONS, ids=" ".join)
def test_the_oracles_see_the_same_volume(options: tuple[str, ...], folder: Path, tmp_path: Path) -> None:
    content = make_volume(tmp_path / "volume", *options, size="24M", content=folder)
    ours = seen_by_kaval(content)

    assert len(ours) > 120
    assert seen_by_sleuthkit(content, tmp_path / "copy") == ours
    assert seen_by_libfsext(content) == ours
    assert seen_by_dissect(content) == ours


FEW = [
    ("-O", "inline_data", "-I", "256"),
    ("-O", "bigalloc", "-C", "8192"),
    ("-O", "sparse_super2", "-g", "4096"),
]


@pytest.mark.parametrize("options", FEW, ids=lambda options: str(options[1]))
def test_features_few_read_are_read(options: tuple[str, ...], folder: Path, tmp_path: Path) -> None:
    content = make_volume(tmp_path / "volume", "-t", "ext4", "-b", "1024", *options, size="24M", content=folder)
    ours = seen_by_kaval(content)

    for path in folder.rglob("*"):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            assert ours[name] == str(path.readlink())
        elif path.is_file():
            assert ours[name] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_volume_of_a_kernel_looks_the_same_to_the_oracles(tmp_path: Path) -> None:
    content = kept_image("ext4")
    ours = seen_by_kaval(content)

    assert seen_by_sleuthkit(content, tmp_path / "copy") == ours
    assert seen_by_libfsext(content) == ours
    assert seen_by_dissect(content) == ours


@pytest.mark.parametrize("name", ["ext4", "ext4_sparse", "ext4_symlink_test"])
def test_volumes_of_dissect_look_the_same_to_it(name: str) -> None:
    content = gzip.decompress(shared(f"engine/dissect/extfs/{name}.bin.gz").read_bytes())

    assert seen_by_kaval(content) == seen_by_dissect(content)


def test_the_volume_of_dfvfs_looks_the_same_to_libfsext() -> None:
    parts = [shared(f"engine/dfvfs/ext2.splitraw.{number:03d}").read_bytes() for number in range(2)]
    content = b"".join(parts)

    assert seen_by_kaval(content) == seen_by_libfsext(content)
