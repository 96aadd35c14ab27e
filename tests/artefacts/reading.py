"""How the tests hand streams to parsers: as the stage does, without a folder."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path

from kaval.artefacts import ARTEFACTS, SQLITE
from kaval.artefacts.found import Tables
from kaval.artefacts.items import Item
from kaval.artefacts.records import Artefact, ArtefactKind, Further
from kaval.artefacts.sqlite import Database
from kaval.core.errors import KavalError
from kaval.core.keys import Keyring
from kaval.core.records import Notice
from kaval.core.sources import ByteSource, BytesSource
from kaval.stages.fence import notice_of

MAGIC = b"SQLite format 3\0"
Record = Artefact | Further | Notice


def item_of(
    content: bytes,
    path: str,
    *,
    media_type: str | None = None,
    beside: Mapping[str, bytes] | None = None,
    below: Mapping[str, bytes] | None = None,
    keyring: Keyring | None = None,
) -> Item:
    """Return the item of a stream; a database is opened with the log and journal that lie beside it."""

    def neighbour(files: Mapping[str, bytes] | None) -> Callable[[str], ByteSource | None]:
        return lambda name: BytesSource(files[name]) if files and name in files else None

    source = BytesSource(content)
    near = neighbour(beside)
    opened = None
    if content.startswith(MAGIC):
        media_type = SQLITE
        name = path.rpartition("/")[2]
        opened = Tables(Database.open(source, wal=near(f"{name}-wal"), journal=near(f"{name}-journal")))
    return Item(
        path=path,
        source=source,
        media_type=media_type,
        beside=near,
        below=neighbour(below),
        keyring=keyring or Keyring(),
        opened=opened,
    )


def read(item: Item, *names: str) -> list[Record]:
    """Return what every parser that wants the item yields, or those named; our own errors end in notices."""
    columns = item.opened.columns() if item.opened else frozenset()
    records: list[Record] = []
    for parser in ARTEFACTS.available():
        if (names and parser.name not in names) or not parser.wanted.fits(item.path, item.media_type, columns):
            continue
        try:
            records.extend(parser.parse(item))
        except KavalError as error:
            records.append(notice_of(error, parser.name))
    return records


def artefacts(records: list[Record], kind: ArtefactKind | None = None) -> list[Artefact]:
    """Return the artefacts among records, of one kind if one is named."""
    return [record for record in records if isinstance(record, Artefact) and kind in (None, record.kind)]


def database(path: Path, *statements: str) -> bytes:
    """Return a database made by SQL; deleted rows stay in its pages as SQLite leaves them."""
    path.unlink(missing_ok=True)
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("PRAGMA secure_delete = OFF")
        for statement in statements:
            connection.executescript(statement)
    finally:
        connection.close()
    return path.read_bytes()
