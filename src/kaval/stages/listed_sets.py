"""Listed sets: the known sets of an examination made ready in its folder, from a file or out of the unit's store.

A set from a file is compiled into the folder. One of the store is only pointed at: a hundred million entries are not
copied for each exhibit. The plan names the version that is used, and a resumed examination uses the same or none.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from kaval.core.errors import CorruptStructureError, FolderError, UsageError
from kaval.knownsets import Role, SetInfo
from kaval.knownsets.compiled import compile_set, read_info
from kaval.knownsets.store import Store


@dataclass(frozen=True, kw_only=True)
class KnownSetSource:
    """A known set as the person names it: a file with a role, or a set (and version) of a store."""

    name: str
    path: Path | None = None
    role: Role | None = None
    store: Path | None = None
    number: int | None = None


def clear_work(folder: Path) -> None:
    """Remove what an earlier beginning left in the work folder of an examination; a set pointed at stays."""
    for left in (folder / "work").iterdir():
        if left.is_symlink():
            left.unlink()
        else:
            shutil.rmtree(left)


def make_ready(folder: Path, number: int, known: KnownSetSource) -> SetInfo:
    """Put a set where the workers of an examination look for it; return what it is.

    Raises:
        UsageError: There is no such set, or the day until which it may be used has passed.
        NotRecognisedError: The file is no known set.
        CorruptStructureError: The file or the set is damaged.
    """
    target = folder / "work" / f"set-{number}"
    if known.path is not None and known.role is not None:
        return compile_set(known.path, name=known.name, role=known.role, target=target)
    if known.store is None:
        raise UsageError(f"the known set {known.name!r} is neither a file with a role nor a set of a store")
    info = Store(known.store).info(known.name, known.number)
    if info.expires_on is not None and info.expires_on < datetime.now(UTC).date().isoformat():
        raise UsageError(f"the known set {info.name!r} was to be used until {info.expires_on}; import a newer version")
    target.symlink_to(str(info.stored_in), target_is_directory=True)
    return info


def make_ready_again(folder: Path, number: int, known: SetInfo, offered: Sequence[KnownSetSource]) -> None:
    """Put the same version of a set back for an examination that is taken up again.

    Raises:
        FolderError: That version is not to be had any more.
    """
    target = folder / "work" / f"set-{number}"
    if _is_the_same(target, known):
        return
    if target.is_symlink():
        target.unlink()
    shutil.rmtree(target, ignore_errors=True)
    if known.stored_in is not None:
        target.symlink_to(_found_again(folder, known), target_is_directory=True)
        return
    if number >= len(offered):
        raise FolderError(folder, f"the known set {known.name} has to be given again to go on")
    again = make_ready(folder, number, replace(offered[number], name=known.name, role=Role(known.role)))
    if again.version != known.version:
        raise FolderError(folder, f"the known set {known.name} is another version than at the start")


def _is_the_same(target: Path, known: SetInfo) -> bool:
    try:
        return read_info(target).version == known.version
    except CorruptStructureError:
        return False


def _found_again(folder: Path, known: SetInfo) -> str:
    """Return where the version of a set lies in its store."""
    there = Path(str(known.stored_in))
    store = Store(there.parents[3])
    for place in (there, *(store.version_folder(known.name, number) for number in store.numbers(known.name))):
        if _is_the_same(place, known):
            return str(place)
    raise FolderError(
        folder,
        f"version {known.number} of the known set {known.name!r} ({known.version}) is no longer in {store.root}; "
        "import the same file again to go on",
    )
