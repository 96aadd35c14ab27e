"""Compiled sets: a folder that answers at once, made from a file of any format read here."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kaval.core.errors import CorruptStructureError
from kaval.folder.durable import flush_directory, place_json
from kaval.knownsets import Match, Role, SetInfo
from kaval.knownsets.algorithms import EXACT, ORIENTATIONS, ZERO_LENGTH
from kaval.knownsets.batches import NO_DETAIL, Batch, Rows
from kaval.knownsets.details import MANY, Details, Links
from kaval.knownsets.exact import DigestTable, bucket_bits, prefixes, write_buckets
from kaval.knownsets.formats import recognise
from kaval.knownsets.hash_index import write_index
from kaval.knownsets.near import FLAT_BELOW, HashTable


def compile_set(path: Path, *, name: str, role: Role, target: Path) -> SetInfo:
    """Make the folder of a set from a file; it is there whole, or not at all.

    Digests of files of no bytes are left out and counted.

    Raises:
        NotRecognisedError: No format recognises the file.
        CorruptStructureError: The file is cut off or contradicts its format.
    """
    known = recognise(path)
    with path.open("rb") as file:
        version = hashlib.file_digest(file, "sha256").hexdigest()
    gathered = _Gathered()
    for batch in known.read(path):
        gathered.add(batch)
    aside = target.with_name(f".{target.name}.part")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    counts = gathered.write(aside)
    info = SetInfo(
        name=name,
        version=version,
        role=role,
        source_name=path.name,
        format=known.name,
        counts=counts,
        dropped=dict(sorted(gathered.dropped.items())),
    )
    place_json(asdict(info), aside / "info.json")
    aside.rename(target)
    flush_directory(target.parent)
    return info


class _Gathered:
    """The values and details of a set while its file is read."""

    def __init__(self) -> None:
        self._values: dict[str, list[Rows]] = {}
        self._owners: dict[str, list[NDArray[np.uint32]]] = {}
        self._details: dict[bytes, int] = {}
        self.dropped: Counter[str] = Counter()

    def add(self, batch: Batch) -> None:
        self.dropped.update(batch.skipped)
        numbers = np.array([self._number(detail) for detail in batch.details], dtype=np.uint32)
        for algorithm, column in batch.columns.items():
            values, owners = column.values, column.owners
            linked = np.full(len(values), NO_DETAIL, dtype=np.uint32) if owners is None else numbers[owners]
            if algorithm in ZERO_LENGTH:
                kept = (values != np.frombuffer(ZERO_LENGTH[algorithm], dtype=np.uint8)).any(axis=1)
                left_out = len(kept) - int(kept.sum())
                if left_out:
                    self.dropped["digest of a file of no bytes"] += left_out
                    values, linked = values[kept], linked[kept]
            self._values.setdefault(algorithm, []).append(values)
            self._owners.setdefault(algorithm, []).append(linked)

    def _number(self, detail: bytes) -> int:
        if detail == b"{}":
            return NO_DETAIL
        return self._details.setdefault(detail, len(self._details))

    def write(self, folder: Path) -> dict[str, int]:
        """Write the files; return how many distinct values there are of each algorithm."""
        counts = {}
        for algorithm in sorted(self._values):
            values = np.concatenate(self._values[algorithm])
            owners = np.concatenate(self._owners[algorithm])
            counts[algorithm] = _write_table(folder, algorithm, values, owners, linked=bool(self._details))
        if counts.get("pdq", 0) >= FLAT_BELOW:
            write_index(folder)
        ends = np.cumsum([0, *map(len, self._details)], dtype=np.uint64)
        (folder / "details.data").write_bytes(b"".join(self._details))
        (folder / "details.starts").write_bytes(ends.astype("<u8").tobytes())
        return counts


def _write_table(folder: Path, algorithm: str, values: Rows, owners: NDArray[np.uint32], *, linked: bool) -> int:
    order = np.lexsort((owners, values.view(f"S{values.shape[1]}")[:, 0]))
    values, owners = values[order], owners[order]
    first = np.ones(len(values), dtype=bool)
    first[1:] = (values[1:] != values[:-1]).any(axis=1)
    distinct = values[first]
    (folder / f"{algorithm}.values").write_bytes(distinct.tobytes())
    bits = bucket_bits(len(distinct))
    buckets = (prefixes(distinct) >> np.uint64(64 - bits)).astype(np.int64)
    write_buckets(folder / f"{algorithm}.buckets", np.bincount(buckets, minlength=1 << bits))
    if linked:
        links, more = _links(owners, np.flatnonzero(first))
        (folder / f"{algorithm}.links").write_bytes(links.tobytes())
        (folder / f"{algorithm}.more").write_bytes(more.tobytes())
    return len(distinct)


def _links(owners: NDArray[np.uint32], starts: NDArray[np.int64]) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    links = owners[starts].astype("<u4")
    more: list[int] = []
    ends = np.append(starts[1:], len(owners))
    for row in np.flatnonzero(ends - starts > 1):
        several = sorted(set(owners[starts[row] : ends[row]].tolist()) - {NO_DETAIL})
        if len(several) > 1:
            links[row] = MANY | len(more)
            more += [len(several), *several]
        elif several:
            links[row] = several[0]
    return links, np.array(more, dtype="<u4")


class CompiledSet:
    """A known set that answers: which of these values are in it, which are near to one of it."""

    def __init__(self, folder: Path) -> None:
        try:
            record = json.loads((folder / "info.json").read_text(encoding="utf-8"))
            self.info = SetInfo(**{**record, "role": Role(record["role"])})
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise CorruptStructureError(f"known set {folder}", f"it cannot be opened ({error})") from error
        self._details = Details(folder)
        self._tables = {name: DigestTable(folder, name) for name in EXACT if self.info.counts.get(name)}
        self._links = {name: Links(folder, name) for name in self.info.counts}
        self._hashes = HashTable(folder) if self.info.counts.get("pdq") else None

    def exact(self, algorithm: str, digests: Sequence[bytes]) -> list[list[Match]]:
        """Return for each digest why it matches; nothing where it does not.

        A digest the set grades in several ways matches once for each.
        """
        table = self._tables.get(algorithm)
        if table is None:
            return [[] for _ in digests]
        rows = table.find_many(digests)
        return [
            [] if row < 0 or digest == ZERO_LENGTH[algorithm] else list(self._matches(algorithm, row, digest, 0, 0, 0))
            for row, digest in zip(rows, digests, strict=True)
        ]

    def near(self, hashes: Sequence[Sequence[bytes]], threshold: int) -> list[list[Match]]:
        """Return for each picture, given in its eight orientations, the known hashes within a distance.

        Each known hash matches once, by the orientation that comes nearest.
        """
        hashes_known = self._hashes
        if hashes_known is None:
            return [[] for _ in hashes]
        found = []
        for near in hashes_known.search_any(hashes, threshold):
            matches: list[Match] = []
            for row, distance, orientation in near:
                value = hashes_known.rows[row].tobytes()
                matches += self._matches("pdq", row, value, distance, threshold, orientation)
            found.append(sorted(matches, key=lambda match: (match.distance, match.value, match.category or "")))
        return found

    def _matches(
        self, algorithm: str, row: int, value: bytes, distance: int, threshold: int, orientation: int
    ) -> list[Match]:
        details = [self._details.get(number) for number in self._links[algorithm].numbers(row)]
        categories = list(dict.fromkeys(detail.get("category") for detail in details)) or [None]
        return [
            Match(
                set_name=self.info.name,
                set_version=self.info.version,
                role=self.info.role,
                algorithm=algorithm,
                value=value.hex(),
                distance=distance,
                threshold=threshold,
                category=category,
                orientation=ORIENTATIONS[orientation],
            )
            for category in categories
        ]


def open_set(folder: Path) -> CompiledSet:
    """Return the compiled set of a folder.

    Raises:
        CorruptStructureError: Its files are missing or contradict each other.
    """
    return CompiledSet(folder)
