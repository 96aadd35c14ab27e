"""Messengers: what they noted, live and deleted, in the same conversation."""

from __future__ import annotations

from pathlib import Path

import pytest

from kaval.artefacts.records import Artefact, ArtefactKind, Direction
from kaval.core.records import Notice, NoticeCode
from tests.artefacts import stores
from tests.artefacts.reading import artefacts, database, item_of, read

MESSAGE, MEMBER = ArtefactKind.MESSAGE, ArtefactKind.MEMBER
SECOND = 1_000_000_000


@pytest.fixture(name="whatsapp")
def _whatsapp(tmp_path: Path) -> list[Artefact]:
    contacts = database(tmp_path / "wa.db", stores.WHATSAPP_CONTACTS)
    gone = "DELETE FROM message WHERE _id IN (6, 7);"
    store = database(tmp_path / "msgstore.db", stores.WHATSAPP, gone)
    return artefacts(read(item_of(store, "x/msgstore.db", beside={"wa.db": contacts})))


def _by_identity(records: list[Artefact]) -> dict[str | None, Artefact]:
    return {record.identity: record for record in records if record.kind is MESSAGE}


def test_a_message_says_who_wrote_to_whom_and_when(whatsapp: list[Artefact]) -> None:
    sent, received = (_by_identity(whatsapp)[key] for key in ("K1", "K2"))

    assert (sent.direction, sent.who, sent.whom) == (Direction.OUTGOING, None, ("tarn@s.whatsapp.net",))
    assert (sent.at, sent.zone, sent.text) == (1_700_000_100 * SECOND, "utc", "mirul benta")
    assert (received.direction, received.who, received.who_name) == (
        Direction.INCOMING,
        "tarn@s.whatsapp.net",
        "Tarn Quor",
    )
    assert [(moment.at, moment.meaning) for moment in received.moments] == [(1_700_000_201 * SECOND, "received")]
    assert received.forwarded is True
    assert received.place.startswith("message page ")


def test_a_message_names_its_file_with_the_digest_the_store_gives(whatsapp: list[Artefact]) -> None:
    (file,) = _by_identity(whatsapp)["K3"].attachments

    assert (file.name, file.size, file.media_type) == ("IMG-1.jpg", len(stores.PICTURE), "image/jpeg")
    assert file.digests() == {"sha256": stores.PICTURE_SHA256}
    assert _by_identity(whatsapp)["K3"].text == "caption benta"


def test_places_replies_and_reactions_are_read(whatsapp: list[Artefact]) -> None:
    messages = _by_identity(whatsapp)

    assert (messages["K4"].latitude, messages["K4"].longitude, messages["K4"].title) == (10.5, 76.25, "Nowhere")
    assert messages["K5"].reply_to == "K3"
    assert (messages["A1"].text, messages["A1"].reply_to, messages["A1"].meaning) == ("+", "K2", "reacted")


def test_a_group_keeps_its_members_past_and_present(whatsapp: list[Artefact]) -> None:
    members = [(who.who_name, who.role, who.meaning, who.conversation_title) for who in artefacts([*whatsapp], MEMBER)]

    assert members == [
        ("Tarn Quor", "admin", "joined", "Lopel vindra"),
        ("Osk Silde", "member", "joined", "Lopel vindra"),
        ("Osk Silde", "left", "left", "Lopel vindra"),
    ]


def test_a_call_is_read(whatsapp: list[Artefact]) -> None:
    (call,) = artefacts([*whatsapp], ArtefactKind.CALL)

    assert (call.who, call.duration_s, call.title, call.direction) == (
        "tarn@s.whatsapp.net",
        61,
        "video call",
        Direction.INCOMING,
    )


def test_deleted_messages_stand_in_their_conversation_marked_as_recovered(whatsapp: list[Artefact]) -> None:
    gone = [record for record in artefacts([*whatsapp], MESSAGE) if record.recovered]

    assert {"gone one tarn osk lopel", "gone two vindra mirul"} <= {record.text for record in gone}
    told = next(record for record in gone if record.text == "gone two vindra mirul")
    assert (told.conversation, told.conversation_title) == ("120-7@g.us", "Lopel vindra")
    assert told.certainty == "certain"
    assert told.source in ("freeblock", "unallocated", "overwritten")
    live = [record.text for record in artefacts([*whatsapp], MESSAGE) if not record.recovered]
    assert not {"gone one tarn osk lopel", "gone two vindra mirul"} & set(live)


def test_the_older_schema_is_read(tmp_path: Path) -> None:
    records = read(item_of(database(tmp_path / "m.db", stores.WHATSAPP_OLDER), "renamed.bin"))
    first, second = artefacts(records, MESSAGE)

    assert (first.text, first.whom, first.moments[0].meaning) == (
        "mirul",
        ("tarn@s.whatsapp.net",),
        "received by the server",
    )
    assert (second.who, second.conversation, second.conversation_title) == ("osk@s.whatsapp.net", "7@g.us", "Lopel")
    assert (second.reply_to, second.attachments[0].sha256) == ("M1", stores.PICTURE_SHA256)
    assert [record.role for record in artefacts(records, MEMBER)] == ["admin", "member"]


def test_whatsapp_on_ios_is_read_with_deleted_messages(tmp_path: Path) -> None:
    gone = "DELETE FROM ZWAMESSAGE WHERE Z_PK = 3;"
    records = read(item_of(database(tmp_path / "c.sqlite", stores.WHATSAPP_IOS, gone), "ChatStorage.sqlite"))
    messages = _by_identity(artefacts(records))

    assert messages["S1"].at == (978_307_200 + 700_000_000) * SECOND + SECOND // 4
    assert (messages["S2"].who, messages["S2"].who_name, messages["S2"].conversation) == (
        "osk@s.whatsapp.net",
        "Osk",
        "7@g.us",
    )
    assert (messages["S2"].text, messages["S2"].attachments[0].sha256) == ("benta", stores.PICTURE_SHA256)
    assert messages["S2"].reply_to == "S1"
    assert [record.role for record in artefacts(records, MEMBER)] == ["admin", "member, no longer active"]
    recovered = [record for record in artefacts(records, MESSAGE) if record.recovered]
    assert [(record.text, record.conversation) for record in recovered] == [("gone tarn osk lopel", "7@g.us")]


def test_imessage_text_is_taken_from_the_attributed_body(tmp_path: Path) -> None:
    records = read(item_of(database(tmp_path / "sms.db", stores.SMS_IOS), "sms.db"))
    first, second, third = artefacts(records, MESSAGE)

    assert (first.text, first.whom, first.account) == ("mirul", ("+001",), "+009")
    assert (second.text, second.who, second.conversation_title, second.reply_to) == ("ശബ്ദം quor", "+001", "Lopel", "G1")
    assert [moment.meaning for moment in second.moments] == ["read"]
    assert (third.application, third.at) == ("sms", (978_307_200 + 700_000_300) * SECOND)
    assert third.attachments[0].path == "~/Library/SMS/Attachments/a/IMG.HEIC"
    assert [(member.who, member.conversation) for member in artefacts(records, MEMBER)] == [
        ("+001", "chat7"),
        ("+002", "chat7"),
    ]


def test_telegram_text_is_read_out_of_the_serialised_message(tmp_path: Path) -> None:
    records = read(item_of(database(tmp_path / "cache4.db", stores.TELEGRAM), "cache4.db"))
    messages = _by_identity(artefacts(records))

    assert (messages["1"].text, messages["1"].direction, messages["1"].whom) == (
        "mirul benta",
        Direction.OUTGOING,
        ("5",),
    )
    assert (messages["2"].text, messages["2"].who_name, messages["2"].reply_to) == ("ശബ്ദം", "tarn quor", "1")
    assert messages["2"].attachments[0].path == "/x/f.jpg"
    assert (messages["3"].text, messages["3"].who_name, messages["3"].forwarded) == ("quor", "osk", True)
    assert messages["3"].conversation_title == "Lopel"
    assert (messages["4"].text, messages["4"].details["text found"]) == ("found by its date", "behind the date")
    assert (messages["5"].text, messages["5"].details["event"]) == (None, "history cleared")
    contact = next(record for record in artefacts(records, ArtefactKind.CONTACT) if "taken from" in record.details)
    assert (contact.who_name, contact.identifiers) == ("Tarn Quor", ("5", "+001"))


@pytest.mark.parametrize(
    ("path", "word"),
    [
        ("data/org.thoughtcrime.securesms/databases/signal.db", "Signal"),
        ("sdcard/WhatsApp/Databases/msgstore.db.crypt14", "WhatsApp backup"),
    ],
)
def test_an_encrypted_store_is_told_as_locked(path: str, word: str) -> None:
    (notice,) = read(item_of(b"\x91" * 8192, path))

    assert isinstance(notice, Notice)
    assert notice.code is NoticeCode.LOCKED
    assert word in notice.message
