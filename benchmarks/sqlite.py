"""How many deleted rows are brought back, and how many of those given never were: the forensic corpus and chats.

    python benchmarks/sqlite.py --corpus DIR        the SQLite Forensic Corpus, by category, against its answer keys
    python benchmarks/sqlite.py --lookalikes        databases like its category 0C, made here, several seeds
    python benchmarks/sqlite.py --chats DIR         what mkchat.py wrote: DIR/chat/*.db and DIR/chat.json
    python benchmarks/sqlite.py --cut-off           pages that auto-vacuum cut off several databases of one disk

A row counts where every value is right. Precision is that of all rows given as whole; rows given in part are counted
beside it, right where every value they do give is that of one deleted row. Of chats it is told too how many rows are
still there: key and text stand in the bytes of the database, its log, its journal or the pages cut off.
"""

from __future__ import annotations

import argparse
import json
import random
import sqlite3
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from kaval.artefacts.sqlite import Database, RecoveredRow, UnallocatedPage, UnallocatedPages
from kaval.artefacts.sqlite.joined import settled
from kaval.artefacts.sqlite.joining import Homes
from kaval.core.sources import BytesSource, FileSource
from kaval.recovery.carvers.sqlite_pages import leaf_pages

Values = tuple[str, ...]
CHAT_COLUMNS = ("key_id", "timestamp", "text_data")


def plain(value: object) -> str:
    """Return a value as it is compared: numbers to ten digits, so that 1.5 and "1.50000" are one."""
    if value is None:
        return ""
    if isinstance(value, bytes):
        return value.hex()
    try:
        return f"{float(value):.10g}"  # type: ignore[arg-type]
    except ValueError:
        return str(value)


@dataclass
class Score:
    """Counts of one category."""

    deleted: int = 0
    there: int = 0
    right: int = 0
    wrong: int = 0
    live: int = 0
    part_right: int = 0
    part_wrong: int = 0
    seconds: float = 0.0
    slowest: float = 0.0
    wrong_rows: list[str] = field(default_factory=list)

    @property
    def recall(self) -> float:
        return self.right / self.deleted if self.deleted else 1.0

    @property
    def precision(self) -> float:
        given = self.right + self.wrong + self.live
        return self.right / given if given else 1.0

    def line(self, name: str) -> str:
        there = f" ({self.right / self.there:.3f} of {self.there} still there)" if self.there else ""
        return (
            f"{name:24} deleted {self.deleted:6}  whole {self.right:6} = {self.recall:.3f}{there}"
            f"  precision {self.precision:.3f}  wrong {self.wrong:4}  live {self.live:3}"
            f"  in part {self.part_right} right, {self.part_wrong} wrong"
            f"  {self.seconds:.2f} s, slowest {self.slowest:.2f}"
        )

    def add(self, other: Score) -> None:
        for name in ("deleted", "there", "right", "wrong", "live", "part_right", "part_wrong", "seconds"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.slowest = max(self.slowest, other.slowest)
        self.wrong_rows += other.wrong_rows


def judge(
    rows: Iterable[RecoveredRow], deleted: Sequence[Values], live: Iterable[Values], columns: Sequence[str] | None
) -> Score:
    """Count what was given against the answer key; each deleted row can be found once."""
    score = Score(deleted=len(deleted))
    left, alive = Counter(deleted), set(live)
    for row in rows:
        names = columns or row.columns
        values = tuple(plain(row.get(name)) for name in names)
        lost = [name in row.missing for name in names]
        if not any(lost):
            _count_whole(score, row, values, left, alive)
        elif any(
            all(gone or mine == theirs for gone, mine, theirs in zip(lost, values, other, strict=True))
            for other in deleted
            if len(other) == len(values)
        ):
            score.part_right += 1
        else:
            score.part_wrong += 1
    return score


def _count_whole(score: Score, row: RecoveredRow, values: Values, left: Counter[Values], alive: set[Values]) -> None:
    if left[values] > 0:
        left[values] -= 1
        score.right += 1
    elif values in alive:
        score.live += 1
        score.wrong_rows.append(f"live {row.source} {row.place} {values}")
    elif values not in left:
        score.wrong += 1
        score.wrong_rows.append(f"wrong {row.source} {row.place} {values}")


def read(path: Path) -> tuple[list[RecoveredRow], float]:
    """Return the recovered rows of a database and the CPU seconds they took."""
    started = time.process_time()
    beside = {
        end: FileSource(f"{path}-{end}") if Path(f"{path}-{end}").exists() else None for end in ("wal", "journal")
    }
    rows = list(Database.open(FileSource(path), wal=beside["wal"], journal=beside["journal"]).recovered())
    return rows, time.process_time() - started


def answer_key(path: Path) -> tuple[list[Values], list[Values]]:
    """Return the deleted and the live rows that the answer key of a corpus database names."""
    deleted: list[Values] = []
    live: list[Values] = []
    for element in ElementTree.parse(path).getroot().iter("element"):
        gone = (element.findtext("meta/deleted") or "").strip() == "True"
        for row in element.iter("row"):
            values = tuple(plain(column.findtext("content")) for column in row.iter("column"))
            (deleted if gone or row.get("deleted") == "1" else live).append(values)
    return deleted, live


def score_file(
    path: Path, deleted: Sequence[Values], live: Iterable[Values], columns: Sequence[str] | None = None
) -> Score:
    rows, seconds = read(path)
    score = judge(rows, deleted, live, columns)
    score.seconds = score.slowest = seconds
    return score


def corpus(root: Path) -> Iterator[tuple[str, Score]]:
    """Yield the score of every category that has deleted rows or was tampered with."""
    for category in sorted(path for path in root.iterdir() if path.is_dir()):
        total = Score()
        for path in sorted(one for one in category.iterdir() if one.suffix == ".db"):
            key = category / (path.stem.split("_")[0] + ".xml")
            try:
                deleted, kept = answer_key(key)
            except ElementTree.ParseError:
                print(f"{key.name} is no well-formed XML and is left out")
                continue
            # Rows that the key calls kept, and that tampering or a forgotten mark cut off, can be recovered too.
            live = live_rows(path)
            total.add(score_file(path, deleted + list((Counter(kept) - Counter(live)).elements()), live))
        yield category.name, total


def chats(root: Path) -> Iterator[tuple[str, Score]]:
    """Yield the score of every database of mkchat.py: key, time and text of each deleted message."""
    truth = json.loads((root / "chat.json").read_text())
    for name, rows in truth.items():
        path = root / "chat" / f"{name}.db"
        deleted = [tuple(map(plain, (row[3], row[4], row[5]))) for row in rows]
        score = score_file(path, deleted, live_chats(path), CHAT_COLUMNS)
        parts = [Path(f"{path}{end}") for end in ("", "-wal", "-journal")]
        score.there = still_there(rows, b"".join(part.read_bytes() for part in parts if part.exists()))
        yield name, score


def still_there(rows: Iterable[Sequence[object]], content: bytes) -> int:
    """Return of how many messages key and text still stand in some bytes."""
    return sum(str(row[3]).encode() in content and str(row[5]).encode() in content for row in rows)


def live_rows(path: Path) -> list[Values]:
    database = Database.open(FileSource(path))
    return [tuple(map(plain, row.values)) for name in database.tables for row in database.rows(name)]


def live_chats(path: Path) -> list[Values]:
    wal = Path(f"{path}-wal")
    database = Database.open(FileSource(path), wal=FileSource(wal) if wal.exists() else None)
    if "message" not in database.tables:
        return []
    return [tuple(plain(row[name]) for name in CHAT_COLUMNS) for row in database.rows("message")]


def cut_off(seeds: int) -> Iterator[tuple[str, Score]]:
    """Yield scores of messages deleted from three databases alike, of which auto-vacuum cut the pages off.

    All pages are offered to all three; a row that is given to another database than its own counts as wrong.
    """
    for name, wanted in CUTS.items():
        total = Score()
        for seed in range(seeds):
            with tempfile.TemporaryDirectory() as folder:
                made = [
                    make_cut(Path(folder) / f"{at}.db", random.Random(f"{name}{seed}{at}"), wanted) for at in range(3)
                ]
            total.add(score_cut(made))
        yield name, total


CUTS: dict[str, str] = {
    "a block of rows": "_id BETWEEN 800 AND 2600",
    "three chats": "chat_row_id IN (3, 7, 11)",
    "the newest half": "_id > 1500",
    "all rows": "1",
}
MESSAGE_TABLE = """CREATE TABLE message(_id INTEGER PRIMARY KEY AUTOINCREMENT, chat_row_id INTEGER NOT NULL,
    from_me INTEGER NOT NULL, key_id TEXT NOT NULL, timestamp INTEGER, text_data TEXT, message_type INTEGER);
    CREATE INDEX ix ON message(chat_row_id, timestamp); CREATE TABLE jid(_id INTEGER PRIMARY KEY, raw TEXT, kind INT);
    CREATE TABLE seen(message INTEGER PRIMARY KEY, who INT, at INT, how TEXT) WITHOUT ROWID;"""


@dataclass
class Cut:
    """A database that lost pages: its file, what was cut off, and the messages deleted and kept."""

    after: bytes
    off: bytes
    deleted: list[tuple[object, ...]]
    live: list[tuple[object, ...]]


def make_cut(path: Path, rng: random.Random, wanted: str) -> Cut:
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript(
            f"PRAGMA auto_vacuum = FULL; PRAGMA synchronous = OFF; PRAGMA secure_delete = OFF;{MESSAGE_TABLE} BEGIN;"
        )
        for key in range(1, 3001):
            text = f"m{key:06d} " + " ".join(word(rng) for _ in range(rng.randint(3, 25)))
            sent = 1_700_000_000_000 + key * 60_000 + rng.randint(0, 59_999)
            chat, mine, name = rng.randint(1, 40), rng.randint(0, 1), f"{rng.getrandbits(128):032X}"
            row = (key, chat, mine, name, sent, text, rng.choice([0, 1, 7]))
            connection.execute("INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?)", row)
            connection.execute("INSERT INTO seen VALUES (?, ?, ?, ?)", (key, rng.randint(1, 90), sent + 7, word(rng)))
            if key % 5 == 0:
                connection.execute("INSERT INTO jid VALUES (?, ?, ?)", (key, f"{word(rng)}@x", rng.randint(0, 3)))
        connection.execute("COMMIT")
        before = path.read_bytes()
        deleted = connection.execute(f"SELECT * FROM message WHERE {wanted}").fetchall()
        connection.execute(f"DELETE FROM message WHERE {wanted}")
        live = connection.execute("SELECT * FROM message").fetchall()
    after = path.read_bytes()
    return Cut(after, before[len(after) :], deleted, live)


def score_cut(made: Sequence[Cut]) -> Score:
    started = time.process_time()
    homes = Homes()
    for number, one in enumerate(made):
        homes.take_in(number, Database.open(BytesSource(one.after)))
    own: list[list[tuple[bytes, UnallocatedPage]]] = [[] for _ in made]
    for one in made:
        off = one.off
        found = list(leaf_pages(off, lambda offset, length, off=off: off[offset : offset + length]))  # type: ignore[misc]
        blocks = [off[page.offset : page.offset + page.size] for page in found]
        for block, joined in zip(blocks, settled([homes.home_of(block) for block in blocks]), strict=True):
            if joined is not None:
                page = UnallocatedPage(f"E/carve:{len(own)}", joined.home.table, joined.certain)
                own[joined.home.database].append((block, page))
    total = Score()
    for one, pages in zip(made, own, strict=True):
        source = BytesSource(b"".join(block for block, _ in pages))
        given = UnallocatedPages(source, [page for _, page in pages])
        rows = list(Database.open(BytesSource(one.after), unallocated=given).recovered(["message"]))
        deleted, live = ([tuple(map(plain, row)) for row in rows] for rows in (one.deleted, one.live))
        score = judge(rows, deleted, live, None)
        score.there = still_there(one.deleted, one.after + one.off)
        total.add(score)
    total.seconds = total.slowest = time.process_time() - started
    return total


def lookalikes(seeds: int) -> Iterator[tuple[str, Score]]:
    """Yield scores of databases of the same making as category 0C: records deleted and nothing written after."""
    with tempfile.TemporaryDirectory() as folder:
        for name, make in LOOKALIKES.items():
            total = Score()
            for seed in range(seeds):
                path = Path(folder) / f"{name}-{seed}.db"
                deleted, live = make(path, random.Random(f"{name}{seed}"))
                total.add(score_file(path, deleted, live))
            yield name, total


SYLLABLES = ("ka", "lo", "mi", "ru", "te", "va", "ön", "jas", "pel", "dor", "wü", "ziß", "na", "eg", "bri")


def word(rng: random.Random) -> str:
    return "".join(rng.choice(SYLLABLES) for _ in range(rng.randint(1, 4))).capitalize()


def person(rng: random.Random, key: int) -> tuple[object, ...]:
    return key, word(rng), word(rng), rng.randint(-(2**31), 2**31 - 1), round(rng.uniform(-5e9, 5e9), 5)


def note(rng: random.Random, key: int) -> tuple[object, ...]:
    return key, " ".join(word(rng) for _ in range(rng.randint(1, 30))), rng.choice([None, rng.randint(0, 300)])


def make_users(
    path: Path, rng: random.Random, *, rows: int, gone: str, tables: int = 1, page_size: int = 4096, first: int = 20001
) -> tuple[list[Values], list[Values]]:
    """Write tables of invented persons and delete some; return the deleted rows and the live ones."""
    deleted: list[Values] = []
    live: list[Values] = []
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA page_size={page_size}")
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("PRAGMA secure_delete=1")
        for number in range(tables):
            connection.execute(
                f"CREATE TABLE users{number} ('id' INT UNSIGNED NOT NULL, 'name' TEXT NOT NULL, 'surname' TEXT NULL,"
                " 'codeA' INT NULL, 'codeB' FLOAT NULL)"
            )
        made = [
            (number, person(rng, first + at * 3 + number * 10_000)) for at in range(rows) for number in range(tables)
        ]
        for number, row in made:
            connection.execute(f"INSERT INTO users{number} VALUES (?, ?, ?, ?, ?)", row)
        connection.execute("PRAGMA secure_delete=0")
        chosen = pick(rng, made, gone)
        for number, row in chosen:
            connection.execute(f"DELETE FROM users{number} WHERE id == ?", (row[0],))
        taken = {(number, row[0]) for number, row in chosen}
        for number, row in made:
            (deleted if (number, row[0]) in taken else live).append(tuple(map(plain, row)))
    return deleted, live


def pick(
    rng: random.Random, made: list[tuple[int, tuple[object, ...]]], gone: str
) -> list[tuple[int, tuple[object, ...]]]:
    """Return the rows to be deleted, in the order in which they are."""
    if gone == "one":
        return [rng.choice(made)]
    if gone == "run":
        start = rng.randrange(len(made) // 2)
        return made[start : start + len(made) // 3]
    if gone == "all in order":
        return made
    chosen = made[:] if gone == "all" else rng.sample(made, len(made) // 2)
    rng.shuffle(chosen)
    return chosen


LOOKALIKES: dict[str, Callable[[Path, random.Random], tuple[list[Values], list[Values]]]] = {
    "one of 10": lambda path, rng: make_users(path, rng, rows=10, gone="one"),
    "half of 10": lambda path, rng: make_users(path, rng, rows=10, gone="half"),
    "a run of 20": lambda path, rng: make_users(path, rng, rows=20, gone="run"),
    "all of 10": lambda path, rng: make_users(path, rng, rows=10, gone="all"),
    "all of 10 in order": lambda path, rng: make_users(path, rng, rows=10, gone="all in order"),
    "half of two tables": lambda path, rng: make_users(path, rng, rows=10, gone="half", tables=2),
    "all of two tables": lambda path, rng: make_users(path, rng, rows=10, gone="all", tables=2),
    "half of 300": lambda path, rng: make_users(path, rng, rows=300, gone="half"),
    "all of 300": lambda path, rng: make_users(path, rng, rows=300, gone="all"),
    "half of 100, 512": lambda path, rng: make_users(path, rng, rows=100, gone="half", page_size=512),
    "half of 20, long keys": lambda path, rng: make_users(path, rng, rows=20, gone="half", first=70_000),
}


def show(name: str, scores: Iterable[tuple[str, Score]], *, wrong: bool) -> None:
    total = Score()
    for category, score in scores:
        total.add(score)
        print(score.line(category))
        if wrong:
            print(*score.wrong_rows[:20], sep="\n")
    print(total.line(name))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--chats", type=Path)
    parser.add_argument("--lookalikes", action="store_true")
    parser.add_argument("--cut-off", action="store_true")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--wrong", action="store_true", help="show rows that are neither deleted nor live")
    chosen = parser.parse_args()
    if chosen.corpus:
        show("corpus", corpus(chosen.corpus), wrong=chosen.wrong)
    if chosen.lookalikes:
        show("lookalikes", lookalikes(chosen.seeds), wrong=chosen.wrong)
    if chosen.cut_off:
        show("cut off", cut_off(chosen.seeds), wrong=chosen.wrong)
    if chosen.chats:
        show("chats", chats(chosen.chats), wrong=chosen.wrong)
    return 0


if __name__ == "__main__":
    sys.exit(main())
