"""Accounts, settings and the smaller stores: each parser gives what its store holds."""

from __future__ import annotations

from pathlib import Path

from kaval.artefacts.records import ArtefactKind, Direction
from tests.artefacts.files import binary_xml
from tests.artefacts.reading import artefacts, database, item_of, read

SECOND = 1_000_000_000
COCOA = 978_307_200


def test_the_owner_of_whatsapp_is_read_from_the_preferences() -> None:
    content = (
        b"<map><string name='ph'>001234</string><string name='push_name'>Tarn</string>"
        b"<int name='other' value='7' /></map>"
    )
    path = "data/com.whatsapp/shared_prefs/com.whatsapp_preferences_light.xml"
    (account,) = artefacts(read(item_of(content, path)))

    assert (account.kind, account.who, account.who_name) == (ArtefactKind.ACCOUNT, "001234", "Tarn")


def test_settings_of_android_are_read_from_binary_xml() -> None:
    settings = [("setting", {"name": "android_id", "value": "00ff"}), ("setting", {"name": "other", "value": "1"})]
    content = binary_xml("settings", {"version": 1}, settings)
    (record,) = artefacts(read(item_of(content, "data/system/users/0/settings_secure.xml")))

    assert (record.title, record.text) == ("device identifier (Android ID)", "00ff")


def test_accounts_of_both_systems_are_read(tmp_path: Path) -> None:
    android = database(
        tmp_path / "a",
        "CREATE TABLE accounts (_id INTEGER PRIMARY KEY, name TEXT, type TEXT, password TEXT);"
        "CREATE TABLE authtokens (_id INTEGER PRIMARY KEY, accounts_id INTEGER, type TEXT, authtoken TEXT);"
        "INSERT INTO accounts VALUES (1, 'tarn@example.org', 'com.example', 'not to be taken over');",
    )
    ios = database(
        tmp_path / "i",
        "CREATE TABLE ZACCOUNT (Z_PK INTEGER PRIMARY KEY, ZUSERNAME TEXT, ZACCOUNTTYPE INTEGER, ZDATE REAL,"
        " ZIDENTIFIER TEXT); CREATE TABLE ZACCOUNTTYPE (Z_PK INTEGER PRIMARY KEY, ZACCOUNTTYPEDESCRIPTION TEXT);"
        "INSERT INTO ZACCOUNT VALUES (1, 'osk@example.org', 1, 700000000, 'I');"
        "INSERT INTO ZACCOUNTTYPE VALUES (1, 'Mail');",
    )
    first, second = (artefacts(read(item_of(content, "x.db")))[0] for content in (android, ios))

    assert (first.who, first.title) == ("tarn@example.org", "com.example")
    assert "taken over" not in repr(first)
    assert (second.who, second.title, second.at) == ("osk@example.org", "Mail", (COCOA + 700_000_000) * SECOND)


VIBER = """
CREATE TABLE messages (_id INTEGER PRIMARY KEY, conversation_id INTEGER, participant_id INTEGER, user_id TEXT,
  msg_date INTEGER, body TEXT, send_type INTEGER, token INTEGER, extra_uri TEXT, location_lat INTEGER,
  location_lng INTEGER);
CREATE TABLE conversations (_id INTEGER PRIMARY KEY, name TEXT);
CREATE TABLE participants (_id INTEGER PRIMARY KEY, conversation_id INTEGER, participant_info_id INTEGER,
  active INTEGER);
CREATE TABLE participants_info (_id INTEGER PRIMARY KEY, number TEXT, display_name TEXT);
INSERT INTO conversations VALUES (1, 'Lopel');
INSERT INTO participants_info VALUES (1, '+001', 'Tarn');
INSERT INTO participants VALUES (1, 1, 1, 1);
INSERT INTO messages VALUES (1, 1, 1, NULL, 1700000000000, 'mirul', 0, 11, '/files/p.jpg', 105000000, 762500000),
  (2, 1, 1, NULL, 1700000100000, 'benta', 1, 12, NULL, 0, 0);
"""


def test_messages_of_viber_are_read(tmp_path: Path) -> None:
    records = read(item_of(database(tmp_path / "v", VIBER), "viber_messages"))
    received, sent = artefacts(records, ArtefactKind.MESSAGE)

    assert (received.who, received.who_name, received.conversation_title) == ("+001", "Tarn", "Lopel")
    assert (received.latitude, received.longitude, received.attachments[0].name) == (10.5, 76.25, "p.jpg")
    assert (sent.direction, sent.latitude) == (Direction.OUTGOING, None)
    assert [member.who for member in artefacts(records, ArtefactKind.MEMBER)] == ["+001"]


def test_the_older_stores_of_ios_are_read(tmp_path: Path) -> None:
    calls = database(
        tmp_path / "c",
        "CREATE TABLE call (ROWID INTEGER PRIMARY KEY, address TEXT, date INTEGER, duration INTEGER, flags INTEGER);"
        "INSERT INTO call VALUES (1, '+001', 1300000000, 9, 5), (2, '+002', 1300000100, 0, 4);",
    )
    notes = database(
        tmp_path / "n",
        "CREATE TABLE ZNOTE (Z_PK INTEGER PRIMARY KEY, ZBODY INTEGER, ZTITLE TEXT, ZCREATIONDATE REAL);"
        "CREATE TABLE ZNOTEBODY (Z_PK INTEGER PRIMARY KEY, ZOWNER INTEGER, ZCONTENT TEXT);"
        "INSERT INTO ZNOTE VALUES (1, 1, 'Mirul', 300000000); INSERT INTO ZNOTEBODY VALUES (1, 1, 'mirul quor');",
    )
    made, received = artefacts(read(item_of(calls, "call_history.db")))
    (note,) = artefacts(read(item_of(notes, "notes.sqlite")))

    assert (made.direction, made.whom, made.at) == (Direction.OUTGOING, ("+001",), 1_300_000_000 * SECOND)
    assert (received.direction, received.who) == (Direction.INCOMING, "+002")
    assert (note.title, note.text) == ("Mirul", "mirul quor")


def test_words_typed_into_firefox_are_read(tmp_path: Path) -> None:
    content = database(
        tmp_path / "f",
        "CREATE TABLE moz_formhistory (id INTEGER PRIMARY KEY, fieldname TEXT, value TEXT, timesUsed INTEGER,"
        " firstUsed INTEGER, lastUsed INTEGER);"
        "INSERT INTO moz_formhistory VALUES (1, 'searchbar-history', 'mirul', 2, 1700000000000000, 1700000100000000);",
    )
    (record,) = artefacts(read(item_of(content, "formhistory.sqlite")))

    assert (record.kind, record.text, record.at) == (ArtefactKind.SEARCH, "mirul", 1_700_000_100 * SECOND)
    assert record.moments[0].meaning == "first typed"


def test_calls_and_contacts_of_whatsapp_on_ios_are_read(tmp_path: Path) -> None:
    calls = database(
        tmp_path / "c",
        "CREATE TABLE ZWACDCALLEVENT (Z_PK INTEGER PRIMARY KEY, ZDATE REAL, ZDURATION REAL, ZOUTCOME INTEGER,"
        " Z1CALLEVENTS INTEGER, ZGROUPCALLCREATORUSERJIDSTRING TEXT);"
        "CREATE TABLE ZWACDCALLEVENTPARTICIPANT (Z_PK INTEGER PRIMARY KEY, ZJIDSTRING TEXT, Z1PARTICIPANTS INTEGER);"
        "CREATE TABLE ZWAAGGREGATECALLEVENT (Z_PK INTEGER PRIMARY KEY, ZINCOMING INTEGER, ZVIDEO INTEGER);"
        "INSERT INTO ZWACDCALLEVENT VALUES (1, 700000000, 61, 0, 7, NULL), (2, 700000100, 0, 1, 8, 'tarn@s');"
        "INSERT INTO ZWACDCALLEVENTPARTICIPANT VALUES (1, 'osk@s', 7), (2, 'tarn@s', 8);"
        "INSERT INTO ZWAAGGREGATECALLEVENT VALUES (7, 0, 1);",
    )
    contacts = database(
        tmp_path / "k",
        "CREATE TABLE ZWAADDRESSBOOKCONTACT (Z_PK INTEGER PRIMARY KEY, ZFULLNAME TEXT, ZWHATSAPPID TEXT,"
        " ZPHONENUMBER TEXT, ZABOUTTEXT TEXT, ZABOUTTIMESTAMP REAL);"
        "INSERT INTO ZWAADDRESSBOOKCONTACT VALUES (1, 'Tarn', 'tarn@s', '+001', 'busy', 600000000);",
    )
    made, missed = artefacts(read(item_of(calls, "CallHistory.sqlite")))
    (contact,) = artefacts(read(item_of(contacts, "ContactsV2.sqlite")))

    assert (made.direction, made.whom, made.title, made.duration_s) == (
        Direction.OUTGOING,
        ("osk@s",),
        "video call",
        61,
    )
    assert (missed.direction, missed.who, missed.details["outcome"]) == (Direction.INCOMING, "tarn@s", "1 (missed)")
    assert (contact.who_name, contact.identifiers, contact.text) == ("Tarn", ("tarn@s", "+001"), "busy")
