"""NCMEC hash sharing API v2: pages of entries as XML, with deletions, corrections and what members say of them.

Namespace ``https://hashsharing.ncmec.org/hashsharing/v2``. The key of an entry is (member, id); of several with one
key the latest time stamp counts, and a deletion is an entry like another. Pages are not in order of time, so all of
them are read before anything is kept, and a last page that names a next one is remarked: the list is incomplete.
A value that is no value of its kind (cut short, another length) is counted, kept with the entry, and not matched.
"""

from __future__ import annotations

import json
import re
import sqlite3
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar

from kaval.core.errors import CorruptStructureError
from kaval.knownsets.algorithms import WIDTHS
from kaval.knownsets.batches import Batch, Gathering
from kaval.knownsets.formats import SET_FORMATS, Reading, Sample
from kaval.knownsets.hexadecimal import decode_value
from kaval.knownsets.photodna import photodna_bytes
from kaval.knownsets.sources import open_source
from kaval.knownsets.statements import Feedback, Statement

NAMESPACE = "{https://hashsharing.ncmec.org/hashsharing/v2}"
_KINDS = {"image": False, "video": False, "deletedImage": True, "deletedVideo": True}
_ENTRIES_A_BATCH = 1 << 14
_DECLARATION = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_ROOT = re.compile(rb"<(?:[\w.-]+:)?queryResult[\s>]")
_OTHER_ROOTS = re.compile(rb"<(?:[\w.-]+:)?(?:status|feedbackSubmission|availableFeedbackReasons|\w+Result)[\s>]")


@SET_FORMATS.register
class Ncmec:
    """Pages of ``queryResult``."""

    name: ClassVar[str] = "ncmec"
    title: ClassVar[str] = "NCMEC hash sharing API v2, pages of entries (XML)"
    rank: ClassVar[int] = 35
    requires: ClassVar[tuple[str, ...]] = ()
    says: ClassVar[bool] = True
    joint: ClassVar[bool] = True
    verbatim: ClassVar[bool] = False

    def probe(self, sample: Sample) -> bool:
        """Say yes where the root is a query result of the namespace."""
        head = sample.head.lstrip()
        return head.startswith(b"<") and _ROOT.search(head) is not None and NAMESPACE[1:-1].encode() in head

    def read(self, reading: Reading) -> Iterator[Batch]:
        """Yield the entries that stand after all pages were read, in order of key."""
        place = ":memory:" if reading.scratch is None else str(reading.scratch / "ncmec-entries.db")
        Path(place).unlink(missing_ok=True)
        try:
            with closing(sqlite3.connect(place)) as connection:
                connection.executescript(
                    "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
                    "CREATE TABLE entries(member TEXT, id TEXT, at TEXT, deleted INT, said TEXT,"
                    " PRIMARY KEY (member, id)) WITHOUT ROWID"
                )
                remarks = _take_pages(connection, (reading.path, *reading.further))
                yield from _standing(connection, remarks, photodna=reading.photodna)
        finally:
            Path(place).unlink(missing_ok=True)

    def statement(self, detail: bytes) -> Statement:
        """Return what one entry says, with the feedback of members."""
        said: dict[str, Any] = json.loads(detail)
        return Statement(
            category=said.get("classification"),
            identity=f"{said['member id']}/{said['id']}",
            source=said.get("member"),
            values=said["fingerprints"],
            updated_at=said.get("timestamp"),
            notes={"kind": said["kind"]},
            feedback=tuple(Feedback(**one) for one in said["feedback"]),
        )


def answers_otherwise(path: Path) -> bool:
    """Whether a file is an answer or a form of the same service that holds no entries: status, reasons, feedback."""
    with open_source(path) as file:
        head = file.read(1 << 12)
    if NAMESPACE[1:-1].encode() not in head or _ROOT.search(head):
        return False
    return _OTHER_ROOTS.search(head) is not None


def _take_pages(connection: sqlite3.Connection, paths: tuple[Path, ...]) -> tuple[str, ...]:
    """Keep the latest of each key; return remarks."""
    following = []
    named = set()
    latest = ""
    for path in paths:
        for entry in _entries(path):
            if isinstance(entry, str):
                following.append(entry)
                continue
            if isinstance(entry, tuple):
                latest = max(latest, entry[1])
                named.add(entry[0])
                continue
            connection.execute(
                "INSERT INTO entries VALUES (?, ?, ?, ?, ?) ON CONFLICT (member, id) DO UPDATE SET"
                " at = excluded.at, deleted = excluded.deleted, said = excluded.said WHERE excluded.at >= at",
                [entry["member id"], entry["id"], entry["timestamp"], entry["deleted"], json.dumps(entry)],
            )
    remarks = [f"{len(paths)} pages read"]
    if latest:
        remarks.append(f"latest time stamp named: {latest}")
    if len(following) >= len(paths):
        remarks.append("every page names a next one: the list is not complete")
    return tuple(remarks)


def _standing(connection: sqlite3.Connection, remarks: tuple[str, ...], *, photodna: bool) -> Iterator[Batch]:
    deleted = connection.execute("SELECT count(*) FROM entries WHERE deleted").fetchone()[0]
    cursor = connection.execute("SELECT said FROM entries WHERE NOT deleted ORDER BY member, id")
    first = True
    while (rows := cursor.fetchmany(_ENTRIES_A_BATCH)) or first:
        found = Gathering()
        if first:
            found.skip("entry that its member deleted", deleted)
        for (text,) in rows:
            said = json.loads(text)
            values = list(_values(said["fingerprints"], found, photodna=photodna))
            if not values:
                found.skip("entry without a digest")
            if said.get("classification"):
                found.tally(f"category {said['classification']}")
            if any(not one["affirmative"] for one in said["feedback"]):
                found.tally("entries that a member disputes")
            del said["deleted"]
            found.add(values, json.dumps(said, ensure_ascii=True).encode())
        yield found.batch(0, remarks if first else ())
        first = False


def _values(fingerprints: dict[str, str], found: Gathering, *, photodna: bool) -> Iterator[tuple[str, bytes]]:
    for name, text in fingerprints.items():
        if name == "photodna":
            value = photodna_bytes(text) if photodna else None
        elif name in WIDTHS:
            value = decode_value(text, WIDTHS[name])
            if value is None:
                found.skip(f"{name} that is none")
        else:
            continue
        if value is not None:
            yield name, value


def _entries(path: Path) -> Iterator[dict[str, Any] | tuple[str, str] | str]:
    """Yield entries, (group, latest time stamp named), and the link to the next page, as they come."""
    structure = f"NCMEC page {path.name}"
    with open_source(path) as file:
        head = file.read(1 << 16)
        if _DECLARATION.search(head):
            raise CorruptStructureError(structure, "it declares entities, which no page does")
    with open_source(path, transcoded=False) as file:
        try:
            for _, element in ElementTree.iterparse(file, events=("end",)):  # noqa: S314 - declarations are refused
                tag = element.tag.removeprefix(NAMESPACE)
                if tag in _KINDS:
                    yield _entry(element, tag, structure)
                    element.clear()
                elif tag in ("images", "videos"):
                    yield tag, element.get("maxTimestamp") or ""
                    element.clear()
                elif tag == "next" and element.text:
                    yield element.text
        except ElementTree.ParseError as error:
            line, column = error.position
            reason = f"{error} (line {line}, column {column}): it was cut off or is no XML"
            raise CorruptStructureError(structure, reason) from error
        except (LookupError, ValueError) as error:
            raise CorruptStructureError(structure, f"its encoding cannot be read ({error})") from error


def _entry(element: ElementTree.Element, tag: str, structure: str) -> dict[str, Any]:
    member = element.find(f"{NAMESPACE}member")
    identity = element.findtext(f"{NAMESPACE}id")
    if member is None or not member.get("id") or not identity:
        raise CorruptStructureError(structure, "an entry has no member or no id")
    fingerprints = {}
    told = element.find(f"{NAMESPACE}fingerprints")
    for one in () if told is None else told:
        name = one.tag.removeprefix(NAMESPACE).lower()
        text = (one.text or one.get("href") or "").strip()
        if text:
            fingerprints["photodna" if name == "pdna" else name] = text
    return {
        "kind": tag.removeprefix("deleted").lower(),
        "deleted": _KINDS[tag],
        "member id": member.get("id"),
        "member": member.text,
        "id": identity,
        "timestamp": element.findtext(f"{NAMESPACE}timestamp") or "",
        "classification": element.findtext(f"{NAMESPACE}classification"),
        "fingerprints": fingerprints,
        "feedback": list(_feedback(element)),
    }


def _feedback(element: ElementTree.Element) -> Iterator[dict[str, Any]]:
    for said in element.iter():
        tag = said.tag.removeprefix(NAMESPACE)
        if tag not in ("affirmativeFeedback", "negativeFeedback"):
            continue
        algorithm = (said.get("type") or "").lower().replace("pdna", "photodna")
        affirmative = tag == "affirmativeFeedback"
        groups = [said] if affirmative else said.findall(f"{NAMESPACE}reasons")
        for group in groups:
            reason = group.find(f"{NAMESPACE}reason")
            for members in group.findall(f"{NAMESPACE}members"):
                for member in members.findall(f"{NAMESPACE}member"):
                    yield {
                        "member": member.text or member.get("id") or "",
                        "algorithm": algorithm,
                        "affirmative": affirmative,
                        "reason": None if reason is None else reason.get("name"),
                        "reason_id": None if reason is None else reason.get("guid"),
                        "at": members.get("timestamp"),
                    }
