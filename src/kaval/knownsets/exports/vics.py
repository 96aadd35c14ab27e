"""VICS 2.0, a list of media (``#Media``): what laboratories and Griffeye read.

The country of the header is that of the set, ``CUSTOM`` where it has none. MD5 is the key of the format: an entry
without one is left out and counted. A category that is no whole number goes into the comments, never into the field.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from kaval.knownsets import SetInfo
from kaval.knownsets.exports import SET_EXPORTS, Written
from kaval.knownsets.statements import Statement

_HEADER = "http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/{}/$metadata#Media"
_FLAGS = {
    "victim identified": "VictimIdentified", "offender identified": "OffenderIdentified",
    "distributed": "IsDistributed", "suspected": "IsSuspected", "self-generated": "SelfGenerated",
}  # fmt: skip
_LARGEST_CATEGORY = 255


@SET_EXPORTS.register
class Vics:
    """Writes VICS 2.0."""

    name: ClassVar[str] = "vics"
    title: ClassVar[str] = "Project VIC (VICS 2.0), list of media"
    rank: ClassVar[int] = 10
    requires: ClassVar[tuple[str, ...]] = ()

    def write(self, info: SetInfo, entries: Iterator[Statement], target: Path) -> Written:
        """Write a media object for each entry with an MD5."""
        left_out: Counter[str] = Counter()
        count = 0
        country = info.country or "CUSTOM"
        with target.open("x", encoding="utf-8") as file:
            file.write('{"@odata.context": ' + json.dumps(_HEADER.format(country)) + ', "value": [')
            for entry in entries:
                if "md5" not in entry.values:
                    left_out["entry without an MD5, which is the key of VICS"] += 1
                    continue
                count += 1
                file.write((",\n" if count > 1 else "\n") + json.dumps(_media(count, entry, info), ensure_ascii=False))
            file.write("\n]}\n")
        return Written(entries=count, left_out=left_out)


def _media(number: int, entry: Statement, info: SetInfo) -> dict[str, Any]:
    md5 = entry.values["md5"].upper()
    category = entry.category
    whole = category is not None and category.isdecimal() and int(category) <= _LARGEST_CATEGORY
    comments = [text for text in (entry.notes.get("comments"), *_provenance(entry)) if text]
    if category is not None and not whole:
        comments.append(f"category as supplied: {category}")
    others = [
        {"MD5": md5, "HashName": title, "HashValue": entry.values[name].upper()}
        for name, title in (("sha256", "SHA256"), ("pdq", "PDQ"))
        if name in entry.values
    ]
    return {
        "MediaID": number,
        "Category": int(category) if whole and category is not None else None,
        "MD5": md5,
        "SHA1": entry.values["sha1"].upper() if "sha1" in entry.values else None,
        "Comments": "; ".join(comments) or None,
        "Tags": entry.notes.get("tags"),
        "Series": entry.notes.get("series"),
        "MediaSize": entry.size,
        "DateUpdated": entry.updated_at,
        "IsPrecategorized": category is not None,
        "PrecategorizationSource": (entry.source or info.owner or info.name) if category is not None else None,
        "MimeType": entry.notes.get("media type"),
        "PhotoDNA": entry.values.get("photodna"),
        "AlternativeHashes": others,
    } | {field: entry.flags.get(title) for title, field in _FLAGS.items()}


def _provenance(entry: Statement) -> Iterator[str]:
    for name, text in entry.notes.items():
        if name.startswith("provenance"):
            yield f"{name}: {text}"
