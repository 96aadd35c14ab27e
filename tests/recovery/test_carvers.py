"""Carvers find a stream's end by its structure, and say where it breaks off."""

from __future__ import annotations

import random

import pytest

from kaval.core.errors import KavalError
from kaval.core.sources import BytesSource
from kaval.recovery.carvers import CARVERS, Carved, Certainty
from kaval.recovery.scanning import SECTOR_SIZE, ask, starts
from tests.recovery.samples import picture, samples

NAMES = sorted(samples())
STRUCTURED = [
    name for name in NAMES if name.split()[0] not in ("txt", "html", "json", "csv", "mp3", "bmp", "tif", "wav")
]


def carve(content: bytes) -> list[tuple[int, Carved]]:
    """Return everything found in a block, in order; what starts inside something whole is left out."""
    found = []
    covered = 0
    for start in starts(content):
        if start.offset < covered:
            continue
        carved = ask(start.carver, BytesSource(content[start.offset :]))
        if carved is not None:
            found.append((start.offset, carved))
            if carved.certainty is Certainty.COMPLETE:
                covered = start.offset + carved.size
    return found


def on_disk(content: bytes, *, before: int = 3) -> bytes:
    """Return a stream as it lies on a disk: noise before it, zeros to the end of its sector, noise behind."""
    chance = random.Random(len(content))
    padding = -len(content) % SECTOR_SIZE or SECTOR_SIZE
    noise = bytes([0x81]) + chance.randbytes(SECTOR_SIZE - 1)
    return noise * before + content + bytes(padding) + noise * 2


@pytest.mark.parametrize("name", NAMES)
def test_a_stream_is_found_with_its_exact_size(name: str) -> None:
    content = samples()[name]

    found = carve(on_disk(content))
    assert [(offset, carved.extension, carved.size, str(carved.certainty)) for offset, carved in found] == [
        (3 * SECTOR_SIZE, name.split()[0], len(content), "complete")
    ]


@pytest.mark.parametrize("name", [name for name in STRUCTURED if len(samples()[name]) > 1024])
def test_a_stream_cut_short_is_never_called_complete(name: str) -> None:
    content = samples()[name]
    cut = content[: len(content) * 2 // 3 // SECTOR_SIZE * SECTOR_SIZE]

    for _, carved in carve(cut):
        assert carved.certainty is not Certainty.COMPLETE
        assert carved.size <= len(cut)
        assert carved.reason


@pytest.mark.parametrize("name", ["jpg", "jpg progressive", "png", "zip", "docx", "gz"])
def test_the_place_where_a_stream_was_overwritten_is_told(name: str) -> None:
    content = bytearray(samples()[name])
    place = len(content) // 2
    content[place : place + 400] = random.Random(5).randbytes(min(400, len(content) - place))

    found = carve(on_disk(bytes(content), before=0))
    assert all(carved.certainty is not Certainty.COMPLETE for _, carved in found)
    for _, carved in found:
        assert carved.damaged_offset is not None
        assert carved.damaged_offset <= place + 1024


def test_checksums_are_told_apart_from_structure() -> None:
    checked = {name: carve(on_disk(samples()[name]))[0][1].checked for name in ("png", "gz", "zip", "jpg", "mp4")}

    assert checked == {"png": True, "gz": True, "zip": True, "jpg": False, "mp4": False}


def test_streams_side_by_side_are_found_each() -> None:
    contents = [samples()[name] for name in ("jpg", "png", "docx", "sqlite", "txt")]
    disk = b"".join(content + bytes(-len(content) % SECTOR_SIZE or SECTOR_SIZE) for content in contents)

    assert [carved.size for _, carved in carve(disk)] == [len(content) for content in contents]


def test_a_picture_inside_a_document_is_not_told_twice() -> None:
    inner = picture("JPEG", seed=4, size=(640, 480))
    start = SECTOR_SIZE - 30 - len("word/p.jpg")
    outer = samples()["docx"]

    found = carve(on_disk(outer, before=0) + bytes(start) + inner)
    assert [carved.extension for _, carved in found] == ["docx"]


def test_zeros_and_noise_are_nothing() -> None:
    assert carve(bytes(1 << 18)) == []
    assert carve(random.Random(9).randbytes(1 << 20)) == []


@pytest.mark.parametrize("name", NAMES)
def test_mutated_streams_end_in_an_answer_inside_the_view(name: str) -> None:
    chance = random.Random(name)
    original = samples()[name]
    for _ in range(60):
        content = bytearray(original)
        for _ in range(chance.choice((1, 3, 20))):
            place = (
                chance.randrange(min(len(content), 600)) if chance.random() < 0.7 else chance.randrange(len(content))
            )
            content[place] = chance.choice((0, 0xFF, 0x7F, chance.randrange(256)))
        content = content[: chance.randrange(1, len(content) + 1)] if chance.random() < 0.3 else content
        for carver in CARVERS.available():
            try:
                carved = ask(carver, BytesSource(bytes(content)))
            except KavalError:
                continue
            assert carved is None or 0 <= carved.size <= len(content)
