"""The same three files as other programs write them: encodings, packers, line ends, quotes, words around."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import json
import lzma
import sqlite3
import xml.etree.ElementTree as ElementTree
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from kaval.core.errors import (
    CorruptStructureError,
    KavalError,
    LimitExceededError,
    NotRecognisedError,
    UnsupportedError,
)
from kaval.knownsets import Role, sources
from kaval.knownsets.compiled import compile_set
from kaval.knownsets.formats import Reading, recognise
from tests.knownsets.making import (
    CONTENTS,
    FILES,
    MD5,
    NSRL,
    SHA1,
    SHA256,
    kdb,
    medium,
    ncmec_image,
    rds,
    read,
    skipped_of,
    statements_of,
    values_of,
    vics,
)  # fmt: skip
from tests.knownsets.making import NCMEC_PAGE as PAGE

M, S, L = list(MD5.values()), list(SHA1.values()), list(SHA256.values())
LIST = "".join(f"{value} *lopel\r\n" for value in M)
SET = vics([medium(name) for name in CONTENTS]).decode()
THREE, PAIRS = {"md5": 3}, {"md5": 3, "sha1": 3}
ICSE = "MD5;SHA1;PhotoDNA;Image ID;Is distributed\n" + "".join(f"{m};{s};;7;1\n" for m, s in zip(M, S, strict=True))
ATTRIBUTES = "uuid,event_id,category,type,value,comment\r\n" + "".join(
    f'"a",1,"Payload delivery","md5","{m}",""\r\n"b",1,"Payload delivery","filename|sha1","osk.bin|{s}",""\r\n'
    f'"c",1,"Payload delivery","imphash","{"ab" * 16}",""\r\n"d",1,"Network activity","ip-dst","192.0.2.7",""\r\n'
    for m, s in zip(M, S, strict=True)
)
HASHLOOKUP = [{"MD5": m, "SHA-1": s, "FileName": ["osk", "tarn"]} for m, s in zip(M, S, strict=True)]

TEXTS: dict[str, tuple[str | bytes, dict[str, int]]] = {
    "UTF-16 with mark": (b"\xff\xfe" + SET.encode("utf-16-le"), PAIRS),
    "UTF-16, other order": (b"\xfe\xff" + SET.encode("utf-16-be"), PAIRS),
    "UTF-16 without mark": (SET.encode("utf-16-le"), PAIRS),
    "UTF-32": (SET.encode("utf-32"), PAIRS),
    "list in UTF-16": (b"\xff\xfe" + LIST.encode("utf-16-le"), THREE),
    "table in UTF-16": (("MD5\tName\r\n" + "".join(f"{m}\tosk\r\n" for m in M)).encode("utf-16"), THREE),
    "ICSE in UTF-16": (b"\xff\xfe" + ICSE.encode("utf-16-le"), PAIRS),
    "carriage returns only": ("\r".join(M) + "\r", THREE),
    "md5sum --zero": ("".join(f"{m}  osk\0" for m in M), THREE),
    "blanks before and behind": ("".join(f"  \t{m}  \n" for m in M), THREE),
    "quoted, one a line": ('"hash"\r\n' + "".join(f'"{m}"\r\n' for m in M), THREE),
    "a title and one column": ("MD5\n" + "\n".join(M) + "\n", THREE),
    "a comma behind": ("".join(f"{m},\n" for m in M), THREE),
    "sizes before (md5deep -z)": ("".join(f"        11  {m}  /lopel\n" for m in M), THREE),
    "words of certutil": (
        f"SHA1 hash of file osk:\r\n{' '.join(S[0][n : n + 2] for n in range(0, 40, 2))}\r\n"
        "CertUtil: -hashfile command completed successfully.\r\n",
        {"sha1": 1},
    ),
    "words of PowerShell": (
        "\r\nAlgorithm       Hash        Path\r\n---------       ----        ----\r\n"
        + "".join(f"SHA256          {value.upper()}       C:\\osk\r\n" for value in L),
        {"sha256": 3},
    ),
    "several digests of each (--tag)": (
        "".join(
            f"MD5 (a (1)) = {m}\nSHA512 (a) = {'ab' * 64}\n\\SHA1 (a\\nb) = {s}\n" for m, s in zip(M, S, strict=True)
        ),
        PAIRS,
    ),
    "openssl": (f"MD5(a)= {M[0]}\nSHA2-256(a)= {L[0]}\nSHA1(stdin)= {S[0]}\n", {"md5": 1, "sha1": 1, "sha256": 1}),
    "NSRL with a stray quote": (NSRL.replace(b"osk.txt", b'o"sk.txt'), PAIRS),
    "NSRL with a quote at the end": (NSRL.replace(b"osk.txt", b'osk"'), PAIRS),
    "HashKeeper with a stray quote": (
        '"file_id","hashset_id","file_name","directory","hash","file_size","date_modified","time_modified",'
        '"time_zone","comments","date_accessed","time_accessed"\n'
        + "".join(f'1,1,"12" screen","EX","{m}",6,,,,"",,\n' for m in M),
        THREE,
    ),
    "a table with stray quotes": ("MD5,Name\n" + "".join(f'{m},"12" screen"\n' for m in M), THREE),
    "a separator stated": ("sep=;\r\nName;MD5\r\n" + "".join(f"a,b;{m}\r\n" for m in M), THREE),
    "a separator that is not the comma in it": ("No;Name;MD5\r\n" + "".join(f"1;a,b;{m}\r\n" for m in M), THREE),
    "a remark on types above": ('#TYPE Lopel.Osk\r\n"Hash","Path"\r\n' + f'"{M[0]}","C:\\a"\r\n' * 2, {"md5": 2}),
    "lines above the titles": ("Export of osk\n\nMD5,Name\n" + "".join(f"{m},a\n" for m in M), THREE),
    "a row that is too long": ("MD5,Name\n" + "".join(f"{m},a\n" for m in M) + f"{M[0]},a,b\n", {"md5": 4}),
    "values that stand for none": ("MD5,Name\n" + "".join(f"{m},a\nN/A,b\n" for m in M), THREE),
    "digests with blanks": (f"MD5,Name\n{' '.join(M[0][n : n + 2] for n in range(0, 32, 2))},a\n", {"md5": 1}),
    "attributes of MISP": (ATTRIBUTES, PAIRS),
    "ICSE, quoted, commas": (ICSE.replace("MD5;SHA1;PhotoDNA", '"MD5";"SHA1";"PhotoDNA"').replace(";", ","), PAIRS),
    "hashlookup as a list": (json.dumps(HASHLOOKUP), PAIRS),
    "hashlookup with lists in it": ("".join(json.dumps(one) + "\n" for one in HASHLOOKUP), PAIRS),
}  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
def test_three_files_as_others_write_them(name: str, tmp_path: Path) -> None:
    content, counts = TEXTS[name]
    path = tmp_path / "sent"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    info = compile_set(path, name="x", role=Role.REVIEW, target=tmp_path / "set")
    found = values_of(read(path))

    assert {algorithm: len(values) for algorithm, values in found.items()} == counts
    assert {value.hex() for value in found.get("md5", [])} <= set(MD5.values())
    assert {value.hex() for value in found.get("sha1", [])} <= set(SHA1.values())
    assert info.counts == {algorithm: min(count, 3) for algorithm, count in counts.items()} or counts == {"md5": 2}


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("text", [SET, LIST])
def test_a_packed_file_is_read_and_one_cut_off_refused(pack: object, text: str, tmp_path: Path) -> None:
    assert callable(pack)
    path = tmp_path / "sent"
    packed = pack(text.encode())
    path.write_bytes(packed)
    assert {value.hex() for value in values_of(read(path))["md5"]} == set(MD5.values())

    path.write_bytes(packed[:-9])
    with pytest.raises(CorruptStructureError, match="cut off"):
        read(path)


def test_a_packed_file_that_grows_absurdly_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "sent.gz"
    path.write_bytes(gzip.compress(LIST.encode() * 40_000))
    monkeypatch.setattr(sources, "LARGEST_RATIO", 2)
    with pytest.raises(LimitExceededError):
        read(path)


def test_reading_goes_on_in_a_packed_file_and_in_another_encoding(tmp_path: Path) -> None:
    lines = "".join(f"{hashlib.md5(b'%d' % number).hexdigest()}\n" for number in range(70_000))
    for name, content in (("a.gz", gzip.compress(lines.encode(), 1)), ("b.txt", lines.encode("utf-16"))):
        path = tmp_path / name
        path.write_bytes(content)
        batches = read(path)
        rest = list(recognise(path).read(Reading(path=path, start=batches[0].position)))

        assert len(batches) > 2
        assert values_of(batches[:1] + rest) == values_of(batches)
        assert len(values_of(batches)["md5"]) == 70_000


def test_of_an_archive_the_file_that_matters_is_read_and_named(tmp_path: Path) -> None:
    path = tmp_path / "sent.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in (
            ("set/list.json", SET), ("__MACOSX/set/._list.json", "x"), ("set/.DS_Store", "x"), ("README.txt", "osk"),
        ):  # fmt: skip
            archive.writestr(name, content)
    compile_set(path, name="x", role=Role.REVIEW, target=tmp_path / "set")
    record = json.loads((tmp_path / "set" / "import.json").read_text())

    assert {value.hex() for value in values_of(read(path))["md5"]} == set(MD5.values())
    assert "of sent.zip the file set/list.json was read" in record["remarks"]


def test_of_the_archive_of_the_nsrl_the_list_of_files_is_read(tmp_path: Path) -> None:
    path = tmp_path / "sent.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("NSRLFile.txt", NSRL)
        archive.writestr("NSRLProd.txt", '"ProductCode","ProductName"\r\n')

    assert {value.hex() for value in values_of(read(path))["sha1"]} == set(SHA1.values())


def test_a_packed_database_is_to_be_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "sent.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(rds(tmp_path / "rds.db"), "rds.db")
    with pytest.raises(UnsupportedError, match="unpack it"):
        read(path)


def test_a_database_with_a_journal_beside_it_is_not_taken_for_whole(tmp_path: Path) -> None:
    path = rds(tmp_path / "rds.db")
    (tmp_path / "rds.db-wal").write_bytes(b"osk")
    with pytest.raises(UnsupportedError, match="write it back"):
        read(path)


ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT {} FROM c"


@pytest.mark.parametrize(
    "schema",
    [
        f"CREATE VIEW FILE AS {ENDLESS.format('hex(zeroblob(32)) AS sha256, x AS sha1, x AS md5')};"
        "CREATE TABLE VERSION (version, build_set)",
        f"CREATE VIEW FILE AS {ENDLESS.format('x AS sha256, x AS md5')} WHERE x < 0;"
        "CREATE TABLE VERSION (version, build_set)",
        "CREATE TABLE db_properties (name, value);"
        f"CREATE VIEW hashes AS {ENDLESS.format('x AS id, zeroblob(16) AS md5')}",
        "CREATE TABLE db_properties (name, value); CREATE TABLE hashes (id INTEGER PRIMARY KEY, md5);"
        "INSERT INTO hashes VALUES (1, zeroblob(16));"
        f"CREATE VIEW comments AS {ENDLESS.format('x AS comment, 1 AS hash_id')}",
    ],
)
def test_a_database_whose_views_have_no_end_is_damage(schema: str, tmp_path: Path) -> None:
    path = tmp_path / "sent.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(schema)
    with pytest.raises(CorruptStructureError, match="more"):
        read(path)


def test_a_delta_that_would_fill_the_disk_is_refused(tmp_path: Path) -> None:
    base, delta = rds(tmp_path / "rds.db", 400), tmp_path / "delta.sql"
    columns = "a.sha256, a.sha1, a.md5, a.crc32, a.file_name, a.file_size, a.package_id"
    delta.write_text(f"BEGIN TRANSACTION;\nINSERT INTO FILE SELECT {columns} FROM FILE a, FILE b, FILE c;\nCOMMIT;\n")
    with pytest.raises(KavalError):
        list(recognise(base).read(Reading(path=base, further=(delta,), scratch=tmp_path)))

    assert sorted(path.name for path in tmp_path.iterdir()) == ["delta.sql", "rds.db"]


def test_a_database_of_the_sleuth_kit_without_names_or_with_digests_as_text(tmp_path: Path) -> None:
    path = kdb(tmp_path / "set.kdb")
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("DROP TABLE file_names; DROP TABLE comments; UPDATE hashes SET md5 = hex(md5)")

    assert {value.hex() for value in values_of(read(path))["md5"]} == set(MD5.values())


def test_pages_written_again_with_prefixes_or_in_utf_16(tmp_path: Path) -> None:
    path = tmp_path / "page.xml"
    entries = "".join(ncmec_image(name, "2026-01-01T00:00:00Z", f"<md5>{MD5[name]}</md5>") for name in CONTENTS)
    text = PAGE.format(entries)
    for content in (
        ElementTree.tostring(ElementTree.fromstring(text.encode())),
        text.replace("UTF-8", "UTF-16").encode("utf-16"),
        b"\xef\xbb\xbf" + text.encode(),
        gzip.compress(text.encode()),
    ):
        path.write_bytes(content)
        assert {value.hex() for value in values_of(read(path))["md5"]} == set(MD5.values())
    bomb = text.replace("?>", '?><!DOCTYPE osk [<!ENTITY a "tarn">]>').replace("UTF-8", "UTF-16")
    path.write_bytes(bomb.encode("utf-16"))
    with pytest.raises(CorruptStructureError, match="entities"):
        read(path)


def test_of_sixty_four_digits_it_is_said_what_they_were_taken_for(tmp_path: Path) -> None:
    path = tmp_path / "x.txt"
    path.write_text("\n".join(L) + "\n")
    assert "64 digits were taken for SHA-256" in read(path)[0].remarks[0]


def test_attributes_that_are_no_digests_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(ATTRIBUTES, newline="")
    batches = read(path)

    assert skipped_of(batches) == {"attribute that is no digest matched here": 6}
    assert next(statements_of(path, batches)).category is None


def test_rows_whose_quotes_do_not_match_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("MD5,Name\n" + f'{M[0]},"open\n{M[1]},"12" screen"\n{M[2]},"lopel, osk"\n')
    batches = read(path)

    assert [value.hex() for value in values_of(batches)["md5"]] == M
    assert sum(batch.tallies.get(sources.MENDED, 0) for batch in batches) == 2


@pytest.mark.parametrize("text", ["", "\0" * 1000, "a" * (5 << 20), "osk, tarn\nlopel, quor\n", "[[[[[[", '{"a": 1}'])
def test_what_is_no_list_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text(text)
    with pytest.raises(NotRecognisedError):
        read(path)


def test_features_of_a_video_in_an_archive(tmp_path: Path) -> None:
    features = FILES["features.tmk"][1](tmp_path / "features.tmk")
    path = tmp_path / "sent.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(features, "features.tmk")

    assert recognise(path).name == "tmk"
    assert len(read(path)) == 1
