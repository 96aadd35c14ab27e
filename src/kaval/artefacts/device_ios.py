"""What iOS says of the device itself: the system's version, its identifiers in a backup's ``Info.plist`` and others."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, ClassVar

from kaval.artefacts import ARTEFACTS, Wanted
from kaval.artefacts.items import Item
from kaval.artefacts.plists import read_plist
from kaval.artefacts.records import Artefact, ArtefactKind
from kaval.artefacts.times import of_datetime
from kaval.core.records import Notice

_KEYS = {
    "ProductVersion": "system version",
    "Product Version": "system version",
    "ProductBuildVersion": "system build",
    "Build Version": "system build",
    "ProductName": "system",
    "Product Name": "model",
    "ProductType": "model type",
    "Product Type": "model type",
    "Device Name": "device name",
    "DeviceName": "device name",
    "-DeviceName": "device name",
    "Display Name": "device name",
    "ComputerName": "device name",
    "UserAssignedDeviceName": "device name",
    "Serial Number": "serial number",
    "SerialNumber": "serial number",
    "IMEI": "IMEI",
    "IMEI 2": "IMEI",
    "InternationalMobileEquipmentIdentity": "IMEI",
    "kCTCallingCardIMEI": "IMEI",
    "MEID": "MEID",
    "Phone Number": "telephone number",
    "PhoneNumber": "telephone number",
    "-PhoneNumber": "telephone number",
    "LastKnownICCID": "SIM serial (ICCID)",
    "ICCID": "SIM serial (ICCID)",
    "ReportedPhoneNumber": "telephone number",
    "Unique Identifier": "device identifier (UDID)",
    "UniqueDeviceID": "device identifier (UDID)",
    "Target Identifier": "device identifier (UDID)",
    "-TimeZone": "time zone",
    "TimeZone": "time zone",
    "WiFiAddress": "Wi-Fi address",
    "BluetoothAddress": "Bluetooth address",
}
"""Keys as they stand in these files, and what they tell."""


@ARTEFACTS.register
class IosDevice:
    """Reads model, system version, IMEI, serial and telephone numbers, name and time zone."""

    name: ClassVar[str] = "device-ios"
    title: ClassVar[str] = "The device itself (iOS, backups of it)"
    rank: ClassVar[int] = 60
    requires: ClassVar[tuple[str, ...]] = ()
    wanted: ClassVar[Wanted] = Wanted(
        paths=(
            r"(^|/)systemversion\.plist$",
            r"(^|/)([0-9a-f]{40}|[0-9a-f]{8}-[0-9a-f]{16}|[^/]*backup[^/]*)/(info|manifest)\.plist$",
            r"^(info|manifest)\.plist$",
            r"(^|/)data_ark\.plist$",
            r"(^|/)com\.apple\.commcenter(\.device_specific_nobackup)?\.plist$",
            r"(^|/)systemconfiguration/preferences\.plist$",
            r"(^|/)devicevalues\.plist$",
        )
    )

    def parse(self, item: Item) -> Iterator[Artefact | Notice]:
        content = read_plist(item)
        if item.name.lower() == "info.plist" and "CFBundleIdentifier" in content:
            return
        yield from _identifiers(content, "")
        lockdown = content.get("Lockdown")
        if isinstance(lockdown, dict):
            yield from _identifiers(lockdown, "Lockdown/")
        made = of_datetime(content.get("Last Backup Date")) or of_datetime(content.get("Date"))
        if made is not None:
            yield Artefact(
                kind=ArtefactKind.IDENTIFIER,
                application="ios",
                place="Last Backup Date",
                at=made,
                meaning="backed up",
                zone="utc",
                title="backup",
                text=str(content.get("Last Backup Date") or content.get("Date")),
            )


def _identifiers(values: dict[Any, Any], prefix: str) -> Iterator[Artefact]:
    for key, value in values.items():
        title = _KEYS.get(str(key))
        if title is not None and isinstance(value, str | int | float) and not isinstance(value, bool | datetime):
            yield Artefact(
                kind=ArtefactKind.IDENTIFIER,
                application="ios",
                place=f"{prefix}{key}",
                title=title,
                text=str(value),
            )
