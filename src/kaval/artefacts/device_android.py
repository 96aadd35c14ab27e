"""What Android says of the device itself: ``build.prop``, the settings stores, and the SIM cards it has seen."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from kaval.artefacts import ARTEFACTS, Wanted
from kaval.artefacts.items import Item
from kaval.artefacts.markup import parse_markup
from kaval.artefacts.records import Artefact, ArtefactKind
from kaval.core.records import Notice

_MOST_BYTES = 16 << 20
_PROPERTIES = {
    "ro.build.version.release": "system version",
    "ro.system.build.version.release": "system version",
    "ro.build.version.sdk": "system version (API)",
    "ro.build.version.security_patch": "security patch",
    "ro.build.fingerprint": "system build",
    "ro.build.display.id": "system build",
    "ro.product.model": "model",
    "ro.product.system.model": "model",
    "ro.product.manufacturer": "maker",
    "ro.product.system.manufacturer": "maker",
    "ro.serialno": "serial number",
    "ro.boot.serialno": "serial number",
    "persist.sys.timezone": "time zone",
}
_SETTINGS = {
    "android_id": "device identifier (Android ID)",
    "bluetooth_name": "Bluetooth name",
    "bluetooth_address": "Bluetooth address",
    "device_name": "device name",
    "auto_time": "clock set by the network",
    "auto_time_zone": "time zone set by the network",
    "time_12_24": "clock shown with hours",
    "wifi_ap_ssid": "name of its own access point",
}
_LINE = re.compile(r"^([\w.]+)=(.*)$", re.MULTILINE)


@ARTEFACTS.register
class AndroidDevice:
    """Reads system version, model, serial number, identifiers and how the clock is set."""

    name: ClassVar[str] = "device-android"
    title: ClassVar[str] = "The device itself (Android)"
    rank: ClassVar[int] = 60
    requires: ClassVar[tuple[str, ...]] = ()
    wanted: ClassVar[Wanted] = Wanted(
        paths=(
            r"(^|/)build\.prop$",
            r"(^|/)property/persist\.sys\.timezone$",
            r"(^|/)settings_(secure|global|system)\.xml$",
        )
    )

    def parse(self, item: Item) -> Iterator[Artefact | Notice]:
        content = item.content(_MOST_BYTES)
        name = item.name.lower()
        if name.endswith(".xml"):
            yield from _settings(content)
        elif name == "persist.sys.timezone":
            yield _identifier("byte 0", "time zone", content.decode("utf-8", "replace").strip())
        else:
            text = content.decode("utf-8", "replace")
            for match in _LINE.finditer(text):
                title = _PROPERTIES.get(match.group(1))
                if title and match.group(2).strip():
                    place = f"byte {len(text[: match.start()].encode())}"
                    yield _identifier(place, title, match.group(2).strip())


def _settings(content: bytes) -> Iterator[Artefact]:
    root = parse_markup(content, "settings")
    for number, element in enumerate(root.walk()):
        title = _SETTINGS.get(element.attributes.get("name", ""))
        value = element.attributes.get("value")
        if title and value:
            yield _identifier(f"element {number}", title, value)


def _identifier(place: str, title: str, text: str) -> Artefact:
    return Artefact(kind=ArtefactKind.IDENTIFIER, application="android", place=place, title=title, text=text)
