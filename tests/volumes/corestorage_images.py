"""A CoreStorage volume with one encrypted logical volume, built in code by *FileVault Drive Encryption* (libfvde)."""

from __future__ import annotations

import base64
import hashlib
import struct
from functools import cache
from uuid import UUID

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

BLOCK, META_BLOCK = 4096, 8192
PHYSICAL, GROUP, FAMILY, LOGICAL = (UUID(int=number << 64 | 0xC0DE) for number in (1, 2, 3, 4))
HFS_HEADER = 1024
HEADER_KEY, MASTER_KEY, WRAPPING_KEY = b"header key sixte", b"master key sixte", b"wrapping key 16b"
METADATA_BLOCK, ENCRYPTED_BLOCK, BACKUP_BLOCK, DATA_BLOCK = 1, 16, 32, 64
DATA_BLOCKS, BLOCKS = 8, 80
ROUNDS = 20
LOGICAL_NUMBER = 9


@cache
def _crc_table() -> tuple[int, ...]:
    table = []
    for number in range(256):
        for _ in range(8):
            number = number >> 1 ^ 0x82F63B78 if number & 1 else number >> 1
        table.append(number)
    return tuple(table)


def _sealed(block: bytes) -> bytes:
    """Return a block whose CRC-32C, which is not inverted at its end, holds."""
    crc = 0xFFFFFFFF
    for byte in block[8:]:
        crc = _crc_table()[(crc ^ byte) & 0xFF] ^ crc >> 8
    return struct.pack("<II", crc, 0xFFFFFFFF) + block[8:]


def _meta(kind: int, number: int, content: bytes, object_id: int = 0) -> bytes:
    header = struct.pack("<IIHHIQQQQII", 0, 0, 1, kind, 1, 2, object_id, number, number, META_BLOCK, 0).ljust(64, b"\0")
    return _sealed((header + content).ljust(META_BLOCK, b"\0"))


def _volume_header() -> bytes:
    header = bytearray(512)
    struct.pack_into("<HHI", header, 8, 1, 0x10, 1)
    struct.pack_into("<I", header, 48, 512)
    struct.pack_into("<Q", header, 64, BLOCKS * BLOCK)
    struct.pack_into("<2sIHII", header, 88, b"CS", 1, 4, BLOCK, 2 * META_BLOCK)
    struct.pack_into("<4Q", header, 104, METADATA_BLOCK, METADATA_BLOCK, METADATA_BLOCK, METADATA_BLOCK)
    struct.pack_into("<II16s", header, 168, 16, 2, HEADER_KEY)
    header[304:336] = PHYSICAL.bytes + GROUP.bytes
    return _sealed(bytes(header))


def _string(key: str, value: str) -> str:
    return f"<key>com.apple.corestorage.{key}</key><string>{value}</string>"


def _number(key: str, value: int) -> str:
    return f'<key>com.apple.corestorage.{key}</key><integer size="64">{value:#x}</integer>'


def _metadata() -> bytes:
    """Return the clear metadata: one block, and behind it the descriptor with its property list."""
    members = f"<key>com.apple.corestorage.lvg.physicalVolumes</key><array><string>{PHYSICAL}</string></array>"
    group = _number("label.sequence", 1) + _string("lvg.uuid", str(GROUP)) + _string("lvg.name", "tarn")
    plist = f"<dict>{group}{_string('pv.uuid', str(PHYSICAL))}{members}</dict>".encode()
    block = bytearray(META_BLOCK - 64)
    struct.pack_into("<II", block, 0, 2 * META_BLOCK, 3)
    struct.pack_into("<IIII", block, 156, META_BLOCK, META_BLOCK + 48, len(plist), len(plist))
    struct.pack_into("<QQ", block, 176, BLOCKS - 1, 0)
    descriptor = struct.pack("<6Q", 0, 8, 0, 2, ENCRYPTED_BLOCK, BACKUP_BLOCK) + plist
    return _meta(0x11, 0, bytes(block)) + descriptor.ljust(META_BLOCK, b"\0")


def _logical() -> bytes:
    """Return block 001a: the logical volume."""
    names = _string("lv.familyUUID", str(FAMILY)) + _string("lv.groupUUID", str(GROUP))
    names += _string("lv.uuid", str(LOGICAL)) + _string("lv.name", "lumen") + _string("lv.contenthint", "Apple_HFS")
    plist = f"<dict>{names}{_number('lv.sequence', 2)}{_number('lv.size', DATA_BLOCKS * BLOCK)}</dict>".encode()
    content = struct.pack("<QQQQQQQ", LOGICAL_NUMBER, 3, 0, 0, 5, 4, 0)
    content += struct.pack("<IIII", len(plist), len(plist), 64 + 120, len(plist))
    return content.ljust(120, b"\0") + plist


def _segments() -> bytes:
    """Return block 0305: where the logical volume lies."""
    return struct.pack("<II", 1, 0) + struct.pack("<QQIIIIQ", 0, 0, DATA_BLOCKS, 0, 0, 0, DATA_BLOCK)


def _wrapped_kek(secret: bytes, salt: bytes) -> str:
    key = hashlib.pbkdf2_hmac("sha256", secret, salt, ROUNDS, 16)
    wrapped = bytearray(284)
    struct.pack_into("<II16sII24s", wrapped, 0, 3, 16, salt, 16, 24, aes_key_wrap(key, WRAPPING_KEY))
    struct.pack_into("<I", wrapped, 168, ROUNDS)
    return base64.b64encode(wrapped).decode()


def _context(password: bytes, recovery: bytes) -> bytes:
    """Return block 0019: what the keys are wrapped with."""
    users = "".join(
        f"<dict><key>PassphraseWrappedKEKStruct</key><data>{_wrapped_kek(secret, salt)}</data></dict>"
        for secret, salt in ((password, b"salt of password"), (recovery, b"salt of recovery"))
    )
    volume_key = struct.pack("<II24s", 2, 24, aes_key_wrap(WRAPPING_KEY, MASTER_KEY)).ljust(256, b"\0")
    keys = (
        "<dict><key>BlockAlgorithm</key><string>None</string><key>KEKWrappedVolumeKeyStruct</key><data></data></dict>"
        "<dict><key>BlockAlgorithm</key><string>AES-XTS</string><key>KEKWrappedVolumeKeyStruct</key>"
        f"<data>{base64.b64encode(volume_key).decode()}</data></dict>"
    )
    conversion = "<key>ConversionInfo</key><dict><key>ConversionStatus</key><string>Complete</string></dict>"
    context = (
        f"<key>CryptoUsers</key><array>{users}</array><key>WrappedVolumeKeys</key><array>{keys}</array>{conversion}"
    )
    plist = f"<dict><key>com.apple.corestorage.lvf.encryption.context</key><dict>{context}</dict></dict>".encode()
    content = struct.pack("<QQQQQ", 1, 1, 12, 11, 0) + struct.pack("<IIII", len(plist), len(plist), 64 + 80, len(plist))
    return content.ljust(80, b"\0") + plist


def _xts(content: bytes, key: bytes, unit: int) -> bytes:
    parts = []
    for number, start in enumerate(range(0, len(content), unit)):
        cipher = Cipher(algorithms.AES(key), modes.XTS(number.to_bytes(16, "little")))
        parts.append(cipher.encryptor().update(content[start : start + unit]))
    return b"".join(parts)


def volume(plain: bytes, password: bytes, recovery: bytes) -> bytearray:
    """Return a CoreStorage volume that holds the plain bytes."""
    volumes = struct.pack("<IIQ", 1, 0, LOGICAL_NUMBER)
    blocks = ((0x105, volumes), (0x1A, _logical()), (0x305, _segments()), (0x19, _context(password, recovery)))
    clear = b"".join(_meta(kind, number, content, number) for number, (kind, content) in enumerate(blocks))
    encrypted = _xts(clear, HEADER_KEY + PHYSICAL.bytes, META_BLOCK)
    tweak = hashlib.sha256(MASTER_KEY + FAMILY.bytes).digest()[:16]
    image = bytearray(BLOCKS * BLOCK)
    image[:512] = image[-512:] = _volume_header()
    for block, content in (
        (METADATA_BLOCK, _metadata()),
        (ENCRYPTED_BLOCK, encrypted),
        (BACKUP_BLOCK, encrypted),
        (DATA_BLOCK, _xts(plain.ljust(DATA_BLOCKS * BLOCK, b"\0"), MASTER_KEY + tweak, 512)),
    ):
        image[block * BLOCK : block * BLOCK + len(content)] = content
    return image
