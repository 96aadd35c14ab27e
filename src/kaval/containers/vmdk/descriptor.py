"""The descriptor of a VMDK: which extents make up the disk, and which disk it is based on."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from kaval.core.errors import CorruptStructureError

MAXIMUM_SIZE = 1 << 20
MAXIMUM_EXTENTS = 8192
NO_PARENT = "ffffffff"

_EXTENT = re.compile(
    r"(?P<access>RW|RDONLY|NOACCESS)\s+(?P<sectors>\d{1,15})\s+(?P<kind>[A-Z]+)"
    r'(?:\s+"(?P<name>[^"]*)"(?:\s+(?P<offset>\d{1,15}))?)?',
    re.IGNORECASE,
)
_SETTING = re.compile(r'(?P<key>[\w.]+)\s*=\s*"?(?P<value>[^"]*)"?\s*')


@dataclass(frozen=True, kw_only=True)
class ExtentLine:
    """One extent: how many sectors of the disk, of which kind, in which file, from which sector of it."""

    sectors: int
    kind: str
    name: str
    offset: int


@dataclass(frozen=True, kw_only=True)
class Descriptor:
    """What a descriptor says; settings by their keys in lower case."""

    extents: tuple[ExtentLine, ...]
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def parent(self) -> str | None:
        """The path of the disk this one is based on, ``None`` if it stands alone."""
        if self.settings.get("parentcid", NO_PARENT).lower() == NO_PARENT:
            return None
        return self.settings.get("parentfilenamehint", "")

    @property
    def kind(self) -> str:
        return self.settings.get("createtype", "")


def read_descriptor(block: bytes, title: str) -> Descriptor:
    """Return what a descriptor says, whether it is a file of its own or embedded.

    Raises:
        CorruptStructureError: It is no text, or an extent line cannot be understood.
    """
    raw = block.split(b"\0", 1)[0]
    text = raw.decode("utf-8", "replace")
    extents = []
    settings = {}
    for line in map(str.strip, text.splitlines()):
        if not line or line.startswith("#"):
            continue
        if (found := _EXTENT.fullmatch(line)) is not None:
            extents.append(
                ExtentLine(
                    sectors=int(found["sectors"]),
                    kind=found["kind"].upper(),
                    name=found["name"] or "",
                    offset=int(found["offset"] or 0),
                )
            )
        elif (setting := _SETTING.fullmatch(line)) is not None:
            settings[setting["key"].lower()] = setting["value"]
        elif re.match(r"(RW|RDONLY|NOACCESS)\b", line, re.IGNORECASE):
            raise CorruptStructureError(title, f"the line {line[:80]!r} of its descriptor cannot be understood")
        if len(extents) > MAXIMUM_EXTENTS:
            raise CorruptStructureError(title, f"its descriptor lists more than {MAXIMUM_EXTENTS} extents")
    return Descriptor(extents=tuple(extents), settings=settings)
