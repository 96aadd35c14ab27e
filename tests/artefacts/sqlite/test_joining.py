"""Pages that stand alone go to the table they were cut off; what is in doubt is told; what fits nothing is left."""

from __future__ import annotations

import random
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from kaval.artefacts.sqlite import Database, RecoveredRow, UnallocatedPage, UnallocatedPages
from kaval.artefacts.sqlite.joined import Home, Joined, settled
from kaval.artefacts.sqlite.joining import Homes
from kaval.core.sources import BytesSource
from kaval.recovery.carvers.sqlite_pages import leaf_pages
from tests.artefacts.sqlite.makers import MESSAGES, Rows, fill_messages, word
from tests.artefacts.test_damage import mutated

TABLES = """CREATE TABLE jid(_id INTEGER PRIMARY KEY, raw_string TEXT, kind INT);
    CREATE TABLE other(a TEXT, b INT, c BLOB); CREATE INDEX by_b ON other(b);
    CREATE TABLE keyed(word TEXT PRIMARY KEY, meaning TEXT, number INT, half REAL) WITHOUT ROWID;"""


@dataclass
class Cut:
    """A database after auto-vacuum, the bytes cut off it, and the rows that were deleted and that stayed."""

    after: bytes
    off: bytes
    deleted: Rows
    live: Rows

    def pages(self) -> list[bytes]:
        found = leaf_pages(self.off, lambda offset, length: self.off[offset : offset + length])
        return [self.off[page.offset : page.offset + page.size] for page in found]


def cut(path: Path, seed: int, *, page_size: int = 4096, encoding: str = "UTF-8") -> Cut:
    """Delete most messages of a database with auto-vacuum, as a phone's is."""
    chance = random.Random(seed)
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(
            f"PRAGMA encoding = '{encoding}'; PRAGMA page_size = {page_size}; PRAGMA auto_vacuum = FULL;"
            f"PRAGMA synchronous = OFF; PRAGMA secure_delete = OFF; {MESSAGES} {TABLES} BEGIN;"
        )
        for number in range(400):
            connection.execute("INSERT INTO jid VALUES (?, ?, ?)", (number, f"{word(chance)}@x", number % 4))
            connection.execute("INSERT INTO other VALUES (?, ?, ?)", (word(chance), number * 7, bytes(number % 30)))
            row = (f"{word(chance)}{number}", word(chance) * 3, number, number / 3)
            connection.execute("INSERT INTO keyed VALUES (?, ?, ?, ?)", row)
        connection.execute("COMMIT")
        made = fill_messages(connection, chance, 1500)
        before = path.read_bytes()
        connection.execute("DELETE FROM message WHERE _id BETWEEN 400 AND 1300")
    after = path.read_bytes()
    gone = [row for row in made if isinstance(row[0], int) and 400 <= row[0] <= 1300]
    return Cut(after, before[len(after) :], gone, [row for row in made if row not in set(gone)])


def _homes(*databases: bytes) -> Homes:
    homes = Homes()
    for number, content in enumerate(databases):
        homes.take_in(number, Database.open(BytesSource(content)))
    return homes


def _recovered(content: bytes, pages: list[bytes], joined: list[Joined | None], number: int = 0) -> list[RecoveredRow]:
    """Return what a database gives back whole from the pages that were joined to it."""
    own = [(page, one) for page, one in zip(pages, joined, strict=True) if one and one.home.database == number]
    told = [UnallocatedPage(f"E/carve:{at}", one.home.table, one.certain) for at, (_, one) in enumerate(own)]
    source = BytesSource(b"".join(page for page, _ in own))
    database = Database.open(BytesSource(content), unallocated=UnallocatedPages(source, told))
    return [row for row in database.recovered() if row.complete and row.source == "unallocated page"]


@pytest.mark.parametrize(("page_size", "encoding"), [(4096, "UTF-8"), (1024, "UTF-16le"), (8192, "UTF-16be")])
def test_rows_of_pages_cut_off_come_back_and_live_ones_do_not(tmp_path: Path, page_size: int, encoding: str) -> None:
    made = cut(tmp_path / "x.db", 3, page_size=page_size, encoding=encoding)
    pages, homes = made.pages(), _homes(made.after)
    joined = settled([homes.home_of(page) for page in pages])
    rows = _recovered(made.after, pages, joined)
    found: Counter[tuple[object, ...]] = Counter(row.values for row in rows if row.table == "message")
    codec = Database.open(BytesSource(made.after)).codec
    still = [row for row in made.deleted if str(row[5]).encode(codec) in made.off]

    assert len(still) > 200
    assert (found & Counter(still)).total() >= 0.98 * len(still)
    assert not set(found) & set(made.live)
    assert set(found) <= set(made.deleted)
    assert all(row.place.startswith("unallocated page E/carve:") for row in rows)


def test_pages_of_two_databases_alike_go_each_to_its_own_with_their_neighbours(tmp_path: Path) -> None:
    both = [cut(tmp_path / f"{number}.db", number) for number in range(2)]
    homes = _homes(*(made.after for made in both))
    for number, made in enumerate(both):
        pages = made.pages()
        joined = settled([homes.home_of(page) for page in pages])
        rows = _recovered(made.after, pages, joined, number)

        assert {one.home.database for one in joined if one} == {number}
        assert {row.values for row in rows if row.table == "message"} <= set(made.deleted)
        # The other database is told wherever nothing but the shape speaks for this one.
        assert {one.home.table for one in joined if one and not one.certain and not one.also} <= {"keyed"}


def test_pages_of_a_database_that_is_gone_are_not_given_to_another(tmp_path: Path) -> None:
    gone, here = cut(tmp_path / "a.db", 1), tmp_path / "b.db"
    with closing(sqlite3.connect(here)) as connection:
        connection.executescript(
            "CREATE TABLE message(key INTEGER PRIMARY KEY, body TEXT); INSERT INTO message VALUES (1, 'lopel');"
            "CREATE TABLE seven(a TEXT, b TEXT, c TEXT, d REAL, e TEXT, f REAL, g TEXT);"
        )
    homes = _homes(here.read_bytes())

    assert [joined for joined in map(homes.home_of, gone.pages()) if joined] == []


def test_numbers_that_other_rows_hold_speak_against_a_table_that_never_uses_one_twice(tmp_path: Path) -> None:
    made = cut(tmp_path / "a.db", 5)
    other = tmp_path / "b.db"
    with closing(sqlite3.connect(other, isolation_level=None)) as connection:
        connection.executescript(MESSAGES)
        fill_messages(connection, random.Random(77), 1500)
    homes = _homes(other.read_bytes())
    messages = [page for page in made.pages() if page[0] == 0x0D and b"m00" in page]

    assert len(messages) > 20
    assert [joined for joined in map(homes.home_of, messages) if joined] == []


def test_pages_of_an_index_are_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(f"PRAGMA synchronous = OFF; PRAGMA auto_vacuum = FULL; {MESSAGES} {TABLES}")
        fill_messages(connection, random.Random(1), 1500)
        connection.executescript("CREATE TABLE pair(a INT, b INT, c INT, PRIMARY KEY(a, b)) WITHOUT ROWID;")
        connection.executemany("INSERT INTO pair VALUES (?, ?, ?)", [(at, at * 3, at) for at in range(500)])
    content = path.read_bytes()
    homes = _homes(content)
    root = next(root for root, name in _index_roots(content).items() if name == "message")
    state = Database.open(BytesSource(content)).state
    leaves = [page for page in map(state.read, range(root + 1, state.pages)) if page[0] == 0x0A]

    assert len(leaves) > 5
    assert {joined.home.table for joined in map(homes.home_of, leaves) if joined} <= {"pair"}


def _index_roots(content: bytes) -> dict[int, str]:
    from kaval.artefacts.sqlite.schema import index_roots

    return index_roots(Database.open(BytesSource(content)).state)


def test_neighbours_decide_for_pages_that_fit_several_databases() -> None:
    def one(number: int, *, certain: bool = False) -> Joined:
        also = () if certain else (Home(1 - number, "t"),)
        return Joined(Home(number, "t"), certain=certain, also=also)

    joined: list[Joined | None] = [one(1), one(0, certain=True), one(1), None, one(0), one(0), one(1, certain=True)]
    placed = settled(joined)

    assert [one.home.database if one else None for one in placed] == [0, 0, 0, None, 1, 1, 1]
    assert all(one is None or one.certain or len(one.also) == 1 for one in placed)
    assert [one.home.database for one in settled([one(1), one(0), one(1)]) if one] == [1, 1, 1]


def test_damaged_pages_and_databases_end_in_an_answer(tmp_path: Path) -> None:
    made, chance = cut(tmp_path / "x.db", 8, page_size=1024), random.Random(8)
    pages = made.pages()[:60]
    for _ in range(15):
        homes = _homes(made.after)
        damaged = [mutated(page, chance)[:1024].ljust(1024, b"\0") for page in pages]
        joined = settled([homes.home_of(page) for page in damaged])

        for row in _recovered(made.after, damaged, joined):
            assert len(row.values) == len(row.columns)
