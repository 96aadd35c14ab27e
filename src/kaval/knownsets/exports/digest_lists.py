"""Lists as md5sum, sha1sum and sha256sum write and check them: one digest a line, for any tool."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from kaval.knownsets import SetInfo
from kaval.knownsets.exports import SET_EXPORTS, Written
from kaval.knownsets.statements import Statement


def _write(algorithm: str, entries: Iterator[Statement], target: Path) -> Written:
    left_out: Counter[str] = Counter()
    count = 0
    with target.open("x", encoding="utf-8", errors="backslashreplace", newline="") as file:
        for entry in entries:
            if algorithm not in entry.values:
                left_out[f"entry without {algorithm}"] += 1
                continue
            count += 1
            name = entry.notes.get("name") or entry.notes.get("names") or entry.identity or "-"
            escaped = name.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
            mark = "\\" if escaped != name else ""
            file.write(f"{mark}{entry.values[algorithm].lower()}  {escaped}\n")
    return Written(entries=count, left_out=left_out)


@SET_EXPORTS.register
class Md5List:
    """Writes a list of MD5."""

    name: ClassVar[str] = "md5sum"
    title: ClassVar[str] = "List of MD5 as md5sum writes it"
    rank: ClassVar[int] = 40
    requires: ClassVar[tuple[str, ...]] = ()

    def write(self, info: SetInfo, entries: Iterator[Statement], target: Path) -> Written:
        """Write a line for each entry with an MD5."""
        return _write("md5", entries, target)


@SET_EXPORTS.register
class Sha1List:
    """Writes a list of SHA-1."""

    name: ClassVar[str] = "sha1sum"
    title: ClassVar[str] = "List of SHA-1 as sha1sum writes it"
    rank: ClassVar[int] = 41
    requires: ClassVar[tuple[str, ...]] = ()

    def write(self, info: SetInfo, entries: Iterator[Statement], target: Path) -> Written:
        """Write a line for each entry with a SHA-1."""
        return _write("sha1", entries, target)


@SET_EXPORTS.register
class Sha256List:
    """Writes a list of SHA-256."""

    name: ClassVar[str] = "sha256sum"
    title: ClassVar[str] = "List of SHA-256 as sha256sum writes it"
    rank: ClassVar[int] = 42
    requires: ClassVar[tuple[str, ...]] = ()

    def write(self, info: SetInfo, entries: Iterator[Statement], target: Path) -> Written:
        """Write a line for each entry with a SHA-256."""
        return _write("sha256", entries, target)
