"""Names of segment files: ``.E01``-``.E99``, ``.EAA``-``.ZZZ``; ``.Ex01``-``.Ex99``, ``.ExAA``-``.EzZZ``."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator

_VERSION_1 = re.compile(r"(?P<stem>.*\.)(?P<letter>[A-Za-z])\d\d", re.DOTALL)
_VERSION_2 = re.compile(r"(?P<stem>.*\.[A-Za-z])(?P<letter>[xX])\d\d", re.DOTALL)


def segment_names(name: str) -> Iterator[str]:
    """Yield the names of all segments, first one first, that belong to the name of any of the first 99.

    Nothing is yielded where the name is none of a segment.
    """
    found = _VERSION_2.fullmatch(name) or _VERSION_1.fullmatch(name)
    if found is None:
        return
    stem, letter = found["stem"], found["letter"]
    for number in range(1, 100):
        yield f"{stem}{letter}{number:02}"
    firsts = string.ascii_uppercase if letter.isupper() else string.ascii_lowercase
    others = string.ascii_lowercase if (stem + letter)[-2:].islower() else string.ascii_uppercase
    for first in firsts[firsts.index(letter) :]:
        for second in others:
            for third in others:
                yield f"{stem}{first}{second}{third}"
