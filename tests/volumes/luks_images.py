"""Small LUKS volumes built in code, with little work to open them; the data is encrypted sector by sector."""

from __future__ import annotations

import base64
import hashlib
import json
import struct
from typing import Any

from argon2.low_level import Type, hash_secret_raw
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

KEY = bytes(range(7, 71))
UUID_TEXT = "5a0b5c1e-90d5-4d4e-8b55-2f6f6d0c4a11"
DATA_OFFSET = 1 << 20
HEADER_SIZE = 0x4000
STRIPES = 4


def encrypt(plain: bytes, key: bytes, sector_size: int = 512, first: int = 0) -> bytes:
    """Return AES-XTS-plain64 of whole sectors."""
    parts = []
    for start in range(0, len(plain), sector_size):
        tweak = (first + start // 512).to_bytes(16, "little")
        part = plain[start : start + sector_size]
        parts.append(Cipher(algorithms.AES(key), modes.XTS(tweak)).encryptor().update(part))
    return b"".join(parts)


def split(key: bytes, name: str = "sha256") -> bytes:
    """Return a key spread over stripes (LUKS1 section 2.4)."""
    stripes, whole = [], bytes(len(key))
    for index in range(STRIPES - 1):
        stripe = hashlib.sha512(bytes([index])).digest()[: len(key)]
        stripes.append(stripe)
        whole = _diffuse(bytes(a ^ b for a, b in zip(whole, stripe, strict=True)), name)
    stripes.append(bytes(a ^ b for a, b in zip(whole, key, strict=True)))
    return b"".join(stripes)


def _diffuse(block: bytes, name: str) -> bytes:
    size = hashlib.new(name).digest_size
    chunks = [block[start : start + size] for start in range(0, len(block), size)]
    return b"".join(
        hashlib.new(name, struct.pack(">I", number) + chunk).digest()[: len(chunk)]
        for number, chunk in enumerate(chunks)
    )


def _material(secret_key: bytes) -> bytes:
    spread = split(KEY)
    return encrypt(spread.ljust(-(-len(spread) // 512) * 512, b"\0"), secret_key)


def luks1(plain: bytes, passphrase: bytes) -> bytes:
    """Return a LUKS1 volume with key slot 2 in use."""
    salt = b"s" * 32
    digest = hashlib.pbkdf2_hmac("sha256", KEY, salt, 10, 20)
    names = (b"aes", b"xts-plain64", b"sha256")
    numbers = (DATA_OFFSET // 512, 64, digest, salt, 10, UUID_TEXT.encode())
    header = struct.pack(">6sH32s32s32sII20s32sI40s", b"LUKS\xba\xbe", 1, *names, *numbers)
    for index in range(8):
        active = 0x00AC71F3 if index == 2 else 0x0000DEAD
        header += struct.pack(">II32sII", active, 20, b"t" * 32, 8, STRIPES)
    image = bytearray(header.ljust(DATA_OFFSET, b"\0")) + encrypt(plain, KEY)
    material = _material(hashlib.pbkdf2_hmac("sha256", passphrase, b"t" * 32, 20, 64))
    image[4096 : 4096 + len(material)] = material
    return bytes(image)


def metadata(sector_size: int = 512) -> dict[str, Any]:
    """Return the metadata of a LUKS2 volume with two key slots: 0 by PBKDF2, 1 by Argon2id."""

    def slot(index: int, kdf: dict[str, Any]) -> dict[str, Any]:
        area = {"type": "raw", "offset": str(0x8000 + 4096 * index), "size": "4096", "encryption": "aes-xts-plain64"}
        return {
            "type": "luks2",
            "key_size": 64,
            "af": {"type": "luks1", "stripes": STRIPES, "hash": "sha256"},
            "area": {**area, "key_size": 64},
            "kdf": {**kdf, "salt": base64.b64encode(b"u" * 32).decode()},
        }

    digest = hashlib.pbkdf2_hmac("sha256", KEY, b"v" * 32, 10, 32)
    return {
        "keyslots": {
            "0": slot(0, {"type": "pbkdf2", "hash": "sha256", "iterations": 30}),
            "1": slot(1, {"type": "argon2id", "time": 1, "memory": 64, "cpus": 1}),
        },
        "tokens": {"0": {"type": "systemd-tpm2", "keyslots": ["1"]}},
        "segments": {
            "0": {
                "type": "crypt",
                "offset": str(DATA_OFFSET),
                "size": "dynamic",
                "iv_tweak": "8",
                "encryption": "aes-xts-plain64",
                "sector_size": sector_size,
            }
        },
        "digests": {
            "0": {
                "type": "pbkdf2",
                "keyslots": ["0", "1"],
                "segments": ["0"],
                "hash": "sha256",
                "iterations": 10,
                "salt": base64.b64encode(b"v" * 32).decode(),
                "digest": base64.b64encode(digest).decode(),
            }
        },
        "config": {"json_size": "12288", "keyslots_size": "1000000"},
    }


def luks2_header(content: dict[str, Any], offset: int, sequence: int = 3) -> bytes:
    """Return one copy of the header, its checksum right."""
    magic = b"SKUL\xba\xbe" if offset else b"LUKS\xba\xbe"
    area = json.dumps(content).encode().ljust(HEADER_SIZE - 4096, b"\0")
    block = struct.pack(
        ">6sHQQ48s32s64s40s48sQ",
        magic, 2, HEADER_SIZE, sequence, b"lumen", b"sha256", b"w" * 64, UUID_TEXT.encode(), b"", offset,
    ).ljust(4096, b"\0")  # fmt: skip
    checksum = hashlib.sha256(block + area).digest().ljust(64, b"\0")
    return block[:448] + checksum + block[512:] + area


def luks2(plain: bytes, first: bytes, second: bytes, content: dict[str, Any] | None = None) -> bytearray:
    """Return a LUKS2 volume: passphrase ``first`` in slot 0, ``second`` in slot 1."""
    content = content if content is not None else metadata()
    segment = content["segments"]["0"]
    stored = encrypt(plain, KEY, segment["sector_size"], int(segment["iv_tweak"]))
    image = bytearray(DATA_OFFSET) + stored
    image[:HEADER_SIZE] = luks2_header(content, 0)
    image[HEADER_SIZE : 2 * HEADER_SIZE] = luks2_header(content, HEADER_SIZE)
    keys = (
        hashlib.pbkdf2_hmac("sha256", first, b"u" * 32, 30, 64),
        hash_secret_raw(second, b"u" * 32, 1, 64, 1, 64, Type.ID),
    )
    for index, key in enumerate(keys):
        material = _material(key)
        image[0x8000 + 4096 * index : 0x8000 + 4096 * index + len(material)] = material
    return image
