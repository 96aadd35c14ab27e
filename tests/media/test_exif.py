"""Exif: what is told, upright thumbnails, and that a hostile field never costs the picture."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from kaval.media import MediaFacts, MediaLimits
from kaval.media.decoders.jpeg import Jpeg
from kaval.media.decoders.pictures import Pictures
from kaval.media.exif import NOTHING_TOLD, Taking, read_exif
from tests.media.scenes import landscape, stored

SCENE = landscape(300, 200)


def exif(orientation: int = 1) -> Image.Exif:
    fields = Image.Exif()
    fields[0x010F], fields[0x0110], fields[0x0112] = "Velmora", "Tresk 7", orientation
    fields[0x0132] = "2024:01:01 00:00:00"
    fields.get_ifd(0x8769)[0x9003] = "2023:12:31 23:59:58"
    fields.get_ifd(0x8825).update({1: "S", 2: (12.0, 30.0, 36.0), 3: "E", 4: (77.0, 0.0, 18.0)})
    return fields


def decoded(content: bytes) -> MediaFacts:
    return Jpeg().decode(memoryview(content), "image/jpeg", MediaLimits())


def test_date_make_model_and_position_are_facts_as_stored() -> None:
    told = decoded(stored(SCENE, "JPEG", exif=exif()))

    assert told.taken_at == "2023:12:31 23:59:58"
    assert (told.make, told.model) == ("Velmora", "Tresk 7")
    assert (told.latitude, told.longitude) == (-12.51, 77.005)


@pytest.mark.parametrize(
    ("plugin", "media_type"), [("PNG", "image/png"), ("WEBP", "image/webp"), ("TIFF", "image/tiff")]
)
def test_other_formats_tell_the_same(plugin: str, media_type: str) -> None:
    """Pillow writes no Exif directory into a TIFF, so its main date stands there."""
    content = stored(SCENE, plugin, exif=exif())
    told = Pictures().decode(memoryview(content), media_type, MediaLimits())

    assert told.make == "Velmora"
    assert told.taken_at == ("2024:01:01 00:00:00" if plugin == "TIFF" else "2023:12:31 23:59:58")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_thumbnail_is_upright_and_the_hash_is_of_the_pixels_as_stored(orientation: int) -> None:
    content = stored(SCENE, "JPEG", exif=exif(orientation), quality=95)
    told = decoded(content)
    with Image.open(io.BytesIO(content)) as picture:
        from PIL import ImageOps

        upright = ImageOps.exif_transpose(picture).convert("L")
    with Image.open(io.BytesIO(told.frames[0].thumbnail)) as small:
        expected = np.asarray(upright.resize(small.size, Image.Resampling.BOX)).astype(int)

        assert np.abs(np.asarray(small).astype(int) - expected).mean() < 8
    assert told.frames[0].pdq == decoded(stored(SCENE, "JPEG", quality=95)).frames[0].pdq


def test_fields_that_break_the_specification_are_left_out_one_by_one() -> None:
    fields = exif()
    fields[0x0112] = 99
    fields.get_ifd(0x8825).update({2: (91.0, 0.0, 0.0), 4: (1.0, 2.0)})
    taking = read_exif(fields.tobytes())

    assert taking.orientation == 1
    assert taking.latitude is None
    assert taking.longitude is None
    assert taking.make == "Velmora"


def test_control_characters_do_not_reach_the_facts() -> None:
    fields = Image.Exif()
    fields[0x010F] = "a\x1b[31mb\nc"

    assert read_exif(fields.tobytes()).make == "a\ufffd[31mb\ufffdc"


def test_what_is_no_exif_tells_nothing() -> None:
    for content in (b"", b"Exif\x00\x00", b"II*\x00", b"MM\x00*\xff\xff\xff\xff", b"II*\x00\x08\x00\x00\x00"):
        assert read_exif(content) == NOTHING_TOLD


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    changes=st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), max_size=12),
    cut=st.integers(0, 400),
)
def test_mutated_exif_ends_in_facts(changes: list[tuple[int, int]], cut: int) -> None:
    content = bytearray(exif().tobytes())
    for place, value in changes:
        content[place % len(content)] = value
    taking = read_exif(bytes(content[: len(content) - cut % len(content)]))

    assert isinstance(taking, Taking)
    assert 1 <= taking.orientation <= 8


@settings(max_examples=60, deadline=None, derandomize=True)
@given(changes=st.lists(st.tuples(st.integers(0, 350), st.integers(0, 255)), min_size=1, max_size=8))
def test_a_hostile_exif_segment_never_costs_the_picture(changes: list[tuple[int, int]]) -> None:
    clean = stored(SCENE, "JPEG", exif=exif())
    start = clean.index(b"Exif\x00\x00") + 6
    length = int.from_bytes(clean[start - 8 : start - 6], "big") - 8
    hostile = bytearray(clean)
    for place, value in changes:
        hostile[start + place % length] = value

    assert decoded(bytes(hostile)).frames[0].pdq == decoded(clean).frames[0].pdq
