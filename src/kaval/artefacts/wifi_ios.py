"""Wi-Fi networks iOS and macOS know: ``com.apple.wifi.plist`` and successors, by public descriptions (iLEAPP)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, ClassVar

from kaval.artefacts import ARTEFACTS, Wanted
from kaval.artefacts.found import text_of, told
from kaval.artefacts.items import Item
from kaval.artefacts.plists import dictionaries, read_plist
from kaval.artefacts.records import Artefact, ArtefactKind, Moment
from kaval.artefacts.times import of_datetime
from kaval.core.records import Notice

_NAMES = ("SSID_STR", "SSID", "SSIDString")
_TIMES = {
    "lastJoined": "joined",
    "lastAutoJoined": "joined by itself",
    "JoinedByUserAt": "joined by hand",
    "JoinedBySystemAt": "joined by itself",
    "AddedAt": "added",
    "UpdatedAt": "changed",
    "LastAutoJoinAt": "joined by itself",
    "prevJoined": "joined before",
    "LastDiscoveredAt": "seen",
}


@ARTEFACTS.register
class IosWifi:
    """Reads the networks a device knows, with every time it joined them."""

    name: ClassVar[str] = "wifi-ios"
    title: ClassVar[str] = "Wi-Fi networks (iOS, macOS)"
    rank: ClassVar[int] = 60
    requires: ClassVar[tuple[str, ...]] = ()
    wanted: ClassVar[Wanted] = Wanted(
        paths=(r"(^|/)com\.apple\.wifi(\.known-networks|-networks|-private-mac-networks)?\.plist$",)
    )

    def parse(self, item: Item) -> Iterator[Artefact | Notice]:
        for number, network in enumerate(dictionaries(read_plist(item))):
            name = next((text for key in _NAMES if (text := _name(network.get(key)))), None)
            if name is not None and not isinstance(network.get("BSSID"), dict):
                yield _network(network, name, number)


def _name(value: Any) -> str | None:
    return text_of(value) if isinstance(value, str | bytes) else None


def _network(network: dict[str, Any], name: str, number: int) -> Artefact:
    times = [
        Moment(at=at, meaning=meaning)
        for key, meaning in _TIMES.items()
        if (at := of_datetime(network.get(key))) is not None
    ]
    return Artefact(
        kind=ArtefactKind.NETWORK,
        application="ios",
        place=f"dictionary {number}",
        at=times[0].at if times else None,
        meaning=times[0].meaning if times else "",
        zone="utc",
        moments=tuple(times[1:]),
        title=name,
        identity=text_of(network.get("BSSID")) if isinstance(network.get("BSSID"), str) else None,
        details=told(
            {
                "hidden": _plain(network.get("HIDDEN_NETWORK")),
                "added because": _plain(network.get("AddReason")),
                "address used": _plain(network.get("PRIVATE_MAC_ADDRESS_VALUE") or network.get("PrivateMacAddress")),
                "signal": _plain(network.get("RSSI")),
            }
        ),
    )


def _plain(value: Any) -> str | None:
    if isinstance(value, bytes):
        return value.hex()
    return str(value) if isinstance(value, str | int | float | datetime) else None
