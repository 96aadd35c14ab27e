"""Videos: key frames, times, limits, damage."""

from __future__ import annotations

import io
from collections.abc import Iterator

import av
import numpy as np
import pytest
from av.container import InputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from kaval.core.records import Notice, NoticeCode
from kaval.media import MediaFacts, MediaLimits
from kaval.media.pdq import Pdq, pdq_of_rgb
from kaval.media.studio import Studio
from tests.media.scenes import landscape

CONTAINERS = {
    "mp4": ("video/mp4", "libx264"),
    "mov": ("video/quicktime", "libx264"),
    "matroska": ("video/x-matroska", "libx264"),
    "webm": ("video/webm", "libvpx-vp9"),
    "avi": ("video/x-msvideo", "mpeg4"),
    "mpegts": ("video/mp2t", "libx264"),
    "mpeg": ("video/mpeg", "mpeg2video"),
    "asf": ("video/x-ms-wmv", "wmv2"),
    "flv": ("video/x-flv", "flv1"),
}


def film(
    container_format: str,
    codec: str,
    seconds: int = 6,
    pixel_format: str = "yuv420p",
    metadata: dict[str, str] | None = None,
) -> bytes:
    """Return a video of ten frames a second whose every tenth frame is a key frame, and a new scene."""
    stream = io.BytesIO()
    with av.open(stream, mode="w", format=container_format) as container:
        container.metadata.update(metadata or {})
        rate = 25 if codec == "mpeg2video" else 10
        track = container.add_stream(codec, rate=rate)
        assert isinstance(track, VideoStream)
        track.width, track.height, track.pix_fmt = 192, 128, pixel_format
        track.codec_context.thread_count = 1
        track.codec_context.gop_size = rate
        track.codec_context.bit_rate = 2_000_000
        track.codec_context.max_b_frames = 0
        if codec == "libx264":
            track.codec_context.options = {"sc_threshold": "0"}
        for number in range(seconds * rate):
            picture = VideoFrame.from_ndarray(landscape(192, 128, number // rate), format="rgb24")
            container.mux(track.encode(picture))
        container.mux(track.encode(None))
    return stream.getvalue()


@pytest.fixture(name="studio", scope="module")
def _studio() -> Iterator[Studio]:
    with Studio(MediaLimits(seconds=20.0)) as studio:
        yield studio


def ask(studio: Studio, content: bytes, media_type: str) -> MediaFacts | Notice:
    studio.submit(content, media_type)
    return studio.result()


def facts(studio: Studio, content: bytes, media_type: str) -> MediaFacts:
    answer = ask(studio, content, media_type)
    assert isinstance(answer, MediaFacts), answer
    return answer


def key_frames(content: bytes) -> list[tuple[int, Pdq]]:
    """Return time and hash of the key frames, found by decoding every frame to RGB."""
    found = []
    with av.open(io.BytesIO(content)) as container:
        assert isinstance(container, InputContainer)
        start = container.streams.video[0].start_time or 0
        for frame in container.decode(video=0):
            if frame.key_frame:
                assert frame.pts is not None
                assert frame.time_base is not None
                pixels = frame.to_ndarray(format="rgb24").astype(np.uint8)
                found.append((round((frame.pts - start) * frame.time_base * 1000), pdq_of_rgb(pixels)))
    return found


@pytest.mark.parametrize("container_format", CONTAINERS)
def test_key_frames_of_every_container_are_hashed_with_their_times(studio: Studio, container_format: str) -> None:
    media_type, codec = CONTAINERS[container_format]
    content = film(container_format, codec)
    told = facts(studio, content, media_type)
    expected = key_frames(content)

    assert (told.width, told.height) == (192, 128)
    assert told.problem is None
    assert len(told.frames) == len(expected) >= 6
    for frame, (at_ms, pdq) in zip(told.frames, expected, strict=True):
        assert frame.pdq == pdq.hashes
        assert frame.quality == pdq.quality
        assert frame.at_ms == at_ms


def test_ten_bit_frames_are_hashed(studio: Studio) -> None:
    content = film("mp4", "libx264", 2, "yuv420p10le")
    told = facts(studio, content, "video/mp4")

    assert told.frames[0].pdq == key_frames(content)[0][1].hashes


def test_no_more_key_frames_are_told_than_the_limits_allow_and_they_are_spread() -> None:
    content = film("matroska", "libx264", 9)
    with Studio(MediaLimits(frames=3)) as studio:
        told = facts(studio, content, "video/x-matroska")

    assert [frame.at_ms for frame in told.frames] == [0, 4000, 8000]
    assert [frame.index for frame in told.frames] == [0, 1, 2]
    assert "9 key frames" in told.format


def test_date_and_place_of_the_recording_are_facts(studio: Studio) -> None:
    metadata = {"creation_time": "2024-03-02T01:00:00Z", "location": "+12.5000-034.2500/"}
    told = facts(studio, film("mp4", "libx264", 1, metadata=metadata), "video/mp4")

    assert told.taken_at is not None
    assert told.taken_at.startswith("2024-03-02T01:00:00")
    assert (told.latitude, told.longitude) == (12.5, -34.25)
    assert told.duration_ms == 1000


def test_a_video_that_breaks_off_is_told_as_far_as_it_goes(studio: Studio) -> None:
    content = film("matroska", "libx264")
    told = facts(studio, content[: len(content) // 2], "video/x-matroska")

    assert 1 <= len(told.frames) < 6


def test_a_video_without_its_index_is_damaged(studio: Studio) -> None:
    content = film("mp4", "libx264")
    answer = ask(studio, content[: content.index(b"moov") - 4], "video/mp4")

    assert isinstance(answer, Notice)
    assert answer.code is NoticeCode.DAMAGED


def test_a_recording_of_sound_alone_is_said_to_be_one(studio: Studio) -> None:
    stream = io.BytesIO()
    with av.open(stream, mode="w", format="mp4") as container:
        track = container.add_stream("aac", rate=44100)
        silence = av.AudioFrame.from_ndarray(np.zeros((1, 1024), dtype=np.float32), format="fltp", layout="mono")
        silence.sample_rate = 44100
        container.mux(track.encode(silence))
        container.mux(track.encode(None))
    answer = ask(studio, stream.getvalue(), "video/mp4")

    assert isinstance(answer, Notice)
    assert answer.code is NoticeCode.UNSUPPORTED


def test_av1_is_decoded_confined(studio: Studio) -> None:
    if "libsvtav1" not in av.codecs_available:
        pytest.skip("this PyAV writes no AV1")
    content = film("mp4", "libsvtav1", 2)

    assert facts(studio, content, "video/mp4").frames[0].pdq == key_frames(content)[0][1].hashes
