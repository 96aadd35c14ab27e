"""The formats in which a known set is passed on, one module each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from kaval.core.contracts import Capability
from kaval.core.registry import Registry
from kaval.knownsets import SetInfo
from kaval.knownsets.compiled import CompiledSet
from kaval.knownsets.statements import Statement


@dataclass(frozen=True, kw_only=True, slots=True)
class Written:
    """What an export wrote: entries, and what it had to leave out, by reason."""

    entries: int
    left_out: Counter[str]


class SetExport(Capability, Protocol):
    """Writes one format."""

    def write(self, info: SetInfo, entries: Iterator[Statement], target: Path) -> Written:
        """Write the entries of a set to a file that is not there yet."""
        ...


SET_EXPORTS: Registry[SetExport] = Registry("kaval.knownsets.exports")


def entries_of(known: CompiledSet) -> Iterator[Statement]:
    """Yield the entries of a set as statements; of a set that says nothing of them, a value each."""
    if known.says:
        yield from known.every_statement()
        return
    for algorithm, table in known.tables.items():
        for row in range(table.count):
            yield Statement(values={algorithm: table.value(row).hex()})
