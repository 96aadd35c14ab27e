"""The contracts of the fan: what a container, a volume system, a file system must offer.

Capabilities inherit nothing; they have these attributes and methods. Each is registered with the
registry of its folder. Foreign libraries are imported inside the methods, so that listing
capabilities costs nothing and a missing library is told as *unavailable*.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from kaval.core.keys import Keyring
from kaval.core.records import Entry, Extent, Notice
from kaval.core.sources import ByteSource

Siblings = Callable[[str], ByteSource | None]
"""Gives the source of a file that lies beside the one being opened, by name; ``None`` if there is none."""


class Capability(Protocol):
    """What every capability says of itself.

    ``rank`` orders capabilities of a registry: lower is asked first. ``requires`` lists the importable
    modules without which it is unavailable; ``version`` names the library and version it reads with.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    rank: ClassVar[int]
    requires: ClassVar[tuple[str, ...]]


class Tree(Protocol):
    """A listed hierarchy of entries: a mounted file system, an archive, a folder.

    ``facts`` are short strings for the record (label, cluster size, who wrote it).
    """

    facts: Mapping[str, str]

    def entries(self) -> Iterator[Entry | Notice]:
        """Yield every entry, allocated ones in directory order first, then deleted and orphan ones.

        The same bytes give the same records in the same order. An address occurs once.
        """
        ...

    def open_stream(self, address: str) -> ByteSource:
        """Return the stream of an entry this tree listed without extents."""
        ...

    def unallocated(self) -> Iterator[Extent]:
        """Yield the extents no allocated entry owns, in order of offset; nothing where there is no such thing."""
        ...


@dataclass(frozen=True, kw_only=True)
class Opened:
    """What a container held: a source of decoded bytes, or a tree of entries.

    ``stored_digests`` are those the container carries of its decoded bytes (algorithm name to lower-case hex).
    """

    source: ByteSource | None = None
    tree: Tree | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    stored_digests: Mapping[str, str] = field(default_factory=dict)
    notices: tuple[Notice, ...] = ()


class Container(Capability, Protocol):
    """Decodes an image format, or lists an archive."""

    def probe(self, source: ByteSource, name: str) -> bool:
        """Say whether these bytes are of this format. Damage behind a right signature is a yes."""
        ...

    def open(self, source: ByteSource, name: str, siblings: Siblings) -> Opened:
        """Return what is inside; raises the engine's errors for what cannot be opened."""
        ...


@dataclass(frozen=True, kw_only=True)
class Volume:
    """One volume of a volume system: ``address`` is its part of the locator, ``offset`` where it starts.

    ``offset`` is a byte of the source the volume system lies in, ``None`` where the volume is no plain range of it.
    """

    address: str
    source: ByteSource
    title: str
    offset: int | None = None
    facts: Mapping[str, str] = field(default_factory=dict)


class VolumeSystem(Capability, Protocol):
    """Divides a source into volumes, or unlocks it into one.

    ``alongside`` marks a system that adds volumes (snapshots) to a source that holds a file system as well.
    """

    alongside: ClassVar[bool]

    def probe(self, source: ByteSource) -> bool:
        """Say whether the source carries this volume system."""
        ...

    def open(self, source: ByteSource, keyring: Keyring) -> Iterator[Volume | Notice]:
        """Yield the volumes in the order of the table; a locked one raises LockedError."""
        ...


class FileSystem(Capability, Protocol):
    """Reads one kind of file system."""

    def probe(self, source: ByteSource) -> bool:
        """Say whether the source starts a file system of this kind."""
        ...

    def open(self, source: ByteSource, keyring: Keyring) -> Tree:
        """Return its tree; raises the engine's errors for what cannot be opened."""
        ...


class Recovery(Capability, Protocol):
    """Finds entries by metadata that the file system itself no longer shows (journals, lost tables).

    ``layers`` names the file systems it applies to.
    """

    layers: ClassVar[tuple[str, ...]]

    def recover(self, source: ByteSource, tree: Tree) -> Iterator[Entry | Notice]:
        """Yield what is found beyond ``tree.entries()``; addresses start with the capability's own prefix."""
        ...
