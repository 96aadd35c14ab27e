"""Databases with rows that were deleted: neutral, of invented words, each with what was deleted and what stayed."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path

_SYLLABLES = ("ka", "lo", "mi", "ru", "te", "va", "ön", "jas", "pel", "dor", "wü", "ziß", "na", "eg", "bri")
Rows = list[tuple[object, ...]]


def word(chance: random.Random) -> str:
    """Return an invented word."""
    return "".join(chance.choice(_SYLLABLES) for _ in range(chance.randint(1, 4))).capitalize()


def persons(path: Path, chance: random.Random, *, rows: int, gone: int, tables: int = 1) -> tuple[Rows, Rows]:
    """Write tables of invented persons, delete some in random order, and return the deleted and the live rows."""
    made: list[tuple[int, tuple[object, ...]]] = []
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.executescript("PRAGMA synchronous = OFF; PRAGMA secure_delete = ON;")
        for number in range(tables):
            connection.execute(
                f"CREATE TABLE users{number} ('id' INT UNSIGNED NOT NULL, 'name' TEXT NOT NULL, 'surname' TEXT NULL,"
                " 'codeA' INT NULL, 'codeB' FLOAT NULL)"
            )
        for at in range(rows):
            for number in range(tables):
                row: tuple[object, ...] = (
                    20_001 + at * 3 + number * 10_000, word(chance), word(chance),
                    chance.randint(-(2**31), 2**31 - 1), chance.uniform(-5e9, 5e9),
                )  # fmt: skip
                connection.execute(f"INSERT INTO users{number} VALUES (?, ?, ?, ?, ?)", row)
                made.append((number, row))
        connection.execute("PRAGMA secure_delete = OFF")
        chosen = chance.sample(made, gone)
        for number, gone_row in chosen:
            connection.execute(f"DELETE FROM users{number} WHERE id == ?", (gone_row[0],))
    taken = set(chosen)
    return [row for _, row in chosen], [row for number, row in made if (number, row) not in taken]


MESSAGES = """CREATE TABLE message(_id INTEGER PRIMARY KEY AUTOINCREMENT, chat_row_id INTEGER NOT NULL,
    from_me INTEGER NOT NULL, key_id TEXT NOT NULL, timestamp INTEGER, text_data TEXT, message_type INTEGER);
    CREATE INDEX ix ON message(chat_row_id, timestamp);"""


def fill_messages(connection: sqlite3.Connection, chance: random.Random, count: int, first: int = 1) -> Rows:
    """Write messages of invented words and return them, with their keys."""
    made: Rows = []
    connection.execute("BEGIN")
    for key in range(first, first + count):
        text = f"m{key:06d} " + " ".join(word(chance) for _ in range(chance.randint(3, 25)))
        row = (
            key, chance.randint(1, 40), chance.randint(0, 1), f"{chance.getrandbits(128):032X}",
            1_700_000_000_000 + key * 60_000 + chance.randint(0, 59_999), text, chance.choice([0, 0, 0, 1, 2, 7]),
        )  # fmt: skip
        connection.execute("INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        made.append(row)
    connection.execute("COMMIT")
    return made
