"""Damaged and hostile streams: every parser ends in records, notices or our own errors, and soon."""

from __future__ import annotations

import plistlib
import random
import uuid
from pathlib import Path

import pytest

from kaval.artefacts import ARTEFACTS
from kaval.artefacts.records import Artefact, Further
from kaval.artefacts.telegram_messages import read_message
from kaval.artefacts.texts import TEXTS
from kaval.core.errors import KavalError
from kaval.core.keys import Keyring
from kaval.core.records import Notice
from tests.artefacts import stores, test_browsers, test_phones
from tests.artefacts.backups import Backup
from tests.artefacts.files import binary_xml, discarded, discarded_older, shortcut
from tests.artefacts.reading import database, item_of, read

DATABASES = {
    "whatsapp": stores.WHATSAPP,
    "whatsapp-contacts": stores.WHATSAPP_CONTACTS,
    "whatsapp-older": stores.WHATSAPP_OLDER,
    "whatsapp-ios": stores.WHATSAPP_IOS,
    "sms-ios": stores.SMS_IOS,
    "calls-ios": stores.CALLS_IOS,
    "contacts-ios": stores.CONTACTS_IOS,
    "notes-ios": stores.NOTES_IOS,
    "voicemail-ios": stores.VOICEMAIL_IOS,
    "telegram": stores.TELEGRAM,
    "chromium": stores.CHROMIUM,
    "firefox": test_browsers.FIREFOX,
    "sms": test_phones.MMS,
    "calls": test_phones.CALLS,
    "contacts": test_phones.CONTACTS,
}

_NETWORKS = plistlib.dumps({"a": [{"SSID_STR": "Lopel", "BSSID": "1:2"}]}, fmt=plistlib.FMT_BINARY)
FILES = {
    "$IAB12CD.jpg": discarded("C:\\Users\\tarn\\osk.jpg", 4321, 1_700_000_000),
    "INFO2": discarded_older([("C:\\a\\lopel.jpg", 10, 1_000_000_000, True)] * 3),
    "a.lnk": shortcut("E:\\", "l\\o.mp4", label="B", serial=1, machine="m", droid=uuid.uuid1(node=1, clock_seq=1)),
    "system/packages.xml": binary_xml("packages", {}, [("package", {"name": "org.example.lopel", "it": "18bcfe"})] * 4),
    "com.apple.wifi.plist": _NETWORKS,
    "wpa_supplicant.conf": b'network={\n\tssid="Lopel"\n}\n',
    "build.prop": b"ro.build.version.release=13\n",
    "a.eml": b"From: a@example.org\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nquor\r\n--x--\r\n",
}
TYPES = {"a.lnk": "application/x-ms-shortcut", "a.eml": "message/rfc822"}


def mutated(content: bytes, chance: random.Random) -> bytes:
    """Return content with some bytes changed, a range repeated, cut out or zeroed, or its end missing."""
    damaged = bytearray(content)
    for _ in range(chance.choice((1, 2, 8, 32))):
        damaged[chance.randrange(len(damaged))] = chance.randrange(256)
    place, length = chance.randrange(len(damaged)), chance.randrange(1, 600)
    action = chance.randrange(5)
    if action == 0:
        damaged[place : place + length] = bytes(len(damaged[place : place + length]))
    elif action == 1:
        del damaged[place:]
    elif action == 2:
        damaged[place:place] = damaged[place : place + length]
    elif action == 3:
        other = chance.randrange(len(damaged))
        damaged[place : place + length] = damaged[other : other + length]
    return bytes(damaged) or b"\0"


def _read_all(content: bytes, path: str, media_type: str | None = None) -> None:
    try:
        item = item_of(content, path, media_type=media_type)
    except KavalError:
        return
    for record in read(item):
        assert isinstance(record, Artefact | Further | Notice)
    if item.opened is not None:
        item.opened.recovered()


@pytest.mark.parametrize("name", DATABASES)
def test_damaged_databases_end_in_records_or_notices(name: str, tmp_path: Path) -> None:
    chance = random.Random(name)
    whole = database(tmp_path / "x.db", DATABASES[name])
    for _ in range(25):
        _read_all(mutated(whole, chance), "x.db")


@pytest.mark.parametrize("path", FILES)
def test_damaged_files_end_in_records_or_notices(path: str) -> None:
    chance = random.Random(path)
    for _ in range(300):
        _read_all(mutated(FILES[path], chance), path, TYPES.get(path))


def test_damaged_encrypted_backups_end_in_records_or_notices(tmp_path: Path) -> None:
    chance = random.Random(7)
    backup = Backup({"HomeDomain/a": b"x" * 50}, password="lopel")
    manifest, described = backup.encrypted_manifest(tmp_path), backup.manifest_plist()
    for number in range(60):
        item = item_of(
            mutated(manifest, chance) if number % 2 else manifest,
            "Manifest.db",
            beside={"manifest.plist": described if number % 2 else mutated(described, chance)},
            below=backup.stored(),
            keyring=Keyring(passphrases=("lopel",)),
        )
        for record in read(item):
            if isinstance(record, Further):
                record.source.read_at(0, 100)


def test_damaged_messages_of_telegram_end() -> None:
    chance = random.Random(3)
    whole = stores.tl_message("mirul benta", 1_700_000_000, sender=5, forwarded=True, reply=4, path="/a/b")
    for _ in range(3000):
        read_message(mutated(whole, chance), 1_700_000_000)


@pytest.mark.parametrize("name", ["plain", "html", "office", "rtf"])
def test_damaged_documents_end_in_text_or_our_own_errors(name: str) -> None:
    from tests.artefacts.test_texts import _office

    content = {
        "plain": "mirul ശബ്ദം".encode(),
        "html": b"<html><p>mirul</p><script>x</script></html>",
        "office": _office({"word/document.xml": "<w:p xmlns:w='w'><w:t>mirul</w:t></w:p>"}),
        "rtf": rb"{\rtf1\ansi \u3384?\'f6{\*\x y}mirul\par}",
    }[name]
    chance = random.Random(name)
    for _ in range(300):
        try:
            TEXTS.get(name).read(item_of(mutated(content, chance), "d"))
        except KavalError:
            continue


def test_every_parser_says_what_it_wants() -> None:
    for parser in ARTEFACTS.all():
        wanted = parser.wanted

        assert wanted.columns or wanted.paths or wanted.media_types, parser.name
        assert all(name == name.lower() for columns in wanted.columns for name in columns), parser.name
        assert all(name == name.lower() for name in wanted.beside), parser.name
