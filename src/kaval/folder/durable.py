"""Files that are either whole on the disk or not there: written aside, flushed, renamed, directory flushed."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


def flush_directory(directory: Path) -> None:
    """Make names in a directory survive a power cut."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def place(content: bytes, target: Path) -> None:
    """Put a whole file in place; readers see the old one or the new one, never half of either."""
    aside = target.with_name(f".{target.name}.{os.getpid()}.part")
    with aside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    aside.rename(target)
    flush_directory(target.parent)


def place_json(record: Any, target: Path) -> None:
    """Put a record in place as JSON that reads the same whoever writes it."""
    text = json.dumps(record, indent=1, ensure_ascii=False, sort_keys=True)
    place(text.encode("utf-8", "surrogateescape") + b"\n", target)
