"""Mutated pictures and videos through the real studio end in facts or notices, and the studio goes on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kaval.core.records import Notice, NoticeCode
from kaval.media import MediaFacts, MediaLimits
from kaval.media.studio import Studio
from tests.media.scenes import landscape, stored
from tests.media.test_pictures import heic
from tests.media.test_video import film

SCENE = landscape(96, 64)
FILES = {
    "image/jpeg": stored(SCENE, "JPEG"),
    "image/png": stored(SCENE, "PNG"),
    "image/gif": stored(SCENE, "GIF"),
    "image/webp": stored(SCENE, "WEBP"),
    "image/bmp": stored(SCENE, "BMP"),
    "image/tiff": stored(SCENE, "TIFF", compression="tiff_lzw"),
    "image/avif": stored(SCENE, "AVIF"),
    "image/heic": heic(SCENE),
    "video/mp4": film("mp4", "libx264", 1),
    "video/webm": film("webm", "libvpx-vp9", 1),
    "video/x-msvideo": film("avi", "mpeg4", 1),
}
EXPECTED = {
    NoticeCode.DAMAGED,
    NoticeCode.UNSUPPORTED,
    NoticeCode.MEMORY_LIMIT,
}


@pytest.fixture(name="studio", scope="module")
def _studio() -> Iterator[Studio]:
    with Studio(MediaLimits(seconds=5.0, memory_size=300 << 20)) as studio:
        yield studio


@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255), st.booleans()), min_size=1, max_size=12
    ),
    cut=st.one_of(st.just(1.0), st.floats(0.05, 1)),
)
@pytest.mark.parametrize("media_type", FILES)
def test_mutated_media_end_in_facts_or_notices(
    studio: Studio, media_type: str, changes: list[tuple[float, int, bool]], cut: float
) -> None:
    content = bytearray(FILES[media_type])
    for place, value, in_header in changes:
        content[int(place * (min(len(content), 600) if in_header else len(content)))] = value
    studio.submit(bytes(content[: int(len(content) * cut)]), media_type)
    answer = studio.result()

    assert isinstance(answer, MediaFacts) or answer.code in EXPECTED, answer
    if isinstance(answer, Notice):
        assert answer.message


@pytest.mark.parametrize("media_type", FILES)
def test_after_all_that_the_studio_still_decodes(studio: Studio, media_type: str) -> None:
    studio.submit(FILES[media_type], media_type)

    assert isinstance(studio.result(), MediaFacts)
