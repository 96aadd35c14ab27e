"""WhatsApp on iOS: the contacts in ``ContactsV2.sqlite``, by public descriptions (iLEAPP)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from kaval.artefacts import ARTEFACTS, Wanted
from kaval.artefacts.found import found, text_of
from kaval.artefacts.items import Item
from kaval.artefacts.records import Artefact, ArtefactKind
from kaval.artefacts.times import cocoa_seconds
from kaval.artefacts.whatsapp import APPLICATION
from kaval.core.records import Notice


@ARTEFACTS.register
class WhatsAppIosContacts:
    """Reads the contacts of ``ContactsV2.sqlite``."""

    name: ClassVar[str] = "whatsapp-ios-contacts"
    title: ClassVar[str] = "WhatsApp (iOS), contacts"
    rank: ClassVar[int] = 12
    requires: ClassVar[tuple[str, ...]] = ()
    wanted: ClassVar[Wanted] = Wanted(
        columns=(frozenset({"zwaaddressbookcontact.zwhatsappid", "zwaaddressbookcontact.zfullname"}),)
    )

    def parse(self, item: Item) -> Iterator[Artefact | Notice]:
        for row in item.tables.rows("zwaaddressbookcontact"):
            jid, number = text_of(row.get("ZWHATSAPPID")), text_of(row.get("ZPHONENUMBER"))
            yield Artefact(
                kind=ArtefactKind.CONTACT,
                application=APPLICATION,
                at=cocoa_seconds(row.get("ZABOUTTIMESTAMP")),
                meaning="status set",
                zone="utc",
                who=jid or number,
                who_name=text_of(row.get("ZFULLNAME")),
                identifiers=tuple(filter(None, (jid, number))),
                title=text_of(row.get("ZPHONENUMBERLABEL")),
                text=text_of(row.get("ZABOUTTEXT")),
                identity=text_of(row.get("ZIDENTIFIER")) or text_of(row.get("Z_PK")),
                **found(row),
            )
