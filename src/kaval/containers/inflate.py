"""Compressed streams: random access without unpacking to disk.

A stream is decoded from its start; of a deflate stream copies of the decoder's state are kept on the way (every
few MiB, a bounded number), so that a jump costs at most one interval; as long as nobody jumps back, a faster decoder
that cannot be copied does the work. bzip2, LZMA, XZ and Zstandard decoders cannot be
copied: a jump backwards goes to the last place where a stream began. Checked on the way: CRC-32, the declared size,
and the ratio.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from kaval.containers.decoders import FOREIGN_ERRORS, MULTIPLE, SKIPPABLE, Codec, Decoder, codec_of, crc32, new_decoder
from kaval.core.errors import CorruptStructureError, KavalError, LimitExceededError, UnreadableError
from kaval.core.progress import advance
from kaval.core.sources import ByteSource

INPUT_SIZE = 1 << 16
"""Compressed bytes read at once."""

OUTPUT_SIZE = 1 << 18
"""Decoded bytes made at once."""

INTERVAL = 4 << 20
"""Decoded bytes between two kept states; doubled whenever there would be too many."""

MAXIMUM_STATES = 128
"""Kept states of one stream: each takes about 45 KiB."""

MAXIMUM_RATIO = 1000
"""More decoded bytes than this for each compressed byte is taken for a bomb, ..."""

RATIO_FLOOR = 64 << 20
"""... once more than this has been decoded."""

_MAXIMUM_SKIPPED = 1 << 16


@dataclass(slots=True)
class _State:
    """One place in the stream: how far decoded, how far read, what was read and not yet taken."""

    position: int
    consumed: int
    pending: bytes
    crc: int
    decoder: Decoder
    ended: bool = False

    def copy(self) -> _State | None:
        decoder = self.decoder.copy()
        if decoder is None:
            return None
        return _State(self.position, self.consumed, self.pending, self.crc, decoder, self.ended)


_SMALL_STEP = 16
_FARTHEST_SALVAGE = 256 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """How long a stream really is: decoded bytes, compressed bytes, and the error it ended with if it did.

    Where there is an error ``size`` counts the bytes decoded before it, and ``compressed_size`` says nothing.
    """

    size: int
    compressed_size: int
    error: KavalError | None


class CheckpointedSource:
    """The decoded bytes of a compressed stream that lies in a range of another source.

    Args:
        inner: Where the compressed bytes lie.
        codec: How they are compressed; or what makes a decoder, told whether one is wanted that can be copied.
        offset: Where in ``inner`` they start.
        compressed_size: How many there are at most; ``None`` to the end of ``inner``.
        size: The decoded size as declared; ``None`` if it is not known: ``measure`` then finds it.
        crc: The CRC-32 of the decoded bytes as stored.
        title: What to call the stream in errors.
        ends_at_size: The stream may carry no mark of its end, and ends where its size says.
    """

    def __init__(
        self,
        inner: ByteSource,
        codec: Codec | Callable[[bool], Decoder],
        *,
        offset: int = 0,
        compressed_size: int | None = None,
        size: int | None = None,
        crc: int | None = None,
        title: str = "the compressed stream",
        ends_at_size: bool = False,
        maximum_ratio: int = MAXIMUM_RATIO,
        ratio_floor: int = RATIO_FLOOR,
    ) -> None:
        self._inner = inner
        self._codec = codec if isinstance(codec, Codec) else None
        self._make = partial(new_decoder, codec) if isinstance(codec, Codec) else codec
        self._ends_at_size = ends_at_size or codec is Codec.ZIP_LZMA
        self._start = offset
        available = max(0, inner.size - offset)
        self._cut = compressed_size is not None and compressed_size > available
        self._length = available if compressed_size is None else min(compressed_size, available)
        self._declared = size
        self._size = size if size is not None else 0
        self._crc = crc
        self._title = title
        self._ratio = maximum_ratio
        self._floor = ratio_floor
        self._interval = INTERVAL
        self._copied = False
        self._states: list[_State] = []
        self._state = self._fresh()
        self._window = b""
        self._open_ended = size is None
        self._failure: tuple[int, KavalError] | None = None
        self._salvaged: tuple[int, bytes] = (1 << 62, b"")

    @property
    def size(self) -> int:
        return self._size

    def _fresh(self) -> _State:
        return _State(0, 0, b"", 0, self._new_decoder())

    def _new_decoder(self) -> Decoder:
        return self._make(self._copied)

    def measure(self) -> Measured:
        """Decode to the end once, and take what was found for the size from now on."""
        error: KavalError | None = None
        try:
            self._seek(0)
            while self._advance():
                advance()
            self._size = self._state.position
        except (CorruptStructureError, UnreadableError, LimitExceededError) as caught:
            error = caught
            self._size = self._failure[0] if self._failure else self._state.position
        self._declared = self._size if error is None else None
        self._open_ended = False
        return Measured(size=self._size, compressed_size=self._taken(), error=error)

    def read_at(self, offset: int, length: int) -> bytes:
        end = min(offset + length, 1 << 62 if self._open_ended else self._size)
        if offset < 0 or length <= 0 or offset >= end:
            return b""
        self._seek(offset)
        parts = []
        while offset < end:
            begin = self._state.position - len(self._window)
            if offset < self._state.position:
                part = self._window[offset - begin : end - begin]
                parts.append(part)
                offset += len(part)
            elif not self._advance():
                break
        self._check_end(offset)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _seek(self, offset: int, on_block: Callable[[], None] | None = None) -> None:
        """Bring the window to the byte or before it, from the nearest kept state."""
        begin = self._state.position - len(self._window)
        index = bisect_right(self._states, offset, key=lambda state: state.position) - 1
        kept = self._states[index] if index >= 0 else None
        ahead = offset >= begin and (kept is None or kept.position <= self._state.position)
        if not ahead:
            self._copied = self._declared is None or self._declared > self._interval
            self._state, self._window = self._nearest(offset), b""
        while self._state.position <= offset and self._advance():
            if on_block is not None:
                on_block()

    def _nearest(self, offset: int) -> _State:
        """Return a state to decode on from, the nearest kept one before a byte."""
        index = bisect_right(self._states, offset, key=lambda state: state.position) - 1
        return (self._states[index].copy() if index >= 0 else None) or self._fresh()

    def reach(self, offset: int) -> tuple[int, KavalError | None]:
        """Decode up to a byte; return how far that went, and the error that stopped it."""
        try:
            self._seek(offset - 1, advance)
        except (CorruptStructureError, UnreadableError, LimitExceededError) as error:
            assert self._failure is not None
            return min(offset, self._failure[0]), error
        return min(offset, self._state.position), None

    def _advance(self) -> bool:
        """Decode one more block into the window; say whether there was one.

        Where the stream failed once it fails again, with the same error: a broken decoder is not asked twice.
        """
        state = self._state
        if self._failure is not None and state.position >= self._failure[0]:
            raise self._failure[1]
        self._keep(state)
        if state.position == self._salvaged[0]:
            decoded = self._salvaged[1]
            state.position += len(decoded)
        else:
            try:
                decoded = self._decoded(state, min(OUTPUT_SIZE, self._salvaged[0] - state.position))
            except KavalError as error:
                decoded = self._fail(state.position, error)
        if not decoded:
            return False
        self._window = decoded
        return True

    def _fail(self, position: int, error: KavalError) -> bytes:
        """Note that the stream fails; return what small steps can still decode before that.

        Where a second decoder sees no failure the work goes on with that one.

        Raises:
            KavalError: The error given, where nothing more can be decoded.
        """
        self._copied = True
        salvaged = b""
        if isinstance(error, CorruptStructureError):
            state, salvaged, again = self._salvage(position)
            if again is None and state is not None:
                self._state = state
                return salvaged
        self._failure = (position + len(salvaged), error)
        if not salvaged:
            self._state, self._window = self._fresh(), b""
            raise error
        self._salvaged = (position, salvaged)
        self._state.position += len(salvaged)
        return salvaged

    def _salvage(self, position: int) -> tuple[_State | None, bytes, KavalError | None]:
        """Decode once more up to a byte, and on in small and at last smallest steps, until an error or far enough."""
        salvaged, error, state = b"", None, None
        for step in (_SMALL_STEP, 1):
            state, block, error = self._stepped(position + len(salvaged), step)
            salvaged += block
            if error is None:
                break
        return state, salvaged, error

    def _stepped(self, position: int, step: int) -> tuple[_State | None, bytes, KavalError | None]:
        state = self._nearest(position)
        if position - state.position > _FARTHEST_SALVAGE:
            return None, b"", None
        parts: list[bytes] = []
        try:
            while state.position < position:
                if not self._decoded(state, min(OUTPUT_SIZE, position - state.position)):
                    return None, b"", None
            for _ in range(2 * OUTPUT_SIZE // _SMALL_STEP):
                parts.append(self._decoded(state, step))
                if not parts[-1]:
                    break
        except KavalError as error:
            return state, b"".join(parts), error
        return state, b"".join(parts), None

    def _decoded(self, state: _State, maximum: int) -> bytes:
        """Return the next decoded bytes, none at the end of the stream."""
        maximum = self._cut_at_size(state, maximum)
        while not state.ended:
            block = self._next_input(state)
            try:
                decoded = state.decoder.decode(block, maximum)
            except FOREIGN_ERRORS as error:
                raise CorruptStructureError(self._title, str(error) or "it cannot be decoded", self._where()) from error
            state.pending = state.decoder.tail
            if state.decoder.eof:
                self._next_stream(state)
            if decoded:
                state.position += len(decoded)
                self._cut_at_size(state, maximum)
                if self._crc is not None:
                    state.crc = crc32(decoded, state.crc)
                self._check_ratio(state)
                return decoded
        return b""

    def _cut_at_size(self, state: _State, maximum: int) -> int:
        """Return how many bytes may still be asked for; a stream without a mark of its end ends where its size says."""
        if not self._ends_at_size or self._declared is None:
            return maximum
        state.ended = state.ended or state.position >= self._declared
        return min(maximum, self._declared - state.position)

    def _next_input(self, state: _State) -> bytes:
        if state.pending or not state.decoder.needs_input:
            block, state.pending = state.pending, b""
            return block
        if state.consumed < self._length:
            return self._more(state)
        at = self._start + self._length
        reason = "what holds the stream ends before the stream does"
        if self._cut or at >= self._inner.size:
            raise UnreadableError(at, max(1, (self._declared or 0) - state.position), reason)
        raise CorruptStructureError(self._title, reason, at)

    def _next_stream(self, state: _State) -> None:
        """Go on to a stream that follows at once, where the format allows it; zeros between are padding."""
        state.ended = True
        if self._codec not in MULTIPLE:
            return
        self._skip_padding(state)
        if self._codec is Codec.ZSTANDARD:
            self._skip_frames(state)
        if codec_of(state.pending) is self._codec:
            state.decoder = self._new_decoder()
            state.ended = False

    def _skip_padding(self, state: _State) -> None:
        rest = state.pending.lstrip(b"\0")
        while len(rest) < 8 and state.consumed < self._length:
            rest = (rest + self._more(state)).lstrip(b"\0")
        state.pending = rest

    def _skip_frames(self, state: _State) -> None:
        """Pass over skippable frames (RFC 8878, 3.1.2), a bounded number of them."""
        for _ in range(_MAXIMUM_SKIPPED):
            if len(state.pending) < 8 or int.from_bytes(state.pending[:4], "little") not in SKIPPABLE:
                return
            length = 8 + int.from_bytes(state.pending[4:8], "little")
            beyond = length - len(state.pending)
            state.consumed += min(max(0, beyond), self._length - state.consumed)
            state.pending = state.pending[length:]
            while len(state.pending) < 8 and state.consumed < self._length:
                state.pending += self._more(state)

    def _more(self, state: _State) -> bytes:
        take = min(INPUT_SIZE, self._length - state.consumed)
        block = self._inner.read_at(self._start + state.consumed, take)
        if len(block) < take:
            raise UnreadableError(self._start + state.consumed + len(block), take - len(block), "the source ends")
        state.consumed += take
        return block

    @property
    def failure(self) -> KavalError | None:
        """The error that decoding the stream ended with, as far as it was tried."""
        return self._failure[1] if self._failure else None

    @property
    def trailing_size(self) -> int:
        """Bytes behind the end of the stream that belong to nothing; known once it was read to the end."""
        return self._length - self._taken() if self._state.ended else 0

    def _taken(self) -> int:
        return self._state.consumed - len(self._state.pending)

    def _where(self) -> int:
        return self._start + max(0, self._state.consumed - INPUT_SIZE)

    def _check_ratio(self, state: _State) -> None:
        taken = max(1, state.consumed - len(state.pending))
        if state.position > self._floor and state.position > self._ratio * taken:
            reason = f"{self._title} gave {state.position} bytes for {taken}"
            raise LimitExceededError("ratio", self._ratio, reason)

    def _check_end(self, offset: int) -> None:
        """Compare declared size and CRC once the end is reached."""
        if self._declared is None:
            return
        if offset < self._size and self._state.ended and self._state.position <= offset:
            reason = f"it ends after {self._state.position} bytes, {self._declared} are declared"
            raise CorruptStructureError(self._title, reason, self._start)
        if offset < self._size:
            return
        while not self._state.ended and self._state.position <= self._size:
            window, position = self._window, self._state.position
            if not self._advance():
                self._window = window
            elif self._state.position > self._size:
                self._window = window + self._window if position == self._size else self._window
        if self._state.position > self._size:
            raise CorruptStructureError(self._title, f"it goes on behind the {self._size} bytes declared", self._start)
        if self._crc is not None and self._state.crc != self._crc:
            reason = f"its CRC-32 is {self._state.crc:08x}, stored is {self._crc:08x}"
            raise CorruptStructureError(self._title, reason, self._start)

    def _keep(self, state: _State) -> None:
        last = self._states[-1].position if self._states else 0
        if state.position < last + self._interval or state.ended:
            return
        twin = state.copy()
        if twin is None:
            return
        if len(self._states) >= MAXIMUM_STATES:
            del self._states[::2]
            self._interval *= 2
        self._states.append(twin)
