"""Blocks, checksums and B-trees of an APFS container (Apple File System Reference, "Objects", "B-Trees")."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

import numpy as np

from kaval.core.errors import CorruptStructureError, UnreadableError
from kaval.core.sources import ByteSource

ROOT_FLAG, LEAF_FLAG, FIXED_FLAG = 0x1, 0x2, 0x4
_NODE_HEAD = struct.Struct("<HHIHH")
_NODE_SIZE = 56
_HEADER_SIZE = 32
_PLAIN_KINDS = (b"\x02\x00", b"\x03\x00")
"""Types of a tree's root and other nodes; where neither stands in the header, the node is encrypted."""

_INFO_SIZE = 40
_MAXIMUM_LEVEL = 16
_KEPT_NODES = 512

_Record = tuple[tuple[int, ...], bytes, bytes]
Resolve = Callable[[int], int]
"""Gives the block a child of a tree lies in."""


class Cipher(Protocol):
    """What decrypts blocks; ``sector`` counts 512 bytes from the start of the container."""

    def decrypt(self, ciphertext: bytes, sector: int) -> bytes: ...


class Blocks:
    """The blocks of a container.

    It offers what the keybag reader of dissect.apfs asks of a container as well.

    Attributes:
        unsound: Addresses of blocks that do not fit their checksum and were read nevertheless, and what they are.
    """

    def __init__(self, source: ByteSource, block_size: int) -> None:
        self.source = source
        self.block_size = block_size
        self.sectors_per_block = block_size // 512
        self.unsound: dict[int, str] = {}

    def read(self, address: int, count: int = 1) -> bytes:
        """Return blocks as stored.

        Raises:
            CorruptStructureError: The address lies outside any container.
            UnreadableError: The image ends before them.
        """
        offset, length = address * self.block_size, count * self.block_size
        if not 0 < address < 1 << 51 or not 0 < length <= self.source.size:
            raise CorruptStructureError("APFS address", f"{count} blocks at block {address} are outside the container")
        content = self.source.read_at(offset, length)
        if len(content) < length:
            raise UnreadableError(offset + len(content), length - len(content), "the image ends before the container")
        return content

    _read_block = read


def checksum_fits(block: bytes) -> bool:
    """Say whether an object fits its Fletcher-64 checksum ("Objects", o_cksum)."""
    words = np.frombuffer(block[8:], "<u4").astype(np.uint64)
    modulus = 0xFFFFFFFF
    first = int(words.sum()) % modulus
    weights = np.arange(len(words), 0, -1, dtype=np.uint64)
    second = int((words * weights % np.uint64(modulus)).sum()) % modulus
    low = modulus - (first + second) % modulus
    high = modulus - (first + low) % modulus
    return low | high << 32 == int.from_bytes(block[:8], "little")


class Node(NamedTuple):
    """One node of a B-tree: keys and values as bytes, in order."""

    level: int
    is_leaf: bool
    keys: list[bytes]
    values: list[bytes]


def parse_node(block: bytes, key_size: int, value_size: int, address: int) -> Node:
    """Return a node; ``key_size`` and ``value_size`` serve trees whose keys and values are of one size.

    Raises:
        CorruptStructureError: Its table of contents does not fit into it.
    """
    flags, level, count, table_offset, table_length = _NODE_HEAD.unpack_from(block, 32)
    fixed = bool(flags & FIXED_FLAG)
    table = _NODE_SIZE + table_offset
    keys_at = table + table_length
    values_at = len(block) - (_INFO_SIZE if flags & ROOT_FLAG else 0)
    width = 4 if fixed else 8
    if level > _MAXIMUM_LEVEL or bool(flags & LEAF_FLAG) != (level == 0) or table + count * width > values_at:
        raise CorruptStructureError("APFS tree", f"the node in block {address} claims {count} keys at level {level}")
    keys, values = [], []
    if fixed:
        size = value_size if level == 0 else 8
        for key, value in struct.iter_unpack("<HH", block[table : table + 4 * count]):
            keys.append(block[keys_at + key : keys_at + key + key_size])
            values.append(b"" if value == 0xFFFF else block[values_at - value : values_at - value + size])
    else:
        for key, length, value, size in struct.iter_unpack("<4H", block[table : table + 8 * count]):
            keys.append(block[keys_at + key : keys_at + key + length])
            values.append(b"" if value == 0xFFFF else block[values_at - value : values_at - value + size])
    return Node(level, level == 0, keys, values)


class BTree:
    """A B-tree, read from its root down; a child lies one level below its parent, so that no walk is endless."""

    def __init__(
        self,
        blocks: Blocks,
        root: int,
        *,
        order: Callable[[bytes], tuple[int, ...]],
        resolve: Resolve | None = None,
        cipher: Cipher | None = None,
        fixed: tuple[int, int] = (0, 0),
    ) -> None:
        self._blocks = blocks
        self._root = root
        self._order = order
        self._resolve = resolve
        self._cipher = cipher
        self._fixed = fixed
        self._kept: dict[int, tuple[Node, list[tuple[int, ...]]]] = {}

    def _node(self, address: int) -> tuple[Node, list[tuple[int, ...]]]:
        if address not in self._kept:
            while len(self._kept) >= _KEPT_NODES:
                del self._kept[next(iter(self._kept))]
            block = self._blocks.read(address)
            if self._cipher is not None and block[24:26] not in _PLAIN_KINDS:
                block = self._cipher.decrypt(block, address * self._blocks.sectors_per_block)
            if not checksum_fits(block) and any(block[:_HEADER_SIZE]):
                self._blocks.unsound.setdefault(address, "a node of a tree does not fit its checksum")
            node = parse_node(block, *self._fixed, address)
            try:
                self._kept[address] = node, [self._order(key) for key in node.keys]
            except struct.error as error:
                raise CorruptStructureError("APFS tree", f"a key in block {address} is too short") from error
        return self._kept[address]

    def _child(self, node: Node, index: int) -> int:
        if len(node.values[index]) < 8:
            raise CorruptStructureError("APFS tree", "an inner node names no child")
        number = int.from_bytes(node.values[index][:8], "little")
        return number if self._resolve is None else self._resolve(number)

    def scan(self, start: tuple[int, ...] = ()) -> Iterator[tuple[bytes, bytes]]:
        """Yield keys and values in order, from the first key that is not below ``start``.

        Raises:
            CorruptStructureError: The keys go backwards, or a node makes no sense.
        """
        last: tuple[int, ...] = ()
        for order, key, value in self._scan(self._root, start, None):
            if order < last:
                raise CorruptStructureError("APFS tree", "its keys go backwards")
            last = order
            yield key, value

    def _scan(self, address: int, start: tuple[int, ...], level: int | None) -> Iterator[_Record]:
        node, orders = self._node(address)
        if level is not None and node.level != level:
            raise CorruptStructureError("APFS tree", f"block {address} holds level {node.level} where {level} belongs")
        if node.is_leaf:
            for order, key, value in zip(orders, node.keys, node.values, strict=True):
                if order >= start:
                    yield order, key, value
            return
        first = max(0, _last_not_above(orders, start))
        for index in range(first, len(orders)):
            yield from self._scan(self._child(node, index), start if index == first else (), node.level - 1)

    def last_not_above(self, wanted: tuple[int, ...]) -> tuple[bytes, bytes] | None:
        """Return the last key, with its value, that is not above the one wanted."""
        address, level = self._root, None
        while True:
            node, orders = self._node(address)
            if level is not None and node.level != level:
                raise CorruptStructureError("APFS tree", f"block {address} holds level {node.level}, not {level}")
            index = _last_not_above(orders, wanted)
            if index < 0:
                return None
            if node.is_leaf:
                return node.keys[index], node.values[index]
            address, level = self._child(node, index), node.level - 1


def _last_not_above(orders: list[tuple[int, ...]], wanted: tuple[int, ...]) -> int:
    low, high = 0, len(orders)
    while low < high:
        middle = (low + high) // 2
        if orders[middle] <= wanted:
            low = middle + 1
        else:
            high = middle
    return low - 1
