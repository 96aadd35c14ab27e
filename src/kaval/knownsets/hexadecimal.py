"""Hexadecimal text turned into bytes, a column at a time."""

from __future__ import annotations

import binascii
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kaval.core.errors import UsageError
from kaval.knownsets.batches import Rows

_NIBBLES = np.full(256, 255, dtype=np.uint8)
for _place, _characters in enumerate(zip(b"0123456789abcdef", b"0123456789ABCDEF", strict=True)):
    _NIBBLES[list(_characters)] = _place

HEX_DIGITS = frozenset("0123456789abcdefABCDEF")


def decode_rows(text: Rows) -> tuple[Rows, NDArray[np.bool_]]:
    """Return the bytes that each row of characters stands for, and which rows were digits only."""
    count, length = text.shape
    try:
        decoded = np.frombuffer(binascii.unhexlify(text.tobytes()), dtype=np.uint8)
        return decoded.reshape(count, length // 2), np.ones(count, dtype=bool)
    except binascii.Error:
        nibbles: Rows = _NIBBLES[text]
        right: NDArray[np.bool_] = np.logical_and.reduce(nibbles < 16, axis=1)
        return (nibbles[:, 0::2] << np.uint8(4)) | (nibbles[:, 1::2] & np.uint8(15)), right


def decode_at(text: Rows, starts: NDArray[np.int64], length: int) -> tuple[Rows, NDArray[np.bool_]]:
    """Return the bytes that ``length`` digits stand for at each place of a text, and where they were all digits.

    Every place must have so many characters behind it.
    """
    return decode_rows(runs_at(text, starts, length))


def runs_at(text: Rows, starts: NDArray[np.int64], length: int) -> Rows:
    """Return runs of so many characters, a row each; every place must have so many behind it."""
    if not len(starts):
        return np.empty((0, length), dtype=np.uint8)
    windows = np.ndarray((len(text) - length + 1,), f"V{length}", text, 0, (1,))
    return windows[starts].view(np.uint8).reshape(-1, length)


def is_hex_digit(characters: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return which characters are hexadecimal digits."""
    return _NIBBLES[characters] < 16


def decode_column(values: Sequence[str | None], width: int) -> tuple[Rows, NDArray[np.int64]]:
    """Return the bytes of the values that are so many bytes in hexadecimal, and which values those are."""
    try:
        lengths = np.fromiter(map(len, values), dtype=np.int64, count=len(values))  # type: ignore[arg-type]
        if (lengths == 2 * width).all():
            flat = binascii.unhexlify("".join(values))  # type: ignore[arg-type]
            return np.frombuffer(flat, dtype=np.uint8).reshape(-1, width), np.arange(len(values))
    except (TypeError, ValueError):
        pass
    kept = []
    decoded = []
    for index, value in enumerate(values):
        found = decode_value(value, width)
        if found is not None:
            kept.append(index)
            decoded.append(found)
    rows = np.frombuffer(b"".join(decoded), dtype=np.uint8).reshape(-1, width)
    return rows, np.array(kept, dtype=np.int64)


def decode_value(value: str | None, width: int) -> bytes | None:
    """Return the bytes of one value; ``None`` where it is not so many bytes in hexadecimal, with blanks or without."""
    if not value:
        return None
    text = value.strip()
    if len(text) > 2 * width:
        text = text.replace(" ", "")
    if len(text) != 2 * width or not HEX_DIGITS.issuperset(text):
        return None
    return bytes.fromhex(text)


_HALF, _SPREAD = 128, 4
_EXACTLY_HALF, _FAR = 2.5, 2.7
_ENOUGH_TO_TELL = 3.0


def look_like_pdq(values: Rows) -> bool:
    """Whether values of 32 bytes can hardly be anything but PDQ hashes.

    A PDQ hash compares 256 numbers with their median, so half of its bits are set, exactly as a rule; of a digest that
    is so one time in twenty, and more than half of digests are further than four bits away. The logarithms of
    how much likelier a value is among the one than the other are added up; sets of others were counted for this.
    """
    away = np.abs(np.bitwise_count(values).sum(axis=1, dtype=np.int64) - _HALF)
    speaks_for = _EXACTLY_HALF * float((away == 0).sum()) - _FAR * float((away > _SPREAD).sum())
    return speaks_for > _ENOUGH_TO_TELL


def sha256_or_pdq(values: Rows, stated: str, where: str) -> str:
    """Return what 64 hexadecimal digits are: as stated, or SHA-256 where nothing speaks against it.

    Raises:
        UsageError: Nothing was stated, and the values look like PDQ hashes: a person has to say.
    """
    if stated != "auto":
        return stated
    if look_like_pdq(values):
        raise UsageError(
            f"{where} holds 64 hexadecimal digits that look like PDQ hashes, not SHA-256; "
            "say which they are (kaval known import --values pdq, or sha256)"
        )
    return "sha256"
