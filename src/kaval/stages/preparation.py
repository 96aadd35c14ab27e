"""Preparation: a fresh examination folder, or the one of an interrupted examination taken up again."""

from __future__ import annotations

import fcntl
import json
import os
import platform
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kaval.artefacts import ARTEFACTS
from kaval.artefacts.texts import TEXTS
from kaval.containers import CONTAINERS
from kaval.core.errors import FolderError, UsageError
from kaval.core.keys import Keyring
from kaval.core.registry import CapabilityRow
from kaval.digests import DIGESTS
from kaval.filesystems import FILESYSTEMS
from kaval.filetypes import FILETYPES
from kaval.folder.durable import place, place_json
from kaval.folder.sealed import SealingKey
from kaval.folder.segments import UnitRecord
from kaval.knownsets.exports import SET_EXPORTS
from kaval.knownsets.formats import SET_FORMATS
from kaval.media import MEDIA
from kaval.recovery import RECOVERIES
from kaval.recovery.carvers import CARVERS
from kaval.reports import REPORTS
from kaval.stages.listed_sets import KnownSetSource, clear_work, make_ready, make_ready_again
from kaval.stages.plan import Plan, Workplace
from kaval.volumes import VOLUMES

FORMAT = 1
_SKELETON = ("segments", "units", "sealed", "work")

_README = """This folder is a Kaval examination (format 1).

plan.json        what was to be done, by whom, on which authority
manifest.json    what was done; names every file of facts with its SHA-256
segments/        the facts, as Parquet tables any tool can read
units/           one record for each finished unit of work
sealed/          thumbnails, encrypted; the key is kept elsewhere
report/          the report, if one was written

To check it:  kaval verify FOLDER [--source IMAGE]
"""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a person asks for: a source, an authority, a folder, and how far to go."""

    source: Path
    folder: Path
    plan: Plan
    authority: str
    operator: str
    remark: str = ""
    known_sets: tuple[KnownSetSource, ...] = ()
    keyring: Keyring = field(default_factory=Keyring)
    key_path: Path | None = None


@dataclass(kw_only=True)
class Prepared:
    """A folder ready to be worked in: the head of its manifest, what is done, the lock that keeps others out."""

    workplace: Workplace
    head: dict[str, Any]
    done: dict[str, UnitRecord]
    sessions: list[dict[str, str | None]]
    lock: int

    def place_sessions(self) -> None:
        """Keep the list of sessions durable."""
        place_json(self.sessions, self.workplace.folder / "sessions.json")

    def release(self) -> None:
        """Let others use the folder again."""
        os.close(self.lock)


def now() -> str:
    """Return this moment, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def capability_rows() -> Iterator[CapabilityRow]:
    """Yield the capability list of the whole engine."""
    for registry in (
        CONTAINERS, VOLUMES, FILESYSTEMS, RECOVERIES, CARVERS, FILETYPES, DIGESTS, MEDIA, ARTEFACTS, TEXTS,
        SET_FORMATS, SET_EXPORTS, REPORTS,
    ):  # fmt: skip
        yield from registry.rows()


def default_key_path(examination: str) -> Path:
    """Return where the key of a sealed store is kept unless the person says otherwise."""
    base = os.environ.get("KAVAL_KEYS")
    if base:
        return Path(base) / f"{examination}.key"
    home = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(home) / "kaval" / "keys" / f"{examination}.key"


def prepare(request: Request) -> Prepared:
    """Make the folder of a new examination; nothing of the evidence is examined yet.

    Raises:
        UsageError: The source is not there, the folder is in use, or a known set cannot be read.
    """
    if not request.source.exists():
        raise UsageError(f"the source {request.source} is not there")
    folder = request.folder
    if folder.exists() and not _free(folder):
        hint = "; finish it with --resume" if (folder / "plan.json").exists() else ""
        raise UsageError(f"{folder} exists and is not empty{hint}")
    if folder.resolve().is_relative_to(request.source.resolve()):
        raise UsageError("the folder lies inside the source; nothing is ever written beside evidence")
    for name in _SKELETON:
        (folder / name).mkdir(parents=True, exist_ok=True)
    lock = _lock(folder)
    clear_work(folder)
    examination = str(uuid.uuid4())
    sets = tuple(make_ready(folder, number, known) for number, known in enumerate(request.known_sets))
    plan = replace(request.plan, sets=sets)
    key_path, fingerprint = None, None
    if plan.media and plan.thumbnails:
        key_path = request.key_path or default_key_path(examination)
        fingerprint = _key(key_path).fingerprint
    head = {
        "format": FORMAT,
        "kaval": _version(),
        "examination": examination,
        "exhibit": plan.exhibit,
        "authority": request.authority,
        "operator": request.operator,
        "remark": request.remark,
        "source": _source_facts(request.source),
        "plan": plan.to_json(),
        "known_sets": [asdict(known) for known in sets],
        "capabilities": [asdict(row) for row in capability_rows()],
        "platform": _platform(),
        "sealing_key": fingerprint,
    }
    place(_README.encode(), folder / "README.txt")
    place_json(head, folder / "plan.json")
    workplace = Workplace(
        plan=plan, folder=folder, source_path=request.source, key_path=key_path, keyring=request.keyring
    )
    return Prepared(workplace=workplace, head=head, done={}, sessions=[], lock=lock)


def take_up(request: Request) -> Prepared:
    """Return an interrupted examination ready to go on, with the units that are done.

    What decides the result comes from its plan, not from the request.

    Raises:
        FolderError: The folder is none, the source or the engine changed, or a set is another one by now.
    """
    folder = request.folder
    try:
        head = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
        plan = Plan.from_json(head["plan"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FolderError(folder, f"it holds no plan to go on with ({error})") from error
    lock = _lock(folder)
    _check_unchanged(folder, head, request.source)
    (folder / "work").mkdir(exist_ok=True)
    for number, known in enumerate(plan.sets):
        make_ready_again(folder, number, known, request.known_sets)
    key_path = None
    if head["sealing_key"]:
        key_path = request.key_path or default_key_path(head["examination"])
        if SealingKey.load(key_path).fingerprint != head["sealing_key"]:
            raise FolderError(folder, f"the key in {key_path} is not the one it was begun with")
    workplace = Workplace(
        plan=plan, folder=folder, source_path=request.source, key_path=key_path, keyring=request.keyring
    )
    sessions_path = folder / "sessions.json"
    sessions = json.loads(sessions_path.read_text(encoding="utf-8")) if sessions_path.exists() else []
    done = _done(folder)
    _check_beside(folder, done, request.source)
    return Prepared(workplace=workplace, head=head, done=done, sessions=sessions, lock=lock)


def _free(folder: Path) -> bool:
    """Whether an examination may begin in a folder: it is empty, or one was cut off there before its plan stood."""
    if not folder.is_dir():
        return False
    names = {path.name for path in folder.iterdir()}
    return names <= {*_SKELETON, "README.txt", "lock"} and not any(
        path.is_file() for name in ("segments", "units", "sealed") for path in (folder / name).glob("*")
    )


def _lock(folder: Path) -> int:
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(descriptor)
        raise FolderError(folder, "another process is working in it") from error
    return descriptor


def _check_unchanged(folder: Path, head: Mapping[str, Any], source: Path) -> None:
    if not source.exists():
        raise FolderError(folder, f"its source {source} is not there")
    facts = _source_facts(source)
    if facts["size"] != head["source"]["size"]:
        was, is_now = head["source"]["size"], facts["size"]
        raise FolderError(folder, f"the source was {was} bytes when it was begun and is {is_now} now")
    if head["kaval"] != _version() or head["capabilities"] != [asdict(row) for row in capability_rows()]:
        raise FolderError(
            folder,
            "Kaval or one of its libraries is another version than at the start; the result would be of two minds. "
            "Begin a new examination, or go back to the versions its plan.json names",
        )


def _check_beside(folder: Path, done: Mapping[str, UnitRecord], source: Path) -> None:
    """Refuse to go on where a further part of the image changed its size, or is gone."""
    parts = done["open-0000"].facts.get("beside", {}) if "open-0000" in done else {}
    for name, size in parts.items():
        path = source.parent / name
        found = path.stat().st_size if path.is_file() else None
        if found != size:
            told = "is not there any more" if found is None else f"is {found} bytes now"
            raise FolderError(folder, f"{name}, part of the image, was {size} bytes when it was begun and {told}")


def _done(folder: Path) -> dict[str, UnitRecord]:
    """Return the finished units; one whose files are not as its record says counts as never done."""
    done = {}
    for path in sorted((folder / "units").glob("*.json")):
        try:
            record = UnitRecord.from_json(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if all(_as_recorded(folder / part.name, part.size) for part in (*record.segments, *record.packs)):
            done[record.unit] = record
    for part in (*folder.glob("*/.*.part"), *folder.glob(".*.part")):
        part.unlink()
    return done


def _as_recorded(path: Path, size: int) -> bool:
    return path.exists() and path.stat().st_size == size


def _key(path: Path) -> SealingKey:
    return SealingKey.load(path) if path.exists() else SealingKey.create(path)


def _version() -> str:
    import kaval

    return str(kaval.__version__)


def _source_facts(source: Path) -> dict[str, Any]:
    size = None if source.is_dir() else source.stat().st_size
    if source.is_block_device():
        with source.open("rb") as device:
            size = device.seek(0, os.SEEK_END)
    return {"name": source.name, "path": str(source), "size": size}


def _platform() -> dict[str, str]:
    return {
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "zone": datetime.now().astimezone().strftime("%z"),
    }
