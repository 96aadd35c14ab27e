"""Logical volumes of LVM2, as far as one physical volume holds them.

Known: see ``metadata``. Read are linear and striped volumes; a part that lies on another physical volume cannot be
read, and is told. Thin pools, RAID, mirrors, caches and snapshots are told as unsupported. Space of this physical
volume that belongs to no volume read here is listed as unallocated, so that it can be searched.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from kaval.core.contracts import Volume
from kaval.core.errors import CorruptStructureError, UnsupportedError
from kaval.core.keys import Keyring
from kaval.core.records import Notice, NoticeCode
from kaval.core.sources import ByteSource
from kaval.volumes import VOLUMES
from kaval.volumes.lvm2.group import free_space, read_group
from kaval.volumes.lvm2.metadata import find_label, read_metadata
from kaval.volumes.ranges import shows_its_holders_table


@VOLUMES.register
class Lvm2:
    """LVM2 physical volume."""

    name: ClassVar[str] = "lvm2"
    title: ClassVar[str] = "LVM2 physical volume"
    rank: ClassVar[int] = 70
    requires: ClassVar[tuple[str, ...]] = ()
    alongside: ClassVar[bool] = False

    def probe(self, source: ByteSource) -> bool:
        return not shows_its_holders_table(source) and find_label(source) is not None

    def open(self, source: ByteSource, keyring: Keyring) -> Iterator[Volume | Notice]:
        label = find_label(source)
        assert label is not None
        if not label.metadata_areas:
            remedy = "it keeps no description of its volume group; give the image of another one of the group"
            raise UnsupportedError(f"LVM2 physical volume {label.identifier}", remedy)
        group = None
        for record in read_metadata(source, label):
            if isinstance(record, Notice):
                yield record
            else:
                group = read_group(source, label, record)
        assert group is not None
        taken: list[tuple[int, int]] = []
        for name, section in group.logical_volumes():
            try:
                yield from group.volume(name, section, taken)
            except CorruptStructureError as error:
                yield Notice(code=NoticeCode.DAMAGED, message=str(error), address=name, structure="LVM2 metadata")
        yield from free_space(source, group, taken)
