"""Databases of real applications that plaso publishes as test data: the rows they are known to hold, no more."""

from __future__ import annotations

from collections import Counter

import pytest

from kaval.artefacts.records import ArtefactKind
from tests.artefacts.reading import artefacts, item_of, read
from tests.testdata import shared

MESSAGE, CALL, VISIT, DOWNLOAD = ArtefactKind.MESSAGE, ArtefactKind.CALL, ArtefactKind.VISIT, ArtefactKind.DOWNLOAD
CONTACT, NOTE, BOOKMARK = ArtefactKind.CONTACT, ArtefactKind.NOTE, ArtefactKind.BOOKMARK
EXPECTED = (
    ("android/mmssms.db", {MESSAGE: 9}),
    ("android/contacts2.db", {CALL: 3}),
    ("android/viber_data", {CALL: 4}),
    ("android/tango_profile.db", {CONTACT: 57}),
    ("android/downloads.db", {DOWNLOAD: 11}),
    ("tango_android_tc.db", {MESSAGE: 18, ArtefactKind.CONVERSATION: 7}),
    ("ios/kik.sqlite", {MESSAGE: 60}),
    ("ios/NoteStore.sqlite", {NOTE: 8}),
    ("sqlite/imessage_chat.db", {MESSAGE: 10}),
    ("sqlite/skype_main.db", {MESSAGE: 15, CALL: 1, DOWNLOAD: 2}),
    ("chrome/History", {VISIT: 69, DOWNLOAD: 2}),
    ("firefox/places.sqlite", {VISIT: 1}),
    ("firefox/downloads.sqlite", {DOWNLOAD: 1}),
    ("safari/History.db", {VISIT: 25}),
)


@pytest.mark.parametrize(("name", "expected"), EXPECTED, ids=[name for name, _ in EXPECTED])
def test_a_published_database_gives_the_rows_it_is_known_to_hold(name: str, expected: dict[ArtefactKind, int]) -> None:
    content = shared(f"engine/plaso/{name}").read_bytes()
    live = Counter(record.kind for record in artefacts(read(item_of(content, name))) if not record.recovered)

    assert {kind: live[kind] for kind in expected} == expected


def test_sent_and_received_messages_are_told_apart() -> None:
    content = shared("engine/plaso/android/mmssms.db").read_bytes()
    directions = Counter(str(record.direction) for record in artefacts(read(item_of(content, "mmssms.db")), MESSAGE))

    assert directions == {"outgoing": 5, "incoming": 4}
