"""A synthetic examination folder: written as the documentation says, with what a report has to bear."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kaval.core.records import ContentState, NoticeCode
from kaval.folder.durable import place_json
from kaval.folder.sealed import PackWriter, SealingKey
from kaval.folder.segments import RowBuffer
from tests.reports.applications import write_applications

VOLUME_OFFSET = 1_048_576
ALERT_VERSION = hashlib.sha256(b"alert set").hexdigest()
REVIEW_VERSION = hashlib.sha256(b"review set").hexdigest()
GOOD_VERSION = hashlib.sha256(b"good set").hexdigest()

NAMES = (
    "DCIM/Camera/IMG_20240114_101500.jpg",
    "Users/User/Desktop/കുടുംബചിത്രങ്ങൾ/അവധിക്കാലം ൨൦൨൪.jpg",
    "Users/User/Documents/परिवार की तस्वीरें/छुट्टियाँ २०२४ क्षेत्र.png",
    "Users/User/AppData/" + "/".join(f"a-rather-long-folder-name-{n:02d}" for n in range(14)) + "/picture_0001.jpg",
    "Downloads/<script>alert('x')</script>&amp;.jpg",
    "Downloads/report\u202egpj.exe",
    "Downloads/line\nbreak\tand\x07bell \u00a0 gap.jpg",
    "$Recycle.Bin/S-1-5-21-1000/$R4T2K1.jpg",
)
TEXT = b"A neutral file of the synthetic exhibit.\n" * 40


@dataclass(kw_only=True)
class Synthetic:
    """What the folder holds; ``hits`` files agree exactly with the alert set, ``near`` by appearance."""

    hits: int = 3
    near: int = 2
    verification: str = "matches"
    notices: bool = True
    thumbnails: bool = False
    known_good: int = 7
    exhibit: str = "P-14/2026 (mobile telephone)"
    authority: str = "Warrant 112/2026 of the Judicial First Class Magistrate, with a <b>mark</b>"
    operator: str = "Sub-Inspector A. Example"
    names: tuple[str, ...] = NAMES
    applications: bool = False
    more_conversations: int = 0
    slack: bool = False
    manifest: dict[str, Any] = field(default_factory=dict)

    def build(self, folder: Path) -> SealingKey | None:
        """Write the folder; returns the key of its sealed store where it has one."""
        for name in ("segments", "units", "sealed"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        rows = RowBuffer()
        key = SealingKey.create(folder.parent / f"{folder.name}.key") if self.thumbnails else None
        pack = PackWriter(folder, "analyse-0000", key) if key else None
        _sources(rows)
        self._files(rows, pack)
        if self.notices:
            _notices(rows)
        if self.applications:
            present = _digests(1)["sha256"].hex()
            write_applications(rows, f"{_ROOT}:70", present, more=self.more_conversations)
        packs = pack.write() if pack else ()
        segments = rows.write(folder, "analyse-0000")
        manifest = {
            **self._head(key),
            "segments": [asdict(segment) for segment in segments],
            "packs": [asdict(part) for part in packs],
            "counts": dict(rows.counts) | {"files": rows.counts["digests"]},
            "facts_digest": hashlib.sha256(
                "".join(f"{s.sha256}  {s.name}\n" for s in segments if s.table != "sealed").encode()
            ).hexdigest(),
        }
        place_json(manifest | self.manifest, folder / "manifest.json")
        return key

    def _files(self, rows: RowBuffer, pack: PackWriter | None) -> None:
        total = max(self.hits + self.near + self.known_good, 40)
        contents = [str(content) for content in ContentState if content not in ("none", "gone", "encrypted")]
        for number in range(total):
            deleted = number % 3 == 1
            content = contents[number // 3 % len(contents)] if deleted else "intact"
            locator = f"{_ROOT}:{number + 5}"
            if number % 7 == 6:
                locator = f"{_ROOT}:99/zip:{number}"
            path = self.names[number] if number < len(self.names) else f"DCIM/Camera/IMG_{number:06d}.jpg"
            subject = (number, locator, path, "deleted" if deleted else "allocated", content)
            _entry(rows, subject)
            for hit in self._hits_of(number):
                rows.add("hits", (*subject, *hit))
            if pack and number < self.hits + self.near:
                thumbnail = pack.add(picture(number % 5), rows)
                rows.add("media", _media(number, locator, thumbnail))

    def _hits_of(self, number: int) -> Iterator[tuple[Any, ...]]:
        """Yield the further columns of every hit of a file: set, why, category, orientation, frame, moment."""
        alert = ("Reference set A", ALERT_VERSION, "alert")
        if number < self.hits:
            digests = _digests(number)
            for algorithm in ("md5", "sha1", "sha256"):
                yield (*alert, algorithm, digests[algorithm].hex(), 0, 0, "2", None, None, None)
            yield (*alert, "pdq", "ab" * 32, 2, 31, "2", "original", None, None)
        elif number < self.hits + self.near:
            turned, at_ms = ("rotate 90", 61_000) if number % 2 else ("original", None)
            yield (*alert, "pdq", "cd" * 32, number * 7 % 32, 31, None, turned, 0, at_ms)
            if number % 2:
                yield ("Review set “Ü”", REVIEW_VERSION, "review", "md5", "00" * 16, 0, 0, None, None, None, None)
        elif number < self.hits + self.near + self.known_good:
            yield ("Software", GOOD_VERSION, "known-good", "sha1", "11" * 20, 0, 0, None, None, None, None)

    def _head(self, key: SealingKey | None) -> dict[str, Any]:
        computed = hashlib.sha256(b"image").hexdigest()
        stored = {"matches": computed, "differs": "0" * 64}.get(self.verification)
        return {
            "format": 1,
            "kaval": "0.1.0",
            "examination": "0f8b7c52-7d1e-4b62-9a60-1d2f3c4b5a69",
            "exhibit": self.exhibit,
            "authority": self.authority,
            "operator": self.operator,
            "remark": "",
            "sessions": [
                {"started_at": "2026-11-23T10:02:11+00:00", "finished_at": None},
                {"started_at": "2026-11-23T11:40:00+00:00", "finished_at": "2026-11-23T12:05:48+00:00"},
            ],
            "source": {
                "name": "exhibit-14.dd",
                "path": "evidence/exhibit-14.dd",
                "size": 31_914_983_424,
                "decoded_size": 31_914_983_424,
                "container": "raw",
                "title": "raw image",
                "facts": {"segments": "1"},
                "stored_digests": {},
                "given_digests": {"sha256": stored} if stored else {},
                "computed_digests": {} if self.verification == "not-computed" else {"sha256": computed},
                "file_digests": {},
                "verification": self.verification,
            },
            "plan": {"depth": 4, "archives": True, "media": True, "carve": True, "near_threshold": 31,
                     "artefacts": self.applications, "slack": self.slack,
                     "quality_floor": 50, "media_size": 256 << 20, "sparse_size": 1 << 30,
                     "picture_seconds": 30.0, "hang_seconds": 60.0,
                     "likely_places": ["dcim", "camera", "download", "whatsapp", "$recycle.bin"]},
            "known_sets": _known_sets(),
            "capabilities": _capabilities(),
            "platform": {"python": "3.11.2", "system": "Linux 6.1.0", "machine": "x86_64", "zone": "+0530"},
            "confinement": ["address space limited", "no network", "seccomp filter"],
            "sealing_key": key.fingerprint if key else None,
        }  # fmt: skip


_EXHIBIT = "P-14%2F2026%20%28mobile%20telephone%29"
_VOLUME = f"{_EXHIBIT}/raw/gpt:1"
_ROOT = f"{_VOLUME}/ntfs"


def _sources(rows: RowBuffer) -> None:
    facts = json.dumps({"label": "ഡാറ്റ", "cluster size": "4096"}, ensure_ascii=False)
    for row in (
        (f"{_EXHIBIT}/raw", "container", "raw", "raw image", 31_914_983_424, None, 0, "{}"),
        (_VOLUME, "volume", "gpt", "Basic data partition", 21_474_836_480, VOLUME_OFFSET, 0, "{}"),
        (_ROOT, "filesystem", "ntfs", "NTFS", 21_474_836_480, None, 0, facts),
        (f"{_EXHIBIT}/raw/gpt:2", "volume", "gpt", "Linux", 10_439_098_368, 21_475_885_056, 0, "{}"),
        (f"{_ROOT}:99/zip", "container", "zip", "ZIP archive", None, None, 1, '{"members": "12"}'),
    ):
        rows.add("sources", row)


def _digests(number: int) -> dict[str, bytes]:
    content = TEXT if number == 0 else f"file {number}".encode()
    return {name: hashlib.new(name, content).digest() for name in ("md5", "sha1", "sha256")}


def _entry(rows: RowBuffer, subject: tuple[int, str, str, str, str]) -> None:
    number, locator, path, state, content = subject
    zone = ("utc", "unknown", "+05:30")[number % 3]
    month = number % 20
    modified = datetime(2024 + month // 12, month % 12 + 1, 1 + number % 27, 20, 15, 3, tzinfo=UTC)
    times = (None if number % 11 == 10 else int(modified.timestamp()) * 10**9, None, None, None, None)
    size = len(TEXT) if number == 0 else 100_000 + number
    if number == 0:
        first = {"offset": 8192, "length": 1024, "sparse": False, "assumed": False}
        extents = [first, {"offset": 20480, "length": 4096, "sparse": False, "assumed": False}]
    else:
        extents = [{"offset": 4096 * number, "length": 4096, "sparse": False, "assumed": content == "assumed"}]
    assumed, overlap = (4096 if content == "assumed" else 0), (8192 if content.startswith("overlaps") else 0)
    rows.add(
        "entries",
        (number, locator, path, path.rpartition("/")[2], None, None, "file", size, state, content, *times, zone, "",
         None, None, None, None, extents, assumed, overlap, None, 1 if "zip" in locator else 0),
    )  # fmt: skip
    kinds = (
        "image/jpeg",
        "image/png",
        "video/mp4",
        "application/pdf",
        None,
        "application/zip",
        "application/x-dosexec",
    )
    media_type = "image/jpeg" if number < 8 else kinds[number % len(kinds)]
    digests = _digests(number)
    if number % 13 != 12:
        rows.add("digests", (number, size, digests["md5"], digests["sha1"], digests["sha256"], media_type, False, 0))


def _media(number: int, locator: str, thumbnail: bytes) -> tuple[Any, ...]:
    unknown = (None, None, None, None, None)
    hashes = (b"\xab" * 32, 90, b"\xab" * 256)
    return (number, locator, 0, None, "JPEG", 640, 480, None, *hashes, "synthetic", "1", *unknown, thumbnail, None)


def _notices(rows: RowBuffer) -> None:
    for position, code in enumerate(NoticeCode):
        for number in range(30 if code == NoticeCode.DECODER_REFUSED else 2):
            locator = f"{_EXHIBIT}/raw/gpt:2" if code == NoticeCode.LOCKED else f"{_ROOT}:{1000 + number}"
            message = f"synthetic notice {number} of {code} with a \u202ename"
            rows.add("notices", (locator, str(code), message, "listing", 512 * position, "boot sector"))


def _known_sets() -> list[dict[str, Any]]:
    common = {"counts": {"md5": 1200, "sha1": 1200, "sha256": 1200, "pdq": 800}, "dropped": {"zero length": 1}}
    rows = (
        ("Reference set A", ALERT_VERSION, "alert", "set-a.json", "vics"),
        ("Set without a hit", "f" * 64, "alert", "b.txt", "plain"),
        ("Review set “Ü”", REVIEW_VERSION, "review", "c.csv", "csv"),
        ("Software", GOOD_VERSION, "known-good", "d.txt", "plain"),
    )
    names = ("name", "version", "role", "source_name", "format")
    return [{**dict(zip(names, row, strict=True)), **common} for row in rows]


def _capabilities() -> list[dict[str, Any]]:
    def rows() -> Iterator[tuple[str, str, str, str, str | None]]:
        yield "containers", "raw", "raw image", "kaval", None
        yield "containers", "ewf", "Expert Witness image (E01)", "kaval", None
        yield "volumes", "gpt", "GUID partition table", "kaval", None
        yield "volumes", "fvde", "FileVault", "libfvde-python", "pyfvde is not installed"
        yield "filesystems", "ntfs", "NTFS", "kaval", None
        yield "digests", "md5", "MD5", "kaval", None
        yield "digests", "sha1", "SHA-1", "kaval", None
        yield "digests", "sha256", "SHA-256", "kaval", None
        yield "decoders", "jpeg", "JPEG pictures", "simplejpeg 1.9", None

    names = ("registry", "name", "title", "library", "unavailable_because")
    return [dict(zip(names, row, strict=True)) | {"rank": 10} for row in rows()]


def picture(number: int) -> bytes:
    """Return a JPEG of plain coloured stripes, as a thumbnail of the sealed store."""
    from PIL import Image

    drawn = Image.new("RGB", (200, 150), (200, 60 + 20 * number, 40))
    for at in range(0, 200, 20):
        drawn.paste((20, 40, 200), (at, 0, at + 8, 150))
    target = io.BytesIO()
    drawn.save(target, "JPEG")
    return target.getvalue()
