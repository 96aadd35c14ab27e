"""The store: the known sets of a unit, each with its versions, shared by everybody who can read the folder.

::

    STORE/
      sets/NAME/current.json        which version answers
      sets/NAME/versions/000003/    a compiled set, never changed (kaval.knownsets.compiled)
      sets/NAME/lock                held while a version is swapped in or dropped
      judgements/NAME.jsonl         what this unit said of single values (kaval.knownsets.judgements)
      work/...                      imports under way; nothing in here is ever asked

A version is built beside the others and swapped in by replacing one small file, so a reader has the old one or the
new one, whole. A version that is open in any process is not dropped. What a killed import leaves is either taken up
again (the same command) or cleared away at the next start.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from kaval.core.errors import CorruptStructureError, KavalError, UsageError
from kaval.core.locators import decode_part, encode_part
from kaval.folder.durable import flush_directory, place_json
from kaval.knownsets import Role, SetInfo
from kaval.knownsets.asking import Desk
from kaval.knownsets.compiled import CompiledSet, read_info
from kaval.knownsets.importing import Checkpoint, ImportStoppedError, Order, Report, import_files, seal, silent
from kaval.knownsets.judgements import Judgements

_LONGEST_NAME = 120
_HOW = ("reader", "columns", "values_of_64_digits")
"""What of the record of an import says how the source was read."""


def default_store() -> Path:
    """Return where the sets of this unit are: ``KAVAL_SETS``, or a folder of the person."""
    given = os.environ.get("KAVAL_SETS")
    if given:
        return Path(given)
    home = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(home) / "kaval" / "sets"


@dataclass(frozen=True, kw_only=True, slots=True)
class Description:
    """What a person says of a set she imports: it cannot be read from a file, and is never guessed."""

    name: str
    role: Role
    owner: str | None = None
    legal_basis: str | None = None
    received_on: str | None = None
    handling: str | None = None
    expires_on: str | None = None
    scheme: str | None = None
    country: str | None = None

    def check(self) -> None:
        """Raise where a name or a date cannot stand as it is.

        Raises:
            UsageError: It says what is wrong.
        """
        if not self.name.strip() or len(self.name) > _LONGEST_NAME or self.name in (".", ".."):
            raise UsageError(f"a set is called by a name of 1 to {_LONGEST_NAME} characters, not {self.name!r}")
        for title, day in (("received on", self.received_on), ("expires on", self.expires_on)):
            try:
                date.fromisoformat(day or "2000-01-01")
            except ValueError as error:
                raise UsageError(f"{title} {day!r} is no date; write YYYY-MM-DD") from error


def expired(info: SetInfo) -> bool:
    """Whether the day until which a set may be used has passed."""
    return info.expires_on is not None and info.expires_on < datetime.now(UTC).date().isoformat()


class Store:
    """The known sets in a folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def names(self) -> list[str]:
        """Return the names of the sets that have a version."""
        found = (self.root / "sets").glob("*/current.json")
        return sorted(decode_part(path.parent.name) for path in found)

    def folder(self, name: str) -> Path:
        """Return the folder of a set."""
        return self.root / "sets" / encode_part(name)

    def current(self, name: str) -> int:
        """Return the number of the version that answers.

        Raises:
            UsageError: There is no set of that name.
        """
        try:
            return int(json.loads((self.folder(name) / "current.json").read_text(encoding="utf-8"))["number"])
        except FileNotFoundError as error:
            known = ", ".join(self.names()) or "none"
            raise UsageError(f"there is no known set {name!r} in {self.root} (there: {known})") from error

    def numbers(self, name: str) -> list[int]:
        """Return the numbers of the versions of a set."""
        return sorted(int(path.name) for path in (self.folder(name) / "versions").glob("[0-9]*"))

    def version_folder(self, name: str, number: int) -> Path:
        """Return the folder of a version."""
        return self.folder(name) / "versions" / f"{number:06}"

    def info(self, name: str, number: int | None = None) -> SetInfo:
        """Return what a version is; the one that answers unless another is named."""
        folder = self.version_folder(name, self.current(name) if number is None else number)
        return replace(read_info(folder), stored_in=str(folder.resolve()))

    def record(self, name: str, number: int | None = None) -> dict[str, Any]:
        """Return how a version was imported."""
        folder = self.version_folder(name, self.current(name) if number is None else number)
        found: dict[str, Any] = json.loads((folder / "import.json").read_text(encoding="utf-8"))
        return found

    def open(self, name: str, number: int | None = None) -> CompiledSet:
        """Return a version that answers; it stays whole and is not dropped while it is open.

        Raises:
            UsageError: There is no such set or version.
            CorruptStructureError: Its files are missing or contradict each other.
        """
        while True:
            wanted = self.current(name) if number is None else number
            folder = self.version_folder(name, wanted)
            try:
                return CompiledSet(folder)
            except CorruptStructureError as error:
                if number is not None and not folder.exists():
                    raise UsageError(f"the known set {name!r} has no version {number}") from error
                if number is not None or self.current(name) == wanted:
                    raise

    def desk(self, names: Sequence[str] | None = None) -> Desk:
        """Return the sets of those names, or all, ready to be asked together; negative sets are always among them.

        A set past its day is not asked: where all are, the desk names it.

        Raises:
            UsageError: There is no set of a name, or the day until which it may be used has passed.
        """
        late = [name for name in self.names() if expired(self.info(name))]
        chosen = list(dict.fromkeys(names if names is not None else self.names()))
        for name in chosen if names is not None else ():
            if name in late:
                until = self.info(name).expires_on
                raise UsageError(f"the known set {name!r} was to be used until {until}; import a newer version")
        negatives = self.negatives()
        chosen = [name for name in chosen if name not in late and name not in negatives] + negatives
        sets = [self.open(name) for name in chosen]
        not_asked = [name for name in late if name not in chosen]
        return Desk(sets, {name: self.judgements(name).standing() for name in chosen}, not_asked)

    def negatives(self) -> list[str]:
        """Return the names of the negative sets."""
        return [name for name in self.names() if self.info(name).role is Role.NEGATIVE]

    def judgements(self, name: str) -> Judgements:
        """Return what this unit said of values of a set."""
        return Judgements(self.root, name)

    def import_set(self, order: Order, description: Description, *, report: Report = silent) -> SetInfo:
        """Import files as the next version of a set and let it answer; return what it is.

        The same files with the same description are imported once. Killed, the same call goes on where it was.

        Raises:
            NotRecognisedError: No format recognises the files.
            CorruptStructureError: A file is cut off or contradicts its format.
            UsageError: A file cannot be read, the role cannot be that of such a list, or the import is running.
        """
        description.check()
        self.clean()
        with self._workplace(order, description) as folder:
            started = _now()
            found = import_files(order, folder, report=report, resumable=True)
            info = SetInfo(
                version=found.version,
                source_name=", ".join(one["name"] for one in found.sources)[:1000],
                format=found.format,
                counts=found.counts,
                dropped=found.dropped,
                entries=found.entries,
                sources=found.sources,
                **asdict(description),
            )
            if info.received_on is None:
                info = replace(info, received_on=date.today().isoformat())  # noqa: DTZ011 - the day on the wall of the office
            record = {
                "started_at": started,
                "finished_at": _now(),
                "went_on_at": found.resumed_at,
                "reader": found.format,
                "entries": found.entries,
                "counts": found.counts,
                "left_out": found.dropped,
                "tallies": found.tallies,
                "remarks": found.remarks,
                "values_of_64_digits": order.hex64,
                "columns": dict(order.columns),
            }
            return self.place(folder, info, record, found.digests, dated=description.received_on is not None)

    def place(
        self,
        folder: Path,
        info: SetInfo,
        record: dict[str, Any],
        digests: dict[str, str] | None = None,
        *,
        dated: bool = True,
    ) -> SetInfo:
        """Make a built folder the next version of its set and let it answer; a version that is there already stays.

        Without ``dated``, the day it was received is that of the import, and does not make another version of it.
        """
        with self._locked(info.name):
            same = self._same(info, record, dated=dated)
            if same is not None:
                shutil.rmtree(folder)
                self._swap(info.name, same.number)
                return same
            number = max([0, *self.numbers(info.name)]) + 1
            placed = replace(info, number=number)
            seal(folder, asdict(placed), record, digests)
            target = self.version_folder(info.name, number)
            target.parent.mkdir(parents=True, exist_ok=True)
            folder.rename(target)
            flush_directory(target.parent)
            self._swap(info.name, number)
            return replace(placed, stored_in=str(target.resolve()))

    def _swap(self, name: str, number: int) -> None:
        place_json({"number": number}, self.folder(name) / "current.json")

    def _same(self, info: SetInfo, record: dict[str, Any], *, dated: bool) -> SetInfo | None:
        """Return the version that has the same source, read in the same way, and the same description."""
        for number in reversed(self.numbers(info.name)):
            there, how = self.info(info.name, number), self.record(info.name, number)
            received_on = there.received_on if dated else info.received_on
            alike = replace(there, number=0, stored_in=None, received_on=received_on) == info
            if alike and all(how.get(key) == record.get(key) for key in _HOW):
                return there
        return None

    def drop(self, name: str, number: int | None = None) -> None:
        """Remove a version, or a set with all of them.

        Raises:
            UsageError: It is open somewhere, or it is the one that answers while others are left.
        """
        current = self.current(name)
        numbers = self.numbers(name)
        if number is not None and number not in numbers:
            raise UsageError(f"the known set {name!r} has no version {number}")
        if number == current and len(numbers) > 1:
            raise UsageError(f"version {number} of {name!r} is the one that answers; drop the others, or the whole set")
        with self._locked(name):
            going = numbers if number in (None, current) else [number]
            held = [self._hold(name, one) for one in going]
            try:
                if len(going) == len(numbers):
                    self._move_away(self.folder(name))
                else:
                    for one in going:
                        self._move_away(self.version_folder(name, one or 0))
            finally:
                for descriptor in held:
                    os.close(descriptor)
        self.clean()

    def _hold(self, name: str, number: int | None) -> int:
        """Return a descriptor that nobody else holds the version by.

        Raises:
            UsageError: Somebody has it open.
        """
        path = self.version_folder(name, number or 0) / "info.json"
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(descriptor)
            raise UsageError(f"version {number} of {name!r} is open in another process; it was not dropped") from error
        return descriptor

    def _move_away(self, folder: Path) -> None:
        aside = self.root / "work" / f"dropped-{os.getpid()}-{folder.parent.parent.name}-{folder.name}"
        aside.parent.mkdir(parents=True, exist_ok=True)
        folder.rename(aside)
        flush_directory(folder.parent)
        shutil.rmtree(aside)

    def interrupted(self) -> Iterator[tuple[Path, dict[str, Any]]]:
        """Yield the imports that were cut off and can be taken up, with what they were to become."""
        for folder in sorted((self.root / "work").glob("import-*")):
            kept = Checkpoint(folder).load()
            if kept is not None and not _held(folder):
                asked = json.loads((folder / "asked.json").read_text(encoding="utf-8"))
                yield folder, asked | {"position": kept["builder"]["position"]}

    def clean(self, *, everything: bool = False) -> None:
        """Clear away what killed imports left; what can be taken up stays, unless everything is to go."""
        if not self.root.exists():
            return
        with _flocked(self.root / "lock"):
            for folder in (self.root / "work").glob("*"):
                resumable = Checkpoint(folder).load() is not None and not everything
                if not _held(folder) and not resumable:
                    shutil.rmtree(folder, ignore_errors=True)
        for path in (self.root / "sets").glob("*/versions/[0-9]*"):
            current = path.parent.parent / "current.json"
            answering = int(json.loads(current.read_text(encoding="utf-8"))["number"]) if current.exists() else 0
            if int(path.name) > answering and not _held(path.parent.parent):
                shutil.rmtree(path, ignore_errors=True)

    @contextmanager
    def _workplace(self, order: Order, description: Description) -> Iterator[Path]:
        """Give the folder an import is built in, the same for the same call; it goes unless it can be taken up."""
        asked = {
            **asdict(description),
            "paths": [str(path.resolve()) for path in (*order.paths, *order.deltas)],
            "how": [order.format, order.hex64, sorted(order.columns.items()), order.photodna],
        }
        key = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:24]
        folder = self.root / "work" / f"import-{key}"
        with _flocked(self.root / "lock"):
            folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                os.close(descriptor)
                raise UsageError("the same import is under way in another process") from error
        try:
            place_json(asked, folder / "asked.json")
            yield folder
        except ImportStoppedError:
            raise
        except KavalError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        finally:
            os.close(descriptor)

    def _locked(self, name: str) -> AbstractContextManager[None]:
        return _flocked(self.folder(name) / "lock")


@contextmanager
def _flocked(path: Path) -> Iterator[None]:
    """Wait until nobody else holds a lock file, and hold it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _held(folder: Path) -> bool:
    """Whether another process works in a folder."""
    try:
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
