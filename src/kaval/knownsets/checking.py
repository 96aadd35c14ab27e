"""Checking: are the files of a version still what its manifest says?"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kaval.core.errors import CorruptStructureError
from kaval.knownsets.compiled import CompiledSet


def check_version(folder: Path) -> Iterator[tuple[str, str | None]]:
    """Yield each file of a version with what is wrong with it, ``None`` where nothing is; then the set as a whole.

    Raises:
        CorruptStructureError: The manifest cannot be read.
    """
    listed = _files_of(folder)
    for name, facts in sorted(listed.items()):
        yield name, _wrong_with(folder / name, facts)
    for path in sorted(folder.iterdir()):
        if path.name not in listed and path.name != "manifest.json":
            yield path.name, "the manifest does not know this file"
    try:
        CompiledSet(folder)
        yield "the set as a whole", None
    except CorruptStructureError as error:
        yield "the set as a whole", str(error)


def _files_of(folder: Path) -> dict[str, dict[str, Any]]:
    try:
        found: dict[str, dict[str, Any]] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, KeyError) as error:
        raise CorruptStructureError(f"known set {folder}", f"its manifest cannot be read ({error})") from error
    return found


def _wrong_with(path: Path, facts: dict[str, Any]) -> str | None:
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return "the file is missing"
    except OSError as error:
        return f"the file cannot be read: {error.strerror}"
    return None if digest == facts["sha256"] else "its SHA-256 is another than the manifest's"
