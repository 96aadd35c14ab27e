"""Auto-vacuum cut pages off a messenger's database: what they hold is shown in the conversation it was deleted from."""

from __future__ import annotations

import json
import random
import re
import shutil
import sqlite3
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.artefacts import stores
from tests.artefacts.sqlite.makers import word
from tests.journeys.conftest import Run

STORE = "data/com.whatsapp/databases/msgstore.db"
PAGE = 4096
FIRST, LAST, GONE = 100, 2000, range(300, 1700)


@dataclass
class Phone:
    """An image, the texts of the messages deleted by number, and how many pages the database lost."""

    image: Path
    texts: dict[int, str] = field(default_factory=dict)
    pages: int = 0


def _tool(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    if found is None:
        pytest.skip(f"{name} is absent (make system installs it)")
    return found


def _debugfs(image: Path, *commands: str) -> str:
    tool = _tool("debugfs")
    done = [
        subprocess.run([tool, "-w", "-R", command, image], check=True, capture_output=True, text=True).stdout
        for command in commands
    ]
    return "".join(done)


def _before(path: Path, vacuum: int) -> dict[int, str]:
    """Write a store with many messages of one group, and return their texts by number."""
    chance = random.Random(7)
    texts = {number: f"{word(chance)} {number} " + word(chance) * 9 for number in range(FIRST, LAST)}
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript(f"PRAGMA page_size = {PAGE}; PRAGMA auto_vacuum = {vacuum}; PRAGMA secure_delete = OFF;")
    connection.executescript(stores.WHATSAPP)
    connection.execute("BEGIN")
    for number, text in texts.items():
        row = (
            number,
            2,
            number % 2,
            f"{chance.getrandbits(128):032X}",
            1 + number % 2,
            1_700_001_000_000 + number,
            text,
        )
        connection.execute(
            "INSERT INTO message VALUES (?, ?, ?, ?, ?, ?, 0, 0, ?, NULL, 0)",
            row,
        )
    connection.execute("COMMIT")
    connection.close()
    return texts


def _after(path: Path) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("DELETE FROM message WHERE _id BETWEEN ? AND ?", (GONE.start, GONE.stop - 1))
    connection.executescript("PRAGMA incremental_vacuum;")
    connection.close()


def _cut(image: Path, after: bytes) -> None:
    """Do to the file inside an image what SQLite does: write the pages that are left, and free those behind them."""
    blocks = [int(number) for number in re.findall(r"\d+", _debugfs(image, f"blocks /{STORE}"))]
    with image.open("r+b") as file:
        for number, block in enumerate(blocks[: len(after) // PAGE]):
            file.seek(block * PAGE)
            file.write(after[number * PAGE : (number + 1) * PAGE])
    _debugfs(image, f"punch /{STORE} {len(after) // PAGE}", f"sif /{STORE} size {len(after)}")


@pytest.fixture(name="phone", params=["full", "incremental"])
def _phone(tmp_path: Path, request: pytest.FixtureRequest) -> Phone:
    maker = _tool("mke2fs")
    path = tmp_path / "tree" / STORE
    path.parent.mkdir(parents=True)
    phone = Phone(tmp_path / "phone.dd")
    texts = _before(path, 1 if request.param == "full" else 2)
    # A second database lies on the phone, whose tables are others.
    other = sqlite3.connect(tmp_path / "tree/data/other.db")
    other.executescript("CREATE TABLE word(key INTEGER PRIMARY KEY, word TEXT); INSERT INTO word VALUES (1, 'lopel');")
    other.close()
    arguments = ["-q", "-t", "ext4", "-b", str(PAGE), "-d", str(tmp_path / "tree"), str(phone.image), "32M"]
    subprocess.run([maker, *arguments], check=True, capture_output=True)
    before = path.stat().st_size
    _after(path)
    after = path.read_bytes()
    _cut(phone.image, after)
    phone.texts = {number: texts[number] for number in GONE}
    phone.pages = (before - len(after)) // PAGE
    return phone


def _ask(kaval: Run, folder: Path, question: str) -> list[dict[str, Any]]:
    return list(map(json.loads, kaval("query", folder, question, "--format", "json").stdout.splitlines()))


def test_messages_of_pages_cut_off_stand_in_their_conversation(phone: Phone, kaval: Run, tmp_path: Path) -> None:
    folder = tmp_path / "e"
    kaval(
        "examine", phone.image, "--exhibit", "MO 7", "--authority", "A", "--out", folder, "--no-media",
        "--no-source-digest", code=(0, 3),
    )  # fmt: skip
    # Pages that were moved to the front before the end was cut off are the only ones overwritten.
    content = phone.image.read_bytes()
    still = [number for number, text in phone.texts.items() if text.encode() in content]
    rows = _ask(kaval, folder, "SELECT * FROM recovered_rows WHERE recovered_from = 'unallocated page'")
    numbers = {row["row_id"] for row in rows if row["table_name"] == "message"}

    assert phone.pages > 20
    assert len(still) > 300
    assert {row["table_name"] for row in rows} == {"message"}
    assert len(numbers & set(still)) >= 0.98 * len(still)
    assert numbers <= set(phone.texts)
    place = re.compile(r"unallocated page MO%207/raw/carve:\d+\+4096 offset \d+")
    assert [row["place"] for row in rows if not place.fullmatch(row["place"])] == []

    told = _ask(kaval, folder, "SELECT identity, text, conversation_title, certainty, recovered_from FROM messages")
    gone = [row for row in told if row["recovered_from"] == "unallocated page"]
    assert {row["conversation_title"] for row in gone} == {"Lopel vindra"}
    assert {row["text"] for row in gone} <= set(phone.texts.values())
    assert len(gone) == len(numbers)
    shown = kaval("show", folder, "--messages").stdout
    assert f"{phone.texts[still[0]]} [recovered, " in shown
    assert "from unallocated page" in shown
    assert " 0 failed" in kaval("verify", folder, "--source", phone.image, "--everything", code=(0, 3)).stdout
