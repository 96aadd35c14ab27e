"""Recordings: video and sound."""

from __future__ import annotations

from typing import ClassVar

from kaval.filetypes import FILETYPES, FileType
from kaval.filetypes.signatures import Signature, first_fit, kind, types_of

MP4 = kind("video/mp4", "MP4 video", "mp4", "m4v", "mp4v")
QUICKTIME = kind("video/quicktime", "QuickTime video", "mov", "qt")
THREE_GP = kind("video/3gpp", "3GPP video", "3gp", "3g2", "3gpp")
AVI = kind("video/x-msvideo", "AVI video", "avi")
MATROSKA = kind("video/x-matroska", "Matroska video", "mkv", "mka", "mk3d")
WEBM = kind("video/webm", "WebM video", "webm")
MPEG_PS = kind("video/mpeg", "MPEG video", "mpg", "mpeg", "vob", "m2p")
MPEG_TS = kind("video/mp2t", "MPEG transport stream", "ts", "mts", "m2ts")
ASF = kind("video/x-ms-wmv", "Windows Media", "wmv", "asf", "wma")
FLV = kind("video/x-flv", "Flash video", "flv")
M4A = kind("audio/mp4", "MPEG-4 sound", "m4a", "m4b", "m4r")
MP3 = kind("audio/mpeg", "MP3 sound", "mp3")
WAV = kind("audio/wav", "WAVE sound", "wav")
OGG = kind("audio/ogg", "Ogg sound or video", "ogg", "oga", "ogv", "opus", "spx")
FLAC = kind("audio/flac", "FLAC sound", "flac")
AMR = kind("audio/amr", "AMR sound", "amr")
AAC = kind("audio/aac", "AAC sound", "aac")
MIDI = kind("audio/midi", "MIDI music", "mid", "midi")
CAF = kind("audio/x-caf", "Core Audio sound", "caf")
AIFF = kind("audio/aiff", "AIFF sound", "aif", "aiff", "aifc")


def _transport(head: bytes, size: int) -> bool:
    return size >= 564 and head[188:189] == b"G" and head[376:377] == b"G"


def _blu_ray_transport(head: bytes, size: int) -> bool:
    return size >= 576 and head[196:197] == b"G" and head[388:389] == b"G"


def _frame(head: bytes, size: int) -> bool:
    """Whether an MPEG audio frame header stands here and says something possible."""
    return size > 128 and len(head) > 3 and head[2] >> 4 not in (0, 15) and (head[2] >> 2) & 3 != 3


def _webm(head: bytes, size: int) -> bool:
    return b"\x42\x82\x84webm" in head[:64]


SIGNATURES = (
    Signature(b"\x1a\x45\xdf\xa3", WEBM, 0, _webm),
    Signature(b"\x1a\x45\xdf\xa3", MATROSKA),
    Signature(b"AVI ", AVI, 8, lambda head, size: head[:4] == b"RIFF"),
    Signature(b"WAVE", WAV, 8, lambda head, size: head[:4] in (b"RIFF", b"RF64")),
    Signature(b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", ASF),
    Signature(b"FLV\x01", FLV),
    Signature(b"\0\0\x01\xba", MPEG_PS),
    Signature(b"\0\0\x01\xb3", MPEG_PS),
    Signature(b"G", MPEG_TS, 0, _transport),
    Signature(b"G", MPEG_TS, 4, _blu_ray_transport),
    Signature(b"OggS\0", OGG),
    Signature(b"fLaC\0", FLAC),
    Signature(b"#!AMR", AMR),
    Signature(b"ID3", MP3, 0, lambda head, size: len(head) > 9 and head[3] < 5 and max(head[6:10]) < 128),
    Signature(b"\xff\xfb", MP3, 0, _frame),
    Signature(b"\xff\xf3", MP3, 0, _frame),
    Signature(b"\xff\xf1", AAC, 0, lambda head, size: size > 64 and len(head) > 3 and head[2] >> 2 & 15 < 13),
    Signature(b"MThd\0\0\0\x06", MIDI),
    Signature(b"caff\0\x01", CAF),
    Signature(b"AIFF", AIFF, 8, lambda head, size: head[:4] == b"FORM"),
    Signature(b"AIFC", AIFF, 8, lambda head, size: head[:4] == b"FORM"),
)

_ATOMS = frozenset({b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"})


@FILETYPES.register
class Recordings:
    """Video and sound."""

    name: ClassVar[str] = "recordings"
    title: ClassVar[str] = "Video and sound"
    rank: ClassVar[int] = 20
    requires: ClassVar[tuple[str, ...]] = ()
    types: ClassVar[tuple[FileType, ...]] = types_of(SIGNATURES, MP4, QUICKTIME, THREE_GP, M4A)

    def identify(self, head: bytes, size: int) -> FileType | None:
        if head[4:8] == b"ftyp":
            return _by_brand(head[8:12])
        if head[4:8] in _ATOMS and 8 <= int.from_bytes(head[:4], "big") <= max(size, 8):
            return QUICKTIME
        return first_fit(SIGNATURES, head, size)


def _by_brand(brand: bytes) -> FileType:
    """Return the type of an ISO media file by its major brand (ISO/IEC 14496-12, 4.3)."""
    if brand == b"qt  ":
        return QUICKTIME
    if brand[:3] in (b"3gp", b"3g2"):
        return THREE_GP
    return M4A if brand in (b"M4A ", b"M4B ", b"M4P ") else MP4
