"""WhatsApp on Android: the contacts in ``wa.db``, by public descriptions (ALEAPP)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from kaval.artefacts import ARTEFACTS, Wanted
from kaval.artefacts.found import found, text_of, told
from kaval.artefacts.items import Item
from kaval.artefacts.records import Artefact, ArtefactKind
from kaval.artefacts.times import unix_milliseconds
from kaval.artefacts.whatsapp import APPLICATION, contact_name
from kaval.core.records import Notice


@ARTEFACTS.register
class WhatsAppAndroidContacts:
    """Reads contacts, with the status text they showed."""

    name: ClassVar[str] = "whatsapp-android-contacts"
    title: ClassVar[str] = "WhatsApp (Android), contacts"
    rank: ClassVar[int] = 12
    requires: ClassVar[tuple[str, ...]] = ()
    wanted: ClassVar[Wanted] = Wanted(columns=(frozenset({"wa_contacts.jid", "wa_contacts.wa_name"}),))

    def parse(self, item: Item) -> Iterator[Artefact | Notice]:
        for row in item.tables.rows("wa_contacts"):
            jid, number = text_of(row.get("jid")), text_of(row.get("number"))
            yield Artefact(
                kind=ArtefactKind.CONTACT,
                application=APPLICATION,
                at=unix_milliseconds(row.get("status_timestamp")),
                meaning="status set",
                zone="utc",
                who=jid or number,
                who_name=contact_name(row),
                identifiers=tuple(filter(None, (jid, number))),
                title=text_of(row.get("wa_name")),
                text=text_of(row.get("status")),
                identity=text_of(row.get("_id")),
                details=told({"uses whatsapp": row.get("is_whatsapp_user"), "nickname": row.get("nickname")}),
                **found(row),
            )
