"""What the words of the register are called on the screen, and the choices of its forms."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

LABELS: dict[str, Promise] = {
    "mobile-phone": _("Mobile phone"),
    "tablet": _("Tablet"),
    "computer": _("Computer"),
    "laptop": _("Laptop"),
    "external-drive": _("External drive"),
    "flash-drive": _("Flash drive"),
    "memory-card": _("Memory card"),
    "sim-card": _("SIM card"),
    "optical-disc": _("Optical disc"),
    "dvr": _("Video recorder"),
    "camera": _("Camera"),
    "router": _("Router"),
    "wearable": _("Wearable"),
    "server": _("Server"),
    "cloud-account": _("Cloud account"),
    "document": _("Document"),
    "material-copy": _("Copy of the material itself"),
    "other": _("Other"),
    "on-unlocked": _("On, unlocked"),
    "on-locked": _("On, locked"),
    "off": _("Off"),
    "unknown": _("Not known"),
    "not-a-device": _("Not a device"),
    "none": _("None"),
    "flight-mode": _("Flight mode"),
    "faraday-bag": _("Faraday bag"),
    "sim-removed": _("SIM removed"),
    "powered-off": _("Powered off"),
    "not-needed": _("Not needed"),
    "not-asked": _("Not asked for"),
    "given": _("Given"),
    "refused": _("Refused"),
    "none-set": _("None set"),
    "seizure": _("Seizure"),
    "receipt": _("Received from another office"),
    "storage": _("Storage"),
    "examination": _("Examination"),
    "acquisition": _("Imaging"),
    "transport": _("Transport"),
    "forwarding": _("To the laboratory"),
    "production": _("Production in court"),
    "return": _("Return"),
    "separation": _("Separated from its whole"),
    "as-before": _("As before"),
    "damaged": _("Damaged"),
    "seal-broken": _("Seal found broken"),
    "changed": _("Changed"),
    "tamper-bag": _("Tamper-evident bag"),
    "wax": _("Wax"),
    "paper": _("Paper strip"),
    "cloth": _("Cloth, sewn"),
    "box": _("Sealed box"),
    "court": _("Court"),
    "laboratory": _("Laboratory"),
    "messenger": _("Messenger"),
    "station": _("Police station"),
    "owner": _("Owner"),
    "open": _("Waiting"),
    "acknowledged": _("Acknowledged"),
    "withdrawn": _("Withdrawn"),
    "declined": _("Declined"),
    "no-image": _("No image"),
    "matched": _("Digests matched"),
    "differed": _("Digests DIFFERED"),
    "not-checked": _("Digests not computed"),
    "recorded": _("Recorded"),
    "physical": _("Physical"),
    "file-system": _("File system"),
    "logical": _("Logical"),
    "manual": _("Manual"),
    "chip": _("From the chip"),
    "in": _("In"),
    "out": _("Out"),
    "viewing": _("Viewing"),
    "destruction": _("Destruction"),
    "owned": _("Owned"),
    "maintained": _("Maintained"),
    "managed": _("Managed"),
    "operated": _("Operated"),
}


def said(slug: object) -> str:
    """Return what a word of the register is called on the screen."""
    return str(LABELS.get(str(slug), str(slug).replace("-", " ")))


def choices(words: Iterable[StrEnum]) -> list[tuple[str, object]]:
    """Return the choices of a field."""
    return [(word.value, LABELS.get(word.value, word.value)) for word in words]
