"""Stores of messengers that are encrypted with keys this engine does not have: told as locked, never passed over.

Signal keeps its messages in SQLCipher with a key in the device's keystore; WhatsApp's backups (``.crypt12`` to
``.crypt15``) need the key of the device or the one its owner chose.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from kaval.artefacts import ARTEFACTS, Wanted
from kaval.artefacts.items import Item
from kaval.artefacts.records import Artefact
from kaval.core.errors import LockedError
from kaval.core.records import Notice

_PLAIN = b"SQLite format 3\0"


@ARTEFACTS.register
class LockedStores:
    """Says which messenger's store is locked, and what would open it."""

    name: ClassVar[str] = "locked-stores"
    title: ClassVar[str] = "Encrypted stores of messengers (Signal, WhatsApp backups)"
    rank: ClassVar[int] = 90
    requires: ClassVar[tuple[str, ...]] = ()
    wanted: ClassVar[Wanted] = Wanted(
        paths=(
            r"org\.thoughtcrime\.securesms[^/]*/(files/|databases/)?signal[^/]*\.(db|sqlite)$",
            r"(^|/)signal\.(db|sqlite)$",
            r"(^|/)grdb/signal\.sqlite$",
            r"\.db\.crypt(12|14|15)$",
        )
    )

    def parse(self, item: Item) -> Iterator[Artefact | Notice]:
        if item.source.read_at(0, len(_PLAIN)) == _PLAIN:
            return
        yield from ()
        if item.name.lower().endswith(("12", "14", "15")):
            raise LockedError("WhatsApp backup", "it needs the key file of the device, or the owner's 64-digit key")
        raise LockedError("Signal's message store", "it needs the key from the keystore of the device")
