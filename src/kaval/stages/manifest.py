"""The manifest: what was done, written last, naming every file of facts with its SHA-256."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from kaval.folder.segments import Segment, UnitRecord
from kaval.folder.tables import TABLES


def manifest_of(
    head: Mapping[str, Any], sessions: Sequence[Mapping[str, str | None]], done: Mapping[str, UnitRecord]
) -> dict[str, Any]:
    """Return the manifest of a finished examination."""
    records = [done[unit] for unit in sorted(done)]
    segments = sorted(
        (segment for record in records for segment in record.segments),
        key=lambda segment: (TABLES.index(segment.table), segment.name),
    )
    packs = sorted((pack for record in records for pack in record.packs), key=lambda pack: pack.name)
    confinement = {measure for record in records for measure in record.facts.get("confinement", ())}
    return {
        **head,
        "sessions": list(sessions),
        "source": {**head["source"], **source_facts(head, done)},
        "confinement": sorted(confinement),
        "counts": _counts(records, segments),
        "segments": [asdict(segment) for segment in segments],
        "packs": [asdict(pack) for pack in packs],
        "facts_digest": facts_digest(segments),
    }


def facts_digest(segments: Sequence[Segment]) -> str:
    """Return the SHA-256 over names and digests of the segments of facts, the sealed index left out.

    Equal facts in equal order give an equal digest; the key of the sealed store does not enter.
    """
    lines = [f"{segment.sha256}  {segment.name}\n" for segment in segments if segment.table != "sealed"]
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def source_facts(head: Mapping[str, Any], done: Mapping[str, UnitRecord]) -> dict[str, Any]:
    """Return how the source was opened and how its digests compare with those stored in it or given."""
    opened = done["open-0000"].facts if "open-0000" in done else {}
    container = opened.get("container") or {}
    whole = done["whole-0000"].facts if "whole-0000" in done else {}
    given = dict(head["plan"]["given_digests"])
    stored = dict(container.get("stored_digests", {}))
    computed = dict(whole.get("computed", {}))
    return {
        "container": container.get("layer"),
        "title": container.get("title"),
        "facts": container.get("facts", {}),
        "parts": dict(opened.get("beside", {})),
        "digested_at": whole.get("locator"),
        "decoded_size": whole.get("size"),
        "stored_digests": stored,
        "given_digests": given,
        "computed_digests": computed,
        "file_digests": dict(whole.get("file_computed", {})),
        "verification": verification(stored, given, computed, dict(whole.get("file_computed", {}))),
    }


def verification(
    stored: Mapping[str, str], given: Mapping[str, str], computed: Mapping[str, str], of_file: Mapping[str, str]
) -> str:
    """Return ``matches``, ``differs``, ``nothing-to-compare`` or ``not-computed``.

    A given digest may be that of the decoded content or of the image file itself; a stored one is of the content.
    """
    if not computed:
        return "not-computed"
    verdicts = [computed[name] == value.lower() for name, value in stored.items() if name in computed]
    verdicts += [value in (computed.get(name), of_file.get(name)) for name, value in given.items()]
    if not verdicts:
        return "nothing-to-compare"
    return "matches" if all(verdicts) else "differs"


def _counts(records: Sequence[UnitRecord], segments: Sequence[Segment]) -> dict[str, int]:
    counts = {table: sum(segment.rows for segment in segments if segment.table == table) for table in TABLES}
    for name in ("files", "read_size", "pictures", "skipped_known_good"):
        counts[name] = sum(int(record.counts.get(name, 0)) for record in records)
    for record in records:
        for name, number in record.counts.items():
            if name.startswith("notice "):
                counts[name] = counts.get(name, 0) + number
    return counts
