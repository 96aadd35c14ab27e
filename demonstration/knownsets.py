"""Known sets of the demonstration: a list of MD5, a Project VIC document with PDQ hashes, a list of the harmless."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from demonstration.corpus import originals
from demonstration.pictures import Recipe, encode, paint
from demonstration.truth import FileTruth
from kaval.media.pdq import pdq_of_rgb

EXACT, APPEARANCE, HARMLESS = "alert-exact.md5", "alert-vics.json", "known-good.sha1"
ROLES: Mapping[str, str] = {EXACT: "alert", APPEARANCE: "alert", HARMLESS: "known-good"}
_STRANGERS = 400
_CONTEXT = "http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/CUSTOM/$metadata#Media"


def write_known_sets(folder: Path, files: Sequence[FileTruth], md5_of_members: Sequence[str]) -> None:
    """Write the three sets; each also names many files that lie nowhere on the disk."""
    exact = [row.md5 for row in files if row.known == "exact"] + list(md5_of_members)
    strangers = [hashlib.md5(f"stranger {number}".encode()).hexdigest() for number in range(_STRANGERS)]
    lines = [f"{digest}  item-{number:05}" for number, digest in enumerate(sorted(exact + strangers))]
    (folder / EXACT).write_text("\n".join(lines) + "\n", encoding="ascii")
    good = [row.sha1 for row in files if row.known == "known-good"]
    good += [hashlib.sha1(f"harmless {number}".encode()).hexdigest() for number in range(_STRANGERS)]
    (folder / HARMLESS).write_text("\n".join(sorted(good)) + "\n", encoding="ascii")
    document = {"@odata.context": _CONTEXT, "value": _media()}
    (folder / APPEARANCE).write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def _media() -> list[dict[str, Any]]:
    rows = [_medium(number, encode(recipe), _pdq(recipe)) for number, recipe in enumerate(originals(), 1)]
    chance = np.random.default_rng(71)
    for number in range(len(rows) + 1, len(rows) + 1 + _STRANGERS):
        rows.append(_medium(number, f"strange medium {number}".encode(), chance.bytes(32)))
    return rows


def _medium(number: int, content: bytes, pdq: bytes) -> dict[str, Any]:
    md5 = hashlib.md5(content).hexdigest().upper()
    return {
        "MediaID": number,
        "Category": 2,
        "MD5": md5,
        "SHA1": hashlib.sha1(content).hexdigest().upper(),
        "MediaSize": len(content),
        "IsPrecategorized": True,
        "AlternativeHashes": [{"MD5": md5, "HashName": "PDQ", "HashValue": pdq.hex()}],
    }


def _pdq(recipe: Recipe) -> bytes:
    return pdq_of_rgb(np.asarray(paint(recipe))).hashes[0]
