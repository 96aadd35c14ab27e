"""WhatsApp on Android: the owner's account in the application's preferences, by public descriptions (ALEAPP)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from kaval.artefacts import ARTEFACTS, Wanted
from kaval.artefacts.found import told
from kaval.artefacts.items import Item
from kaval.artefacts.preferences import read_preferences
from kaval.artefacts.records import Artefact, ArtefactKind
from kaval.artefacts.whatsapp import APPLICATION
from kaval.core.records import Notice


@ARTEFACTS.register
class WhatsAppAndroidAccount:
    """Reads the owner's number and name from the preferences."""

    name: ClassVar[str] = "whatsapp-android-account"
    title: ClassVar[str] = "WhatsApp (Android), the owner's account"
    rank: ClassVar[int] = 12
    requires: ClassVar[tuple[str, ...]] = ()
    wanted: ClassVar[Wanted] = Wanted(
        paths=(r"com\.whatsapp(\.w4b)?/shared_prefs/com\.whatsapp(\.w4b)?_preferences(_light)?\.xml$",)
    )

    def parse(self, item: Item) -> Iterator[Artefact | Notice]:
        values = read_preferences(item)
        number = values.get("ph") or values.get("registration_jid") or values.get("my_jid")
        name = values.get("push_name")
        if number or name:
            yield Artefact(
                kind=ArtefactKind.ACCOUNT,
                application=APPLICATION,
                place="ph, push_name",
                who=number,
                who_name=name,
                identifiers=(number,) if number else (),
                text=values.get("my_current_status"),
                details=told({"country code": values.get("cc"), "version": values.get("version")}),
            )
