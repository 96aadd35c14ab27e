"""Traces put together: one deleted file for each reference, by its newest name, with what is known of it.

A reference is a record's number and its sequence number. A file the table itself still lists, living or deleted, is
left out, whatever it was called before; so is what names no reference and looks like such a file.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from kaval.core.records import Times
from kaval.recovery.ntfs.structures import DOS_NAME, Name
from kaval.recovery.ntfs.table import Volume

MAXIMUM_TRACES = 1 << 20
FIRST_USER = 16
ROOT = 5
ORPHANS = "$OrphanFiles"
MAXIMUM_DEPTH = 512
RESOLUTION = "100ns"
SAME_MOMENT = 10_000_000
_EPOCH = 116444736000000000

INDEX, LOG, USN = "ntfs-index", "ntfs-logfile", "ntfs-usn"


class Body(NamedTuple):
    """Where the content of a file lay: its runs, its size and valid length, both nought where they were not told.

    ``at`` orders bodies by when they were last told of.
    """

    runs: list[tuple[int, int]]
    size: int
    valid: int
    at: int


@dataclass(slots=True)
class Past:
    """What is known of one deleted file: ``told`` says whether ``name`` carries the times and the size as stored."""

    name: Name
    at: int
    origin: str
    known: Name | None = None
    known_at: int = -1
    known_origin: str = ""
    deleted: int = 0
    created: int = 0
    body: Body | None = None

    def learn(self, name: Name, at: int, origin: str, *, told: bool) -> None:
        """Take in one more trace of the same file, seen at a time: the newest counts, a DOS name only for want."""
        if (name.namespace != DOS_NAME, at) > (self.name.namespace != DOS_NAME, self.at):
            self.name, self.at, self.origin = name, at, origin
        if told and (self.known is None or (at, name.size) > (self.known_at, self.known.size)):
            self.known, self.known_at, self.known_origin = name, at, origin

    @property
    def found_by(self) -> str:
        """The capability that reports it: by its content, else by its times and size, else by its name."""
        if self.body is not None:
            return LOG
        return self.known_origin or self.origin

    @property
    def size(self) -> int:
        if self.body is not None and self.body.size:
            return self.body.size
        return self.known.size if self.known is not None else 0

    def times(self) -> Times:
        """Return the times as stored, and those at which the change journal saw it made and deleted."""
        created, modified, changed, accessed = self.known.times if self.known is not None else (0, 0, 0, 0)
        return Times(
            modified=_nanoseconds(modified),
            accessed=_nanoseconds(accessed),
            changed=_nanoseconds(changed),
            created=_nanoseconds(created or self.created),
            deleted=_nanoseconds(self.deleted),
            zone="utc",
            resolution=RESOLUTION,
        )


def _nanoseconds(filetime: int) -> int | None:
    return (filetime - _EPOCH) * 100 if filetime else None


Reference = tuple[int, int]


@dataclass(slots=True)
class Traces:
    """Gathers traces before the table is read, and sorts out those of files that the table still has."""

    found: dict[Reference, Past] = field(default_factory=dict)
    settled: set[Reference] = field(default_factory=set)
    unnamed: dict[tuple[int, str], tuple[str, Name]] = field(default_factory=dict)
    is_full: bool = False

    def add(self, number: int, sequence: int, name: Name, origin: str, *, at: int = -1, told: bool = True) -> None:
        """Take note of one trace; ``at`` is when it was written, else its last change is taken for that."""
        reference = (number, sequence)
        if number < FIRST_USER or reference in self.settled or name.text == ".":
            return
        at = max(name.times[2], name.times[1]) if at < 0 else at
        past = self.found.get(reference)
        if past is None:
            if len(self.found) >= MAXIMUM_TRACES:
                self.is_full = True
                return
            past = self.found[reference] = Past(name, at, origin)
        past.learn(name, at, origin, told=told)

    def add_unnamed(self, address: str, name: Name) -> None:
        """Take note of a name whose reference was written over; the newest of a name in a directory is kept."""
        key = (name.parent | name.parent_sequence << 48, name.text)
        if len(self.unnamed) < MAXIMUM_TRACES and (
            key not in self.unnamed or self.unnamed[key][1].times[2] < name.times[2]
        ):
            self.unnamed[key] = (address, name)

    def settle(self, volume: Volume) -> None:
        """Leave out the files that the table has, and do not take them in again."""
        for reference in [each for each in self.found if volume.is_listed(*each)]:
            del self.found[reference]
            self.settled.add(reference)

    def settle_unnamed(self, volume: Volume) -> None:
        """Leave out the names without a reference that a file of the table, or one found by reference, explains.

        A file is taken for the same where it was created in the same tenth of a microsecond, and one found by
        reference also where it is called the same in the same directory.
        """
        import numpy as np

        if not self.unnamed:
            return
        self._join_unnamed()
        if not self.unnamed:
            return
        wanted = {name.times[0] for _, name in self.unnamed.values()}
        listed = volume.with_times(np.array(sorted(wanted), "<i8"))
        for key, (_, name) in list(self.unnamed.items()):
            if name.times[0] in listed:
                del self.unnamed[key]

    def _join_unnamed(self) -> None:
        """Leave out the names without a reference that a file found by reference explains, which learns from them.

        It learns times and size where the change journal saw it made when the name says it was.
        """
        pasts = self.found.values()
        named = {(past.name.parent | past.name.parent_sequence << 48, past.name.text): past for past in pasts}
        made = {past.known.times[0] for past in pasts if past.known is not None}
        for key, (_, name) in list(self.unnamed.items()):
            past = named.get(key)
            if past is not None and past.known is None and abs(past.created - name.times[0]) < SAME_MOMENT:
                past.learn(name, past.at, INDEX, told=True)
            if past is not None or name.times[0] in made:
                del self.unnamed[key]


class Paths:
    """Rebuilds paths upwards, through directories of the table and those known by their traces alone."""

    def __init__(self, volume: Volume, traces: Traces) -> None:
        self._volume = volume
        self._traces = traces
        self._known: dict[Reference, tuple[str, bool]] = {}

    def of(self, name: Name) -> tuple[str, bool]:
        """Return the path of a name, and whether it reaches the root."""
        above, whole = self._directory(name.parent, name.parent_sequence)
        return (f"{above}/{name.text}" if above else name.text), whole

    def _directory(self, number: int, sequence: int) -> tuple[str, bool]:
        pending: list[tuple[Reference, str]] = []
        seen: set[Reference] = set()
        while True:
            reference = (number, sequence)
            if number == ROOT:
                path, whole = "", True
                break
            if reference in self._known:
                path, whole = self._known[reference]
                break
            name = self._name_of(reference)
            if name is None or reference in seen or len(pending) >= MAXIMUM_DEPTH:
                path, whole = ORPHANS, False
                break
            seen.add(reference)
            pending.append((reference, name.text))
            number, sequence = name.parent, name.parent_sequence
        for reference, text in reversed(pending):
            path = f"{path}/{text}" if path else text
            self._known[reference] = (path, whole)
        return path, whole

    def _name_of(self, reference: Reference) -> Name | None:
        if self._volume.is_listed(*reference):
            return self._volume.names.get(reference[0])
        past = self._traces.found.get(reference)
        return past.name if past is not None and past.name.is_directory else None
