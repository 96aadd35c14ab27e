"""The studio: hands streams to a confined decoder process, one at a time, and outlives whatever they do to it.

A decoder that dies, hangs or swells costs the one stream it worked on: the answer is then a notice, and the
process is replaced. Content goes through shared memory that the decoder can only read, answers come back as checked
messages.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import time
import weakref
from collections.abc import Sequence
from types import TracebackType

from kaval.core.errors import CorruptStructureError, KavalError
from kaval.core.records import Notice, NoticeCode
from kaval.media import MEDIA, MediaFacts, MediaLimits
from kaval.media.wire import LENGTH, MAXIMUM_SIZE, Answer, Declined, Ready, Request, Told, packed, read_answer

_START_SECONDS = 25.0
_ANSWER_SECONDS = 2.0
_KEPT_MEMORY = 16 << 20
_ALLOCATOR = {"MALLOC_TRIM_THRESHOLD_": str(256 << 20), "MALLOC_MMAP_THRESHOLD_": str(32 << 20)}
"""Lets the C library keep the memory of a picture for the next one (mallopt(3)): a fifth of a small picture's time."""
_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "VIRTUAL_ENV", "SYSTEMROOT")


class DecoderLostError(KavalError):
    """The decoder process is of no further use; the notice says what became of the stream it had."""

    def __init__(self, code: NoticeCode, message: str) -> None:
        self.code = code
        super().__init__(message)


class Studio:
    """Decodes one stream at a time in a process of its own; used as a context manager by one worker.

    The process is started at once and without waiting, so that it loads its libraries while other things are done. It
    is replaced after ``files`` streams. ``modules`` are imported there before it is confined (tests bring their own
    decoders so).
    """

    def __init__(self, limits: MediaLimits, *, files: int = 2000, modules: Sequence[str] = ()) -> None:
        self._limits = limits
        self._files = files
        self._modules = tuple(modules)
        self._media_types: frozenset[str] | None = None
        self._decoder: _Decoder | None = None
        self._served = 0
        self._failed_starts = 0
        self._measures: tuple[str, ...] = ()
        self._answer: Notice | None = None

    def __enter__(self) -> Studio:
        self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the decoder process."""
        if self._decoder is not None:
            self._decoder.end()
            self._decoder = None

    def supports(self, media_type: str) -> bool:
        """Say whether a decoder for this type of content is available here."""
        if self._media_types is None:
            self._media_types = frozenset(kind for decoder in MEDIA.available() for kind in decoder.media_types)
        return media_type in self._media_types

    @property
    def confinement(self) -> tuple[str, ...]:
        """The measures in force around the decoder process."""
        if not self._measures and self._decoder is not None:
            try:
                self._measures = self._decoder.measures()
            except DecoderLostError:
                self._replace()
        return self._measures

    def submit(self, content: bytes, media_type: str) -> None:
        """Hand a stream over and return at once; ``result`` has to be asked before the next one."""
        self._answer = None
        if self._decoder is None:
            if self._failed_starts > 1:
                message = "the decoder process cannot be started here; the stream was digested, not decoded"
                self._answer = Notice(code=NoticeCode.UNAVAILABLE, message=message)
                return
            self._start()
        assert self._decoder is not None
        try:
            self._decoder.ask(content, media_type)
        except DecoderLostError as error:
            self._answer = self._lose(error)

    def result(self) -> MediaFacts | Notice:
        """Wait for the facts of the stream submitted, or for what is to be said in their place."""
        if self._answer is not None:
            return self._answer
        if self._decoder is None:
            raise RuntimeError("no stream was submitted")
        try:
            self._measures = self._decoder.measures()
            answer = self._decoder.answer()
        except DecoderLostError as error:
            return self._lose(error)
        self._failed_starts = 0
        self._served += 1
        if self._served >= self._files or (isinstance(answer, Declined) and answer.leaving):
            self._replace()
        if isinstance(answer, Declined):
            return Notice(code=answer.code, message=answer.message)
        return answer.facts

    def _start(self) -> None:
        self._decoder = _Decoder(self._limits, self._modules)
        self._served = 0

    def _replace(self) -> None:
        self.close()
        self._start()

    def _lose(self, error: DecoderLostError) -> Notice:
        assert self._decoder is not None
        if self._decoder.was_ready:
            self._replace()
        else:
            self._failed_starts += 1
            self.close()
        return Notice(code=error.code, message=str(error))


class _Decoder:
    """One decoder process, the line to it and the memory shared with it."""

    def __init__(self, limits: MediaLimits, modules: Sequence[str]) -> None:
        self._limits = limits
        self._memory = os.memfd_create("kaval-stream", os.MFD_CLOEXEC)
        ours, theirs = socket.socketpair()
        read_only = os.open(f"/proc/self/fd/{self._memory}", os.O_RDONLY | os.O_CLOEXEC)
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                _command(theirs.fileno(), read_only, limits, modules),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(), read_only),
                env=_environment(),
                start_new_session=True,
            )
        finally:
            theirs.close()
            os.close(read_only)
        self._line = ours
        self._size = 0
        self._measures: tuple[str, ...] | None = None
        self._asked_at = time.monotonic()
        self.end = weakref.finalize(self, _end, self._process, self._line, self._memory)

    @property
    def was_ready(self) -> bool:
        return self._measures is not None

    def measures(self) -> tuple[str, ...]:
        """Return the measures the process says are in force, once it is ready."""
        if self._measures is None:
            answer = self._receive(time.monotonic() + _START_SECONDS)
            if not isinstance(answer, Ready):
                reason = answer.message if isinstance(answer, Declined) else "it answered without being asked"
                raise DecoderLostError(NoticeCode.UNAVAILABLE, f"the decoder process did not start: {reason}")
            self._measures = answer.measures
            self._asked_at = time.monotonic()
        return self._measures

    def ask(self, content: bytes, media_type: str) -> None:
        """Lay a stream into the shared memory and say so."""
        if len(content) > self._size or self._size > _KEPT_MEMORY:
            self._size = len(content)
            os.ftruncate(self._memory, self._size)
        rest, offset = memoryview(content), 0
        while rest:
            written = os.pwrite(self._memory, rest, offset)
            rest, offset = rest[written:], offset + written
        self._asked_at = time.monotonic()
        try:
            self._line.sendall(packed(Request(len(content), media_type)))
        except OSError as error:
            raise self._death() from error

    def answer(self) -> Told | Declined:
        """Return what the process says to the stream it was handed."""
        answer = self._receive(self._asked_at + self._limits.seconds)
        if isinstance(answer, Ready):
            raise DecoderLostError(NoticeCode.DECODER_DIED, "the decoder answered out of turn; its answer was not used")
        return answer

    def _receive(self, deadline: float) -> Answer:
        (length,) = LENGTH.unpack(self._read(LENGTH.size, deadline))
        if length > MAXIMUM_SIZE:
            raise DecoderLostError(NoticeCode.DECODER_DIED, "the decoder gave an answer of impossible length")
        # An answer that has begun may end, even where it waited here beyond its time.
        body = self._read(length, max(deadline, time.monotonic() + _ANSWER_SECONDS))
        try:
            return read_answer(body, self._limits)
        except CorruptStructureError as error:
            raise DecoderLostError(NoticeCode.DECODER_DIED, f"{error}; it was not used") from error

    def _read(self, size: int, deadline: float) -> bytes:
        parts = []
        poll = select.poll()
        poll.register(self._line, select.POLLIN)
        while size:
            if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
                message = f"decoding took more than {self._limits.seconds:g} seconds; the decoder was ended"
                raise DecoderLostError(NoticeCode.TIME_LIMIT, message)
            try:
                part = self._line.recv(min(size, 1 << 20))
            except OSError as error:
                raise self._death() from error
            if not part:
                raise self._death()
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def _death(self) -> DecoderLostError:
        self._process.kill()
        code = self._process.wait()
        if code == -signal.SIGXCPU:
            message = f"decoding took more than {self._limits.seconds:g} seconds of computing; the decoder was ended"
            return DecoderLostError(NoticeCode.TIME_LIMIT, message)
        how = f"by {signal.Signals(-code).name}" if code < 0 else f"with code {code}"
        return DecoderLostError(NoticeCode.DECODER_DIED, f"the decoder died on these bytes ({how}); it was replaced")


def _end(process: subprocess.Popen[bytes], line: socket.socket, memory: int) -> None:
    line.close()
    process.kill()
    process.wait()
    os.close(memory)


def _command(line: int, memory: int, limits: MediaLimits, modules: Sequence[str]) -> list[str]:
    numbers = (limits.seconds, limits.memory_size, limits.pixels, limits.frames, limits.thumbnail_edge)
    return [
        *(sys.executable, "-P", "-s", "-m", "kaval.media.darkroom"),
        *(str(line), str(memory), str(os.getpid())),
        *map(str, numbers),
        *modules,
    ]


def _environment() -> dict[str, str]:
    """Return what the process needs to find the same modules as this one, and to stay with one thread."""
    kept = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    path = os.pathsep.join(entry for entry in sys.path if entry)
    return {**kept, **_ALLOCATOR, "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
