"""What a format yields: many entries at once, as columns, so that a hundred million cost no objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.uint8]
"""Values of one algorithm: a row of bytes each."""

NO_DETAIL = 0xFFFFFFFF
"""Owner of a value about which the set says nothing more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Column:
    """Values of one algorithm; ``owners`` gives for each the index of its detail in the batch."""

    values: Rows
    owners: NDArray[np.uint32] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """A run of entries of a source.

    ``details`` are JSON objects as bytes: what the set says of an entry (``category`` above all). ``skipped``
    counts entries that were left out, by reason. ``position`` is the byte of the source up to which this
    batch and those before it have read.
    """

    entries: int
    columns: Mapping[str, Column]
    details: Sequence[bytes] = ()
    skipped: Mapping[str, int] = field(default_factory=dict)
    position: int = 0
