"""Compiled sets: a folder that answers at once, made from a file of any format read here."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from kaval.core.errors import CorruptStructureError
from kaval.folder.durable import flush_directory
from kaval.knownsets import Match, Role, SetInfo
from kaval.knownsets.algorithms import EXACT, ORIENTATIONS, ZERO_LENGTH
from kaval.knownsets.details import Details, Links
from kaval.knownsets.exact import DigestTable
from kaval.knownsets.formats import SET_FORMATS
from kaval.knownsets.importing import Order, import_files, seal
from kaval.knownsets.near import HashTable
from kaval.knownsets.photodna import DEFAULT_THRESHOLD, PhotoDnaTable
from kaval.knownsets.statements import Statement
from kaval.knownsets.video import KNOWN_SHARE, VideoMatch


def compile_set(path: Path, *, name: str, role: Role, target: Path) -> SetInfo:
    """Make the folder of a set from a file; it is there whole, or not at all.

    Digests of files of no bytes are left out and counted.

    Raises:
        NotRecognisedError: No format recognises the file.
        CorruptStructureError: The file is cut off or contradicts its format.
    """
    aside = target.with_name(f".{target.name}.part")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    try:
        found = import_files(Order(paths=(path,), role=role), aside)
        info = SetInfo(
            name=name,
            version=found.version,
            role=role,
            source_name=path.name,
            format=found.format,
            counts=found.counts,
            dropped=found.dropped,
            entries=found.entries,
            sources=found.sources,
        )
        seal(aside, asdict(info), {"tallies": found.tallies, "remarks": found.remarks}, found.digests)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise
    aside.rename(target)
    flush_directory(target.parent)
    return info


def read_info(folder: Path) -> SetInfo:
    """Return what the set of a folder is.

    Raises:
        CorruptStructureError: It is none, or its description cannot be read.
    """
    try:
        record = json.loads((folder / "info.json").read_text(encoding="utf-8"))
        return SetInfo(**{**record, "role": Role(record["role"])})
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise CorruptStructureError(f"known set {folder}", f"it cannot be opened ({error})") from error


def _hold(folder: Path) -> int:
    """Return a descriptor that keeps others from dropping the set while it is open.

    Raises:
        CorruptStructureError: It is being dropped.
    """
    try:
        descriptor = os.open(folder / "info.json", os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise
    except OSError as error:
        raise CorruptStructureError(f"known set {folder}", "it is being dropped") from error
    return descriptor


class Reasons(Sequence[Match]):
    """Why one digest matches: one match at least, read from the set when it is looked at."""

    __slots__ = ("_algorithm", "_known", "_matches", "_row")

    def __init__(self, known: CompiledSet, algorithm: str, row: int) -> None:
        self._known = known
        self._algorithm = algorithm
        self._row = row
        self._matches: list[Match] | None = None

    def _read(self) -> list[Match]:
        if self._matches is None:
            self._matches = self._known.matches(self._algorithm, self._row)
        return self._matches

    def __bool__(self) -> bool:
        return True

    def __len__(self) -> int:
        return len(self._read())

    def __getitem__(self, place: Any) -> Any:
        return self._read()[place]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self._read() == list(other)

    __hash__ = None  # type: ignore[assignment]


class CompiledSet:
    """A known set that answers: which of these values are in it, which are near to one of it.

    Everything is mapped; opening reads a page or two. An open set stays whole whatever happens to its folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._hold = -1
        self.info = read_info(folder)
        self._hold = _hold(folder)
        self._details = Details(folder)
        self.tables = {name: DigestTable(folder, name) for name in (*EXACT, "pdq") if self.info.counts.get(name)}
        self.hashes = HashTable(folder) if self.info.counts.get("pdq") else None
        for name, table in self.tables.items():
            if table.count != self.info.counts[name]:
                reason = f"it holds {table.count} {name}, not as many as it says"
                raise CorruptStructureError(f"known set {folder}", reason)
        self._links = {name: Links(folder, name, table.count) for name, table in self.tables.items()}
        self.vectors = PhotoDnaTable(folder) if self.info.counts.get("photodna") else None
        self._format = SET_FORMATS.get(self.info.format)

    def __del__(self) -> None:
        if self._hold >= 0:
            os.close(self._hold)

    def exact(self, algorithm: str, digests: Sequence[bytes]) -> list[Sequence[Match]]:
        """Return for each digest why it matches; nothing where it does not.

        A digest the set grades in several ways matches once for each. What the set says is read when a match is
        looked at, so that asking for a hundred thousand digests costs no more than finding them.
        """
        table = self.tables.get(algorithm)
        if table is None or algorithm not in EXACT:
            return [[] for _ in digests]
        nothing = ZERO_LENGTH[algorithm]
        return [
            [] if row < 0 or digest == nothing else Reasons(self, algorithm, row)
            for row, digest in zip(table.find_many(digests), digests, strict=True)
        ]

    def near(self, hashes: Sequence[Sequence[bytes]], threshold: int) -> list[list[Match]]:
        """Return for each picture, given in its eight orientations, the known hashes within a distance.

        Each known hash matches once, by the orientation that comes nearest.
        """
        if self.hashes is None:
            return [[] for _ in hashes]
        found = []
        for near in self.hashes.search_any(hashes, threshold):
            matches: list[Match] = []
            for row, distance, orientation in near:
                matches += self.matches("pdq", row, distance, threshold, ORIENTATIONS[orientation])
            found.append(sorted(matches, key=lambda match: (match.distance, match.value, match.category or "")))
        return found

    def near_vectors(self, values: Sequence[bytes], threshold: int = DEFAULT_THRESHOLD) -> list[list[Match]]:
        """Return for each PhotoDNA value the known ones within a squared distance, nearest first.

        A set has values to compare only where that was switched on when it was imported.
        """
        if self.vectors is None:
            return [[] for _ in values]
        found = []
        for value in values:
            matches: list[Match] = []
            for near in self.vectors.within(value, threshold):
                known = self.vectors.rows[near.row].tobytes().hex()
                said = [self._format.statement(self._details[number]) for number in self.vectors.details_of(near.row)]
                matches += self._by_category("photodna", known, said, near.distance, threshold, None)
            found.append(sorted(matches, key=lambda match: (match.distance, match.value, match.category or "")))
        return found

    def videos(
        self, frames: Sequence[Sequence[bytes]], threshold: int, share: float = KNOWN_SHARE, *, side: str = "known"
    ) -> list[VideoMatch]:
        """Return the known videos of which the usable frames of a seized one hold enough, the fullest first.

        ``frames`` are given in their orientations. ``side`` names whose frames the share is counted of: the
        ``known`` video's (a known clip inside a longer one is found), or the ``seized`` one's.
        """
        distinct = list({turned[0]: turned for turned in frames}.values())
        if self.hashes is None or not distinct or self.info.format != "vpdq":
            return []
        of_video: dict[int, tuple[set[int], set[int]]] = {}
        for number, near in enumerate(self.hashes.search_any(distinct, threshold)):
            for row, _, _ in near:
                for video in self._links["pdq"].numbers(row):
                    known, seized = of_video.setdefault(video, (set(), set()))
                    known.add(row)
                    seized.add(number)
        found = []
        for video, (known, seized) in of_video.items():
            notes = self._format.statement(self._details[video]).notes
            match = VideoMatch(
                video=notes.get("video", ""),
                known_share=100 * len(known) / max(1, int(notes.get("usable frames", 0))),
                seized_share=100 * len(seized) / len(distinct),
                known_frames=len(known),
                seized_frames=len(seized),
                threshold=threshold,
            )
            if (match.known_share if side == "known" else match.seized_share) >= share:
                found.append(match)
        return sorted(found, key=lambda match: (-match.known_share, -match.seized_share, match.video))

    def holds(self, algorithm: str, value: bytes) -> bool:
        """Whether exactly this value is in the set."""
        table = self.tables.get(algorithm)
        return table is not None and table.find(value) >= 0

    def matches(
        self, algorithm: str, row: int, distance: int = 0, threshold: int = 0, orientation: str | None = None
    ) -> list[Match]:
        """Return what a row of an algorithm amounts to: a match for each category the set gives it."""
        said = list(self.statements(algorithm, row))
        return self._by_category(algorithm, self.value(algorithm, row).hex(), said, distance, threshold, orientation)

    def _by_category(
        self,
        algorithm: str,
        value: str,
        said: Sequence[Statement],
        distance: int,
        threshold: int,
        orientation: str | None,
    ) -> list[Match]:
        by_category: dict[str | None, list[Statement]] = {}
        for statement in said:
            by_category.setdefault(statement.category, []).append(statement)
        return [
            Match(
                set_name=self.info.name,
                set_version=self.info.version,
                role=self.info.role,
                algorithm=algorithm,
                value=value,
                distance=distance,
                threshold=threshold,
                category=category,
                orientation=orientation,
                statements=tuple(statements),
            )
            for category, statements in (by_category or {None: []}).items()
        ]

    def value(self, algorithm: str, row: int) -> bytes:
        """Return the value of a row."""
        return self.tables[algorithm].value(row)

    def details_of(self, algorithm: str, row: int) -> list[int]:
        """Return the numbers of the details of a row."""
        return self._links[algorithm].numbers(row)

    def statements(self, algorithm: str, row: int) -> Iterator[Statement]:
        """Yield what the set says of a row, once for each entry."""
        for number in self._links[algorithm].numbers(row):
            yield self._format.statement(self._details[number])

    @property
    def says(self) -> bool:
        """Whether the set says something of its entries beside their values."""
        return len(self._details) > 0

    def every_statement(self) -> Iterator[Statement]:
        """Yield what the set says of its entries, in the order in which they were received."""
        for number in range(len(self._details)):
            yield self._format.statement(self._details[number])


def open_set(folder: Path) -> CompiledSet:
    """Return the compiled set of a folder.

    Raises:
        CorruptStructureError: Its files are missing or contradict each other.
    """
    return CompiledSet(folder)
