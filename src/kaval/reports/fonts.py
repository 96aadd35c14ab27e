"""Fonts: which characters of a text no font of this machine can draw."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache

FAMILIES = '"Noto Sans", "Noto Sans Malayalam", "Noto Sans Devanagari", sans-serif'
_LISTED = 12
_SECONDS = 30
_RANGE = re.compile(r"^([0-9a-f]{1,6})(?:-([0-9a-f]{1,6}))?$")


@cache
def _drawable() -> tuple[tuple[int, int], ...] | None:
    """Return the ranges of characters some installed font has; None where that cannot be asked."""
    program = shutil.which("fc-list")
    if program is None:
        return None
    try:
        answer = subprocess.run(  # noqa: S603
            [program, "--format", "%{charset} "], capture_output=True, text=True, timeout=_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return None
    found = set()
    for part in answer.stdout.split():
        match = _RANGE.match(part)
        if match:
            first = int(match[1], 16)
            found.add((first, int(match[2], 16) if match[2] else first))
    return tuple(sorted(found))


def font_remark(text: str) -> str:
    """Return a sentence about characters that cannot be printed here; empty where all can."""
    characters = sorted({character for character in text if ord(character) > 0x7F and not character.isspace()})
    ranges = _drawable()
    if ranges is None:
        return (
            "It could not be established whether the fonts of the machine that made this document hold every letter "
            "in it; where a box stands for a letter, see the HTML report."
        )
    missing = [c for c in characters if not any(first <= ord(c) <= last for first, last in ranges)]
    if not missing:
        return ""
    named = ", ".join(f"U+{ord(character):04X}" for character in missing[:_LISTED])
    more = f" and {len(missing) - _LISTED} more" if len(missing) > _LISTED else ""
    return (
        f"The machine that made this document has no font for {len(missing)} of the characters in it ({named}{more}). "
        "They are printed as boxes; the HTML report and the folder hold them as stored."
    )
