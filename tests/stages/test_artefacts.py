"""The stage of artefacts: what is chosen, what is kept, what a lost worker costs."""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kaval.core.keys import Keyring
from kaval.examination import KnownSetSource, Request, examine
from kaval.folder.segments import UnitRecord
from kaval.folder.views import open_folder
from kaval.knownsets import Role
from kaval.stages.artefacts import read_artefacts
from kaval.stages.joining import join, join_units
from kaval.stages.plan import Plan, Workplace
from kaval.stages.rereading import verify_artefacts
from kaval.stages.selection import artefact_units
from tests.artefacts import stores, test_phones
from tests.artefacts.backups import Backup
from tests.artefacts.reading import database
from tests.artefacts.sqlite.makers import MESSAGES, fill_messages
from tests.artefacts.sqlite.test_joining import cut
from tests.containers import test_thumbnails
from tests.filesystems.ntfs_image import NtfsImage, mapped, named, times


def _examined(source: Path, folder: Path, *, keyring: Keyring | None = None, **plan: Any) -> Any:
    known = source.parent / "alert.sha256"
    known.write_text(f"{stores.PICTURE_SHA256}  invented.jpg\n", encoding="utf-8")
    request = Request(
        source=source,
        folder=folder,
        plan=Plan(exhibit="E", source_name=source.name, media=False, strict=True, **plan),
        authority="A",
        operator="Inga",
        known_sets=(KnownSetSource(path=known, role=Role.ALERT, name="alert"),),
        keyring=keyring or Keyring(),
    )
    examine(request, workers=1)
    return open_folder(folder)[1]


def _rows(connection: Any, question: str) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = connection.execute(question).fetchall()
    return rows


def _make_phone(folder: Path) -> Path:
    phone = folder / "phone"
    for name in ("whatsapp", "docs", "sms"):
        (phone / name).mkdir(parents=True)
    gone = "DELETE FROM message WHERE _id IN (6, 7);"
    (phone / "whatsapp/renamed.bin").write_bytes(database(folder / "x.db", stores.WHATSAPP, gone))
    (phone / "whatsapp/wa.db").write_bytes(database(folder / "x.db", stores.WHATSAPP_CONTACTS))
    (phone / "docs/നോട്ട്.txt").write_text("ഒരു വാക്ക് mirul", encoding="utf-8")
    return phone


@pytest.fixture(name="phone")
def _phone(tmp_path: Path) -> Path:
    return _make_phone(tmp_path)


@pytest.fixture(name="examined", scope="module")
def _examined_phone(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    folder = tmp_path_factory.mktemp("examined")
    phone = _make_phone(folder)
    return folder, _examined(phone, folder / "e")


def test_a_renamed_store_is_read_with_what_lies_beside_it(examined: tuple[Path, Any]) -> None:
    _, connection = examined
    told = _rows(connection, "SELECT who_name, text, recovered, locator FROM messages WHERE text LIKE 'gone two%'")

    assert [row[:3] for row in told] == [("Tarn Quor", "gone two vindra mirul", True)]
    assert told[0][3] == "E/folder:whatsapp%2Frenamed.bin"


def test_every_row_a_database_no_longer_shows_is_kept(examined: tuple[Path, Any]) -> None:
    _, connection = examined
    rows = _rows(connection, "SELECT table_name, stored_values, recovered_from, place FROM recovered_rows")

    texts = {json.loads(values).get("text_data") for table, values, _, _ in rows if table == "message"}
    assert {"gone one tarn osk lopel", "gone two vindra mirul"} <= texts
    assert all(source and "page" in place for _, _, source, place in rows)


def test_a_known_file_that_is_only_mentioned_is_told(examined: tuple[Path, Any]) -> None:
    _, connection = examined

    assert _rows(connection, "SELECT name, role, present, conversation FROM mentions") == [
        ("IMG-1.jpg", "alert", False, "120-7@g.us")
    ]
    assert _rows(connection, "SELECT name, present_by FROM attachments") == [("IMG-1.jpg", "not-present")]


def test_a_mentioned_file_that_is_there_is_found_by_its_digest(phone: Path, tmp_path: Path) -> None:
    (phone / "docs/other-name.bin").write_bytes(stores.PICTURE)
    connection = _examined(phone, tmp_path / "e")

    assert _rows(connection, "SELECT present FROM mentions") == [(True,)]
    assert _rows(
        connection, "SELECT a.present_by, e.name FROM attachments a JOIN entries e USING (entry_id)"
    ) == [("digest", "other-name.bin")]  # fmt: skip


def test_rows_of_a_write_ahead_log_are_live(tmp_path: Path) -> None:
    phone = tmp_path / "phone"
    phone.mkdir()
    live = sqlite3.connect(tmp_path / "live.db", isolation_level=None)
    live.execute("PRAGMA journal_mode = WAL")
    live.execute("PRAGMA wal_autocheckpoint = 0")
    live.executescript(test_phones.CALLS)
    for ending in ("", "-wal"):
        (phone / f"calllog.db{ending}").write_bytes((tmp_path / f"live.db{ending}").read_bytes())
    live.close()
    connection = _examined(phone, tmp_path / "e")

    assert _rows(connection, "SELECT count(*), count(*) FILTER (recovered) FROM calls") == [(4, 0)]


def test_a_carved_store_is_read(tmp_path: Path) -> None:
    disk = tmp_path / "disk.dd"
    disk.write_bytes(bytes(64 << 10) + database(tmp_path / "x.db", test_phones.CALLS) + bytes(64 << 10))
    connection = _examined(disk, tmp_path / "e")

    assert _rows(connection, "SELECT count(*), any_value(state) FROM calls JOIN entries USING (entry_id)") == [
        (4, "carved")
    ]


def test_documents_are_kept_for_searching_unless_the_plan_says_no(
    examined: tuple[Path, Any], phone: Path, tmp_path: Path
) -> None:
    _, kept = examined
    left_out = _examined(phone, tmp_path / "f", texts=False)

    assert _rows(kept, "SELECT text, complete FROM texts") == [("ഒരു വാക്ക് mirul", True)]
    assert _rows(left_out, "SELECT count(*) FROM texts") == [(0,)]


def test_a_plan_without_artefacts_reads_none(phone: Path, tmp_path: Path) -> None:
    connection = _examined(phone, tmp_path / "e", artefacts=False)

    assert _rows(connection, "SELECT count(*) FROM artefacts") == [(0,)]


def test_stores_inside_an_encrypted_backup_are_read(tmp_path: Path) -> None:
    folder = tmp_path / "b/backup"
    folder.mkdir(parents=True)
    store = database(tmp_path / "x.db", stores.SMS_IOS)
    backup = Backup({"HomeDomain/Library/SMS/sms.db": store}, password="lopel")
    (folder / "Manifest.db").write_bytes(backup.encrypted_manifest(tmp_path))
    (folder / "Manifest.plist").write_bytes(backup.manifest_plist())
    for name, content in backup.stored().items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    connection = _examined(tmp_path / "b", tmp_path / "e", keyring=Keyring(passphrases=("lopel",)))

    (locator, place) = _rows(connection, "SELECT locator, place FROM messages WHERE text = 'mirul'")[0]
    assert locator == "E/folder:backup%2FManifest.db"
    assert place.startswith("HomeDomain/Library/SMS/sms.db: message page ")
    assert _rows(connection, "SELECT count(*) FROM messages") == [(3,)]


def test_cached_thumbnails_are_files_of_their_own(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    (disk / "Users").mkdir(parents=True)
    (disk / "Users/Thumbs.db").write_bytes(
        test_thumbnails.compound({"96_1a": bytes([24]) + bytes(23) + stores.PICTURE})
    )
    connection = _examined(disk, tmp_path / "e")

    assert _rows(connection, "SELECT path, sha256, kept_in FROM thumbnails") == [
        ("96_1a.bin", stores.PICTURE_SHA256, "Users/Thumbs.db")
    ]
    assert _rows(connection, "SELECT role FROM hits") == [("alert",)]


def test_artefacts_come_out_of_the_same_bytes_again(examined: tuple[Path, Any]) -> None:
    folder, _ = examined
    checks = list(verify_artefacts(folder / "e", folder / "phone", Keyring(), everything=False))

    assert {check.what.partition(" of ")[0] for check in checks} == {"artefacts", "recovered rows"}
    assert all(check.passed for check in checks)


def test_artefacts_that_do_not_come_out_again_are_told(examined: tuple[Path, Any], tmp_path: Path) -> None:
    folder, _ = examined
    phone = tmp_path / "phone"
    shutil.copytree(folder / "phone", phone)
    store = (phone / "whatsapp/renamed.bin").read_bytes()
    (phone / "whatsapp/renamed.bin").write_bytes(store.replace(b"mirul benta", b"mirul bentA"))
    checks = list(verify_artefacts(folder / "e", phone, Keyring(), everything=True))

    told = [check.reason for check in checks if not check.passed]
    assert any("1 are not found now, 1 are found that are not on record" in reason for reason in told)


def test_a_stream_that_cost_a_worker_is_left_out_and_told(examined: tuple[Path, Any]) -> None:
    folder, _ = examined
    manifest, _ = open_folder(folder / "e")
    plan = Plan.from_json({**manifest["plan"], "sets": []})
    records = [
        UnitRecord.from_json(json.loads(path.read_text(encoding="utf-8")))
        for path in sorted((folder / "e/units").glob("*.json"))
    ]
    (unit,) = artefact_units(folder / "e", plan, records, {})
    number = next(place for place, reading in enumerate(unit.readings) if reading.path.endswith("renamed.bin"))
    workplace = Workplace(plan=plan, folder=folder / "e", source_path=folder / "phone", key_path=None)
    again = replace(unit, unit="again").without(number, "it gave no sign of life for 60 seconds")
    record = read_artefacts(workplace, again)

    assert record.counts["notice time-limit"] == 1
    assert record.counts["artefacts"] > 0
    assert record.counts["mentions"] == 0


def test_facts_do_not_depend_on_how_often_they_are_read(examined: tuple[Path, Any], tmp_path: Path) -> None:
    folder, _ = examined
    _examined(folder / "phone", tmp_path / "f")
    segments = [sorted((path / "segments").glob("artefacts-artefacts-*")) for path in (folder / "e", tmp_path / "f")]

    assert segments[0]
    digests = [[hashlib.sha256(path.read_bytes()).hexdigest() for path in paths] for paths in segments]
    assert digests[0] == digests[1]


def test_pages_cut_off_a_carved_store_are_read_and_those_inside_it_are_not(tmp_path: Path) -> None:
    made = cut(tmp_path / "x.db", 4)
    disk = tmp_path / "disk.dd"
    # Noise between them: a page that follows its database at once is told by the header to be behind its end.
    disk.write_bytes(bytes(64 << 10) + made.after + b"\x81" * 4096 + made.off + bytes(64 << 10))
    connection = _examined(disk, tmp_path / "e")
    pages = _rows(connection, "SELECT extents, database_path, locator FROM unallocated_pages")
    inside = range(64 << 10, (64 << 10) + len(made.after))
    question = "SELECT stored_values, place FROM recovered_rows WHERE recovered_from = 'unallocated page'"
    rows = _rows(connection, f"{question} AND table_name = 'message'")
    found = {json.loads(values)["key_id"] for values, _ in rows}

    assert len(pages) > 20
    assert {path.rpartition(".")[2] for _, path, _ in pages} == {"sqlite"}
    assert [extents for extents, _, _ in pages if extents[0]["offset"] in inside] == []
    assert len(found) > 200
    assert found <= {row[3] for row in made.deleted}
    assert {place.split(" offset ")[0] for _, place in rows} <= {f"unallocated page {page[2]}" for page in pages}
    assert all(check.passed for check in verify_artefacts(tmp_path / "e", disk, Keyring(), everything=True))


def test_pages_that_cost_a_worker_are_left_out_and_told(tmp_path: Path) -> None:
    made = cut(tmp_path / "x.db", 4)
    disk = tmp_path / "disk.dd"
    disk.write_bytes(bytes(64 << 10) + made.after + b"\x81" * 4096 + made.off)
    _examined(disk, tmp_path / "e")
    manifest, _ = open_folder(tmp_path / "e")
    plan = Plan.from_json({**manifest["plan"], "sets": []})
    records = [
        UnitRecord.from_json(json.loads(path.read_text(encoding="utf-8")))
        for path in sorted((tmp_path / "e/units").glob("*.json"))
    ]
    (unit,) = join_units(tmp_path / "e", plan, records, {})
    workplace = Workplace(plan=plan, folder=tmp_path / "e", source_path=disk, key_path=None)
    whole = join(workplace, replace(unit, unit="whole"))
    hung = "it gave no sign of life for 60 seconds"
    without = join(workplace, replace(unit, unit="without").without(0, hung))
    position, size, count = unit.runs[-1]
    last = len(unit.databases) + (position + (count - 1) * size) // (size * 64)
    partly = join(workplace, replace(unit, unit="partly").without(last, hung))

    assert whole.counts["unallocated_pages"] > partly.counts["unallocated_pages"]
    assert partly.counts["notice capability-failed"] == 1
    assert without.counts["unallocated_pages"] == 0
    assert without.counts["notice skipped"] == 1


def _wiped(path: Path) -> tuple[bytes, bytes, set[object]]:
    """Return a store, the journal of the deletion that wiped rows out of it, and the keys of these."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript(f"PRAGMA synchronous = OFF; PRAGMA secure_delete = ON; {MESSAGES}")
    made = fill_messages(connection, random.Random(3), 800)
    connection.execute("BEGIN")
    connection.execute("DELETE FROM message WHERE _id % 4 = 0")
    journal = path.with_name(f"{path.name}-journal").read_bytes()
    connection.execute("COMMIT")
    connection.close()
    return path.read_bytes(), journal, {row[3] for row in made if isinstance(row[0], int) and row[0] % 4 == 0}


def _found_in_pages(connection: Any) -> set[object]:
    question = "SELECT stored_values, recovered_from FROM recovered_rows WHERE table_name = 'message'"
    return {
        json.loads(values)["key_id"] for values, source in _rows(connection, question) if source == "unallocated page"
    }


def test_rows_wiped_from_a_store_come_back_from_a_journal_in_unallocated_space(tmp_path: Path) -> None:
    store, journal, gone = _wiped(tmp_path / "x.db")
    disk = tmp_path / "disk.dd"
    disk.write_bytes(b"".join([bytes(64 << 10), store, b"\x81" * 4096, journal, bytes(-len(journal) % 4096)]))
    connection = _examined(disk, tmp_path / "e")
    found = _found_in_pages(connection)

    assert len(found & gone) >= 0.95 * len(gone)
    assert found <= gone
    assert _rows(connection, "SELECT DISTINCT table_name, certain FROM unallocated_pages") == [("message", True)]


def test_rows_wiped_from_a_store_come_back_from_its_deleted_journal(tmp_path: Path) -> None:
    store, journal, gone = _wiped(tmp_path / "x.db")
    image = NtfsImage(clusters=512)
    image.add(30, times(), named("x.db"), mapped(0x80, image.put(60, store), len(store)))
    runs = image.put(300, journal, used=False)
    image.add(31, times(), named("x.db-journal"), mapped(0x80, runs, len(journal)), flags=0, sequence=2)
    disk = tmp_path / "disk.dd"
    disk.write_bytes(image.build())
    connection = _examined(disk, tmp_path / "e")
    found = _found_in_pages(connection)

    assert _rows(connection, "SELECT content FROM entries WHERE name = 'x.db-journal'") == [("intact",)]
    assert len(found & gone) >= 0.95 * len(gone)
    assert found <= gone
    assert all(check.passed for check in verify_artefacts(tmp_path / "e", disk, Keyring(), everything=True))
