"""Volume shadow copies of NTFS: earlier states of a volume, read beside it.

Read by libvshadow, whose document *Volume Shadow Snapshot (VSS) format* gives the layout. A block that a store does
not hold is the current volume's, so a shadow copy can only be read together with its volume. Each volume's address is
the number of its store, the oldest first. Stores are not looked into for further shadow copies: they show the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from kaval.core.contracts import Volume
from kaval.core.errors import CorruptStructureError
from kaval.core.keys import Keyring
from kaval.core.records import Notice, NoticeCode
from kaval.core.sources import ByteSource, SourceFile
from kaval.volumes import VOLUMES
from kaval.volumes.encryption.sources import StreamSource
from kaval.volumes.ranges import read_or_none

HEADER_OFFSET = 0x1E00
_IDENTIFIER = bytes.fromhex("6b870838 76c1 484e b7ae 04046e6cc752")
_HEADER_RECORD = (1).to_bytes(4, "little")
_VERSIONS = ((1).to_bytes(4, "little"), (2).to_bytes(4, "little"))
_FAILURES = (OSError, ValueError, MemoryError, OverflowError)
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
_MAXIMUM_STORES = 512


class StoreSource(StreamSource):
    """A volume as it was when the shadow copy was made."""


@VOLUMES.register
class VolumeShadows:
    """Volume shadow copies."""

    name: ClassVar[str] = "vss"
    title: ClassVar[str] = "Volume shadow copies"
    rank: ClassVar[int] = 80
    requires: ClassVar[tuple[str, ...]] = ("pyvshadow",)
    alongside: ClassVar[bool] = True

    def probe(self, source: ByteSource) -> bool:
        if isinstance(source, StoreSource):
            return False
        header = read_or_none(source, HEADER_OFFSET, 24)
        return (
            header is not None
            and header[:16] == _IDENTIFIER
            and header[16:20] in _VERSIONS
            and header[20:24] == _HEADER_RECORD
        )

    def open(self, source: ByteSource, keyring: Keyring) -> Iterator[Volume | Notice]:
        import pyvshadow

        volume = pyvshadow.volume()
        try:
            volume.open_file_object(SourceFile(source))
            count = volume.number_of_stores
        except _FAILURES as error:
            raise CorruptStructureError("the catalogue of shadow copies", str(error), HEADER_OFFSET) from error
        if count > _MAXIMUM_STORES:
            message = f"{count} shadow copies are listed; the first {_MAXIMUM_STORES} were read"
            yield Notice(code=NoticeCode.COUNT_LIMIT, message=message, offset=HEADER_OFFSET)
        for number in range(min(count, _MAXIMUM_STORES)):
            yield _store(volume, number, source)


def _store(volume: Any, number: int, source: ByteSource) -> Volume | Notice:
    address = str(number + 1)
    try:
        store = volume.get_store(number)
        if not store.has_in_volume_data():
            message = f"shadow copy {address} keeps its blocks outside the volume; they are not there to be read"
            return Notice(code=NoticeCode.UNSUPPORTED, message=message, address=address)
        size = store.volume_size
        facts = _facts(store)
        store.read_buffer_at_offset(512, 0)
    except _FAILURES as error:
        message = f"shadow copy {address} cannot be read: {error}"
        return Notice(code=NoticeCode.DAMAGED, message=message, address=address)
    return Volume(
        address=address,
        source=StoreSource(store, min(size, source.size), _FAILURES),
        title=f"Shadow copy {address} of {facts['created']}",
        facts=facts,
    )


def _facts(store: Any) -> dict[str, str]:
    """Return what a store says of itself; times are UTC, as Windows stores them."""
    created = _EPOCH + timedelta(microseconds=store.get_creation_time_as_integer() // 10)
    return {
        "created": created.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "store id": str(store.identifier),
        "copy id": str(store.copy_identifier),
        "copy set id": str(store.copy_set_identifier),
    }
