"""What every volume system must keep to, whatever the bytes."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import suppress

from kaval.core.contracts import Volume, VolumeSystem
from kaval.core.errors import KavalError
from kaval.core.keys import Keyring
from kaval.core.records import Notice, NoticeCode
from kaval.core.sources import ByteSource, BytesSource

NO_KEYS = Keyring()


def records_of(system: VolumeSystem, source: ByteSource, keyring: Keyring = NO_KEYS) -> list[Volume | Notice]:
    """Return what the system finds, after holding it to the contract."""
    records = list(system.open(source, keyring))
    addresses = [record.address for record in records if isinstance(record, Volume)]
    assert len(set(addresses)) == len(addresses)
    for record in records:
        if isinstance(record, Notice):
            assert record.offset is None or record.offset >= 0
            continue
        assert record.source.size > 0
        if record.offset is not None:
            assert 0 <= record.offset <= record.offset + record.source.size <= source.size
            length = min(64, record.source.size)
            assert record.source.read_at(0, length) == source.read_at(record.offset, length)
    again = list(system.open(source, keyring))
    assert list(map(_description, again)) == list(map(_description, records))
    return records


def _description(record: Volume | Notice) -> object:
    if isinstance(record, Notice):
        return record
    return record.address, record.title, record.offset, record.source.size, dict(record.facts)


def volumes_of(records: list[Volume | Notice]) -> dict[str, tuple[int | None, int]]:
    """Return offset and size of the volumes by address, without the gaps."""
    volumes = [record for record in records if isinstance(record, Volume)]
    return {
        volume.address: (volume.offset, volume.source.size)
        for volume in volumes
        if volume.facts.get("state") != "unallocated"
    }


def gaps_of(records: list[Volume | Notice]) -> list[tuple[int | None, int]]:
    """Return offset and size of the gaps."""
    volumes = [record for record in records if isinstance(record, Volume)]
    return [(volume.offset, volume.source.size) for volume in volumes if volume.facts.get("state") == "unallocated"]


def notices_of(records: list[Volume | Notice]) -> list[tuple[NoticeCode, str, int | None]]:
    """Return code, address and offset of the notices."""
    return [(record.code, record.address, record.offset) for record in records if isinstance(record, Notice)]


def mutations(content: bytes, spots: list[tuple[int, int]], rounds: int, seed: int = 1) -> Iterator[bytes]:
    """Yield copies of the content with bytes changed in the spots (start, length), or cut short."""
    source = random.Random(seed)
    for _ in range(rounds):
        copy = bytearray(content)
        for _ in range(source.choice((1, 2, 8, 64))):
            start, length = source.choice(spots)
            copy[start + source.randrange(length)] = source.choice((0, 0xFF, 0x80, source.randrange(256)))
        if source.random() < 0.2:
            del copy[source.randrange(len(copy)) :]
        yield bytes(copy)


def survives(system: VolumeSystem, content: bytes, keyring: Keyring = NO_KEYS) -> bool:
    """Say whether the system claims the content; if so, reading it must end in records or our own errors."""
    source = BytesSource(content)
    if not system.probe(source):
        return False
    with suppress(KavalError):
        records_of(system, source, keyring)
    return True


def refuses_short_and_random_sources(system: VolumeSystem) -> None:
    """Hold a probe to a no, without any error, on sources that are too short or hold noise."""
    noise = random.Random(7)
    sources = [b"", b"\0", bytes(511), bytes(512), bytes(513), bytes(4096), bytes(1 << 17), b"\x55\xaa" * 4096]
    sources += [noise.randbytes(noise.choice((3, 512, 1024, 5000, 40000))) for _ in range(50)]
    sources += [noise.randbytes(510) + b"\x55\xaa" + noise.randbytes(2048) for _ in range(200)]
    assert not any(system.probe(BytesSource(content)) for content in sources)
