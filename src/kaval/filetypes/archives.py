"""Archives, disk images and encrypted containers."""

from __future__ import annotations

from typing import ClassVar

from kaval.filetypes import FILETYPES, FileType
from kaval.filetypes.signatures import Signature, first_fit, kind, types_of

_OFFICE = "application/vnd.openxmlformats-officedocument."
ZIP = kind("application/zip", "ZIP archive", "zip", "ufdr", "clbx")
JAR = kind("application/java-archive", "Java archive", "jar", "war")
APK = kind("application/vnd.android.package-archive", "Android package", "apk")
EPUB = kind("application/epub+zip", "EPUB book", "epub")
DOCX = kind(_OFFICE + "wordprocessingml.document", "Word document", "docx", "docm", "dotx")
XLSX = kind(_OFFICE + "spreadsheetml.sheet", "Excel workbook", "xlsx", "xlsm", "xltx")
PPTX = kind(_OFFICE + "presentationml.presentation", "PowerPoint presentation", "pptx", "pptm", "ppsx")
ODT = kind("application/vnd.oasis.opendocument.text", "OpenDocument text", "odt", "ott")
ODS = kind("application/vnd.oasis.opendocument.spreadsheet", "OpenDocument spreadsheet", "ods")
ODP = kind("application/vnd.oasis.opendocument.presentation", "OpenDocument presentation", "odp")
AFF4 = kind("application/x-disk-image-aff4", "AFF4 image", "aff4")
SEVEN = kind("application/x-7z-compressed", "7z archive", "7z")
RAR = kind("application/vnd.rar", "RAR archive", "rar")
TAR = kind("application/x-tar", "TAR archive", "tar")
GZIP = kind("application/gzip", "gzip stream", "gz", "tgz", "svgz", "emz")
BZIP2 = kind("application/x-bzip2", "bzip2 stream", "bz2", "tbz", "tbz2")
XZ = kind("application/x-xz", "xz stream", "xz", "txz")
ZSTD = kind("application/zstd", "Zstandard stream", "zst")
LZ4 = kind("application/x-lz4", "LZ4 stream", "lz4")
CAB = kind("application/vnd.ms-cab-compressed", "Cabinet archive", "cab")
EWF = kind("application/x-disk-image-ewf", "EnCase image", "e01", "s01")
EWF2 = kind("application/x-disk-image-ewf2", "EnCase image, version 2", "ex01")
EWFL = kind("application/x-disk-image-lef", "EnCase logical evidence file", "l01", "lx01")
AD1 = kind("application/x-disk-image-ad1", "FTK logical image", "ad1")
VMDK = kind("application/x-disk-image-vmdk", "VMDK disk image", "vmdk")
QCOW = kind("application/x-disk-image-qcow", "QCOW disk image", "qcow", "qcow2")
VHDX = kind("application/x-disk-image-vhdx", "VHDX disk image", "vhdx", "avhdx")
VHD = kind("application/x-disk-image-vhd", "VHD disk image", "vhd", "vpc")
VDI = kind("application/x-disk-image-vdi", "VirtualBox disk image", "vdi")
ISO = kind("application/x-iso9660-image", "ISO 9660 image", "iso")
LUKS = kind("application/x-luks", "LUKS encrypted volume", "luks")
BITLOCKER = kind("application/x-bitlocker", "BitLocker encrypted volume")

_BY_MIMETYPE = {
    b"application/vnd.oasis.opendocument.text": ODT,
    b"application/vnd.oasis.opendocument.spreadsheet": ODS,
    b"application/vnd.oasis.opendocument.presentation": ODP,
    b"application/epub+zip": EPUB,
}


def _tar(head: bytes, size: int) -> bool:
    """Whether the checksum of a TAR header is right (POSIX.1-1988, ustar)."""
    if len(head) < 512:
        return False
    try:
        stored = int(head[148:156].split(b"\0")[0].strip() or b"0", 8)
    except ValueError:
        return False
    return stored == sum(head[:148]) + 8 * 32 + sum(head[156:512])


SIGNATURES = (
    Signature(b"7z\xbc\xaf\x27\x1c", SEVEN),
    Signature(b"Rar!\x1a\x07", RAR),
    Signature(b"\x1f\x8b\x08", GZIP, 0, lambda head, size: len(head) > 9 and head[3] < 32),
    Signature(b"BZh", BZIP2, 0, lambda head, size: head[3:4] in b"123456789" and head[4:10] == b"1AY&SY"),
    Signature(b"\xfd7zXZ\0", XZ),
    Signature(b"\x28\xb5\x2f\xfd", ZSTD),
    Signature(b"\x04\x22\x4d\x18", LZ4),
    Signature(b"MSCF\0\0\0\0", CAB),
    Signature(b"EVF\x09\x0d\x0a\xff\x00", EWF),
    Signature(b"EVF2\x0d\x0a\x81\x00", EWF2),
    Signature(b"LVF\x09\x0d\x0a\xff\x00", EWFL),
    Signature(b"LEF2\x0d\x0a\x81\x00", EWFL),
    Signature(b"ADSEGMENTEDFILE\0", AD1),
    Signature(b"KDMV", VMDK),
    Signature(b"COWD", VMDK),
    Signature(b"# Disk DescriptorFile", VMDK),
    Signature(b"QFI\xfb", QCOW),
    Signature(b"vhdxfile", VHDX),
    Signature(b"conectix", VHD),
    Signature(b"\x7f\x10\xda\xbe", VDI, 64),
    Signature(b"LUKS\xba\xbe", LUKS),
    Signature(b"-FVE-FS-", BITLOCKER, 3),
    Signature(b"ustar", TAR, 257, _tar),
    Signature(
        b"", TAR, 0, lambda head, size: size >= 1024 and size % 512 == 0 and head[:1] > b" " and _tar(head, size)
    ),
)


@FILETYPES.register
class Archives:
    """Archives, disk images, encrypted containers."""

    name: ClassVar[str] = "archives"
    title: ClassVar[str] = "Archives, disk images, encrypted containers"
    rank: ClassVar[int] = 30
    requires: ClassVar[tuple[str, ...]] = ()
    types: ClassVar[tuple[FileType, ...]] = types_of(
        SIGNATURES, ZIP, JAR, APK, EPUB, DOCX, XLSX, PPTX, ODT, ODS, ODP, AFF4, ISO
    )

    def identify(self, head: bytes, size: int) -> FileType | None:
        if head[:4] in (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"):
            return _zip(head)
        return first_fit(SIGNATURES, head, size)


def _zip(head: bytes) -> FileType:
    """Return what a ZIP is by its first members' names (OPC and OpenDocument put theirs first)."""
    if head[30:38] == b"mimetype":
        for mimetype, found in _BY_MIMETYPE.items():
            if mimetype in head[38:140]:
                return found
    if b"container.description" in head[:128] and b"aff4://" in head[:512]:
        return AFF4
    if b"[Content_Types].xml" in head or b"_rels/.rels" in head:
        for part, found in ((b"word/", DOCX), (b"xl/", XLSX), (b"ppt/", PPTX)):
            if part in head:
                return found
    if b"AndroidManifest.xml" in head or b"classes.dex" in head:
        return APK
    return JAR if b"META-INF/MANIFEST.MF" in head[:256] else ZIP
