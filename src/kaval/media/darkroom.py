"""The confined decoder process: one stream in, its facts out, until the line closes.

Started by the studio as ``python -m kaval.media.darkroom``. It loads every decoder and library first, then gives up
what it can (confinement), and only then looks at evidence, which lies in shared memory it can only read.
"""

from __future__ import annotations

import importlib
import mmap
import os
import sys
import warnings
from types import TracebackType

from kaval.core.errors import (
    CorruptStructureError,
    KavalError,
    LimitExceededError,
    NotRecognisedError,
    UnavailableError,
    UnsupportedError,
)
from kaval.core.records import NoticeCode
from kaval.media import MEDIA, MediaDecoder, MediaFacts, MediaLimits
from kaval.media.confinement import confine, die_with_parent, limit_time
from kaval.media.examples import is_pattern
from kaval.media.wire import LENGTH, Answer, Declined, Ready, Request, Told, packed, read_request

_CODES: tuple[tuple[type[KavalError], NoticeCode], ...] = (
    (CorruptStructureError, NoticeCode.DAMAGED),
    (UnsupportedError, NoticeCode.UNSUPPORTED),
    (UnavailableError, NoticeCode.UNAVAILABLE),
    (NotRecognisedError, NoticeCode.UNRECOGNISED),
)


class Darkroom:
    """The decoders, the line and the shared memory of this process."""

    def __init__(self, line: int, memory: int, limits: MediaLimits) -> None:
        self._line = line
        self._memory = memory
        self._limits = limits
        self._decoders: dict[str, MediaDecoder] = {}
        self._examples: list[tuple[MediaDecoder, str, bytes]] = []
        self._unfit: dict[str, str] = {}

    def prepare(self) -> None:
        """Load all decoders and what they need."""
        for decoder in MEDIA.available():
            self._examples += [(decoder, *example) for example in decoder.prepare()]
            for media_type in decoder.media_types:
                self._decoders.setdefault(media_type, decoder)

    def serve(self) -> None:
        """Confine this process, then answer until the line closes."""
        measures = confine(self._limits.memory_size)
        self._prove()
        self.say(Ready(measures))
        while True:
            head = self._read(LENGTH.size)
            if head is None:
                return
            body = self._read(*LENGTH.unpack(head))
            if body is None:
                return
            limit_time(self._limits.seconds)
            answer = self._answer(read_request(body))
            self.say(answer)
            if isinstance(answer, Declined) and answer.leaving:
                return

    def _prove(self) -> None:
        """Take out of service every decoder that cannot decode its examples now."""
        for decoder, media_type, content in self._examples:
            try:
                facts = decoder.decode(memoryview(content), media_type, self._limits)
            except (KavalError, MemoryError, PermissionError) as error:
                reason = f"{media_type}: {type(error).__name__}: {error}"
            else:
                first = facts.frames[0]
                if is_pattern(first.pdq[0], first.quality) and facts.problem is None:
                    continue
                reason = f"{media_type}: a known picture comes out wrong"
            self._unfit.update(dict.fromkeys(decoder.media_types, reason))

    def say(self, answer: Answer) -> None:
        """Send an answer whole."""
        rest = memoryview(packed(answer))
        while rest:
            rest = rest[os.write(self._line, rest) :]

    def _read(self, size: int) -> bytes | None:
        parts = []
        while size:
            part = os.read(self._line, size)
            if not part:
                return None
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def _answer(self, request: Request) -> Answer:
        """Return the facts, or why there are none.

        What a library throws beyond what its decoder foresaw is not caught: it ends this process, whose state
        nobody can vouch for then, and the last word goes through ``_report``.
        """
        try:
            return Told(self._decode(request))
        except LimitExceededError as error:
            return Declined(NoticeCode.TIME_LIMIT if error.limit == "time" else NoticeCode.MEMORY_LIMIT, str(error))
        except KavalError as error:
            code = next((code for kind, code in _CODES if isinstance(error, kind)), NoticeCode.CAPABILITY_FAILED)
            return Declined(code, str(error))
        except MemoryError:
            message = f"decoding needs more than the {self._limits.memory_size >> 20} MiB a decoder may use; left out"
            return Declined(NoticeCode.MEMORY_LIMIT, message, leaving=True)
        except PermissionError as error:
            message = f"the decoder tried what its confinement refuses ({error}); its answer was not used"
            return Declined(NoticeCode.DECODER_REFUSED, message, leaving=True)

    def _decode(self, request: Request) -> MediaFacts:
        decoder = self._decoders[request.media_type]
        if request.media_type in self._unfit:
            reason = f"it does not work once it is confined here ({self._unfit[request.media_type]})"
            raise UnavailableError(decoder.title, reason)
        if request.size == 0:
            raise CorruptStructureError(request.media_type, "it is empty")
        shared = mmap.mmap(self._memory, request.size, access=mmap.ACCESS_READ)
        return decoder.decode(memoryview(shared), request.media_type, self._limits)


def main() -> None:
    """Serve the studio that started this process."""
    line, memory, parent, *options = sys.argv[1:]
    numbers, modules = options[:5], options[5:]
    if not die_with_parent(int(parent)):
        return
    warnings.simplefilter("ignore")
    limits = MediaLimits(
        seconds=float(numbers[0]),
        memory_size=int(numbers[1]),
        pixels=int(numbers[2]),
        frames=int(numbers[3]),
        thumbnail_edge=int(numbers[4]),
    )
    darkroom = Darkroom(int(line), int(memory), limits)

    def report(kind: type[BaseException], error: BaseException, _: TracebackType | None) -> None:
        message = f"the decoder failed on these bytes: {kind.__name__}: {error}"
        darkroom.say(Declined(NoticeCode.CAPABILITY_FAILED, message[:2000], leaving=True))

    sys.excepthook = report
    for module in modules:
        importlib.import_module(module)
    darkroom.prepare()
    darkroom.serve()


if __name__ == "__main__":
    main()
