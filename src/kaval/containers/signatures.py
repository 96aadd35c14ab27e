"""Signatures of image and archive formats, so that none of them is ever taken for a raw image.

Each row: where the bytes stand (negative: counted from the end), the bytes, what it is, what helps where
no capability here reads it. Only signatures long enough not to stand there by chance are listed.
"""

from __future__ import annotations

from dataclasses import dataclass

from kaval.core.sources import ByteSource

_CONVERT = "convert it to a raw image with the tool that made it, and record the conversion"
_UNPACK = "unpack it, record how, and examine what was in it"


@dataclass(frozen=True, slots=True)
class Signature:
    """One way to know a format by fixed bytes."""

    offset: int
    magic: bytes
    structure: str
    remedy: str = _CONVERT


SIGNATURES = (
    Signature(0, b"EVF\x09\x0d\x0a\xff\x00", "EWF image (E01, S01)"),
    Signature(0, b"LVF\x09\x0d\x0a\xff\x00", "EWF logical evidence file (L01)"),
    Signature(0, b"DVF\x09\x0d\x0a\xff\x00", "EWF delta image"),
    Signature(0, b"EVF2\x0d\x0a\x81\x00", "EWF version 2 image (Ex01)"),
    Signature(0, b"LEF2\x0d\x0a\x81\x00", "EWF version 2 logical evidence file (Lx01)"),
    Signature(0, b"AFF10\x0d\x0a\x00", "AFF image (version 3 or older)", "convert it with affconvert to a raw image"),
    Signature(0, b"ADSEGMENTEDFILE\x00", "AccessData logical image (AD1)"),
    Signature(0, b"ADCRYPT\x00", "AccessData encrypted image", "decrypt it with the tool that made it"),
    Signature(0, b"KDMV", "VMDK sparse extent"),
    Signature(0, b"COWD", "VMDK COW extent"),
    Signature(0, b"\xbe\xba\xfe\xca\x00\x00\x00\x00", "VMDK space-efficient sparse extent"),
    Signature(0, b"# Disk DescriptorFile", "VMDK descriptor"),
    Signature(0, b"QFI\xfb", "QCOW image"),
    Signature(0, b"QED\x00", "QED image", "convert it with qemu-img convert -O raw"),
    Signature(0, b"conectix", "VHD image"),
    Signature(-512, b"conectix", "VHD image"),
    Signature(0, b"vhdxfile", "VHDX image"),
    Signature(64, b"\x7f\x10\xda\xbe", "VDI image"),
    Signature(0, b"WithoutFreeSpace", "Parallels image", "convert it with qemu-img convert -O raw"),
    Signature(0, b"WithouFreSpacExt", "Parallels image", "convert it with qemu-img convert -O raw"),
    Signature(0, b"Bochs Virtual HD Image", "Bochs image", "convert it with qemu-img convert -O raw"),
    Signature(0, b"shdw\x00\x00\x00", "Apple sparse image (ASIF)"),
    Signature(0, b"sprs", "Apple sparse image (.sparseimage)", "convert it with hdiutil convert -format UDTO"),
    Signature(0, b"encrcdsa", "encrypted Apple disk image", "decrypt it with hdiutil and the passphrase"),
    Signature(-8, b"cdsaencr", "encrypted Apple disk image", "decrypt it with hdiutil and the passphrase"),
    Signature(-512, b"koly", "Apple disk image (UDIF)"),
    Signature(0, b"\x3a\xff\x26\xed\x01\x00", "Android sparse image", "convert it with simg2img"),
    Signature(0, b"PaRtImAgE-VoLuMe", "Partimage image"),
    Signature(0, b"partclone-image\x00", "Partclone image", "restore it with partclone.restore to a raw image"),
    Signature(0, b"MSWIM\x00\x00\x00", "Windows image (WIM)", _UNPACK),
    Signature(0, b"PK\x03\x04", "ZIP archive", _UNPACK),
    Signature(0, b"PK\x05\x06", "ZIP archive", _UNPACK),
    Signature(0, b"PK\x07\x08PK", "spanned ZIP archive", _UNPACK),
    Signature(0, b"7z\xbc\xaf\x27\x1c", "7z archive", _UNPACK),
    Signature(0, b"Rar!\x1a\x07", "RAR archive", _UNPACK),
    Signature(0, b"\x1f\x8b\x08", "gzip stream", _UNPACK),
    Signature(0, b"BZh", "bzip2 stream", _UNPACK),
    Signature(0, b"\xfd7zXZ\x00", "XZ stream", _UNPACK),
    Signature(0, b"\x28\xb5\x2f\xfd", "Zstandard stream", _UNPACK),
    Signature(0, b"%PDF-", "PDF document", "its bytes were digested, not examined"),
    Signature(257, b"ustar", "TAR archive", _UNPACK),
)


def signature_of(source: ByteSource) -> Signature | None:
    """Return the signature a source carries, ``None`` if it carries none of those listed."""
    head = source.read_at(0, 512)
    tail = source.read_at(source.size - 512, 512) if source.size >= 512 else b""
    for signature in SIGNATURES:
        place = head if signature.offset >= 0 else tail
        start = signature.offset if signature.offset >= 0 else len(tail) + signature.offset
        if place and place[start : start + len(signature.magic)] == signature.magic:
            return signature
    return None
