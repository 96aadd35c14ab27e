"""Importing: from files as they were received to the files of a set, in one straight line.

Reading and building go on side by side with the SHA-256 of the sources. Nothing here decides where the set lies
or what it is called: that is the caller's.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kaval.core.errors import CorruptStructureError, NotRecognisedError, UsageError
from kaval.folder.durable import flush_directory, place_json
from kaval.knownsets import Role
from kaval.knownsets.building import Builder
from kaval.knownsets.formats import SET_FORMATS, Reading, SetFormat, recognise

UNGRADED = frozenset({"0", "5", "8"})
"""Categories with which a list may still be known-good: not graded, not pertinent, media of software."""

OF_THE_WORKPLACE = ("lock", "asked.json")
"""Files beside those of a set while it is built."""

_CHECKPOINT_SIZE = 256 << 20
_HASH_BLOCK = 1 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Progress:
    """How far an import is: ``done`` of ``total`` bytes (rows, in a database) of the stage."""

    stage: str
    done: int
    total: int
    entries: int
    seconds: float


Report = Callable[[Progress], None]


def silent(progress: Progress) -> None:
    """Say nothing."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is to be imported: files, what a person decided about reading them, and the role she names."""

    paths: tuple[Path, ...]
    role: Role
    format: str | None = None
    hex64: str = "auto"
    columns: Mapping[str, str] = field(default_factory=dict)
    photodna: bool = False
    deltas: tuple[Path, ...] = ()

    def recognised(self) -> SetFormat:
        """Return the format of the files.

        Raises:
            NotRecognisedError: No format recognises them, or not all are of the same one.
        """
        if not self.paths:
            raise UsageError("there is no file to import")
        known = [SET_FORMATS.get(self.format)] if self.format else [recognise(path) for path in self.paths]
        names = {one.name for one in known}
        if len(names) > 1:
            raise NotRecognisedError(
                f"the files are of several formats ({', '.join(sorted(names))}); import each alone"
            )
        return known[0]

    def readings(
        self, known: SetFormat, scratch: Path, start: tuple[int, int] = (0, 0)
    ) -> Iterable[tuple[int, Reading]]:
        """Yield what is to be read, one reading a file, or one for all where they only make sense together."""
        if known.joint and start[0]:
            return
        if known.joint:
            yield 0, self._reading(self.paths[0], scratch, 0, (*self.paths[1:], *self.deltas))
            return
        for number, path in enumerate(self.paths):
            if number >= start[0]:
                yield number, self._reading(path, scratch, start[1] if number == start[0] else 0, ())

    def _reading(self, path: Path, scratch: Path, start: int, further: tuple[Path, ...]) -> Reading:
        return Reading(
            path=path,
            start=start,
            further=further,
            hex64=self.hex64,
            columns=self.columns,
            photodna=self.photodna,
            scratch=scratch,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Imported:
    """What an import found: how the sources are named by digest, and what the builder counted."""

    version: str
    sources: list[dict[str, Any]]
    format: str
    counts: dict[str, int]
    dropped: dict[str, int]
    tallies: dict[str, int]
    remarks: list[str]
    entries: int
    resumed_at: int


class Checkpoint:
    """Where an interrupted import can go on; kept in the folder it builds in."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "checkpoint.json"

    def load(self) -> dict[str, Any] | None:
        """Return what was kept; nothing where there is none or it cannot be read."""
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None
        return found if isinstance(found, dict) else None

    def place(self, number: int, builder: Builder, identity: list[list[Any]]) -> None:
        """Keep that everything up to the builder's position in a file is put aside."""
        place_json({"file": number, "identity": identity, "builder": builder.state()}, self._path)

    def remove(self) -> None:
        """Forget it."""
        self._path.unlink(missing_ok=True)


def import_files(order: Order, folder: Path, *, report: Report = silent, resumable: bool = False) -> Imported:
    """Read the files of an order and write a set's values and details into a folder that exists.

    With ``resumable``, what a killed import left in the folder is taken up where it stood.

    Raises:
        NotRecognisedError: No format recognises the files.
        CorruptStructureError: A file is cut off or contradicts its format; ``offset`` says where.
        UsageError: A file cannot be read, or the role cannot be that of such a list.
    """
    begun = time.monotonic()
    known = order.recognised()
    identity = [_identity(path) for path in (*order.paths, *order.deltas)]
    with ThreadPoolExecutor(1, "digest") as pool:
        digests = [pool.submit(_digest, path) for path in (*order.paths, *order.deltas)]
        try:
            return _read(order, known, folder, digests, identity, report, begun, resumable=resumable)
        finally:
            for digest in digests:
                digest.cancel()


def _read(
    order: Order,
    known: SetFormat,
    folder: Path,
    digests: Sequence[Future[str]],
    identity: list[list[Any]],
    report: Report,
    begun: float,
    *,
    resumable: bool,
) -> Imported:
    builder, start = _taken_up(folder, known, identity) if resumable else (Builder(folder, says=known.says), (0, 0))
    sizes = [path.stat().st_size for path in order.paths]
    total = sum(sizes)
    checkpoint = Checkpoint(folder)
    kept_at = start[1]

    def tell(stage: str, done: int) -> None:
        spent = time.monotonic() - begun
        report(Progress(stage=stage, done=done, total=total, entries=builder.entries, seconds=spent))

    try:
        for number, reading in order.readings(known, folder, start):
            before = sum(sizes[:number])
            for batch in known.read(reading):
                builder.add(batch)
                tell("reading", min(total, before + batch.position))
                if resumable and not known.joint and batch.position - kept_at >= _CHECKPOINT_SIZE:
                    checkpoint.place(number, builder, identity)
                    kept_at = batch.position
            kept_at = 0
        refuse_role(order.role, builder.tallies)
        if resumable:
            checkpoint.place(len(order.paths), builder, identity)
        tell("sorting", 0)
        counts = builder.finish()
        checkpoint.remove()
        builder.clear()
    except BaseException:
        builder.abandon()
        raise
    if [_identity(path) for path in (*order.paths, *order.deltas)] != identity:
        raise UsageError("a file was changed while it was read; import it again")
    sources = [
        {"name": path.name, "sha256": digest.result(), "size": path.stat().st_size}
        for path, digest in zip((*order.paths, *order.deltas), digests, strict=True)
    ]
    return Imported(
        version=version_of(sources),
        sources=sources,
        format=known.name,
        counts=counts,
        dropped=dict(sorted(builder.dropped.items())),
        tallies=dict(sorted(builder.tallies.items())),
        remarks=builder.remarks,
        entries=builder.entries,
        resumed_at=start[1],
    )


def _taken_up(folder: Path, known: SetFormat, identity: list[list[Any]]) -> tuple[Builder, tuple[int, int]]:
    """Return the builder of a folder, gone back to its last checkpoint where there is one that fits the files."""
    found = Checkpoint(folder).load()
    if found is not None and found["identity"] == identity:
        builder = Builder(folder, says=known.says)
        try:
            builder.restore(found["builder"])
            return builder, (int(found["file"]), builder.position)
        except CorruptStructureError:
            builder.abandon()
    for left in folder.iterdir():
        if left.name not in OF_THE_WORKPLACE:
            left.unlink()
    return Builder(folder, says=known.says), (0, 0)


def refuse_role(role: Role, tallies: Mapping[str, int]) -> None:
    """Raise where a list of graded material is to be known-good: its hits would be passed over in silence.

    Raises:
        UsageError: It holds entries with a category that says more than *not graded*.
    """
    graded = {name.removeprefix("category "): count for name, count in tallies.items() if name.startswith("category ")}
    told = {category: count for category, count in graded.items() if category not in UNGRADED}
    if role is Role.KNOWN_GOOD and told:
        listed = ", ".join(f"{count} × {category}" for category, count in sorted(told.items()))
        raise UsageError(
            f"the list holds graded entries (category {listed}) and cannot be known-good: "
            "their hits would be passed over. Name the role it was sent for"
        )


def version_of(sources: Sequence[Mapping[str, Any]]) -> str:
    """Return the version of a set: the SHA-256 of its file, or of the list of the SHA-256 of its files."""
    if len(sources) == 1:
        return str(sources[0]["sha256"])
    return hashlib.sha256("".join(f"{one['sha256']}\n" for one in sources).encode()).hexdigest()


def _digest(path: Path) -> str:
    hasher = hashlib.sha256()
    buffer = bytearray(_HASH_BLOCK)
    view = memoryview(buffer)
    with path.open("rb", buffering=0) as file:
        while got := file.readinto(buffer):
            hasher.update(view[:got])
    return hasher.hexdigest()


def _identity(path: Path) -> list[Any]:
    """Return by what a file is known again without reading all of it."""
    try:
        facts = path.stat()
        with path.open("rb") as file:
            head = hashlib.sha256(file.read(_HASH_BLOCK)).hexdigest()
    except OSError as error:
        raise UsageError(f"the known set {path} cannot be read: {error.strerror}") from error
    return [str(path.resolve()), facts.st_size, facts.st_mtime_ns, head]


def seal(folder: Path, info: Mapping[str, Any], record: Mapping[str, Any]) -> None:
    """Write what a set is, how it was imported and the digests of its files; flush all of it to the disk."""
    Checkpoint(folder).remove()
    for name in OF_THE_WORKPLACE:
        (folder / name).unlink(missing_ok=True)
    place_json(dict(info), folder / "info.json")
    place_json(dict(record), folder / "import.json")
    files = {}
    for path in sorted(folder.iterdir()):
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            os.fsync(file.fileno())
            files[path.name] = {"size": os.fstat(file.fileno()).st_size, "sha256": digest}
    place_json({"files": files}, folder / "manifest.json")
    flush_directory(folder)
