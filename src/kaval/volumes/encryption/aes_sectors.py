"""AES over whole sectors, as disk encryption uses it: many sectors at a time, in a handful of passes.

Modes: XTS (IEEE 1619), CBC and ECB with the initial vectors of dm-crypt (``plain``, ``plain64``, ``plain64be``,
``essiv``) and of BitLocker (``eboiv``, and ``elephant``: CBC followed by the diffuser; Ferguson, *AES-CBC + Elephant
diffuser*, 2006). A mode that needs one cipher call a sector costs more in the calls than in the cipher, so a run of
sectors goes through AES in one call, and what differs from sector to sector is worked out in columns beside it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from kaval.core.errors import UnsupportedError

Blocks = npt.NDArray[np.uint64]
"""AES blocks as pairs of little-endian words, one row a block."""

_FEW_SECTORS = 24
_LARGE_SECTOR = 4096
_A_ROTATIONS, _B_ROTATIONS = (9, 0, 13, 0), (0, 10, 0, 25)
_ONE, _TOP, _POLYNOMIAL = np.uint64(1), np.uint64(63), np.uint64(0x87)


class AesSectors:
    """Decrypts runs of whole sectors with one key.

    ``spec`` is written as dm-crypt writes it (``aes-xts-plain64``). Sectors are numbered in units of ``number_unit``
    bytes, so a sector of 4096 bytes may count for eight. XTS and ``elephant`` take two keys, one behind the other.

    Raises:
        UnsupportedError: The cipher or mode is none of these, or the key does not fit it.
    """

    def __init__(self, spec: str, key: bytes, sector_size: int = 512, number_unit: int = 512) -> None:
        cipher, _, rest = spec.partition("-")
        mode, _, vector = rest.partition("-")
        if cipher != "aes" or mode not in ("xts", "cbc", "ecb"):
            raise _unsupported(spec, "only AES in the modes XTS, CBC and ECB is read")
        lengths = (32, 64) if mode == "xts" or vector == "elephant" else (16, 24, 32)
        if len(key) not in lengths:
            raise _unsupported(spec, f"a key of {len(key)} bytes does not fit it")
        self.sector_size = sector_size
        self._step = sector_size // number_unit
        self._decrypt = getattr(self, f"_{mode}")
        self._prepare(spec, mode, vector, key)

    def _prepare(self, spec: str, mode: str, vector: str, key: bytes) -> None:
        self._xts_key = b""
        if mode == "xts":
            half = len(key) // 2
            self._xts_key = key if key[:half] != key[half:] else b""
            self._tweak = _encryptor(key[half:])
            key = key[:half]
        self._vectors = self._vector_maker(spec, mode, vector, key)
        if vector == "elephant":
            self._sector_key = _encryptor(key[len(key) // 2 :])
            key = key[: len(key) // 2]
            self._decrypt = self._elephant
        self._block = _decryptor(key)

    def _vector_maker(self, spec: str, mode: str, vector: str, key: bytes) -> Callable[[Blocks], Blocks]:
        """Return what makes initial vectors of sector numbers."""
        name, _, option = vector.partition(":")
        size = np.uint64(self.sector_size)
        if mode == "ecb" or name in ("plain", ""):
            return lambda numbers: _pairs(numbers & np.uint64(0xFFFFFFFF))
        if name == "plain64":
            return _pairs
        if name == "plain64be":
            return lambda numbers: _pairs(numbers.byteswap())[:, ::-1]
        if name == "essiv" and option in ("sha256", "sha1", "md5", "sha512"):
            digest = hashlib.new(option, key, usedforsecurity=False).digest()
            if len(digest) in (16, 24, 32):
                salted = _encryptor(digest)
                return lambda numbers: _through(salted, _pairs(numbers))
        if name in ("eboiv", "elephant"):
            own = _encryptor(key[: len(key) // 2] if name == "elephant" else key)
            return lambda numbers: _through(own, _pairs(numbers * size))
        raise _unsupported(spec, f"initial vectors of the kind {vector!r} are not read")

    def number_of(self, offset: int) -> int:
        """Return the number of the sector that starts so many bytes behind number 0."""
        return offset // self.sector_size * self._step

    def decrypt(self, block: bytes, sector: int) -> bytes:
        """Return the plain bytes of a run of whole sectors, the first of them being number ``sector``."""
        count, rest = divmod(len(block), self.sector_size)
        if rest:
            raise ValueError(f"{len(block)} bytes are no whole number of sectors of {self.sector_size}")
        if count == 0:
            return b""
        if self._xts_key and (count <= _FEW_SECTORS or self.sector_size >= _LARGE_SECTOR):
            return self._xts_one_by_one(block, sector)
        numbers = np.arange(count, dtype=np.uint64) * np.uint64(self._step) + np.uint64(sector)
        plain: bytes = self._decrypt(block, numbers).tobytes()
        return plain

    def _ecb(self, block: bytes, numbers: Blocks) -> Blocks:
        return _through(self._block, _blocks(block))

    def _cbc(self, block: bytes, numbers: Blocks) -> Blocks:
        stored = _blocks(block)
        plain = _through(self._block, stored)
        each = self.sector_size // 16
        before = np.empty_like(stored)
        before[1:] = stored[:-1]
        before[::each] = self._vectors(numbers)
        plain ^= before
        return plain

    def _xts(self, block: bytes, numbers: Blocks) -> Blocks:
        each = self.sector_size // 16
        tweaks = np.empty((each, len(numbers), 2), dtype=np.uint64)
        tweaks[0] = _through(self._tweak, self._vectors(numbers))
        for index in range(1, each):
            low, high = tweaks[index - 1, :, 0], tweaks[index - 1, :, 1]
            tweaks[index, :, 0] = (low << _ONE) ^ ((high >> _TOP) * _POLYNOMIAL)
            tweaks[index, :, 1] = (high << _ONE) | (low >> _TOP)
        mask = np.ascontiguousarray(tweaks.transpose(1, 0, 2)).reshape(-1, 2)
        plain = _through(self._block, _blocks(block) ^ mask)
        plain ^= mask
        return plain

    def _xts_one_by_one(self, block: bytes, sector: int) -> bytes:
        """Decrypt few sectors, where columns would cost more than calls."""
        parts = []
        algorithm = algorithms.AES(self._xts_key)
        numbers = np.arange(len(block) // self.sector_size, dtype=np.uint64) * np.uint64(self._step) + np.uint64(sector)
        vectors = self._vectors(numbers).tobytes()
        for index in range(len(numbers)):
            tweak = vectors[16 * index : 16 * index + 16]
            stored = block[index * self.sector_size : (index + 1) * self.sector_size]
            parts.append(Cipher(algorithm, modes.XTS(tweak)).decryptor().update(stored))
        return b"".join(parts)

    def _elephant(self, block: bytes, numbers: Blocks) -> Blocks:
        plain = self._cbc(block, numbers)
        words = np.ascontiguousarray(plain.view(np.uint32).reshape(len(numbers), -1).T)
        _diffuse(words, 3, (2, 5), _B_ROTATIONS)
        _diffuse(words, 5, (-2, -5), _A_ROTATIONS)
        places = _pairs(numbers * np.uint64(self.sector_size))
        first = _through(self._sector_key, places)
        places[:, 1] |= np.uint64(0x80 << 56)
        sector_keys = np.concatenate([first, _through(self._sector_key, places)], axis=1)
        joined = np.ascontiguousarray(words.T).view(np.uint64).reshape(len(numbers), -1, 4)
        joined ^= sector_keys[:, None, :]
        return joined


def _diffuse(words: npt.NDArray[np.uint32], cycles: int, reach: tuple[int, int], rotations: tuple[int, ...]) -> None:
    """Undo one diffuser on all sectors at once; row ``i`` of ``words`` is the i-th word of every sector."""
    count = len(words)
    for _ in range(cycles):
        for index in range(count):
            far = words[(index + reach[1]) % count]
            turn = rotations[index % 4]
            if turn:
                far = (far << np.uint32(turn)) | (far >> np.uint32(32 - turn))
            words[index] += words[(index + reach[0]) % count] ^ far


def _pairs(numbers: Blocks) -> Blocks:
    pairs = np.zeros((len(numbers), 2), dtype=np.uint64)
    pairs[:, 0] = numbers
    return pairs


def _blocks(stored: bytes) -> Blocks:
    return np.frombuffer(stored, dtype="<u8").reshape(-1, 2)


def _through(context: Any, blocks: Blocks) -> Blocks:
    """Return blocks after a cipher that treats each for itself."""
    target = bytearray(blocks.nbytes + 15)
    written = context.update_into(np.ascontiguousarray(blocks).reshape(-1).view(np.uint8).data, target)
    return np.frombuffer(memoryview(target)[:written], dtype="<u8").reshape(-1, 2)


def _encryptor(key: bytes) -> Any:
    return Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 - the building block of the modes here


def _decryptor(key: bytes) -> Any:
    return Cipher(algorithms.AES(key), modes.ECB()).decryptor()  # noqa: S305 - the building block of the modes here


def _unsupported(spec: str, reason: str) -> UnsupportedError:
    return UnsupportedError(f"the cipher {spec}", reason)
