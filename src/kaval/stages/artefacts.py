"""Artefacts: what databases and small files of applications tell, live and recovered, as rows.

Each stream is read inside the fence and under the heartbeat: a parser that fails, hangs or dies costs one stream.
Digests that a message gives of a file are looked up in the known sets, whether the file is there or not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from kaval.artefacts import ARTEFACTS, SQLITE, ArtefactParser
from kaval.artefacts.found import Tables
from kaval.artefacts.items import Item
from kaval.artefacts.records import Artefact, Further
from kaval.artefacts.sqlite import Database, UnallocatedPages
from kaval.artefacts.texts import TEXTS
from kaval.core.contracts import Siblings
from kaval.core.errors import LimitExceededError
from kaval.core.locators import Locator
from kaval.core.records import Notice, NoticeCode
from kaval.core.sources import ByteSource
from kaval.folder.segments import RowBuffer, UnitRecord
from kaval.stages.artefact_rows import STAGE, ArtefactWriter
from kaval.stages.desk import desk_of
from kaval.stages.fence import fenced, fenced_iteration
from kaval.stages.heartbeat import beat, begin
from kaval.stages.joining import pages_of
from kaval.stages.opening import Opener
from kaval.stages.plan import Workplace
from kaval.stages.selection import ArtefactUnit, Neighbour, Reading, below
from kaval.stages.units import ENTRIES_A_UNIT

RECORDS_A_BEAT = 256
LEAST_RECORDS = 10_000
"""A stream may give this many records and two for each of its bytes; more cannot be stored in it."""

_MAGIC = b"SQLite format 3\0"


def read_artefacts(workplace: Workplace, unit: ArtefactUnit) -> UnitRecord:
    """Read the streams of a unit."""
    desk = desk_of(workplace)
    for locator, layout in unit.chain:
        desk.opener.remember(locator, layout)
    rows = RowBuffer()
    writer = ArtefactWriter(rows, desk.matcher(), unit.ordinal * ENTRIES_A_UNIT)
    for number, reading in enumerate(unit.readings):
        begin(number)
        if number in unit.lost:
            writer.remark(reading, _lost(unit.lost[number]))
        else:
            _Reader(workplace, desk.opener, writer, reading).read()
    segments = rows.write(workplace.folder, unit.unit)
    record = UnitRecord(unit=unit.unit, segments=segments, counts=rows.counts, facts={})
    record.place(workplace.folder)
    return record


def read_again(workplace: Workplace, opener: Opener, reading: Reading) -> RowBuffer:
    """Return the rows one stream gives now, without known sets; nothing is written."""
    rows = RowBuffer()
    _Reader(workplace, opener, ArtefactWriter(rows, None, 0), reading).read()
    return rows


def _lost(reason: str) -> Notice:
    code = NoticeCode.TIME_LIMIT if "sign of life" in reason else NoticeCode.CAPABILITY_FAILED
    return Notice(code=code, message=f"reading its artefacts cost the worker ({reason}); they were left out")


class _Reader:
    """Reads one stream with every parser that wants it, and the streams that only a parser can open."""

    def __init__(self, workplace: Workplace, opener: Opener, writer: ArtefactWriter, reading: Reading) -> None:
        self._workplace = workplace
        self._opener = opener
        self._writer = writer
        self._reading = reading
        self._strict = workplace.plan.strict
        self._below: dict[str, Neighbour] | None = None

    def read(self) -> None:
        """Write the rows of the stream; what could not be read becomes notices."""
        self._examine(self._item, "")

    def _examine(self, make: Callable[[], Item], place: str) -> None:
        item = fenced(STAGE, make, strict=self._strict)
        if isinstance(item, Notice):
            self._remark(item, place)
            return
        columns: frozenset[str] = frozenset()
        if item.opened is not None:
            recovered = fenced("sqlite", item.opened.recovered, strict=self._strict)
            if isinstance(recovered, Notice):
                self._remark(recovered, place)
            columns = item.opened.columns()
        for parser in ARTEFACTS.available():
            if parser.wanted.fits(item.path, item.media_type, columns):
                self._parse(parser, item, place)
        if item.opened is not None:
            self._recovered(item.opened, place)
        if self._reading.as_text and not place:
            self._text(item)

    def _item(self) -> Item:
        reading = self._reading
        source = self._opener.stream(Locator.parse(reading.locator), reading.layout)
        opened = None
        if reading.media_type == SQLITE:
            pages = pages_of(self._workplace.folder, self._opener, reading)
            opened = _opened(source, reading.path, self._beside, pages)
        return Item(
            path=reading.path,
            source=source,
            media_type=reading.media_type,
            beside=self._beside,
            below=self._from_below,
            keyring=self._workplace.keyring,
            opened=opened,
        )

    def _further_item(self, further: Further) -> Item:
        plain = further.source.read_at(0, len(_MAGIC)) == _MAGIC
        return Item(
            path=further.path,
            source=further.source,
            media_type=SQLITE if plain else None,
            beside=further.beside,
            keyring=self._workplace.keyring,
            opened=_opened(further.source, further.path, further.beside) if plain else None,
        )

    def _beside(self, name: str) -> ByteSource | None:
        """Return the source of a neighbour by its name, case set aside."""
        wanted = name.rpartition("/")[2].lower()
        return self._stream(next((other for other in self._reading.beside if other.name == wanted), None))

    def _from_below(self, path: str) -> ByteSource | None:
        """Return the source of a file under the stream's folder; the list of them is read at the first question."""
        if self._below is None:
            self._below = below(self._workplace.folder, self._reading)
        return self._stream(self._below.get(path.lower()))

    def _stream(self, neighbour: Neighbour | None) -> ByteSource | None:
        if neighbour is None:
            return None
        return self._opener.stream(Locator.parse(neighbour.locator), neighbour.layout)

    def _parse(self, parser: ArtefactParser, item: Item, place: str) -> None:
        told = _Told()
        records = fenced_iteration(parser.name, self._limited(parser.parse(item), item), strict=self._strict)
        for record in records:
            if isinstance(record, Notice):
                self._remark(record, place)
            elif isinstance(record, Further):
                self._examine(partial(self._further_item, record), record.place)
            elif told.is_new(record):
                earlier = record.recovered and told.has_identity(record)
                self._writer.add(self._reading, parser.name, record, place, earlier_form=earlier)

    def _limited(
        self, records: Iterator[Artefact | Further | Notice], item: Item
    ) -> Iterator[Artefact | Further | Notice]:
        limit = LEAST_RECORDS + 2 * item.source.size
        for number, record in enumerate(records):
            if number % RECORDS_A_BEAT == 0:
                beat()
            if number >= limit:
                raise LimitExceededError("record count", limit, "the stream cannot hold so many")
            yield record

    def _recovered(self, tables: Tables, place: str) -> None:
        """Put every row on record that the database no longer shows, of known and unknown applications."""
        for number, row in enumerate(tables.recovered()):
            if number % RECORDS_A_BEAT == 0:
                beat()
            self._writer.recovered(self._reading, row, place)
        for notice in tables.database.notices:
            self._remark(notice, place)

    def _text(self, item: Item) -> None:
        """Keep the text of a document for searching."""
        for reader in TEXTS.available():
            if item.media_type in reader.media_types:
                text = fenced(reader.name, partial(reader.read, item), strict=self._strict)
                if isinstance(text, Notice):
                    self._remark(text, "")
                elif text.text:
                    self._writer.text(self._reading, reader.name, text)
                return

    def _remark(self, notice: Notice, place: str) -> None:
        told = replace(notice, message=f"{place}: {notice.message}") if place else notice
        self._writer.remark(self._reading, told)


def _opened(source: ByteSource, path: str, beside: Siblings, pages: UnallocatedPages | None = None) -> Tables:
    wal, journal = beside(f"{path}-wal"), beside(f"{path}-journal")
    return Tables(Database.open(source, wal=wal, journal=journal, unallocated=pages))


class _Told:
    """What one parser told of one stream: live records come first, so a recovered one is held against them.

    A recovered record that tells what another told already is left out; its row stays among the recovered rows.
    """

    def __init__(self) -> None:
        self._facts: set[int] = set()
        self._identities: set[int] = set()

    def is_new(self, record: Artefact) -> bool:
        """Whether a record is to be written; it is remembered."""
        whole, nameless = hash(_fact(record)), hash(_fact(replace(record, identity=None)))
        if record.recovered and (not _says_anything(record) or whole in self._facts):
            return False
        if record.recovered and record.identity is None and nameless in self._facts:
            return False
        self._facts |= {whole, nameless}
        if not record.recovered and record.identity is not None:
            self._identities.add(hash((record.kind, record.identity)))
        return True

    def has_identity(self, record: Artefact) -> bool:
        """Whether a live record has the same identity."""
        return record.identity is not None and hash((record.kind, record.identity)) in self._identities


def _says_anything(record: Artefact) -> bool:
    """Whether a record holds more than its kind and what holds for all of its database."""
    told = (
        record.at, record.moments, record.who, record.who_name, record.whom, record.identifiers, record.conversation,
        record.title, record.text, record.url, record.latitude, record.identity, record.attachments,
    )  # fmt: skip
    return any(told)


def _fact(record: Artefact) -> tuple[Any, ...]:
    """Return what makes two records tell the same: all but where they were read and how far they were delivered."""
    return (
        record.kind, record.at, record.direction, record.who, record.who_name, record.whom, record.identifiers,
        record.conversation, record.conversation_title, record.role, record.identity, record.title, record.text,
        record.url, record.latitude, record.longitude, record.duration_s, record.attachments,
    )  # fmt: skip
