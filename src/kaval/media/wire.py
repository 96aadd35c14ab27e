"""What the examining side and a confined decoder process say to each other.

Messages are MessagePack by typed structures, each behind four bytes of length. Nothing that comes from a decoder
process is taken for more than it is: types, lengths and ranges are checked, and nothing is ever unpickled.
"""

from __future__ import annotations

import math
import struct

import msgspec

from kaval.core.errors import CorruptStructureError
from kaval.core.records import NoticeCode
from kaval.media import MediaFacts, MediaLimits

LENGTH = struct.Struct("<I")
MAXIMUM_SIZE = 64 << 20
_MAXIMUM_THUMBNAIL = 1 << 20
_MAXIMUM_TEXT = 2000


class Request(msgspec.Struct, frozen=True):
    """Decode the first ``size`` bytes of the shared memory."""

    size: int
    media_type: str


class Ready(msgspec.Struct, frozen=True, tag=True):
    """The process is confined by these measures and waits for work."""

    measures: tuple[str, ...]


class Told(msgspec.Struct, frozen=True, tag=True):
    """The facts of the stream asked about."""

    facts: MediaFacts


class Declined(msgspec.Struct, frozen=True, tag=True):
    """Why there are no facts; ``leaving`` when the process is not fit for further work."""

    code: NoticeCode
    message: str
    leaving: bool = False


Answer = Ready | Told | Declined

_ENCODER = msgspec.msgpack.Encoder()
_ANSWERS: msgspec.msgpack.Decoder[Answer] = msgspec.msgpack.Decoder(Answer)
_REQUESTS = msgspec.msgpack.Decoder(Request)


def packed(message: Request | Answer) -> bytes:
    """Return a message as it goes over the line, length first."""
    body = _ENCODER.encode(message)
    return LENGTH.pack(len(body)) + body


def read_request(body: bytes) -> Request:
    """Return the request a decoder process was sent."""
    return _REQUESTS.decode(body)


def read_answer(body: bytes, limits: MediaLimits) -> Answer:
    """Return what a decoder process answered, once every field was found possible.

    Raises:
        CorruptStructureError: It is no answer that our own code would give.
    """
    try:
        answer = _ANSWERS.decode(body)
    except msgspec.MsgspecError as error:
        raise CorruptStructureError("answer of the decoder", str(error)) from error
    if isinstance(answer, Told):
        _check(answer.facts, limits)
    elif isinstance(answer, Declined):
        return msgspec.structs.replace(answer, message=answer.message[:_MAXIMUM_TEXT])
    return answer


def _check(facts: MediaFacts, limits: MediaLimits) -> None:
    texts = (facts.format, facts.decoder, facts.pdq_method, facts.taken_at, facts.make, facts.model, facts.problem)
    if any(text is not None and len(text) > _MAXIMUM_TEXT for text in texts):
        raise CorruptStructureError("answer of the decoder", "a text is too long")
    if not (0 < facts.width <= 1 << 31 and 0 < facts.height <= 1 << 31 and len(facts.frames) <= limits.frames):
        raise CorruptStructureError("answer of the decoder", "size or number of frames is not possible")
    if facts.duration_ms is not None and not 0 <= facts.duration_ms < 1 << 53:
        raise CorruptStructureError("answer of the decoder", "the duration is not possible")
    for place, bound in ((facts.latitude, 90.0), (facts.longitude, 180.0)):
        if place is not None and not (math.isfinite(place) and abs(place) <= bound):
            raise CorruptStructureError("answer of the decoder", "the position is not on the earth")
    for frame in facts.frames:
        if len(frame.pdq) != 8 or any(len(turned) != 32 for turned in frame.pdq) or not 0 <= frame.quality <= 100:
            raise CorruptStructureError("answer of the decoder", "a hash is not one")
        if len(frame.thumbnail) > _MAXIMUM_THUMBNAIL or frame.thumbnail[:2] not in (b"", b"\xff\xd8"):
            raise CorruptStructureError("answer of the decoder", "a thumbnail is not one")
