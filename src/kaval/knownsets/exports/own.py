"""Kaval's own form: everything a set says, with who sent it, for another store of Kaval."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from kaval.knownsets import SetInfo
from kaval.knownsets.exports import SET_EXPORTS, Written
from kaval.knownsets.formats.own import entry_line, header_line
from kaval.knownsets.statements import Statement


@SET_EXPORTS.register
class Own:
    """Writes JSON lines."""

    name: ClassVar[str] = "kaval-set"
    title: ClassVar[str] = "Kaval known set (JSON lines)"
    rank: ClassVar[int] = 15
    requires: ClassVar[tuple[str, ...]] = ()

    def write(self, info: SetInfo, entries: Iterator[Statement], target: Path) -> Written:
        """Write a line for each entry, behind one that tells of the set."""
        count = 0
        made = {
            "name": info.name, "version": info.version, "owner": info.owner, "received_on": info.received_on,
            "scheme": info.scheme, "country": info.country, "handling": info.handling,
        }  # fmt: skip
        with target.open("xb") as file:
            file.write(header_line({name: value for name, value in made.items() if value is not None}))
            for entry in entries:
                file.write(entry_line(entry))
                count += 1
        return Written(entries=count, left_out=Counter())
