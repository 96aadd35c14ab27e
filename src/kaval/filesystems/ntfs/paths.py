"""Paths, rebuilt upwards from the reference each name keeps of its directory.

A reference holds the directory's record and its sequence number. A record that is in use again has another sequence:
then the directory is gone, and what refers to it is an orphan. Freeing a record adds one to its sequence.
"""

from __future__ import annotations

from typing import NamedTuple

from kaval.filesystems.ntfs.segments import DOS_NAME, FileName, Segment
from kaval.filesystems.ntfs.table import FileTable

ROOT = 5
ORPHANS = "$OrphanFiles"
MAXIMUM_DEPTH = 512


class Place(NamedTuple):
    """Where a directory lies: ``whole`` says that its path reaches the root, ``living`` that all of it is in use."""

    path: str
    whole: bool
    living: bool


_ROOT_PLACE = Place("", True, True)
_NOWHERE = Place(ORPHANS, False, False)


class Directories:
    """Finds the paths of directories, each record read once."""

    def __init__(self, table: FileTable) -> None:
        self._table = table
        self._places: dict[tuple[int, int], Place] = {}
        self.loops: list[int] = []

    def place(self, number: int, sequence: int) -> Place:
        """Return where the directory of a reference lies."""
        if number == ROOT:
            return _ROOT_PLACE
        known = self._places.get((number, sequence))
        if known is not None:
            return known
        pending: list[tuple[int, int, str, bool]] = []
        above = self._climb(number, sequence, pending)
        for child, child_sequence, name, living in reversed(pending):
            path = f"{above.path}/{name}" if above.path else name
            above = Place(path, above.whole, above.living and living)
            self._places[child, child_sequence] = above
        return above

    def _climb(self, number: int, sequence: int, pending: list[tuple[int, int, str, bool]]) -> Place:
        """Gather the directories upwards until one is known, is the root, or is not there."""
        seen: set[int] = set()
        while True:
            if number == ROOT:
                return _ROOT_PLACE
            known = self._places.get((number, sequence))
            if known is not None:
                return known
            segment = self._table.segment(number)
            if segment is None or not matches(segment, sequence) or not segment.is_directory or not segment.names:
                self._places[number, sequence] = _NOWHERE
                return _NOWHERE
            if number in seen or len(pending) >= MAXIMUM_DEPTH:
                self.loops.append(number)
                return _NOWHERE
            seen.add(number)
            name = best_name(segment.names)
            pending.append((number, sequence, printable(name.name), segment.in_use))
            number, sequence = name.parent, name.parent_sequence


def matches(segment: Segment, sequence: int) -> bool:
    """Whether a record is still the one that a reference means."""
    if sequence == 0 or segment.sequence == sequence:
        return True
    return not segment.in_use and segment.sequence == sequence + 1


def best_name(names: list[FileName]) -> FileName:
    """Return the first name that is more than a DOS one."""
    return next((name for name in names if name.namespace != DOS_NAME), names[0])


def printable(name: str) -> str:
    """Return a name as a part of a path: a stroke in it would read as two parts."""
    return name.replace("/", "\N{FRACTION SLASH}") if "/" in name else name
