"""What telephones noted themselves: messages, calls, contacts, notes, voicemail."""

from __future__ import annotations

from pathlib import Path

from kaval.artefacts.records import ArtefactKind, Direction
from kaval.artefacts.typedstream import text_of_typedstream
from kaval.core.records import Notice, NoticeCode
from tests.artefacts import stores
from tests.artefacts.reading import artefacts, database, item_of, read

SECOND = 1_000_000_000
COCOA = 978_307_200

MMS = """
CREATE TABLE sms (_id INTEGER PRIMARY KEY, thread_id INTEGER, address TEXT, date INTEGER, date_sent INTEGER,
  type INTEGER, body TEXT, read INTEGER, service_center TEXT, subject TEXT);
CREATE TABLE threads (_id INTEGER PRIMARY KEY, recipient_ids TEXT);
CREATE TABLE canonical_addresses (_id INTEGER PRIMARY KEY, address TEXT);
CREATE TABLE pdu (_id INTEGER PRIMARY KEY, thread_id INTEGER, date INTEGER, msg_box INTEGER, m_id TEXT, sub TEXT,
  m_type INTEGER, read INTEGER, date_sent INTEGER, m_size INTEGER);
CREATE TABLE addr (_id INTEGER PRIMARY KEY, msg_id INTEGER, address TEXT, type INTEGER);
CREATE TABLE part (_id INTEGER PRIMARY KEY, mid INTEGER, seq INTEGER, ct TEXT, cl TEXT, name TEXT, fn TEXT, _data TEXT,
  text TEXT);
INSERT INTO threads VALUES (1, '1 2'), (2, '1');
INSERT INTO canonical_addresses VALUES (1, '+001'), (2, '+002');
INSERT INTO sms VALUES (1, 2, '+001', 1700000000000, 1699999990000, 1, 'mirul', 1, '+0099', NULL),
  (2, 2, '+001', 1700000100000, 0, 2, 'benta', 1, NULL, NULL),
  (3, 2, '+001', 1700000200000, 0, 3, 'draft', 1, NULL, NULL),
  (4, 2, '+001', 1700000300000, 0, 1, 'gone quor silde osk', 1, NULL, NULL);
INSERT INTO pdu VALUES (1, 1, 1700000400, 1, 'm1', 'lopel', 132, 1, 1700000390, 7);
INSERT INTO addr VALUES (1, 1, '+001', 137), (2, 1, 'insert-address-token', 151), (3, 1, '+002', 151);
INSERT INTO part VALUES (1, 1, -1, 'application/smil', 's', NULL, NULL, NULL, '<smil/>'),
  (2, 1, 0, 'text/plain', 't', NULL, NULL, NULL, 'vindra'),
  (3, 1, 1, 'image/jpeg', 'p.jpg', NULL, NULL, '/parts/p', NULL);
DELETE FROM sms WHERE _id = 4;
"""


def test_sms_and_mms_stand_in_their_threads(tmp_path: Path) -> None:
    records = read(item_of(database(tmp_path / "m.db", MMS), "carved/000001.db"))
    received, sent, draft, gone, mms = artefacts(records, ArtefactKind.MESSAGE)

    assert (received.direction, received.who, received.conversation) == (Direction.INCOMING, "+001", "thread 2")
    assert (received.at, received.moments[0].at) == (1_700_000_000 * SECOND, 1_699_999_990 * SECOND)
    assert (sent.direction, sent.whom, draft.direction, draft.meaning) == (Direction.OUTGOING, ("+001",), None, "draft")
    assert (gone.text, gone.recovered, gone.conversation) == ("gone quor silde osk", True, "thread 2")
    assert (mms.who, mms.whom, mms.conversation_title) == ("+001", ("+002",), "+001, +002")
    assert (mms.title, mms.text, mms.at) == ("lopel", "vindra", 1_700_000_400 * SECOND)
    assert [(file.name, file.path, file.media_type) for file in mms.attachments] == [
        ("p.jpg", "/parts/p", "image/jpeg")
    ]


CALLS = """
CREATE TABLE calls (_id INTEGER PRIMARY KEY, number TEXT, date INTEGER, duration INTEGER, type INTEGER, new INTEGER,
  name TEXT, geocoded_location TEXT, phone_account_address TEXT);
INSERT INTO calls VALUES (1, '+001', 1700000000000, 61, 1, 1, 'Tarn', 'Nowhere', '+009'),
  (2, '+002', 1700000100000, 0, 2, 1, NULL, NULL, NULL), (3, '+003', 1700000200000, 0, 3, 1, NULL, NULL, NULL),
  (4, '+004', 1700000300000, 9, 99, 1, NULL, NULL, NULL);
"""


def test_calls_tell_their_direction_and_how_they_ended(tmp_path: Path) -> None:
    calls = artefacts(read(item_of(database(tmp_path / "c.db", CALLS), "calllog.db")), ArtefactKind.CALL)

    assert [(call.title, call.direction, call.who, call.whom) for call in calls] == [
        ("answered", Direction.INCOMING, "+001", ()),
        ("dialled", Direction.OUTGOING, None, ("+002",)),
        ("missed", Direction.INCOMING, "+003", ()),
        ("of unknown kind", None, None, ("+004",)),
    ]
    assert (calls[0].duration_s, calls[0].who_name, calls[0].account) == (61, "Tarn", "+009")


def test_calls_of_a_table_that_was_dropped_are_recovered(tmp_path: Path) -> None:
    records = read(item_of(database(tmp_path / "c.db", CALLS, "DROP TABLE calls;"), "c.db"))
    calls = artefacts(records, ArtefactKind.CALL)

    assert {call.who or call.whom[0] for call in calls} == {"+001", "+002", "+003", "+004"}
    assert all(call.recovered for call in calls)


CONTACTS = """
CREATE TABLE mimetypes (_id INTEGER PRIMARY KEY, mimetype TEXT);
CREATE TABLE accounts (_id INTEGER PRIMARY KEY, account_name TEXT, account_type TEXT);
CREATE TABLE raw_contacts (_id INTEGER PRIMARY KEY, contact_id INTEGER, account_id INTEGER, display_name TEXT,
  deleted INTEGER);
CREATE TABLE data (_id INTEGER PRIMARY KEY, mimetype_id INTEGER, raw_contact_id INTEGER, data1 TEXT);
CREATE TABLE deleted_contacts (contact_id INTEGER PRIMARY KEY, contact_deleted_timestamp INTEGER);
INSERT INTO mimetypes VALUES (1, 'vnd.android.cursor.item/phone_v2'), (2, 'vnd.android.cursor.item/email_v2'),
  (3, 'vnd.android.cursor.item/note');
INSERT INTO accounts VALUES (1, 'tarn@example.org', 'com.example');
INSERT INTO raw_contacts VALUES (1, 1, 1, 'Osk Silde', 0);
INSERT INTO data VALUES (1, 1, 1, '+001'), (2, 1, 1, '+002'), (3, 2, 1, 'osk@example.org'), (4, 3, 1, 'a note');
INSERT INTO deleted_contacts VALUES (7, 1700000000000);
"""


def test_a_contact_keeps_every_number_and_address(tmp_path: Path) -> None:
    records = read(item_of(database(tmp_path / "c.db", CONTACTS), "contacts2.db"))
    (contact,) = artefacts(records, ArtefactKind.CONTACT)

    assert contact.identifiers == ("+001", "+002", "osk@example.org")
    assert (contact.who_name, contact.text, contact.account) == ("Osk Silde", "a note", "tarn@example.org")
    assert artefacts(records, ArtefactKind.DISCARDED)[0].at == 1_700_000_000 * SECOND


def test_calls_of_ios_are_read(tmp_path: Path) -> None:
    answered, missed, facetime = artefacts(read(item_of(database(tmp_path / "c", stores.CALLS_IOS), "x.storedata")))

    assert (answered.at, answered.duration_s, answered.title) == ((COCOA + 700_000_000) * SECOND, 62, "answered")
    assert (missed.title, missed.who, missed.application) == ("missed", "+002", "calls")
    assert (facetime.application, facetime.whom, facetime.direction) == ("whatsapp", ("+003",), Direction.OUTGOING)


def test_contacts_of_ios_are_read_with_labels_and_parts(tmp_path: Path) -> None:
    records = read(item_of(database(tmp_path / "a", stores.CONTACTS_IOS), "AddressBook.sqlitedb"))
    person, company = artefacts(records, ArtefactKind.CONTACT)

    assert (person.who_name, person.text) == ("Tarn Quor", "a note")
    assert person.identifiers == ("+001", "tarn@example.org")
    assert (person.details["numbers"], person.details["addresses"]) == ("Mobile: +001", "Home: City Nowhere")
    assert (person.at, person.moments[0].meaning, person.account) == (
        (COCOA + 600_000_000) * SECOND,
        "changed",
        "Local",
    )
    assert company.who_name == "Benta & Co"


def test_notes_are_read_and_locked_ones_told(tmp_path: Path) -> None:
    records = read(item_of(database(tmp_path / "n", stores.NOTES_IOS), "NoteStore.sqlite"))
    plain, locked = artefacts(records, ArtefactKind.NOTE)

    assert (plain.title, plain.text, plain.account, plain.details["folder"]) == (
        "Mirul",
        "Mirul quor silde",
        "On this device",
        "Folder",
    )
    assert (plain.attachments[0].name, plain.attachments[0].path) == ("p.jpg", "Media/M6/p.jpg")
    assert (locked.title, locked.text) == ("Locked", None)
    assert [record.code for record in records if isinstance(record, Notice)] == [NoticeCode.LOCKED]


def test_voicemail_is_read_also_what_was_thrown_away(tmp_path: Path) -> None:
    kept, thrown = artefacts(read(item_of(database(tmp_path / "v", stores.VOICEMAIL_IOS), "voicemail.db")))

    assert (kept.who, kept.whom, kept.duration_s, kept.account) == ("+001", ("+009",), 12, "8900")
    assert kept.attachments[0].name == "1.amr"
    assert thrown.details["thrown away"] == "yes"
    assert thrown.moments[0].at == (COCOA + 700_000_000) * SECOND


def test_typedstreams_of_every_length_give_their_text() -> None:
    for length in (1, 127, 128, 300, 70_000):
        text = "ശ" * (length // 3) + "a" * (length % 3)

        assert text_of_typedstream(stores.typedstream(text)) == text
    assert text_of_typedstream(stores.typedstream("mirul")[:-12]) is None
    assert text_of_typedstream(b"something else") is None
