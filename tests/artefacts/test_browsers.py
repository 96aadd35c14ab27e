"""Browsers: visits, searches, downloads, bookmarks; and e-mail messages as files."""

from __future__ import annotations

import hashlib
from email.message import EmailMessage
from pathlib import Path

from kaval.artefacts.chromium import browser_of
from kaval.artefacts.records import ArtefactKind
from tests.artefacts import stores
from tests.artefacts.reading import artefacts, database, item_of, read

SECOND = 1_000_000_000
WINDOWS = 11_644_473_600
FIREFOX = """
CREATE TABLE moz_places (id INTEGER PRIMARY KEY, url TEXT, title TEXT, visit_count INTEGER);
CREATE TABLE moz_historyvisits (id INTEGER PRIMARY KEY, place_id INTEGER, visit_date INTEGER, visit_type INTEGER,
  from_visit INTEGER);
CREATE TABLE moz_bookmarks (id INTEGER PRIMARY KEY, type INTEGER, fk INTEGER, title TEXT, dateAdded INTEGER);
CREATE TABLE moz_inputhistory (place_id INTEGER, input TEXT, use_count REAL);
CREATE TABLE moz_annos (id INTEGER PRIMARY KEY, place_id INTEGER, anno_attribute_id INTEGER, content TEXT,
  dateAdded INTEGER);
CREATE TABLE moz_anno_attributes (id INTEGER PRIMARY KEY, name TEXT);
INSERT INTO moz_places VALUES (1, 'https://example.org/', 'Lopel', 1);
INSERT INTO moz_historyvisits VALUES (1, 1, 1700000000000000, 2, 0);
INSERT INTO moz_bookmarks VALUES (1, 2, NULL, 'folder', 1), (2, 1, 1, 'Mine', 1700000100000000);
INSERT INTO moz_inputhistory VALUES (1, 'lop', 1.5);
INSERT INTO moz_anno_attributes VALUES (1, 'downloads/destinationFileURI');
INSERT INTO moz_annos VALUES (1, 1, 1, 'file:///home/t/b%20c.zip', 1700000200000000);
"""


def test_visits_searches_and_downloads_of_chromium_are_read(tmp_path: Path) -> None:
    path = "AppData/Local/Microsoft/Edge/User Data/Default/History"
    records = read(item_of(database(tmp_path / "h", stores.CHROMIUM), path))
    first, second, unkept = artefacts(records, ArtefactKind.VISIT)
    (search,) = artefacts(records, ArtefactKind.SEARCH)
    (download,) = artefacts(records, ArtefactKind.DOWNLOAD)

    assert {record.application for record in artefacts(records)} == {"edge"}
    assert (first.details["came by"], first.duration_s) == ("typed", 2)
    assert first.at == (13_300_000_000 - WINDOWS) * SECOND
    assert second.details["from visit"] == "1"
    assert (unkept.url, unkept.meaning, unkept.details["visits in all"]) == (
        "https://example.net/",
        "last visited",
        "7",
    )
    assert (search.text, search.url) == ("Mirul", "https://example.org/?q=mirul")
    assert (download.url, download.attachments[0].name) == ("https://cdn.example.org/a.zip", "a.zip")


def test_visits_bookmarks_typing_and_downloads_of_firefox_are_read(tmp_path: Path) -> None:
    records = read(item_of(database(tmp_path / "p", FIREFOX), "places.sqlite"))

    assert [(record.kind, record.at, record.url) for record in artefacts(records)] == [
        (ArtefactKind.VISIT, 1_700_000_000 * SECOND, "https://example.org/"),
        (ArtefactKind.BOOKMARK, 1_700_000_100 * SECOND, "https://example.org/"),
        (ArtefactKind.SEARCH, None, "https://example.org/"),
        (ArtefactKind.DOWNLOAD, 1_700_000_200 * SECOND, "https://example.org/"),
    ]
    assert artefacts(records, ArtefactKind.DOWNLOAD)[0].attachments[0].path == "/home/t/b c.zip"


def test_a_browser_is_named_after_its_folder() -> None:
    assert browser_of("data/com.brave.browser/app_chrome/Default/History") == "brave"
    assert browser_of("data/com.android.chrome/app_chrome/Default/History") == "chrome"


def test_an_email_tells_addresses_date_text_and_files() -> None:
    message = EmailMessage()
    message["From"] = "Tärn Quor <Tarn@example.org>"
    message["To"] = "osk@example.org, Lopel <lopel@example.net>"
    message["Subject"] = "Wörter"
    message["Date"] = "Tue, 14 Nov 2023 22:13:20 +0530"
    message["Message-ID"] = "<1@example.org>"
    message["In-Reply-To"] = "<0@example.org>"
    message.set_content("mirul benta")
    message.add_attachment(stores.PICTURE, maintype="image", subtype="jpeg", filename="p.jpg")
    (record,) = artefacts(read(item_of(message.as_bytes(), "a.eml", media_type="message/rfc822")))

    assert (record.who, record.who_name, record.whom) == (
        "tarn@example.org",
        "Tärn Quor",
        ("osk@example.org", "lopel@example.net"),
    )
    assert (record.at, record.zone, record.title, record.text) == (
        1_699_980_200 * SECOND,
        "utc",
        "Wörter",
        "mirul benta",
    )
    assert (record.identity, record.reply_to) == ("<1@example.org>", "<0@example.org>")
    assert record.attachments[0].sha256 == hashlib.sha256(stores.PICTURE).hexdigest()


def test_a_date_without_offset_keeps_an_unknown_zone() -> None:
    content = b"From: tarn@example.org\r\nDate: Tue, 14 Nov 2023 22:13:20 -0000\r\n\r\nquor\r\n"
    (record,) = artefacts(read(item_of(content, "a.eml", media_type="message/rfc822")))

    assert (record.at, record.zone) == (1_700_000_000 * SECOND, "unknown")
