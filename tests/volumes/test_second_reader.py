"""The Sleuth Kit as second reader: the same partitions at the same places, from the same bytes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import pytsk3

from kaval.core.contracts import VolumeSystem
from kaval.core.sources import ByteSource, BytesSource
from kaval.volumes.apm import ApplePartitionMap
from kaval.volumes.bsd import BsdLabel
from kaval.volumes.gpt import Gpt
from kaval.volumes.mbr import Mbr
from tests.volumes import test_apm, test_bsd, test_gpt, test_mbr
from tests.volumes.contract import records_of, volumes_of


class _Image(pytsk3.Img_Info):  # type: ignore[misc]
    """A source as the library wants it."""

    def __init__(self, source: ByteSource) -> None:
        self._source = source
        super().__init__(url="", type=pytsk3.TSK_IMG_TYPE_EXTERNAL)

    def close(self) -> None:
        pass

    def read(self, offset: int, size: int) -> bytes:
        return self._source.read_at(offset, size)

    def get_size(self) -> int:
        return self._source.size


def _theirs(source: ByteSource) -> set[tuple[int, int]]:
    image = _Image(source)
    volumes = pytsk3.Volume_Info(image)
    return {
        (part.start * volumes.info.block_size, part.len * volumes.info.block_size)
        for part in volumes
        if part.flags == pytsk3.TSK_VS_PART_FLAG_ALLOC
    }


Ranges = set[tuple[int, int]]
MAP_AND_FREE: Ranges = {(512, 15 * 512), (116 * 512, 20 * 512)}
WHOLE_SLICE: Ranges = {(0, test_bsd.SECTORS * 512)}
CASES: list[tuple[type[VolumeSystem], Callable[[], ByteSource], Ranges]] = [
    (Mbr, test_mbr.extended_disk, set()),
    (Gpt, test_gpt.disk, set()),
    (Gpt, lambda: test_gpt.disk(sector_size=4096), set()),
    (ApplePartitionMap, lambda: BytesSource(bytes(test_apm.disk(test_apm.ROWS))), MAP_AND_FREE),
    (BsdLabel, lambda: BytesSource(bytes(test_bsd.slice_of(test_bsd.RELATIVE))), WHOLE_SLICE),
]


@pytest.mark.parametrize(("system", "source", "no_volumes"), CASES, ids=["mbr", "gpt", "gpt of 4096", "apm", "bsd"])
def test_the_sleuth_kit_sees_the_same_partitions(
    system: type[VolumeSystem], source: Callable[[], ByteSource], no_volumes: Ranges
) -> None:
    ours = volumes_of(records_of(system(), source()))

    assert set(ours.values()) | no_volumes == _theirs(source())
