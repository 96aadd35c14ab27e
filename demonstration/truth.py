"""The ground truth: what lay where, what became of it, and what the known sets should point to."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

FORMAT = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class MemberTruth:
    """A picture inside an archive or document."""

    path: str
    sha256: str
    known: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class FileTruth:
    """One file that ever lay on a volume.

    ``state`` is live or deleted; ``content`` whole, partly-overwritten or overwritten. ``fragments`` is the number
    of places its bytes lie in, 0 where they lie inside its description. ``described`` says whether the file
    system, or its journal, still holds the description of a deleted file. ``known`` is exact, near or known-good.
    """

    volume: str
    path: str
    kind: str
    size: int
    md5: str
    sha1: str
    sha256: str
    state: str
    content: str
    fragments: int
    described: bool
    known: str | None = None
    members: tuple[MemberTruth, ...] = ()

    @property
    def comes_back(self) -> bool:
        """Whether a deleted file can come back by what describes it: whole, described, and of some size."""
        return self.state == "deleted" and self.content == "whole" and self.described and self.size > 0


@dataclass(frozen=True, kw_only=True, slots=True)
class VolumeTruth:
    """One partition of the disk; ``offset`` and ``size`` in bytes."""

    name: str
    file_system: str
    label: str
    number: int
    offset: int
    size: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Truth:
    """All of it; ``known_sets`` maps the file of a known set to its role."""

    seed: int
    disk: str
    disk_size: int
    disk_sha256: str
    volumes: tuple[VolumeTruth, ...]
    files: tuple[FileTruth, ...]
    known_sets: Mapping[str, str]

    def store(self, path: Path) -> None:
        """Write the truth as JSON."""
        record = {"format": FORMAT, **asdict(self)}
        path.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Truth:
        """Return the truth a file holds."""
        record: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        if record.pop("format", None) != FORMAT:
            raise ValueError(f"{path} is no truth of format {FORMAT}")
        files = tuple(
            FileTruth(**{**row, "members": tuple(MemberTruth(**member) for member in row["members"])})
            for row in record.pop("files")
        )
        volumes = tuple(VolumeTruth(**row) for row in record.pop("volumes"))
        return cls(files=files, volumes=volumes, **record)
