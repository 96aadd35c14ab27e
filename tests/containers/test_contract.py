"""What every image container keeps to: bytes inside the source, the same answer twice, its place in the order."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from uuid import UUID

import pytest

from kaval.containers import CONTAINERS
from kaval.core.contracts import Opened
from kaval.core.sources import BytesSource
from tests.containers.disk_images import MIB, write_cowd, write_sesparse, write_vhd, write_vhdx
from tests.containers.ewf_images import write_e01, write_ex01
from tests.containers.images import beside, disk, stays_inside
from tests.containers.test_aff4 import simple
from tests.containers.test_dmg import KINDS, write_dmg

CONTENT = disk(2 * MIB)
Files = Mapping[str, bytes]


def _vhd() -> Files:
    blocks = {number: (b"\xff" * 512, CONTENT[number * MIB : (number + 1) * MIB]) for number in range(2)}
    return {"disk.vhd": write_vhd(blocks, len(CONTENT), block_size=MIB, identifier=bytes(16))}


def _vhdx() -> Files:
    return {"disk.vhdx": write_vhdx([4 << 20 | 6, 5 << 20 | 6], CONTENT, len(CONTENT), written=UUID(int=3))}


def _split() -> Files:
    return {"disk.001": CONTENT[:MIB], "disk.002": CONTENT[MIB:]}


IMAGES: Mapping[str, Callable[[], Files]] = {
    "raw": lambda: {"disk.dd": CONTENT},
    "raw split": _split,
    "ewf": lambda: write_e01(CONTENT, segments=2, bad_sectors=((5, 1),)),
    "ewf 2": lambda: write_ex01(CONTENT, segments=2),
    "aff4": lambda: {"disk.aff4": simple(CONTENT, "snappy")},
    "vmdk cow": lambda: {"disk.vmdk": write_cowd(CONTENT)},
    "vmdk space-efficient": lambda: {"disk.vmdk": write_sesparse(CONTENT)},
    "vhd": _vhd,
    "vhdx": _vhdx,
    "dmg": lambda: {"disk.dmg": write_dmg(CONTENT, *KINDS)},
}


def _open(files: Files) -> tuple[str, Opened]:
    name = next(iter(files))
    source = BytesSource(files[name])
    capability = next(each for each in CONTAINERS.available() if each.probe(source, name))
    return capability.name, capability.open(source, name, beside(files))


@pytest.mark.parametrize("kind", IMAGES)
def test_the_same_disk_comes_out_of_every_container(kind: str) -> None:
    name, opened = _open(IMAGES[kind]())

    assert name == kind.partition(" ")[0]
    assert opened.source is not None
    stays_inside(opened.source, CONTENT)


@pytest.mark.parametrize("kind", IMAGES)
def test_the_same_bytes_give_the_same_answer(kind: str) -> None:
    files = IMAGES[kind]()
    (_, first), (_, second) = _open(files), _open(files)

    assert (dict(first.facts), dict(first.stored_digests), first.notices) == (
        dict(second.facts),
        dict(second.stored_digests),
        second.notices,
    )
    assert all(isinstance(value, str) and value for value in first.facts.values())


@pytest.mark.parametrize("kind", IMAGES)
def test_reads_in_any_order_and_size_agree(kind: str) -> None:
    _, opened = _open(IMAGES[kind]())
    source = opened.source
    assert source is not None
    numbers = random.Random(9)
    for size in (4096, 1 << 16, 4 << 20):
        starts = list(range(0, len(CONTENT), size))
        numbers.shuffle(starts)
        assert all(source.read_at(start, size) == CONTENT[start : start + size] for start in starts)


def test_no_container_claims_bytes_of_nothing_known() -> None:
    source = BytesSource(bytes(range(256)) * 64)

    claimed = [each.name for each in CONTAINERS.available() if each.probe(source, "blob.bin")]
    assert claimed == ["raw"]


def test_raw_is_asked_last_of_all_that_recognise_bytes() -> None:
    names = [capability.name for capability in CONTAINERS.all()]

    assert names[names.index("unread") : names.index("raw") + 1] == ["unread", "raw"]
    assert set(names[names.index("raw") + 1 :]) <= {"folder"}
