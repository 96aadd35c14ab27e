"""Labels: the number to read, the code to scan. The code leads to the exhibit's page and says nothing about it."""

from __future__ import annotations

from dataclasses import dataclass

import segno

from casework.exhibits.models import Exhibit


@dataclass(frozen=True, kw_only=True)
class Label:
    """One label; ``code`` is a picture as the address of an image."""

    exhibit: Exhibit
    code: str


def label(exhibit: Exhibit, address: str) -> Label:
    """Return the label of an exhibit whose page is at ``address``."""
    return Label(exhibit=exhibit, code=segno.make(address, error="m", micro=False).svg_data_uri(scale=3, border=2))
