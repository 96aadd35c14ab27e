"""Judgements: what persons of this unit say of a hit against an entry of a set.

They belong to a set and a value, not to a version: a wrong entry that comes again with the next version is known to
be disputed. Nothing is ever changed: who withdraws says so in a line of its own. One file a set, a JSON object a line.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from kaval.core.errors import CorruptStructureError, UsageError
from kaval.core.locators import encode_part
from kaval.folder.durable import flush_directory
from kaval.knownsets import Judgement, Verdict
from kaval.knownsets.algorithms import WIDTHS
from kaval.knownsets.hexadecimal import decode_value

NCMEC_NAMESPACE = "https://hashsharing.ncmec.org/hashsharing/v2"


class Judgements:
    """The judgements of one set in a store."""

    def __init__(self, store: Path, name: str) -> None:
        self._path = store / "judgements" / f"{encode_part(name)}.jsonl"

    def add(
        self,
        verdict: Verdict,
        *,
        algorithm: str,
        value: str,
        by: str,
        reason: str,
        reason_id: str | None = None,
        set_version: str | None = None,
    ) -> Judgement:
        """Write a judgement down; it is on the disk when this returns.

        Raises:
            UsageError: The value is none of the algorithm, or person or reason are missing.
        """
        decoded = decode_value(value, WIDTHS[algorithm]) if algorithm in WIDTHS else None
        if decoded is None:
            raise UsageError(f"{value!r} is no {algorithm} in hexadecimal")
        if not by.strip() or not reason.strip():
            raise UsageError("a judgement names the person who makes it, and why")
        judgement = Judgement(
            verdict=verdict,
            algorithm=algorithm,
            value=decoded.hex(),
            by=by.strip(),
            at=datetime.now(UTC).isoformat(timespec="seconds"),
            reason=reason.strip(),
            reason_id=reason_id,
            set_version=set_version,
        )
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            file.truncate(file.read().rfind(b"\n") + 1)
            file.write(json.dumps(asdict(judgement), ensure_ascii=True, sort_keys=True).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        flush_directory(self._path.parent)
        return judgement

    def __iter__(self) -> Iterator[Judgement]:
        """Yield all judgements, withdrawn ones and withdrawals included, in the order in which they were made."""
        try:
            lines = self._path.read_bytes().splitlines(keepends=True)
        except FileNotFoundError:
            return
        for number, line in enumerate(lines, 1):
            if not line.endswith(b"\n"):
                return
            try:
                said = json.loads(line)
                yield Judgement(**{**said, "verdict": Verdict(said["verdict"])})
            except (ValueError, TypeError, KeyError) as error:
                raise CorruptStructureError(f"judgements {self._path}", f"line {number} cannot be read") from error

    def standing(self) -> dict[tuple[str, str], tuple[Judgement, ...]]:
        """Return by (algorithm, value) what has not been withdrawn by the person who said it."""
        found: dict[tuple[str, str], list[Judgement]] = {}
        for judgement in self:
            said = found.setdefault((judgement.algorithm, judgement.value), [])
            if judgement.verdict is Verdict.WITHDRAW:
                said[:] = [one for one in said if one.by != judgement.by]
            else:
                said.append(judgement)
        return {key: tuple(said) for key, said in found.items() if said}


def feedback_submission(judgement: Judgement) -> bytes:
    """Return a judgement as NCMEC takes it: ``PUT entries/{member}/{id}/{type}/feedback``.

    Raises:
        UsageError: It is a dispute without the identifier of a reason, which NCMEC demands.
    """
    root = Element("feedbackSubmission", xmlns=NCMEC_NAMESPACE)
    if judgement.verdict is Verdict.CONFIRM:
        SubElement(root, "affirmative")
    elif judgement.verdict is Verdict.DISPUTE:
        if not judgement.reason_id:
            raise UsageError(
                f"the dispute of {judgement.algorithm} {judgement.value} names no reason of NCMEC's list; "
                "dispute it again with --reason-id"
            )
        reasons = SubElement(SubElement(root, "negative"), "reasonIds")
        SubElement(reasons, "guid").text = judgement.reason_id
    else:
        raise UsageError("a withdrawal is no feedback")
    indent(root, "    ")
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root) + b"\n"


def feedback_type(algorithm: str) -> str:
    """Return what NCMEC calls an algorithm in the address of a feedback."""
    return {"photodna": "PDNA"}.get(algorithm, algorithm.upper())
