"""From a passphrase to the volume key of a LUKS volume.

Known: LUKS1 specification section 2.4 (anti-forensic splitter) and 4.2 (recovery of the master key); LUKS2 section 3.2.
What a header may demand of the machine is limited: a hostile one could ask for all its memory, or for years.
"""

from __future__ import annotations

import hashlib

from kaval.core.errors import CorruptStructureError, LimitExceededError, UnreadableError, UnsupportedError
from kaval.core.sources import ByteSource
from kaval.volumes.encryption.aes_sectors import AesSectors
from kaval.volumes.luks.header import KeyDigest, KeySlot

MAXIMUM_ROUNDS = 1 << 28
MAXIMUM_MEMORY = 4 << 20
MAXIMUM_PASSES = 1 << 10
MAXIMUM_AREA = 8 << 20
MAXIMUM_KEY = 512


def volume_key(source: ByteSource, slot: KeySlot, digest: KeyDigest, secret: bytes) -> bytes | None:
    """Return the volume key if the secret opens the slot, ``None`` if it is a wrong one.

    Raises:
        UnsupportedError: The slot uses an algorithm that is not read here.
        LimitExceededError: The slot demands more memory or time than is given.
        CorruptStructureError: The slot contradicts itself.
        UnreadableError: The key material cannot be read.
    """
    if slot.kdf is None or slot.af is None or slot.area.type != "raw":
        raise UnsupportedError(f"a key slot of the kind {slot.type!r}", "it holds no passphrase")
    stripes, key_size = slot.af.stripes, slot.key_size
    if not 0 < key_size <= MAXIMUM_KEY or not 0 < key_size * stripes <= MAXIMUM_AREA:
        raise CorruptStructureError("LUKS key slot", f"a key of {key_size} bytes in {stripes} stripes")
    size = -(-key_size * stripes // 512) * 512
    stored = source.read_at(slot.area.offset, size)
    if len(stored) < size:
        raise UnreadableError(slot.area.offset, size, "the key material lies behind the end of what holds it")
    key = derive(slot, secret)
    spread = AesSectors(slot.area.encryption, key).decrypt(stored, 0)
    candidate = merge(spread, key_size, stripes, slot.af.hash)
    return candidate if holds(digest, candidate) else None


def derive(slot: KeySlot, secret: bytes) -> bytes:
    """Return the key that a secret and the parameters of a slot give."""
    kdf = slot.kdf
    assert kdf is not None
    size = slot.area.key_size or slot.key_size
    if kdf.type == "pbkdf2":
        return stretch(kdf.hash, secret, kdf.salt, kdf.iterations, size)
    if kdf.type not in ("argon2i", "argon2id"):
        raise UnsupportedError(f"key derivation by {kdf.type!r}", "only PBKDF2, Argon2i and Argon2id are read")
    if kdf.memory > MAXIMUM_MEMORY or not 0 < kdf.time <= MAXIMUM_PASSES or not 0 < kdf.cpus <= 64:
        demand = f"{kdf.memory} KiB, {kdf.time} passes, {kdf.cpus} lanes"
        raise LimitExceededError("memory and time of key derivation", MAXIMUM_MEMORY, f"a key slot demands {demand}")
    return _argon2(kdf.type, secret, kdf.salt, kdf.time, kdf.memory, kdf.cpus, size)


def _argon2(kind: str, secret: bytes, salt: bytes, passes: int, memory: int, lanes: int, size: int) -> bytes:
    from argon2.exceptions import HashingError
    from argon2.low_level import Type, hash_secret_raw

    variant = Type.I if kind == "argon2i" else Type.ID
    try:
        return hash_secret_raw(secret, salt, passes, memory, lanes, size, variant)
    except HashingError as error:
        raise UnsupportedError(f"key derivation with {memory} KiB in {lanes} lanes", str(error)) from error


def stretch(name: str, secret: bytes, salt: bytes, rounds: int, size: int) -> bytes:
    """Return PBKDF2 of a secret."""
    if not 0 < rounds <= MAXIMUM_ROUNDS:
        raise LimitExceededError("time of key derivation", MAXIMUM_ROUNDS, f"a key slot demands {rounds} rounds")
    if not 0 < size <= MAXIMUM_KEY:
        raise CorruptStructureError("LUKS key slot", f"a key of {size} bytes")
    _check_hash(name)
    return hashlib.pbkdf2_hmac(name, secret, salt, rounds, size)


def holds(digest: KeyDigest, key: bytes) -> bool:
    """Say whether a volume key is the right one."""
    if digest.type != "pbkdf2":
        raise UnsupportedError(f"a digest of the kind {digest.type!r}", "only PBKDF2 is read")
    return stretch(digest.hash, key, digest.salt, digest.iterations, len(digest.digest)) == digest.digest


def merge(spread: bytes, size: int, stripes: int, name: str) -> bytes:
    """Return the key that was spread over stripes so that losing any of them loses it."""
    _check_hash(name)
    whole = 0
    for index in range(stripes - 1):
        stripe = int.from_bytes(spread[index * size : (index + 1) * size])
        whole = int.from_bytes(_diffuse((whole ^ stripe).to_bytes(size), name))
    last = int.from_bytes(spread[(stripes - 1) * size : stripes * size])
    return (whole ^ last).to_bytes(size)


def _diffuse(block: bytes, name: str) -> bytes:
    step = hashlib.new(name).digest_size
    parts = []
    for number, start in enumerate(range(0, len(block), step)):
        part = block[start : start + step]
        parts.append(hashlib.new(name, number.to_bytes(4) + part).digest()[: len(part)])
    return b"".join(parts)


def _check_hash(name: str) -> None:
    if name not in hashlib.algorithms_available or not hashlib.new(name).digest_size:
        raise UnsupportedError(f"the hash {name!r}", "this machine's library does not know it")
