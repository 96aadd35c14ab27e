"""What systems noted: bins, shortcuts, installed applications, networks, devices, backups; files made in code."""

from __future__ import annotations

import plistlib
import struct
import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kaval.artefacts.plists import dictionaries
from kaval.artefacts.records import ArtefactKind, Further
from kaval.core.keys import Keyring
from kaval.core.records import Notice, NoticeCode
from tests.artefacts.backups import Backup
from tests.artefacts.files import binary_xml, discarded, discarded_older, shortcut
from tests.artefacts.reading import artefacts, database, item_of, read

SECOND = 1_000_000_000
LNK = "application/x-ms-shortcut"


def test_a_discarded_file_says_where_it_lay_and_when_it_was_discarded() -> None:
    path = "$Recycle.Bin/S-1-5-21-1-2-3-1001/$IAB12CD.jpg"
    (record,) = artefacts(read(item_of(discarded("C:\\Users\\tarn\\osk.jpg", 4321, 1_700_000_000), path)))

    assert (record.kind, record.at, record.zone) == (ArtefactKind.DISCARDED, 1_700_000_000 * SECOND, "utc")
    assert (record.title, record.attachments[0].path, record.attachments[0].size) == (
        "osk.jpg",
        "C:\\Users\\tarn\\osk.jpg",
        4321,
    )
    assert record.account == "S-1-5-21-1-2-3-1001"
    assert record.details["content lies in"] == "$Recycle.Bin/S-1-5-21-1-2-3-1001/$RAB12CD.jpg"


def test_a_cut_path_of_a_discarded_file_is_told() -> None:
    records = read(item_of(discarded("C:\\Users\\tarn\\osk.jpg", 1, 1)[:40], "$IAB12CD.jpg"))

    assert [record.code for record in records if isinstance(record, Notice)] == [NoticeCode.TRUNCATED]
    assert artefacts(records)[0].title is None


def test_a_file_that_only_looks_discarded_is_told_as_damaged() -> None:
    (notice,) = read(item_of(b"no such file at all, only its name", "$IAB12CD.txt"))

    assert isinstance(notice, Notice)
    assert notice.code is NoticeCode.DAMAGED


def test_the_older_bin_lists_files_put_back_as_well() -> None:
    content = discarded_older(
        [("C:\\a\\lopel.jpg", 10, 1_000_000_000, True), ("D:\\vindra.avi", 20, 1_000_000_100, False)]
    )
    kept, put_back = artefacts(read(item_of(content, "RECYCLER/S-1-5/INFO2")))

    assert (kept.title, kept.at, kept.details.get("put back or removed")) == ("lopel.jpg", 1_000_000_000 * SECOND, None)
    assert (put_back.title, put_back.details["put back or removed"]) == ("vindra.avi", "yes")


def test_a_shortcut_names_target_volume_and_machine() -> None:
    droid = uuid.uuid1(node=0x0123456789AB, clock_seq=1)
    content = shortcut("E:\\", "lopel\\osk.mp4", label="BENTA", serial=0x12AB34CD, machine="tarn-pc", droid=droid)
    (record,) = artefacts(read(item_of(content, "osk.lnk", media_type=LNK)))

    assert record.attachments[0].path == "E:\\lopel\\osk.mp4"
    assert (record.details["drive"], record.details["volume serial"], record.details["volume label"]) == (
        "removable",
        "12AB-34CD",
        "BENTA",
    )
    assert (record.details["machine"], record.details["network address"]) == ("tarn-pc", "01:23:45:67:89:ab")
    assert [moment.meaning for moment in record.moments] == ["target created", "target accessed"]


def test_a_cut_shortcut_gives_what_stands_before_the_cut() -> None:
    content = shortcut("E:\\", "osk.mp4", label="L", serial=1, machine="m", droid=uuid.uuid1(node=1, clock_seq=1))
    records = read(item_of(content[:110], "osk.lnk", media_type=LNK))

    assert [record.code for record in records if isinstance(record, Notice)] == [NoticeCode.TRUNCATED]
    assert len(artefacts(records)) == 1


PACKAGES = """<?xml version='1.0' encoding='utf-8' standalone='yes' ?>
<packages><version sdkVersion="33" fingerprint="maker/model:13/AB1/7:user" />
<package name="org.example.lopel" codePath="/data/app/lopel" ft="18c0" it="18bcfe56800" ut="18bcfe56801"
  version="7" installer="com.example.store" userId="10100"/></packages>"""


@pytest.mark.parametrize("binary", [False, True])
def test_installed_applications_are_read_from_both_kinds_of_xml(binary: bool) -> None:
    content = PACKAGES.encode()
    if binary:
        content = binary_xml(
            "packages", {},
            [("version", {"sdkVersion": 33, "fingerprint": "maker/model:13/AB1/7:user"}),
             ("package", {"name": "org.example.lopel", "it": "18bcfe56800", "installer": "com.example.store"})],
        )  # fmt: skip
    records = read(item_of(content, "data/system/packages.xml"))
    (application,) = artefacts(records, ArtefactKind.APPLICATION)
    (build,) = artefacts(records, ArtefactKind.IDENTIFIER)

    assert (application.title, application.at) == ("org.example.lopel", 0x18BCFE56800 * 1_000_000)
    assert application.details["installed by"] == "com.example.store"
    assert (build.text, build.details["sdk"]) == ("maker/model:13/AB1/7:user", "33")


def test_xml_with_entities_is_refused() -> None:
    content = b'<?xml version="1.0"?><!DOCTYPE p [<!ENTITY a "b">]><packages>&a;</packages>'
    (notice,) = read(item_of(content, "system/packages.xml"))

    assert isinstance(notice, Notice)
    assert notice.code is NoticeCode.DAMAGED
    assert "entities" in notice.message


def test_networks_are_read_without_their_keys() -> None:
    conf = (
        'ctrl=x\nnetwork={\n\tssid="Lopel 5G"\n\tpsk="mirulbenta"\n\tkey_mgmt=WPA-PSK\n}\nnetwork={\n\tssid=4f736b\n}\n'
    )
    store = (
        "<WifiConfigStoreData><NetworkList><Network><WifiConfiguration>"
        '<string name="SSID">&quot;Vindra&quot;</string><string name="PreSharedKey">&quot;mirulbenta&quot;</string>'
        '<boolean name="HasEverConnected" value="true" /></WifiConfiguration></Network></NetworkList>'
        "</WifiConfigStoreData>"
    )
    older = artefacts(read(item_of(conf.encode(), "misc/wifi/wpa_supplicant.conf")))
    newer = artefacts(read(item_of(store.encode(), "misc/wifi/WifiConfigStore.xml")))

    assert [record.title for record in [*older, *newer]] == ["Lopel 5G", "Osk", "Vindra"]
    assert newer[0].details["connected before"] == "true"
    assert "mirulbenta" not in repr([*older, *newer])


def test_networks_of_ios_tell_when_they_were_joined() -> None:
    joined = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
    times = {"lastJoined": joined.replace(tzinfo=None), "lastAutoJoined": joined.replace(tzinfo=None, day=3)}
    known = {"List of known networks": [{"SSID_STR": "Lopel", "BSSID": "1:2:3:4:5:6", **times}]}
    content = plistlib.dumps(known, fmt=plistlib.FMT_BINARY)
    (record,) = artefacts(read(item_of(content, "SystemConfiguration/com.apple.wifi.plist")))

    assert (record.title, record.identity, record.meaning) == ("Lopel", "1:2:3:4:5:6", "joined")
    assert record.at == int(joined.timestamp()) * SECOND
    assert [moment.meaning for moment in record.moments] == ["joined by itself"]


def test_the_device_says_what_it_is() -> None:
    prop = "# comment\nro.build.version.release=13\nro.product.model=Lopel 7\nro.other=1\n"
    android = artefacts(read(item_of(prop.encode(), "system/build.prop")))
    info = plistlib.dumps({"IMEI": "001122", "Phone Number": "+001", "Product Version": "17.1", "Applications": {}})
    backup = "Backup/0123456789abcdef0123456789abcdef01234567/Info.plist"
    ios = artefacts(read(item_of(info, backup)))

    assert [(record.title, record.text) for record in android] == [("system version", "13"), ("model", "Lopel 7")]
    assert {(record.title, record.text) for record in ios} == {
        ("IMEI", "001122"),
        ("telephone number", "+001"),
        ("system version", "17.1"),
    }


def test_a_plain_backup_lists_its_files(tmp_path: Path) -> None:
    backup = Backup({"HomeDomain/Library/SMS/sms.db": b"x" * 100})
    records = read(item_of(backup.plain_manifest(tmp_path), "b/Manifest.db"))
    (file,) = artefacts(records, ArtefactKind.FILE)

    assert (file.title, file.attachments[0].size) == ("HomeDomain/Library/SMS/sms.db", 100)
    assert file.identity == backup.identifier("HomeDomain", "Library/SMS/sms.db")
    assert file.at == 1_700_000_000 * SECOND


def test_an_encrypted_backup_opens_with_its_password(tmp_path: Path) -> None:
    store = database(tmp_path / "s.db", "CREATE TABLE t (a); INSERT INTO t VALUES ('tarn');")
    backup = Backup({"HomeDomain/Library/s.db": store, "HomeDomain/Library/empty": b""}, password="lopel")
    item = item_of(
        backup.encrypted_manifest(tmp_path),
        "b/Manifest.db",
        beside={"manifest.plist": backup.manifest_plist()},
        below=backup.stored(),
        keyring=Keyring(passphrases=("wrong", "lopel")),
    )
    records = read(item)
    (further,) = [record for record in records if isinstance(record, Further)]

    assert further.path == "HomeDomain/Library/s.db"
    assert further.source.read_at(0, further.source.size) == store
    assert further.source.read_at(100, 50) == store[100:150]
    assert {record.title for record in artefacts(records)} == {"HomeDomain/Library/s.db", "HomeDomain/Library/empty"}


@pytest.mark.parametrize(("passphrases", "told"), [((), "--passphrase-file"), (("wrong",), "none of the passphrases")])
def test_an_encrypted_backup_without_its_password_is_told_as_locked(
    tmp_path: Path, passphrases: tuple[str, ...], told: str
) -> None:
    backup = Backup({"HomeDomain/a": b"x"}, password="lopel")
    item = item_of(
        backup.encrypted_manifest(tmp_path),
        "b/Manifest.db",
        beside={"manifest.plist": backup.manifest_plist()},
        keyring=Keyring(passphrases=passphrases),
    )
    (notice,) = read(item)

    assert isinstance(notice, Notice)
    assert notice.code is NoticeCode.LOCKED
    assert told in notice.message


def test_a_telephone_number_of_a_sim_is_read(tmp_path: Path) -> None:
    content = database(
        tmp_path / "t.db",
        "CREATE TABLE siminfo (_id INTEGER PRIMARY KEY, icc_id TEXT, display_name TEXT, number TEXT);"
        "INSERT INTO siminfo VALUES (1, '8900', 'Lopel', '+001');",
    )
    records = artefacts(read(item_of(content, "telephony.db")))

    assert {(record.title, record.text) for record in records} == {
        ("SIM serial (ICCID)", "8900"),
        ("telephone number", "+001"),
    }


def test_places_of_the_device_are_read(tmp_path: Path) -> None:
    content = database(
        tmp_path / "c.sqlite",
        "CREATE TABLE ZRTCLLOCATIONMO (Z_PK INTEGER PRIMARY KEY, ZLATITUDE FLOAT, ZLONGITUDE FLOAT, ZTIMESTAMP REAL);"
        "INSERT INTO ZRTCLLOCATIONMO VALUES (1, 10.5, 76.25, 700000000);",
    )
    (record,) = artefacts(read(item_of(content, "Cache.sqlite")))

    assert (record.kind, record.latitude, record.longitude) == (ArtefactKind.PLACE, 10.5, 76.25)


def test_a_property_list_that_refers_to_itself_often_ends() -> None:
    """A list of lists of lists, each named twice, would have two to the power of sixty leaves."""
    objects = [b"\xa2" + bytes([number + 1, number + 1]) for number in range(60)] + [b"\x50"]
    body, offsets = b"bplist00", []
    for part in objects:
        offsets.append(len(body))
        body += part
    table = b"".join(struct.pack(">H", offset) for offset in offsets)
    trailer = struct.pack(">6xBBQQQ", 2, 1, len(objects), 0, len(body))
    top = plistlib.loads(body + table + trailer)
    assert isinstance(top, list)

    assert list(dictionaries({"a": top})) == [{"a": top}]
