"""The address book of Android: ``contacts2.db``, by the ``ContactsContract`` class.

One record is a raw contact: a person as one account holds it. Values are in ``data``, told apart by their MIME type.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from kaval.artefacts import ARTEFACTS, Wanted
from kaval.artefacts.found import Tables, found, text_of, told
from kaval.artefacts.items import Item
from kaval.artefacts.records import Artefact, ArtefactKind
from kaval.artefacts.sqlite import Row
from kaval.artefacts.times import unix_milliseconds
from kaval.core.records import Notice

_PREFIX = "vnd.android.cursor.item/"
_IDENTIFIERS = ("phone_v2", "email_v2", "im", "sip_address")
_NAME, _NOTE, _ORGANISATION, _NICKNAME = "name", "note", "organization", "nickname"
_ADDRESS, _WEBSITE = "postal-address_v2", "website"


@ARTEFACTS.register
class AndroidContacts:
    """Reads raw contacts with all their numbers and addresses, and the accounts they belong to."""

    name: ClassVar[str] = "contacts-android"
    title: ClassVar[str] = "Contacts (Android)"
    rank: ClassVar[int] = 20
    requires: ClassVar[tuple[str, ...]] = ()
    wanted: ClassVar[Wanted] = Wanted(
        columns=(
            frozenset({"raw_contacts._id", "data.mimetype_id", "data.data1", "mimetypes.mimetype"}),
            frozenset({"contacts.name_raw_contact_id", "data.mimetype_id", "data.data1", "mimetypes.mimetype"}),
        )
    )

    def parse(self, item: Item) -> Iterator[Artefact | Notice]:
        tables = item.tables
        book = _Book(tables)
        for row in tables.rows("accounts"):
            yield Artefact(
                kind=ArtefactKind.ACCOUNT,
                application="contacts",
                who=text_of(row.get("account_name")),
                title=text_of(row.get("account_type")),
                **found(row),
            )
        for row in tables.rows("raw_contacts"):
            yield book.contact(row)
        for row in tables.rows("deleted_contacts"):
            yield Artefact(
                kind=ArtefactKind.DISCARDED,
                application="contacts",
                at=unix_milliseconds(row.get("contact_deleted_timestamp")),
                meaning="deleted",
                zone="utc",
                title="contact deleted",
                identity=text_of(row.get("contact_id")),
                **found(row),
            )


class _Book:
    """The values of contacts, by the contact they belong to."""

    def __init__(self, tables: Tables) -> None:
        self._kinds = {
            number: (text_of(row.get("mimetype")) or "").removeprefix(_PREFIX)
            for number, row in tables.by("mimetypes", "_id").items()
        }
        self._values = tables.grouped("data", "raw_contact_id")
        self._accounts = tables.by("accounts", "_id")
        self._contacts = tables.by("contacts", "_id")

    def _texts(self, number: Any, *kinds: str) -> list[str]:
        rows = self._values.get(number, [])
        texts = [text_of(row.get("data1")) for row in rows if self._kinds.get(row.get("mimetype_id")) in kinds]
        return list(dict.fromkeys(filter(None, texts)))

    def contact(self, row: Row) -> Artefact:
        number = row.get("_id")
        identifiers = self._texts(number, *_IDENTIFIERS)
        names = self._texts(number, _NAME)
        account = self._accounts.get(row.get("account_id"))
        contact = self._contacts.get(row.get("contact_id"))
        return Artefact(
            kind=ArtefactKind.CONTACT,
            application="contacts",
            at=unix_milliseconds(contact.get("contact_last_updated_timestamp")) if contact else None,
            meaning="changed",
            zone="utc",
            account=text_of(account.get("account_name")) if account else text_of(row.get("account_name")),
            who=next(iter(identifiers), None),
            who_name=text_of(row.get("display_name")) or next(iter(names), None),
            identifiers=tuple(identifiers),
            title=", ".join(self._texts(number, _ORGANISATION, _NICKNAME)) or None,
            text="\n".join(self._texts(number, _NOTE)) or None,
            url=next(iter(self._texts(number, _WEBSITE)), None),
            identity=text_of(number),
            details=told(
                {
                    "address": "; ".join(self._texts(number, _ADDRESS)),
                    "deleted": row.get("deleted") or None,
                    "times contacted": row.get("times_contacted"),
                    "starred": row.get("starred") or None,
                }
            ),
            **found(row),
        )
