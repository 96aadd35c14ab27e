"""File systems that nothing here reads are told by name, each with a way round."""

from __future__ import annotations

import struct
import zlib

import pytest

from kaval.core.errors import UnsupportedError
from kaval.core.keys import Keyring
from kaval.core.sources import BytesSource
from kaval.filesystems import FILESYSTEMS
from kaval.filesystems.recognised import SIGNATURES, Signature, recognise


@pytest.mark.parametrize("signature", SIGNATURES, ids=lambda signature: f"{signature.title} at {signature.offset}")
def test_each_signature_is_recognised_and_named_with_a_remedy(signature: Signature) -> None:
    source = BytesSource(bytes(signature.offset) + signature.magic + bytes(4096))
    capability = FILESYSTEMS.get("recognised")

    assert capability.probe(source)
    with pytest.raises(UnsupportedError) as caught:
        capability.open(source, Keyring())
    assert signature.title in str(caught.value)
    assert caught.value.remedy


@pytest.mark.parametrize("order", ["little", "big"])
def test_zfs_is_recognised_by_an_uberblock_in_its_ring(order: str) -> None:
    content = bytearray(0x41000)
    content[0x20000 + 5 * 1024 : 0x20000 + 5 * 1024 + 8] = (0x00BAB10C).to_bytes(8, order)  # type: ignore[arg-type]
    found = recognise(BytesSource(bytes(content)))

    assert found is not None
    assert found.title == "ZFS"


@pytest.mark.parametrize("order", "<>")
def test_jffs2_is_recognised_by_a_node_that_fits_its_checksum(order: str) -> None:
    head = struct.pack(order + "HHI", 0x1985, 0xE001, 68)
    checksum = zlib.crc32(head, 0xFFFFFFFF) ^ 0xFFFFFFFF
    found = recognise(BytesSource(head + struct.pack(order + "I", checksum) + bytes(100)))

    assert found is not None
    assert found.title == "JFFS2"
    assert recognise(BytesSource(head + bytes(100))) is None


def test_it_is_asked_last_and_recognises_nothing_in_noise() -> None:
    capabilities = [capability.name for capability in FILESYSTEMS.all()]

    assert capabilities[-1] == "recognised"
    assert recognise(BytesSource(b"")) is None
    assert recognise(BytesSource(bytes(1 << 20))) is None
