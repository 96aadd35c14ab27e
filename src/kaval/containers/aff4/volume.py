"""Volumes: the ZIP files an AFF4 image consists of, with what they store and what they say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import unquote

from kaval.containers.aff4.turtle import Graph, read_turtle
from kaval.containers.blockcodecs import undeflate
from kaval.containers.window import Window
from kaval.containers.zip.layout import find_directory, read_central, read_local
from kaval.core.contracts import Siblings
from kaval.core.errors import CorruptStructureError, UnreadableError, UnsupportedError
from kaval.core.sources import ByteSource, SliceSource

MAXIMUM_TEXT = 64 << 20
MAXIMUM_VOLUMES = 64
_STRIPE = re.compile(r"(?P<base>.+_)(?P<number>\d{1,3})(?P<end>\.aff4)", re.IGNORECASE | re.DOTALL)
_STORED, _DEFLATED = 0, 8


class Member(NamedTuple):
    """One member of a volume, as its ZIP directory tells it."""

    source: ByteSource
    header_offset: int
    method: int
    compressed_size: int
    size: int
    volume: str


@dataclass(kw_only=True)
class Volumes:
    """All volumes that are there, as one: members by their full names, statements of all descriptions."""

    members: dict[str, Member] = field(default_factory=dict)
    graph: Graph = field(default_factory=dict)
    tools: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    def add(self, source: ByteSource, name: str) -> None:
        """Take in one volume.

        Raises:
            CorruptStructureError: Its directory or its description cannot be read.
            UnsupportedError: It is from before the standard.
        """
        title = f"the AFF4 volume {name}"
        found = find_directory(source)
        if found is None:
            raise CorruptStructureError(title, "it has no ZIP directory: it was cut off or never finished", source.size)
        window = Window(source)
        offset = found.offset
        own: dict[str, Member] = {}
        for _ in range(found.count):
            member, offset = read_central(window, offset, found.end, found.shift)
            full = unquote(member.name.decode("utf-8", "replace"))
            own[full] = Member(source, member.header_offset, member.method, member.compressed_size, member.size, name)
        identifier = self._text(own, "container.description", 4096).strip("\0 \r\n") or found.comment.decode("latin-1")
        self._check_version(self._text(own, "version.txt", 4096), title)
        description = self._text(own, "information.turtle", MAXIMUM_TEXT)
        if not description:
            raise CorruptStructureError(title, "it has no description (information.turtle)")
        for subject, statements in read_turtle(description).items():
            known = self.graph.setdefault(subject, {})
            for predicate, objects in statements.items():
                values = known.setdefault(predicate, [])
                values.extend(value for value in objects if value not in values)
        for full, stored in own.items():
            self.members.setdefault(full if "://" in full else f"{identifier.rstrip('/')}/{full}", stored)
        self.names.append(name)

    def _check_version(self, text: str, title: str) -> None:
        settings = dict(line.partition("=")[::2] for line in text.split())
        tool = text.partition("tool=")[2].split("\n")[0].strip()
        if tool:
            self.tools.append(tool)
        if settings.get("major") != "1":
            version = f"{settings.get('major', '?')}.{settings.get('minor', '?')}"
            raise UnsupportedError(f"{title} of version {version}", "convert it with the tool that made it")

    def _text(self, members: dict[str, Member], name: str, maximum: int) -> str:
        member = members.get(name)
        if member is None:
            return ""
        if member.size > maximum:
            raise CorruptStructureError(f"the member {name} of {member.volume}", f"it claims {member.size} bytes")
        return self._bytes(member, name).decode("utf-8", "replace")

    def _bytes(self, member: Member, name: str) -> bytes:
        content = StoredMember(member, name).read_at(0, member.compressed_size)
        if member.method == _STORED:
            return content
        decoded = undeflate(content, member.size) if member.method == _DEFLATED else None
        if decoded is None:
            raise UnreadableError(0, member.size, f"the member {name} of {member.volume} cannot be decoded")
        return decoded

    def read(self, name: str, maximum: int) -> bytes | None:
        """Return the content of a member, ``None`` if there is none of that name.

        Raises:
            UnreadableError: It cannot be read, or is larger than it can be.
        """
        member = self.members.get(name)
        if member is None:
            return None
        if member.size > maximum or member.compressed_size > maximum:
            raise UnreadableError(0, member.size, f"the member {name} claims {member.size} bytes")
        return self._bytes(member, name)

    def size_of(self, name: str) -> int:
        """Return how many bytes a member claims to have, 0 if there is none of that name."""
        member = self.members.get(name)
        return member.size if member is not None else 0

    def find(self, name: str) -> ByteSource | None:
        """Return the bytes of a member as they are stored, ``None`` if there is none of that name.

        A member that ZIP compressed, which the standard forbids here, is unreadable.
        """
        member = self.members.get(name)
        return None if member is None else StoredMember(member, name)

    def numbered(self, name: str) -> Iterator[tuple[int, str]]:
        """Yield number and name of the bevies of a stream, in their order."""
        start = f"{name}/"
        ends = (full[len(start) :] for full in self.members if full.startswith(start))
        for number in sorted(int(end) for end in ends if end.isascii() and end.isdigit() and len(end) == 8):
            yield number, f"{start}{number:08}"


class StoredMember:
    """The bytes of one member; its local header is read when the first of them is."""

    def __init__(self, member: Member, name: str) -> None:
        self._member = member
        self._name = name
        self._range: ByteSource | None = None

    @property
    def size(self) -> int:
        return self._member.compressed_size

    def read_at(self, offset: int, length: int) -> bytes:
        if self._range is None:
            self._range = self._found()
        return self._range.read_at(offset, length)

    def _found(self) -> ByteSource:
        member = self._member
        if member.method not in (_STORED, _DEFLATED):
            raise UnreadableError(0, self.size, f"the member {self._name} is packed by ZIP method {member.method}")
        local = read_local(Window(member.source), member.header_offset)
        if local is None or local.data_offset + self.size > member.source.size:
            reason = f"the member {self._name} is not where the directory of {member.volume} says"
            raise UnreadableError(0, self.size, reason)
        return SliceSource(member.source, local.data_offset, self.size)


def gather(source: ByteSource, name: str, siblings: Siblings) -> Volumes:
    """Return the volume and, where its name says that it is one of several (``disk_1.aff4``), those beside it."""
    volumes = Volumes()
    volumes.add(source, name)
    found = _STRIPE.fullmatch(name)
    if found is not None:
        for number in range(1, MAXIMUM_VOLUMES + 1):
            other = f"{found['base']}{number}{found['end']}"
            beside = siblings(other) if number != int(found["number"]) else None
            if beside is not None:
                volumes.add(beside, other)
    return volumes
