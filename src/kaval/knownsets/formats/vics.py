"""Project VIC: VICS JSON 1.1 to 2.0, a list of media (``#Media``) or the media of cases (``#Cases``).

A category is kept as the set supplies it, 0 included: it is a recorded value, and absent is another thing.
``IsPrecategorized`` is not looked at: exporters set it on entries nobody graded. What a category means depends on
the country in the header. Entries stay as they were sent; picture bytes in a field are taken out and never shown.
One file may be named by many entries, and one digest graded in several ways: all are kept.

After the public readers of the format (facts 1.1 to 1.8); an unknown version number is read and remarked upon.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import msgspec
import numpy as np

from kaval.core.errors import CorruptStructureError
from kaval.knownsets.algorithms import WIDTHS
from kaval.knownsets.batches import Batch, Column
from kaval.knownsets.formats import SET_FORMATS, NotVerbatimError, Reading, Sample, take_sample
from kaval.knownsets.hexadecimal import decode_column, decode_value
from kaval.knownsets.json_arrays import EACH, Items, JsonArrays
from kaval.knownsets.moments import moment_of
from kaval.knownsets.photodna import photodna_bytes
from kaval.knownsets.places import place_of
from kaval.knownsets.sources import is_wrapped
from kaval.knownsets.statements import Statement, answer, text_or_none, whole_number

KNOWN_VERSIONS = ("1.1", "1.2", "1.3", "2.0")
LONGEST_ENTRY = 8192
"""Bytes of an entry above which its texts are looked at: a long one is taken for picture bytes."""

_HEADER = re.compile(rb'"(@?odata\.(?:context|metadata))"\s*:\s*"([^"]+)"')
_MODEL = re.compile(r"/DataModels/(\d+\.\d+)\.xml(?:/([^/#$]+))?/?(?:\$metadata)?#(Cases|Media)$", re.IGNORECASE)
_SPELT = {
    name.lower(): name
    for name in (
        "MD5", "SHA1", "Category", "AlternativeHashes", "Miniature", "PhotoDNA", "MediaID", "MediaSize", "MediaFiles",
        "DateUpdated", "Exifs", "Repositories", "Series", "Tags", "Comments", "MimeType", "PrecategorizationSource",
        "VictimIdentified", "OffenderIdentified", "IsDistributed", "IsSuspected", "SelfGenerated",
    )
}  # fmt: skip
"""Names of the model by their letters."""
_PATHS = {"Media": ("value",), "Cases": ("value", EACH, "Media")}
_LONGEST_TEXT = 2048
_JSON = json.JSONDecoder(strict=False)
_FLAGS = {
    "VictimIdentified": "victim identified", "OffenderIdentified": "offender identified",
    "IsDistributed": "distributed", "IsSuspected": "suspected", "SelfGenerated": "self-generated",
}  # fmt: skip
_NOTES = {
    "Series": "series", "Tags": "tags", "Comments": "comments", "MimeType": "media type",
    "PrecategorizationSource": "graded by",
}  # fmt: skip


class _Other(msgspec.Struct, gc=False):
    HashName: str | None = None
    HashValue: str | None = None


class _Media(msgspec.Struct, gc=False):
    MD5: str | None = None
    SHA1: str | None = None
    Category: int | str | None = None
    AlternativeHashes: list[_Other] | None = None
    Miniature: str | None = None


class _MediaWithPhotoDna(_Media, gc=False):
    PhotoDNA: str | None = None


def header_of(head: bytes) -> tuple[str, str | None, str] | None:
    """Return version, country and kind (``Media`` or ``Cases``) that a header states; nothing where it is none."""
    found = _HEADER.search(head)
    model = _MODEL.search(found[2].decode("utf-8", "replace").replace("\\/", "/").strip()) if found else None
    return None if model is None else (model[1], model[2], model[3].capitalize())


@SET_FORMATS.register
class Vics:
    """A VICS document."""

    name: ClassVar[str] = "vics"
    title: ClassVar[str] = "Project VIC (VICS JSON 1.1, 1.2, 1.3, 2.0), media or cases"
    rank: ClassVar[int] = 30
    requires: ClassVar[tuple[str, ...]] = ("msgspec",)
    says: ClassVar[bool] = True
    joint: ClassVar[bool] = False
    verbatim: ClassVar[bool] = True

    def probe(self, sample: Sample) -> bool:
        """Say yes where the header names a VICS data model."""
        return sample.head.lstrip()[:1] == b"{" and header_of(sample.head) is not None

    def read(self, reading: Reading) -> Iterator[Batch]:
        """Yield the media as they stand in the document."""
        header = header_of(take_sample(reading.path).head)
        if header is None:
            raise CorruptStructureError(f"VICS document {reading.path.name}", "its header is gone", 0)
        version, country, kind = header
        document = JsonArrays(reading.path, _PATHS[kind], reading.start)
        decoder = _Decoder(photodna=reading.photodna, verbatim=reading.verbatim and not is_wrapped(reading.path))
        remarks = [f"VICS {version}, {kind}, country {country or 'not stated'}"]
        if version not in KNOWN_VERSIONS:
            remarks.append(f"VICS {version} is a version nobody has described in public; it was read like 2.0")
        try:
            for items in document.items():
                yield decoder.batch(items, tuple(remarks))
                remarks = []
            stated = [f"{key} stated: {value.decode('utf-8', 'replace')}" for _, key, value in document.fields
                      if key in ("TotalMediaFiles", "TotalPrecategorized")]  # fmt: skip
            if stated or decoder.keys_left_out:
                told = tuple(stated + sorted(decoder.keys_left_out))
                yield Batch(entries=0, columns={}, remarks=told, position=document.position)
        finally:
            document.close()

    def statement(self, detail: bytes) -> Statement:
        """Return what one media object says."""
        media = _named(_loads(detail))
        others = {
            str(one.get("HashName", "")).lower().replace("-", ""): one.get("HashValue")
            for one in media.get("AlternativeHashes") or ()
            if isinstance(one, dict)
        }
        written = {"md5": media.get("MD5"), "sha1": media.get("SHA1"), "photodna": media.get("PhotoDNA"), **others}
        files = [one for one in media.get("MediaFiles") or () if isinstance(one, dict)]
        notes = {title: text for key, title in _NOTES.items() if (text := text_or_none(media.get(key)))}
        if files:
            notes["files named"] = str(len(files))
        notes |= _exif_notes(media)
        updated = moment_of(text_or_none(media.get("DateUpdated")))
        if updated is not None and updated.zone == "unknown":
            notes["zone of its time"] = "not stated"
        return Statement(
            category=text_or_none(media.get("Category")),
            identity=text_or_none(media.get("MediaID")),
            source=_repositories(media),
            values={
                name: value.strip() if name == "photodna" else value.strip().lower()
                for name, value in written.items()
                if isinstance(value, str) and value.strip()
            },
            flags={title: answer(media[key]) for key, title in _FLAGS.items() if key in media},
            size=whole_number(media.get("MediaSize")),
            updated_at=text_or_none(media.get("DateUpdated")),
            notes=notes,
        )


def _exif_notes(media: dict[str, Any]) -> dict[str, str]:
    """Return place and time of capture, where exporters state them so that they can be relied on."""
    notes = {}
    for one in media.get("Exifs") or ():
        if not isinstance(one, dict):
            continue
        name, value = str(one.get("PropertyName")).strip().lower(), text_or_none(one.get("PropertyValue"))
        if name in ("lat/lon", "gps position", "gpsposition") and (place := place_of(value)) is not None:
            notes["place of capture"] = f"{place[0]:.6f}, {place[1]:.6f}"
        elif name in ("capture time", "datetimeoriginal") and (moment := moment_of(value)) is not None and value:
            notes["time of capture"] = f"{value} (zone {moment.zone})"
    return notes


def _repositories(media: dict[str, Any]) -> str | None:
    names = [one.get("RepositoryName") for one in media.get("Repositories") or () if isinstance(one, dict)]
    return ", ".join(str(name) for name in names if name) or None


def _loads(detail: bytes) -> dict[str, Any]:
    """Return a media object; what stands behind it in a source kept as it was is passed over."""
    try:
        found, _ = _JSON.raw_decode(detail.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _named(media: dict[str, Any]) -> dict[str, Any]:
    """Return a media object under the names of the model, where an exporter spelt them with other capitals."""
    if "MD5" in media or "SHA1" in media:
        return media
    return {_SPELT.get(key.lower(), key): value for key, value in media.items()}


def _lenient(one: bytes) -> Any:
    """Return what can be read of an entry whose fields are of other types or spelt with other capitals."""
    media = _named(_loads(one))
    category = media.get("Category")
    if isinstance(category, float) and category.is_integer():
        category = int(category)
    others = media.get("AlternativeHashes")
    return _MediaWithPhotoDna(
        MD5=_text(media.get("MD5")),
        SHA1=_text(media.get("SHA1")),
        Category=None if isinstance(category, bool) or not isinstance(category, int | str) else category,
        AlternativeHashes=[
            _Other(HashName=_text(other.get("HashName")), HashValue=_text(other.get("HashValue")))
            for other in (others if isinstance(others, list) else ())
            if isinstance(other, dict)
        ],
        Miniature=_text(media.get("Miniature")),
        PhotoDNA=_text(media.get("PhotoDNA")),
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


class _Decoder:
    """Turns items into batches; every shape is told that could not be read."""

    def __init__(self, *, photodna: bool, verbatim: bool) -> None:
        self._photodna = photodna
        self._verbatim = verbatim
        self._kind: type[_Media] | type[_MediaWithPhotoDna] = _MediaWithPhotoDna if photodna else _Media
        self._many = msgspec.json.Decoder(list[self._kind])  # type: ignore[name-defined]
        self._one = msgspec.json.Decoder(self._kind)
        self.keys_left_out: set[str] = set()

    def batch(self, items: Items, remarks: tuple[str, ...]) -> Batch:
        skipped: Counter[str] = Counter()
        tallies: Counter[str] = Counter()
        raw = items.raw
        try:
            media = self._many.decode(items.text)
        except (msgspec.DecodeError, UnicodeDecodeError):
            media = [self._read(bytes(one), tallies) for one in items.raw]
        texts = [one.MD5 for one in media]
        for index in [] if None not in texts else [at for at, one in enumerate(media) if one.MD5 is one.SHA1 is None]:
            media[index] = _lenient(bytes(raw[index]))
            texts[index] = media[index].MD5
        sizes = list(map(len, raw))
        if max(sizes, default=0) > LONGEST_ENTRY or any([one.Miniature for one in media]):  # noqa: C419 - a list is quicker
            raw = [self._without_pictures(one) for one in raw]
            sizes = list(map(len, raw))
            if self._verbatim and self.keys_left_out:
                raise NotVerbatimError("picture bytes are not kept")
        categories = Counter([one.Category for one in media])
        return Batch(
            entries=len(media),
            columns=self._columns(media, texts, skipped),
            details=b"" if self._verbatim else b"".join(raw),
            detail_sizes=() if self._verbatim else sizes,
            detail_places=items.starts if self._verbatim else None,
            skipped=skipped,
            tallies=tallies
            | {f"category {said}": count for said, count in categories.items() if said not in (None, "")},
            remarks=remarks,
            position=items.position,
        )

    def _without_pictures(self, one: bytes) -> bytes:
        media = _loads(bytes(one))
        taken = [
            key
            for key, value in media.items()
            if isinstance(value, str) and (key == "Miniature" or len(value) > _LONGEST_TEXT)
        ]
        if not taken:
            return one
        for key in taken:
            del media[key]
            self.keys_left_out.add(f"the field {key} held what may be picture bytes; it was taken out, unseen")
        return json.dumps(media, ensure_ascii=False, separators=(",", ":")).encode()

    def _read(self, one: bytes, tallies: Counter[str]) -> Any:
        """Return an entry by itself, where a whole block cannot be read as it should be."""
        try:
            return self._one.decode(one.decode("utf-8", "replace").encode())
        except msgspec.DecodeError:
            tallies["entry with a field of another type"] += 1
            return _lenient(one)

    def _columns(self, media: Sequence[Any], md5: Sequence[str | None], skipped: Counter[str]) -> dict[str, Column]:
        columns = {}
        named = np.zeros(len(media), dtype=bool)
        for algorithm, texts in (("md5", md5), ("sha1", [one.SHA1 for one in media])):
            values, owners = decode_column(texts, WIDTHS[algorithm])
            named[owners] = True
            if len(values):
                columns[algorithm] = Column(values=values, owners=owners.astype(np.uint32))
            wrong = (
                len(texts) - len(values) - sum(not text or not text.strip() for text in texts)
                if len(values) < len(texts)
                else 0
            )
            if wrong:
                skipped[f"{algorithm} that is none"] += wrong
        for algorithm, rows in self._others(media).items():
            of = np.array([owner for owner, _ in rows], dtype=np.uint32)
            named[of] = True
            flat = np.frombuffer(b"".join(value for _, value in rows), dtype=np.uint8)
            columns[algorithm] = Column(values=flat.reshape(len(rows), -1), owners=of)
        without = int(len(media) - named.sum())
        if without:
            skipped["entry without a digest"] += without
        return columns

    def _others(self, media: Sequence[Any]) -> dict[str, list[tuple[int, bytes]]]:
        """Return the values of further algorithms, with their entries."""
        found: dict[str, list[tuple[int, bytes]]] = {}
        if not self._photodna and not any([one.AlternativeHashes for one in media]):  # noqa: C419 - a list is quicker
            return found
        for index, one in enumerate(media):
            for other in one.AlternativeHashes or ():
                name = (other.HashName or "").lower().replace("-", "")
                if name in ("sha256", "pdq"):
                    value = decode_value(other.HashValue, WIDTHS[name])
                elif name == "photodna" and self._photodna:
                    value = photodna_bytes(other.HashValue)
                else:
                    continue
                if value is not None:
                    found.setdefault(name, []).append((index, value))
            if self._photodna and (value := photodna_bytes(one.PhotoDNA)) is not None:
                found.setdefault("photodna", []).append((index, value))
        return found
