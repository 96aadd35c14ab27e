"""Feedback: this unit's judgements in the form NCMEC takes them, one file for each, for a person to send."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from kaval.core.errors import UsageError
from kaval.folder.durable import place, place_json
from kaval.knownsets import Judgement
from kaval.knownsets.compiled import CompiledSet
from kaval.knownsets.judgements import Judgements, feedback_submission, feedback_type


def write_feedback(known: CompiledSet, judgements: Judgements, folder: Path) -> int:
    """Write the standing judgements of a set into a new folder; return how many there are.

    ``submissions.json`` names for each file the address it is to be put to; nothing is sent from here.

    Raises:
        UsageError: The folder is there already, or a dispute names no reason of the owner's list.
    """
    if folder.exists():
        raise UsageError(f"{folder} is there already")
    standing = [said for several in judgements.standing().values() for said in several]
    written = [
        (address, feedback_submission(judgement), judgement)
        for judgement in standing
        for address in addresses(known, judgement)
    ]
    folder.mkdir(parents=True)
    listed = []
    for number, (address, content, judgement) in enumerate(written, 1):
        name = f"feedback-{number:04}.xml"
        place(content, folder / name)
        listed.append({"file": name, "put": address, "verdict": judgement.verdict, "by": judgement.by,
                       "at": judgement.at, "reason": judgement.reason, "value": judgement.value})  # fmt: skip
    place_json(json.loads(json.dumps({"set": known.info.name, "submissions": listed})), folder / "submissions.json")
    return len(written)


def addresses(known: CompiledSet, judgement: Judgement) -> Iterator[str]:
    """Yield where a judgement belongs: ``entries/{member}/{id}/{type}/feedback`` for each entry with its value."""
    table = known.tables.get(judgement.algorithm)
    row = table.find(bytes.fromhex(judgement.value)) if table is not None else -1
    for statement in known.statements(judgement.algorithm, row) if row >= 0 else ():
        if statement.identity and statement.identity.count("/") == 1:
            yield f"entries/{statement.identity}/{feedback_type(judgement.algorithm)}/feedback"
