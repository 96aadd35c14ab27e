"""Artefacts: what applications and systems noted of persons, messages, calls, visits and places.

A parser is one class in one module, registered here. It says by ``wanted`` what it reads: databases by the tables they
hold, wherever they lie and whatever they are called, other files by path or media type.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import ClassVar, Protocol

from kaval.artefacts.items import Item
from kaval.artefacts.records import Artefact, Further
from kaval.core.contracts import Capability
from kaval.core.records import Notice
from kaval.core.registry import Registry

SQLITE = "application/vnd.sqlite3"
"""The media type of a database; analysis tells it by content."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What a parser reads.

    Attributes:
        paths: Regular expressions that are searched in the path, written for lower case.
        media_types: Media types by content.
        columns: Alternatives; one fits a database that has all its columns, written ``table.column``, lower case.
        beside: Names (lower case) of files in the same folder that the parser may ask for.
    """

    paths: tuple[str, ...] = ()
    media_types: frozenset[str] = frozenset()
    columns: tuple[frozenset[str], ...] = ()
    beside: tuple[str, ...] = ()

    def fits(self, path: str, media_type: str | None, columns: Collection[str]) -> bool:
        """Say whether a stream is worth handing to the parser."""
        if media_type == SQLITE and self.columns:
            return any(wanted.issubset(columns) for wanted in self.columns)
        if media_type is not None and media_type in self.media_types:
            return True
        return any(re.search(pattern, path.lower()) for pattern in self.paths)


class ArtefactParser(Capability, Protocol):
    """Reads one kind of database or file that an application or a system keeps."""

    wanted: ClassVar[Wanted]

    def parse(self, item: Item) -> Iterator[Artefact | Further | Notice]:
        """Yield what the stream holds, in its own order; live and recovered rows alike.

        Raises the engine's errors for a stream that is locked, damaged or none of this kind after all.
        """
        ...


ARTEFACTS: Registry[ArtefactParser] = Registry("kaval.artefacts")
