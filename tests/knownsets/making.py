"""What tests of known sets share: files of every format, made in code, about the same three small files."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import struct
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from kaval.knownsets.batches import Batch
from kaval.knownsets.formats import Reading, recognise
from kaval.knownsets.statements import Statement

CONTENTS = {"tarn.txt": b"tarn lopel\n", "osk.txt": b"osk\n", "quor.bin": bytes(range(256))}
MD5 = {name: hashlib.md5(content).hexdigest() for name, content in CONTENTS.items()}
SHA1 = {name: hashlib.sha1(content).hexdigest() for name, content in CONTENTS.items()}
SHA256 = {name: hashlib.sha256(content).hexdigest() for name, content in CONTENTS.items()}
EMPTY = hashlib.md5(b"").hexdigest()

VICS_2 = "http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/{}/$metadata#{}"
VICS_1 = "http://github.com/ICMEC/ProjectVic/DataModels/{}.xml#{}"


def vics(media: Sequence[dict[str, Any]], header: str = VICS_2.format("US", "Media"), **options: Any) -> bytes:
    """Return a VICS document with these media."""
    key = "@odata.context" if "2.0" in header else "odata.metadata"
    return json.dumps({key: header, "value": list(media)}, **options).encode()


def medium(name: str = "tarn.txt", **fields: Any) -> dict[str, Any]:
    """Return one media object."""
    return {"MediaID": 1, "MD5": MD5[name].upper(), "SHA1": SHA1[name].upper(), **fields}


def rds(path: Path, rows: int = 3, *, view: bool = False) -> Path:
    """Make a small RDSv3 database."""
    table = "METADATA" if view else "FILE"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            f"CREATE TABLE {table} (sha256 VARCHAR NOT NULL, sha1 VARCHAR NOT NULL, md5 VARCHAR NOT NULL,"
            " crc32 VARCHAR NOT NULL, file_name VARCHAR NOT NULL, file_size INTEGER NOT NULL,"
            " package_id INTEGER NOT NULL)"
        )
        if view:
            connection.execute("CREATE VIEW FILE AS SELECT * FROM METADATA")
        connection.execute("CREATE TABLE VERSION (version VARCHAR, build_set VARCHAR)")
        connection.execute("INSERT INTO VERSION VALUES ('2026.01', 'nonsense')")
        for number in range(rows):
            content = b"%d" % number
            connection.execute(
                f"INSERT INTO {table} VALUES (?, ?, ?, 'AABBCCDD', ?, ?, 1)",
                [
                    hashlib.sha256(content).hexdigest().upper(),
                    hashlib.sha1(content).hexdigest().upper(),
                    hashlib.md5(content).hexdigest().upper(),
                    "osk" * (number % 50),
                    number * 1000,
                ],
            )
        connection.commit()
    return path


def kdb(path: Path) -> Path:
    """Make a small database of The Sleuth Kit."""
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(
            "CREATE TABLE db_properties (name TEXT NOT NULL, value TEXT);"
            "INSERT INTO db_properties VALUES ('Schema Version', '1');"
            "CREATE TABLE hashes (id INTEGER PRIMARY KEY AUTOINCREMENT, md5 BINARY(16) UNIQUE, sha1 BINARY(20),"
            " sha2_256 BINARY(32));"
            "CREATE TABLE file_names (name TEXT NOT NULL, hash_id INTEGER NOT NULL, PRIMARY KEY(name, hash_id));"
            "CREATE TABLE comments (comment TEXT, hash_id INTEGER NOT NULL, PRIMARY KEY(comment, hash_id));"
        )
        for number, name in enumerate(CONTENTS, 1):
            values = [number, bytes.fromhex(MD5[name]), bytes.fromhex(SHA1[name]), bytes.fromhex(SHA256[name])]
            connection.execute("INSERT INTO hashes VALUES (?, ?, ?, ?)", values)
            connection.execute("INSERT INTO file_names VALUES (?, ?)", [name, number])
        connection.execute("INSERT INTO comments VALUES ('benta', 1)")
        connection.commit()
    return path


def _write(content: bytes) -> Callable[[Path], Path]:
    def write(path: Path) -> Path:
        path.write_bytes(content)
        return path

    return write


def _zipped(path: Path) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("NSRLFile.txt", NSRL)
    return path


def _lines(*lines: str) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


NSRL = _lines(
    '"SHA-1","MD5","CRC32","FileName","FileSize","ProductCode","OpSystemCode","SpecialCode"',
    *(f'"{SHA1[name].upper()}","{MD5[name].upper()}","AABBCCDD","{name}",6,1,"362",""' for name in CONTENTS),
).replace(b"\n", b"\r\n")

NCMEC_PAGE = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<queryResult xmlns="https://hashsharing.ncmec.org/hashsharing/v2"><images count="3">{}</images></queryResult>"""


def ncmec_image(identity: str, at: str, fingerprints: str, more: str = "", *, deleted: bool = False) -> str:
    """Return one entry of a page."""
    tag = "deletedImage" if deleted else "image"
    return (
        f'<{tag}><member id="42">Lopel</member><timestamp>{at}</timestamp><id>{identity}</id>'
        f"<classification>A1</classification><fingerprints>{fingerprints}</fingerprints>{more}</{tag}>"
    )


FILES: dict[str, tuple[str, Callable[[Path], Path], dict[str, int]]] = {
    "list.md5": ("digest-list", _write(_lines(*(f"{MD5[name]}  {name}" for name in CONTENTS))), {"md5": 3}),
    "bare.txt": ("digest-list", _write(_lines(*SHA1.values())), {"sha1": 3}),
    "bsd.sha256": ("digest-list", _write(_lines(*(f"SHA256 ({n}) = {v}" for n, v in SHA256.items()))), {"sha256": 3}),
    "deep.txt": (
        "hashdeep",
        _write(_lines(
            "%%%% HASHDEEP-1.0", "%%%% size,md5,sha256,filename", "## Invoked from: /lopel",
            *(f"6,{MD5[name]},{SHA256[name]},/lopel, {name}" for name in CONTENTS),
        )),
        {"md5": 3, "sha256": 3},
    ),
    "table.csv": (
        "csv",
        _write(_lines("name;hash;category", *(f"{name};{MD5[name]};2" for name in CONTENTS))),
        {"md5": 3},
    ),
    "icse.csv": (
        "icse",
        _write(_lines(
            "MD5;SHA1;PhotoDNA;Image ID;Is distributed;Victim identified;Offender identified;Series name",
            *(f"{MD5[name]};{SHA1[name]};;7;0;1;0;osk" for name in CONTENTS),
        )),
        {"md5": 3, "sha1": 3},
    ),
    "vics.json": ("vics", _write(vics([medium(name) for name in CONTENTS])), {"md5": 3, "sha1": 3}),
    "vics-pretty.json": ("vics", _write(vics([medium(name) for name in CONTENTS], indent=2)), {"md5": 3, "sha1": 3}),
    "NSRLFile.txt": ("nsrl-text", _write(NSRL), {"md5": 3, "sha1": 3}),
    "NSRLFile.txt.zip": ("nsrl-text", _zipped, {"md5": 3, "sha1": 3}),
    "set.hsh": (
        "hashkeeper",
        _write(_lines(
            '"file_id","hashset_id","file_name","directory","hash","file_size","date_modified","time_modified",'
            '"time_zone","comments","date_accessed","time_accessed"',
            *(f'1,1,"{name}","EX","{MD5[name].upper()}",6,,,,"",,' for name in CONTENTS),
        )),
        {"md5": 3},
    ),
    "set.hash": (
        "encase",
        _write(
            b"HASH\r\n\xff\x00".ljust(1032, b"\0")
            + "Vindra".encode("utf-16-le").ljust(120, b"\0")
            + b"".join(bytes.fromhex(value) + b"\0\0" for value in MD5.values())
        ),
        {"md5": 3},
    ),
    "set-md5.idx": (
        "tsk-index",
        _write(_lines(
            "0" * 41 + "|md5sum", "0" * 40 + "1|set", *(f"{value.upper()}|{0:016}" for value in sorted(MD5.values()))
        )),
        {"md5": 3},
    ),
    "lookup.ndjson": (
        "hashlookup",
        _write(_lines(*(
            json.dumps({"MD5": MD5[n], "SHA-1": SHA1[n].upper(), "SHA-256": SHA256[n], "FileName": n, "CRC": "0"})
            for n in CONTENTS
        ))),
        {"md5": 3, "sha1": 3, "sha256": 3},
    ),
    "frames.txt": (
        "vpdq",
        _write(_lines(*(f"{n},{100 - 30 * n},{bytes([n] * 32).hex()},{n}.033" for n in range(3)))),
        {"pdq": 2},
    ),
    "features.tmk": (
        "tmk",
        _write(b"TMK1FVECPDQF" + struct.pack("<5i", 15, 1, 1, 2, 7) + bytes(4 * (1 + 1 + 2 * 3))),
        {},
    ),
    "page.xml": (
        "ncmec",
        _write(NCMEC_PAGE.format("".join(
            ncmec_image(name, "2026-01-01T00:00:00Z", f"<md5>{MD5[name]}</md5>") for name in CONTENTS
        )).encode()),
        {"md5": 3},
    ),
    "made.kaval-set": (
        "kaval-set",
        _write(_lines(
            '{"kaval": "known-set", "format": 1, "made": {"by": "Inga"}}',
            *(json.dumps({"values": {"md5": MD5[name], "sha1": SHA1[name]}, "category": "2"}) for name in CONTENTS),
        )),
        {"md5": 3, "sha1": 3},
    ),
    "rds.db": ("rds", rds, {"md5": 3, "sha1": 3, "sha256": 3}),
    "set.kdb": ("kdb", kdb, {"md5": 3, "sha1": 3, "sha256": 3}),
}  # fmt: skip
"""A file of each format: what it is, how it is made, and how many values it holds."""


def read(path: Path, scratch: Path | None = None, **options: Any) -> list[Batch]:
    """Return the batches of a file of any format."""
    return list(recognise(path).read(Reading(path=path, scratch=scratch, **options)))


def values_of(batches: Sequence[Batch]) -> dict[str, list[bytes]]:
    """Return the values of batches by algorithm."""
    found: dict[str, list[bytes]] = {}
    for batch in batches:
        for algorithm, column in batch.columns.items():
            found.setdefault(algorithm, []).extend(row.tobytes() for row in column.values)
    return found


def statements_of(path: Path, batches: Sequence[Batch]) -> Iterator[Statement]:
    """Yield what a file says of its entries."""
    known = recognise(path)
    for batch in batches:
        place = 0
        for size in batch.detail_sizes:
            yield known.statement(batch.details[place : place + size])
            place += size


def skipped_of(batches: Sequence[Batch]) -> dict[str, int]:
    """Return what was left out, by reason."""
    found: dict[str, int] = {}
    for batch in batches:
        for reason, count in batch.skipped.items():
            found[reason] = found.get(reason, 0) + count
    return found
