"""B-trees: the items of a tree in the order of their keys ("On-disk Format", "Basic structures")."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from kaval.core.errors import CorruptStructureError
from kaval.filesystems.btrfs.space import KEY, Space, checksum_fits

Key = tuple[int, int, int]
_HEADER_SIZE = 101
_MAXIMUM_LEVEL = 8
_KEPT_NODES = 512


class Item(NamedTuple):
    """One item of a leaf; ``address`` is the logical byte its content starts at."""

    key: Key
    content: bytes
    address: int


class Node(NamedTuple):
    """One node: keys, and what stands beside them (addresses of children, or offset and size of contents)."""

    level: int
    keys: list[Key]
    beside: list[tuple[int, int]]
    block: bytes


class Forest:
    """Reads the trees of one file system; keeps the nodes it read last.

    Attributes:
        unsound: Logical addresses of nodes that do not fit their checksum and were read nevertheless.
    """

    def __init__(self, space: Space) -> None:
        self.space = space
        self.unsound: dict[int, str] = {}
        self._kept: dict[int, Node] = {}

    def node(self, address: int) -> Node:
        """Return a node.

        Raises:
            CorruptStructureError: What lies there is no node of this file system.
        """
        if address not in self._kept:
            while len(self._kept) >= _KEPT_NODES:
                del self._kept[next(iter(self._kept))]
            self._kept[address] = self._read(address)
        return self._kept[address]

    def _read(self, address: int) -> Node:
        block = self.space.read(address, self.space.superblock.node_size)
        own, count, level = struct.unpack_from("<48xQ40xIB", block)
        width = 33 if level else 25
        if own != address or level > _MAXIMUM_LEVEL or _HEADER_SIZE + count * width > len(block):
            reason = f"logical byte {address} does not hold the node that belongs there"
            raise CorruptStructureError("Btrfs tree", reason, self.space.place(address, 1)[0])
        if not checksum_fits(block, self.space.superblock.checksum_kind):
            self.unsound.setdefault(self.space.place(address, 1)[0], "a node of a tree does not fit its checksum")
        table = block[_HEADER_SIZE : _HEADER_SIZE + count * width]
        form = "<QBQQQ" if level else "<QBQII"
        rows = list(struct.iter_unpack(form, table))
        return Node(level, [row[:3] for row in rows], [row[3:] for row in rows], block)

    def items(self, root: int, start: Key = (0, 0, 0)) -> Iterator[Item]:
        """Yield the items of a tree from a key on. A child lies one level below its parent, so that no walk is endless.

        Raises:
            CorruptStructureError: The keys go backwards, or a node makes no sense.
        """
        last: Key = (0, 0, 0)
        for item in self._items(root, start, None):
            if item.key < last:
                raise CorruptStructureError("Btrfs tree", "its keys go backwards")
            last = item.key
            yield item

    def _items(self, address: int, start: Key, level: int | None) -> Iterator[Item]:
        node = self.node(address)
        if level is not None and node.level != level:
            raise CorruptStructureError("Btrfs tree", f"logical byte {address} holds level {node.level}, not {level}")
        if not node.level:
            for key, (offset, size) in zip(node.keys, node.beside, strict=True):
                if key >= start:
                    place = _HEADER_SIZE + offset
                    yield Item(key, node.block[place : place + size], address + place)
            return
        for index, (child, _) in enumerate(node.beside):
            if index + 1 < len(node.keys) and node.keys[index + 1] <= start:
                continue
            yield from self._items(child, start, node.level - 1)


assert KEY.size == 17
