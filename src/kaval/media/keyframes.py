"""Key frames of videos through PyAV (FFmpeg's libraries), each hashed and made small.

Only packets marked as key frames are decoded, of many as many as the limits allow, evenly spread; by the vPDQ
description of facebook/ThreatExchange a subset of the frames may stand for a video. RGB is hashed, in full
resolution, as there. A video that breaks off is told as far as it goes.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from kaval.core.errors import CorruptStructureError, LimitExceededError, UnsupportedError
from kaval.media import Frame, MediaFacts, MediaLimits
from kaval.media.examples import pattern
from kaval.media.pdq import METHOD, pdq_of_rgb
from kaval.media.thumbnails import thumbnail

DECODER = f"PyAV {av.__version__} / libavcodec {'.'.join(map(str, av.library_versions['libavcodec']))}"

_BUFFER_SIZE = 256 << 10
_ORIENTATIONS = {0: 1, 90: 8, 180: 3, -180: 3, -90: 6}
_PLACE = re.compile(r"([+-]\d{1,2}(?:\.\d{1,9})?)([+-]\d{1,3}(?:\.\d{1,9})?)(?:[+-][\d.]{1,12})?(?:CRS\w{0,20})?/?")
_DAMAGE = (av.FFmpegError, ValueError)


def decode_video(content: memoryview, demuxer: str, limits: MediaLimits) -> MediaFacts:
    """Return the facts of one video and of its key frames.

    Raises:
        CorruptStructureError: Not one key frame can be decoded.
        UnsupportedError: It holds no video, or none that can be decoded here.
        LimitExceededError: Its frames have more pixels than the limits allow.
    """
    survey = _survey(content, demuxer, limits)
    frames = tuple(_frames(content, demuxer, survey, limits))
    if not frames:
        raise CorruptStructureError("video", survey.problem or "it has no key frame that can be decoded")
    latitude, longitude = _place(survey.metadata)
    return MediaFacts(
        format=f"{demuxer} {survey.codec}, {survey.keys} key frames",
        width=survey.width,
        height=survey.height,
        decoder=DECODER,
        pdq_method=f"{METHOD}; key frames, RGB full resolution; {DECODER}",
        frames=frames,
        duration_ms=survey.duration_ms,
        taken_at=_text(survey.metadata, "com.apple.quicktime.creationdate", "creation_time"),
        make=_text(survey.metadata, "com.apple.quicktime.make", "make"),
        model=_text(survey.metadata, "com.apple.quicktime.model", "model"),
        latitude=latitude,
        longitude=longitude,
        problem=survey.problem,
    )


@dataclass(slots=True)
class _Survey:
    """What reading a video through, without decoding it, tells; ``problem`` may come later, with decoding."""

    width: int
    height: int
    codec: str
    duration_ms: int | None
    metadata: Mapping[str, str]
    keys: int = 0
    problem: str | None = None


@dataclass(slots=True)
class _Reader:
    """The stream as a file that libavformat can read and seek in, without a copy of it."""

    content: memoryview
    at: int = field(default=0)

    def read(self, size: int = -1) -> bytes:
        end = len(self.content) if size < 0 else min(self.at + size, len(self.content))
        part = bytes(self.content[self.at : end])
        self.at += len(part)
        return part

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self.at, io.SEEK_END: len(self.content)}[whence]
        self.at = min(max(base + offset, 0), len(self.content))
        return self.at

    def tell(self) -> int:
        return self.at


def _opened(content: memoryview, demuxer: str) -> InputContainer:
    try:
        return av.open(_Reader(content), mode="r", format=demuxer, metadata_errors="replace", buffer_size=_BUFFER_SIZE)
    except _DAMAGE as error:
        raise CorruptStructureError("video", f"its structure cannot be read ({_said(error)})") from error


def _stream(container: InputContainer) -> VideoStream:
    """Return the first video stream that is not a cover picture."""
    for stream in container.streams.video:
        if not stream.disposition & av.stream.Disposition.attached_pic and stream.codec_context is not None:
            return stream
    raise UnsupportedError("a recording without a video stream that a decoder here knows", "it was digested only")


def _survey(content: memoryview, demuxer: str, limits: MediaLimits) -> _Survey:
    with _opened(content, demuxer) as container:
        stream = _stream(container)
        context = stream.codec_context
        if context.width * context.height > limits.pixels:
            reason = f"the video has {context.width} by {context.height}"
            raise LimitExceededError("pixels", limits.pixels, reason)
        survey = _Survey(
            width=context.width,
            height=context.height,
            codec=context.name,
            duration_ms=_duration_ms(container, stream),
            metadata={**stream.metadata, **container.metadata},
        )
        for _ in _key_packets(container, stream, survey):
            survey.keys += 1
        return survey


def _key_packets(container: InputContainer, stream: VideoStream, survey: _Survey) -> Iterator[Packet[VideoStream]]:
    """Yield the packets marked as key frames; where the container is damaged they end, and the survey says so."""
    try:
        for packet in container.demux(stream):
            if packet.is_keyframe and packet.size:
                yield packet
    except PermissionError:
        raise
    except _DAMAGE as error:
        survey.problem = f"the video breaks off ({_said(error)})"


def _frames(content: memoryview, demuxer: str, survey: _Survey, limits: MediaLimits) -> Iterator[Frame]:
    """Yield at most ``limits.frames`` key frames, spread over all of them, the first and the last included."""
    count = min(limits.frames, survey.keys)
    chosen = {round(number * (survey.keys - 1) / max(1, count - 1)) for number in range(count)}
    with _opened(content, demuxer) as container:
        stream = _stream(container)
        stream.codec_context.thread_count = 1
        index = 0
        for number, packet in enumerate(_key_packets(container, stream, survey)):
            if number in chosen:
                for picture in _decoded(stream, packet, survey):
                    yield _frame(index, picture, _at_ms(packet, stream), survey, limits)
                    index += 1


def _decoded(stream: VideoStream, packet: Packet[VideoStream], survey: _Survey) -> list[VideoFrame]:
    """Return the picture of one key frame, decoded on its own and in no way dependent on those before."""
    context = stream.codec_context
    try:
        return [*context.decode(packet), *context.decode(None)]
    except PermissionError:
        raise
    except _DAMAGE as error:
        survey.problem = f"a key frame cannot be decoded ({_said(error)})"
        return []
    finally:
        context.flush_buffers()


def _frame(index: int, picture: VideoFrame, at_ms: int | None, survey: _Survey, limits: MediaLimits) -> Frame:
    if picture.width * picture.height > limits.pixels:
        raise LimitExceededError("pixels", limits.pixels, f"a frame has {picture.width} by {picture.height}")
    if picture.is_corrupt:
        survey.problem = "a key frame is damaged; it was hashed as far as it could be decoded"
    survey.width, survey.height = survey.width or picture.width, survey.height or picture.height
    pixels = picture.to_ndarray(format="rgb24").astype(np.uint8, copy=False)
    hashed = pdq_of_rgb(pixels)
    small = thumbnail(pixels, limits.thumbnail_edge, _ORIENTATIONS.get(picture.rotation, 1))
    return Frame(index=index, at_ms=at_ms, pdq=hashed.hashes, quality=hashed.quality, thumbnail=small)


def _at_ms(packet: Packet[VideoStream], stream: VideoStream) -> int | None:
    stamp = packet.pts if packet.pts is not None else packet.dts
    if stamp is None or packet.time_base is None:
        return None
    return max(0, round((stamp - (stream.start_time or 0)) * packet.time_base * 1000))


def _duration_ms(container: InputContainer, stream: VideoStream) -> int | None:
    if container.duration is not None and container.duration >= 0:
        return container.duration // 1000
    if stream.duration is not None and stream.time_base is not None and stream.duration >= 0:
        return round(stream.duration * stream.time_base * 1000)
    return None


def _text(metadata: Mapping[str, str], *names: str) -> str | None:
    text = next((metadata[name] for name in names if metadata.get(name)), None)
    return text[:200] if text else None


def _place(metadata: Mapping[str, str]) -> tuple[float | None, float | None]:
    """Return latitude and longitude of an ISO 6709 text such as ``+12.5-034.2/``."""
    text = _text(metadata, "com.apple.quicktime.location.ISO6709", "location")
    found = _PLACE.fullmatch(text) if text else None
    if found is None:
        return None, None
    latitude, longitude = float(found[1]), float(found[2])
    return (latitude, longitude) if abs(latitude) <= 90 and abs(longitude) <= 180 else (None, None)


def _said(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def example() -> bytes:
    """Return the known pattern as a video of one frame."""
    stream = io.BytesIO()
    with av.open(stream, mode="w", format="avi") as container:
        track = container.add_stream("mjpeg", rate=1)
        track.width, track.height, track.pix_fmt = 96, 96, "yuvj420p"
        track.codec_context.thread_count = 1
        picture = VideoFrame.from_ndarray(np.pad(pattern(), ((0, 48), (0, 0)), constant_values=128), format="yuvj420p")
        for packet in (*track.encode(picture), *track.encode(None)):
            container.mux(packet)
    return stream.getvalue()
