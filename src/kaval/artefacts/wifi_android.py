"""Wi-Fi networks Android remembers: ``WifiConfigStore.xml`` (Android 8 on) and ``wpa_supplicant.conf`` before.

Keys of networks are never taken over: they are not needed to say which network a device knew.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import ClassVar

from kaval.artefacts import ARTEFACTS, Wanted
from kaval.artefacts.found import told
from kaval.artefacts.items import Item
from kaval.artefacts.markup import parse_markup
from kaval.artefacts.preferences import preferences_of
from kaval.artefacts.records import Artefact, ArtefactKind
from kaval.artefacts.times import unix_milliseconds
from kaval.core.records import Notice

_MOST_BYTES = 16 << 20
_NETWORK = re.compile(r"network=\{(.*?)\n\}", re.DOTALL)
_LINE = re.compile(r"^\s*(\w+)=(.*)$", re.MULTILINE)


@ARTEFACTS.register
class AndroidWifi:
    """Reads the networks a device knows."""

    name: ClassVar[str] = "wifi-android"
    title: ClassVar[str] = "Wi-Fi networks (Android)"
    rank: ClassVar[int] = 60
    requires: ClassVar[tuple[str, ...]] = ()
    wanted: ClassVar[Wanted] = Wanted(paths=(r"(^|/)wificonfigstore(softap)?\.xml$", r"(^|/)wpa_supplicant\.conf$"))

    def parse(self, item: Item) -> Iterator[Artefact | Notice]:
        content = item.content(_MOST_BYTES)
        if item.name.lower().endswith(".conf"):
            yield from _supplicant(content.decode("utf-8", "replace"))
        else:
            yield from _store(content)


def _store(content: bytes) -> Iterator[Artefact]:
    root = parse_markup(content, "Wi-Fi store")
    for number, element in enumerate(root.walk()):
        if element.name not in ("Network", "SoftAp"):
            continue
        values: dict[str, str] = {}
        for part in element.walk():
            values = preferences_of(part) | values
        name = values.get("SSID") or values.get("WifiSsid")
        yield Artefact(
            kind=ArtefactKind.NETWORK,
            application="android",
            place=f"element {number}",
            at=unix_milliseconds(values.get("LastConnectedTime")),
            meaning="last connected",
            zone="utc",
            title=unquoted(name),
            identity=values.get("BSSID"),
            details=told(
                {
                    "kind": "access point of the device itself" if element.name == "SoftAp" else None,
                    "connected before": values.get("HasEverConnected"),
                    "created by": values.get("CreatorName"),
                    "created": values.get("CreationTime"),
                    "hidden": values.get("HiddenSSID"),
                    "address used": values.get("RandomizedMacAddress"),
                    "protection": values.get("ConfigKey", "").rpartition('"')[2],
                }
            ),
        )


def _supplicant(text: str) -> Iterator[Artefact]:
    for match in _NETWORK.finditer(text):
        values = dict(_LINE.findall(match.group(1)))
        yield Artefact(
            kind=ArtefactKind.NETWORK,
            application="android",
            place=f"byte {len(text[: match.start()].encode())}",
            title=unquoted(values.get("ssid")),
            identity=values.get("bssid"),
            details=told({"protection": values.get("key_mgmt"), "priority": values.get("priority")}),
        )


def unquoted(name: str | None) -> str | None:
    """Return the name of a network: text in quotes as it is, hexadecimal digits as the bytes they stand for."""
    if name is None:
        return None
    if len(name) >= 2 and name[0] == name[-1] == '"':
        return name[1:-1]
    try:
        return bytes.fromhex(name).decode("utf-8", "replace") or None
    except ValueError:
        return name or None
