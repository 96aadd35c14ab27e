"""A database with its write-ahead log or rollback journal: the live rows, and those that no longer are."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from kaval.artefacts.sqlite.header import HEADER_SIZE, Header, read_header, settle_page_size
from kaval.artefacts.sqlite.journal import Journal, read_journal
from kaval.artefacts.sqlite.living import live_rows
from kaval.artefacts.sqlite.pages import CACHED_SIZE, Files, Origin, Placed, State
from kaval.artefacts.sqlite.past import Past
from kaval.artefacts.sqlite.records import CODECS
from kaval.artefacts.sqlite.recovery import Recovery
from kaval.artefacts.sqlite.rows import RecoveredRow, Row, Table
from kaval.artefacts.sqlite.schema import SCHEMA, SCHEMA_TABLE, read_tables
from kaval.artefacts.sqlite.unallocated_pages import UnallocatedPage, UnallocatedPages
from kaval.artefacts.sqlite.wal import Log, read_log, stated_page_size
from kaval.core.errors import CorruptStructureError
from kaval.core.records import Notice, NoticeCode
from kaval.core.sources import ByteSource, BytesSource

MOST_NOTICES = 500
_VACUUM = {0: "none", 1: "full", 2: "incremental"}


class Database:
    """One database, read without SQLite: nothing is written, nothing is checkpointed.

    ``notices`` grow while rows are read; each says what could not be.
    """

    def __init__(self, files: Files, log: Log, journal: Journal) -> None:
        self.files = files
        self.log = log
        self.journal = journal
        self.unallocated: Sequence[UnallocatedPage] = ()
        self.notices: list[Notice] = [*log.notices, *journal.notices]
        self._told: set[tuple[str, int | None]] = set()
        self.state = self._last_committed()
        self.header = self._header()
        self.tables: Mapping[str, Table] = read_tables(self.state, self.tell)

    @classmethod
    def open(
        cls,
        main: ByteSource,
        *,
        wal: ByteSource | None = None,
        journal: ByteSource | None = None,
        unallocated: UnallocatedPages | None = None,
        cached_size: int = CACHED_SIZE,
    ) -> Database:
        """Return the database in the last state that was committed.

        A damaged header is tolerated as far as the pages show what it should say. ``unallocated`` pages are asked for
        rows that were deleted, like all that the database holds itself.

        Raises:
            LockedError: It is encrypted.
            NotRecognisedError: It is no database.
            UnreadableError: Its first page cannot be had.
        """
        page_size, notices = settle_page_size(main, stated_page_size(wal))
        sources = {Origin.MAIN: main}
        log, before = Log(), Journal()
        if wal is not None and wal.size:
            sources[Origin.WAL] = wal
            log = read_log(wal, page_size)
        if journal is not None and journal.size:
            sources[Origin.JOURNAL] = journal
            before = read_journal(journal, page_size)
        if unallocated is not None:
            sources[Origin.UNALLOCATED] = unallocated.source
        database = cls(Files(sources, page_size, cached_size), log, before)
        database.notices[:0] = notices
        database.unallocated = unallocated.pages if unallocated is not None else ()
        return database

    def tell(self, notice: Notice) -> None:
        """Keep a notice, each once, and no more of them than can be read."""
        key = (notice.message, notice.offset)
        if key in self._told or len(self._told) > MOST_NOTICES:
            return
        self._told.add(key)
        if len(self._told) > MOST_NOTICES:
            notice = Notice(
                code=NoticeCode.COUNT_LIMIT, message=f"More than {MOST_NOTICES} notices; the rest is not told."
            )
        self.notices.append(notice)

    def _last_committed(self) -> State:
        main = self.files.sources[Origin.MAIN]
        counted = -(-main.size // self.files.page_size)
        laid_over: dict[int, Placed] = {}
        pages = counted
        if self.log.committed:
            pages = self.log.pages
            for frame in self.log.frames:
                if frame.number <= self.log.committed:
                    laid_over[frame.page] = Placed(Origin.WAL, frame.number, frame.offset)
        elif self.journal.hot:
            pages = self.journal.pages or counted
            for record in reversed(self.journal.hot):
                laid_over[record.page] = Placed(Origin.JOURNAL, record.number, record.offset)
            message = "The last transaction was never finished; its rollback journal is applied."
            self.tell(Notice(code=NoticeCode.ASSUMED, message=message, structure="journal"))
        pages = max(pages, counted) if not self.log.committed else pages
        laid_over = {page: placed for page, placed in laid_over.items() if page <= pages}
        return State(self.files, self.files.page_size, pages, laid_over)

    def _header(self) -> Header:
        main = self.files.sources[Origin.MAIN]
        try:
            head = self.state.read(1)[:HEADER_SIZE]
        except CorruptStructureError:
            head = b""
        header = read_header(head.ljust(HEADER_SIZE, b"\0"), main.size, self.files.page_size)
        self.state = State(self.files, header.usable_size, self.state.pages, self.state.laid_over)
        return header

    @property
    def codec(self) -> str:
        """The codec of the texts of the database."""
        return CODECS[self.header.encoding]

    @property
    def facts(self) -> Mapping[str, str]:
        """What the header and the files beside it say of the database as a whole."""
        header = self.header
        facts = {
            "page size": str(header.page_size),
            "pages": str(self.state.pages),
            "encoding": self.codec,
            "auto-vacuum": _VACUUM[1 + header.incremental if header.auto_vacuum else 0],
            "free pages": str(header.free_pages),
            "application id": str(header.application_id),
            "user version": str(header.user_version),
            "written by": ".".join(map(str, divmod(header.written_by // 1000, 1000))) + f".{header.written_by % 1000}",
        }
        if Origin.WAL in self.files.sources:
            past = len(self.log.frames) - sum(frame.number <= self.log.committed for frame in self.log.frames)
            facts["wal"] = f"{self.log.committed} frames hold, {past} are past"
        else:
            facts["wal"] = "stated, absent" if header.wal_mode else "none"
        if Origin.JOURNAL in self.files.sources:
            facts["journal"] = f"{len(self.journal.records)} pages, {len(self.journal.hot)} to be written back"
        return facts

    def table(self, name: str) -> Table:
        """Return a table by its name, whatever its case.

        Raises:
            KeyError: There is none.
        """
        if name in self.tables:
            return self.tables[name]
        folded = name.lower()
        if folded in (SCHEMA_TABLE, "sqlite_master"):
            return SCHEMA
        for stored, table in self.tables.items():
            if stored.lower() == folded:
                return table
        raise KeyError(name)

    def rows(self, table: str) -> Iterator[Row]:
        """Yield the live rows of a table, in the order of their rowids or of their primary key.

        Raises:
            KeyError: There is no such table.
        """
        return live_rows(self.state, self.table(table), self.codec, self.tell)

    def recovered(self, tables: Collection[str] | None = None) -> Iterator[RecoveredRow]:
        """Yield rows that the last committed state does not hold: deleted ones, overwritten ones, earlier versions.

        All tables are looked for, dropped ones too, but SQLite's own only where they are asked for by name. A live
        row is never among them, and identical rows are given once. Nothing is yielded before all is read.
        """
        past = self._past()
        recovery = Recovery(self.state, self.header, self.codec, self.tables, past, self.tell, self.unallocated)
        yield from recovery.rows(tables)

    def _past(self) -> Past:
        return Past(self.state, self.log, self.journal)


def open_bytes(main: bytes, wal: bytes | None = None, journal: bytes | None = None) -> Database:
    """Return a database that is in memory already."""
    beside = [BytesSource(part) if part is not None else None for part in (wal, journal)]
    return Database.open(BytesSource(main), wal=beside[0], journal=beside[1])
