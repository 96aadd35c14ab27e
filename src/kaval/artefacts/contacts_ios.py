"""The address book of iOS: ``AddressBook.sqlitedb``, by public descriptions (iLEAPP). Times are seconds since 2001.

Values with several parts are in ``ABMultiValue``, told apart by ``property``: 3 numbers, 4 e-mail, 5 addresses, 13
instant messages, 22 web pages, 23 relations, 46 profiles.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from kaval.artefacts import ARTEFACTS, Wanted
from kaval.artefacts.found import Tables, found, text_of, told
from kaval.artefacts.items import Item
from kaval.artefacts.records import Artefact, ArtefactKind, Moment
from kaval.artefacts.sqlite import Row
from kaval.artefacts.times import cocoa_seconds
from kaval.core.records import Notice

_PHONE, _EMAIL, _ADDRESS, _INSTANT, _WEB, _RELATED, _PROFILE = 3, 4, 5, 13, 22, 23, 46


@ARTEFACTS.register
class IosContacts:
    """Reads persons with every number and address, each with its label."""

    name: ClassVar[str] = "contacts-ios"
    title: ClassVar[str] = "Contacts (iOS)"
    rank: ClassVar[int] = 20
    requires: ClassVar[tuple[str, ...]] = ()
    wanted: ClassVar[Wanted] = Wanted(
        columns=(frozenset({"abperson.first", "abperson.last", "abmultivalue.record_id", "abmultivalue.property"}),)
    )

    def parse(self, item: Item) -> Iterator[Artefact | Notice]:
        book = _Book(item.tables)
        for row in item.tables.rows("abperson"):
            yield book.person(row)


class _Book:
    """The values of persons, by the person they belong to."""

    def __init__(self, tables: Tables) -> None:
        self._values = tables.grouped("abmultivalue", "record_id")
        self._parts = tables.grouped("abmultivalueentry", "parent_id")
        labels = tables.by("abmultivaluelabel", "ROWID")
        keys = tables.by("abmultivalueentrykey", "ROWID")
        self._labels = {number: _label(row.get("value")) for number, row in labels.items()}
        self._keys = {number: text_of(row.get("value")) for number, row in keys.items()}
        self._stores = tables.by("abstore", "ROWID")
        self._groups = tables.by("abgroup", "ROWID")
        self._memberships = tables.grouped("abgroupmembers", "member_id")

    def _of(self, person: Any, kind: int) -> list[Row]:
        return [row for row in self._values.get(person, []) if row.get("property") == kind]

    def _plain(self, person: Any, *kinds: int) -> list[str]:
        texts = [text_of(row.get("value")) for kind in kinds for row in self._of(person, kind)]
        return list(dict.fromkeys(filter(None, texts)))

    def _labelled(self, person: Any, kind: int) -> str | None:
        told_values = []
        for row in self._of(person, kind):
            value = text_of(row.get("value")) or self._joined(row)
            label = self._labels.get(row.get("label"))
            if value:
                told_values.append(f"{label}: {value}" if label else value)
        return "; ".join(told_values) or None

    def _joined(self, row: Row) -> str | None:
        """Return the parts of a value that is stored in parts: street, city, or service and user name."""
        parts = self._parts.get(row.get("UID"), [])
        named = [(self._keys.get(part.get("key")), text_of(part.get("value"))) for part in parts]
        return ", ".join(f"{key} {value}" if key else value for key, value in named if value) or None

    def person(self, row: Row) -> Artefact:
        number = row.get("ROWID")
        identifiers = self._plain(number, _PHONE, _EMAIL)
        store = self._stores.get(row.get("StoreID"))
        changed = cocoa_seconds(row.get("ModificationDate"))
        groups = [self._groups.get(member.get("group_id")) for member in self._memberships.get(number, [])]
        return Artefact(
            kind=ArtefactKind.CONTACT,
            application="contacts",
            at=cocoa_seconds(row.get("CreationDate")),
            meaning="created",
            zone="utc",
            moments=(Moment(at=changed, meaning="changed"),) if changed is not None else (),
            account=text_of(store.get("Name")) if store else None,
            who=next(iter(identifiers), None),
            who_name=_name(row),
            identifiers=tuple(identifiers),
            title=text_of(row.get("Organization")),
            text=text_of(row.get("Note")),
            url=next(iter(self._plain(number, _WEB)), None),
            identity=text_of(number),
            details=told(
                {
                    "numbers": self._labelled(number, _PHONE),
                    "e-mail": self._labelled(number, _EMAIL),
                    "addresses": self._labelled(number, _ADDRESS),
                    "instant messages": self._labelled(number, _INSTANT),
                    "related": self._labelled(number, _RELATED),
                    "profiles": self._labelled(number, _PROFILE),
                    "groups": ", ".join(filter(None, (text_of(group.get("Name")) for group in groups if group))),
                    "nickname": row.get("Nickname"),
                    "department": row.get("Department"),
                    "job": row.get("JobTitle"),
                    "birthday": row.get("Birthday"),
                }
            ),
            **found(row),
        )


def _name(row: Row) -> str | None:
    parts = [text_of(row.get(column)) for column in ("Prefix", "First", "Middle", "Last", "Suffix")]
    return " ".join(filter(None, parts)) or text_of(row.get("DisplayName")) or text_of(row.get("Organization"))


def _label(value: Any) -> str | None:
    label = text_of(value)
    return label.removeprefix("_$!<").removesuffix(">!$_") if label else None
