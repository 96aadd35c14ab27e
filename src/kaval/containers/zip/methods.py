"""How ZIP members are compressed (APPNOTE 4.4.5), and which of it is read."""

from __future__ import annotations

from typing import Final

from kaval.containers.decoders import Codec

STORED: Final = 0
AES: Final = 99

_CODECS: Final = {
    8: Codec.DEFLATE,
    12: Codec.BZIP2,
    14: Codec.ZIP_LZMA,
    20: Codec.ZSTANDARD,
    93: Codec.ZSTANDARD,
    95: Codec.XZ,
}

_NAMES: Final = {
    1: "Shrink",
    2: "Reduce",
    3: "Reduce",
    4: "Reduce",
    5: "Reduce",
    6: "Implode",
    9: "Deflate64",
    10: "PKWARE Implode",
    16: "IBM z/OS CMPSC",
    18: "IBM TERSE",
    19: "IBM LZ77",
    94: "MP3",
    96: "JPEG variant",
    97: "WavPack",
    98: "PPMd",
}


def codec_for(method: int) -> Codec | None:
    """Return the codec of a compression method, ``None`` if it is not read here."""
    return _CODECS.get(method)


def method_name(method: int) -> str:
    """Return what the specification calls a method that is not read here."""
    return _NAMES.get(method, f"method {method}")
