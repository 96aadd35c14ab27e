"""Importing: from files as they were received to the files of a set, in one straight line.

Reading and building go on side by side with the SHA-256 of the sources. Nothing here decides where the set lies
or what it is called: that is the caller's.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from kaval.core.errors import CorruptStructureError, KavalError, NotRecognisedError, UsageError
from kaval.folder.durable import flush_directory, place_json
from kaval.knownsets import Role
from kaval.knownsets.building import Builder
from kaval.knownsets.formats import SET_FORMATS, NotVerbatimError, Reading, SetFormat, recognise
from kaval.knownsets.sources import is_wrapped, member_read

UNGRADED = frozenset({"0", "5", "8"})
"""Categories with which a list may still be known-good: not graded, not pertinent, media of software."""

OF_THE_WORKPLACE = ("lock", "asked.json")
"""Files beside those of a set while it is built."""

_CHECKPOINT_SIZE = 256 << 20
_HASH_BLOCK = 1 << 20


class ImportStoppedError(KavalError):
    """The machine could not go on; what was put aside can be gone on from."""

    def __init__(self, reason: str, *, resumable: bool) -> None:
        self.reason = reason
        hint = "; mend it and give the same command again to go on" if resumable else ""
        super().__init__(f"The import stopped: {reason}{hint}")


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
        self, known: SetFormat, scratch: Path, start: tuple[int, int] = (0, 0), *, verbatim: bool = False
    ) -> Iterable[tuple[int, Reading]]:
        """Yield what is to be read, one reading a file, or one for all where they only make sense together."""
        common = replace(self._reading(self.paths[0]), scratch=scratch, verbatim=verbatim)
        if known.joint and start[0]:
            return
        if known.joint:
            yield 0, replace(common, further=(*self.paths[1:], *self.deltas))
            return
        for number, path in enumerate(self.paths):
            if number >= start[0]:
                yield number, replace(common, path=path, start=start[1] if number == start[0] else 0)

    def _reading(self, path: Path) -> Reading:
        return Reading(path=path, hex64=self.hex64, columns=self.columns, photodna=self.photodna)


@dataclass(frozen=True, kw_only=True, slots=True)
class Imported:
    """What an import found: how the sources are named by digest, and what the builder counted.

    ``digests`` are SHA-256 of files of the set that are known already.
    """

    version: str
    sources: list[dict[str, Any]]
    format: str
    counts: dict[str, int]
    dropped: dict[str, int]
    tallies: dict[str, int]
    remarks: list[str]
    entries: int
    resumed_at: int
    digests: dict[str, str]


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
        ImportStoppedError: The machine could not read or write on (no room left, a bad disk).
    """
    known = order.recognised()
    verbatim = known.verbatim and not any(is_wrapped(path) for path in order.paths)
    try:
        return _Import(order, known, folder, report, resumable=resumable, verbatim=verbatim).run()
    except NotVerbatimError:
        _clear(folder)
        return _Import(order, known, folder, report, resumable=resumable, verbatim=False).run()
    except OSError as error:
        if isinstance(error, KavalError):
            raise
        raise ImportStoppedError(error.strerror or str(error), resumable=resumable) from error


class _Import:
    """One reading of the files of an order. Another thread digests them, and keeps them where a set may."""

    def __init__(
        self, order: Order, known: SetFormat, folder: Path, report: Report, *, resumable: bool, verbatim: bool
    ) -> None:
        self._order = order
        self._known = known
        self._folder = folder
        self._report = report
        self._resumable = resumable
        self._verbatim = verbatim
        self._begun = time.monotonic()
        self._paths = (*order.paths, *order.deltas)
        self._identity = [_identity(path) for path in self._paths]
        self._sizes = [path.stat().st_size for path in order.paths]
        self._checkpoint = Checkpoint(folder)
        self._stopped = threading.Event()

    def run(self) -> Imported:
        builder, start = Builder(self._folder, says=self._known.says), (0, 0)
        if self._resumable:
            builder.abandon()
            builder, start = _taken_up(self._folder, self._known, self._identity)
        builder.verbatim = self._verbatim
        with ThreadPoolExecutor(1, "digest") as pool:
            digests = pool.submit(self._digest)
            try:
                self._gather(builder, start)
                kept = digests.result()
                counts = self._finish(builder)
            except BaseException:
                self._stopped.set()
                builder.abandon()
                raise
        if [_identity(path) for path in self._paths] != self._identity:
            raise UsageError("a file was changed while it was read; import it again")
        sources = [
            {"name": path.name, "sha256": digest, "size": path.stat().st_size}
            for path, digest in zip(self._paths, kept, strict=True)
        ]
        return Imported(
            version=version_of(sources),
            sources=sources,
            format=self._known.name,
            counts=counts,
            dropped=dict(sorted(builder.dropped.items())),
            tallies=dict(sorted(builder.tallies.items())),
            remarks=[*_members_read(self._paths), *builder.remarks],
            entries=builder.entries,
            resumed_at=start[1],
            digests={"details.data": kept[0]} if self._verbatim and len(kept) == 1 else {},
        )

    def _gather(self, builder: Builder, start: tuple[int, int]) -> None:
        kept_at = start[1]
        for number, reading in self._order.readings(self._known, self._folder, start, verbatim=self._verbatim):
            before = builder.kept_before = sum(self._sizes[:number])
            for batch in self._known.read(reading):
                builder.add(batch)
                self._tell("reading", before + batch.position, builder)
                if self._resumable and not self._known.joint and batch.position - kept_at >= _CHECKPOINT_SIZE:
                    self._checkpoint.place(number, builder, self._identity)
                    kept_at = batch.position
            kept_at = 0
        refuse_role(self._order.role, builder.tallies)

    def _finish(self, builder: Builder) -> dict[str, int]:
        if self._resumable:
            self._checkpoint.place(len(self._order.paths), builder, self._identity)
        self._tell("sorting", 0, builder)
        counts = builder.finish()
        self._checkpoint.remove()
        builder.clear()
        return counts

    def _tell(self, stage: str, done: int, builder: Builder) -> None:
        total = sum(self._sizes)
        spent = time.monotonic() - self._begun
        self._report(Progress(stage=stage, done=min(total, done), total=total, entries=builder.entries, seconds=spent))

    def _digest(self) -> list[str]:
        """Return the SHA-256 of each file; what is to be kept as it was is written on the way."""
        digests = []
        buffer = bytearray(_HASH_BLOCK)
        view = memoryview(buffer)
        target = self._folder / "details.data" if self._verbatim else Path(os.devnull)
        with target.open("wb", buffering=0) as kept:
            for path in self._paths:
                hasher = hashlib.sha256()
                with path.open("rb", buffering=0) as file:
                    while (got := file.readinto(buffer)) and not self._stopped.is_set():
                        hasher.update(view[:got])
                        if self._verbatim:
                            kept.write(view[:got])
                digests.append(hasher.hexdigest())
        return digests


def _members_read(paths: Iterable[Path]) -> Iterator[str]:
    """Yield which files were read of archives."""
    for path in paths:
        member = member_read(path)
        if member is not None:
            yield f"of {path.name} the file {member} was read"


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
    _clear(folder)
    return Builder(folder, says=known.says), (0, 0)


def _clear(folder: Path) -> None:
    for left in folder.iterdir():
        if left.name not in OF_THE_WORKPLACE:
            left.unlink()


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


def _identity(path: Path) -> list[Any]:
    """Return by what a file is known again without reading all of it."""
    try:
        facts = path.stat()
        with path.open("rb") as file:
            head = hashlib.sha256(file.read(_HASH_BLOCK)).hexdigest()
    except OSError as error:
        raise UsageError(f"the known set {path} cannot be read: {error.strerror}") from error
    return [str(path.resolve()), facts.st_size, facts.st_mtime_ns, head]


def seal(
    folder: Path, info: Mapping[str, Any], record: Mapping[str, Any], digests: Mapping[str, str] | None = None
) -> None:
    """Write what a set is, how it was imported and the digests of its files; flush all of it to the disk.

    ``digests`` are SHA-256 of files that are known already.
    """
    Checkpoint(folder).remove()
    for name in OF_THE_WORKPLACE:
        (folder / name).unlink(missing_ok=True)
    place_json(dict(info), folder / "info.json")
    place_json(dict(record), folder / "import.json")
    files = {}
    for path in sorted(folder.iterdir()):
        with path.open("rb") as file:
            digest = (digests or {}).get(path.name) or hashlib.file_digest(file, "sha256").hexdigest()
            os.fsync(file.fileno())
            files[path.name] = {"size": os.fstat(file.fileno()).st_size, "sha256": digest}
    place_json({"files": files}, folder / "manifest.json")
    flush_directory(folder)
