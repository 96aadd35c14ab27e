"""A film whose index lies elsewhere is joined with the one that proves to be its own, and with no other."""

from __future__ import annotations

import random
import struct
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from kaval.core.sources import BytesSource
from kaval.recovery.films.boxes import head_of, looks_like_index, tracks_of
from kaval.recovery.films.joining import Index, Joining, fills, fits, likeliest
from kaval.recovery.films.samples import form_of

CLUSTER = 4096


@cache
def film(seed: int, *, codec: str = "h264", form: str = "mp4", sound: bool = True, frames: int = 40) -> bytes:
    """Return a short film of moving noise, its index at the end."""
    chance = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "v"
        with av.open(str(path), "w", format=form) as output:
            stream: Any = output.add_stream(codec, rate=20)
            stream.width, stream.height, stream.pix_fmt = 128, 96, "yuvj420p" if codec == "mjpeg" else "yuv420p"
            tone: Any = output.add_stream("aac", rate=48_000) if sound else None
            if tone is not None:
                tone.layout = "mono"
            for number in range(frames):
                pixels = chance.integers(0, 256, (96, 128, 3), dtype=np.uint8)
                _mux(output, stream, av.VideoFrame.from_ndarray(pixels, format="rgb24"))
                if tone is not None:
                    heard: Any = av.AudioFrame.from_ndarray(
                        chance.integers(-9000, 9000, (1, 2400)).astype(np.int16), format="s16", layout="mono"
                    )
                    heard.sample_rate, heard.pts = 48_000, number * 2400
                    _mux(output, tone, heard)
            for each in (stream, tone):
                if each is not None:
                    _mux(output, each, None)
        return path.read_bytes()


def _mux(output: Any, stream: Any, frame: Any) -> None:
    for packet in stream.encode(frame):
        output.mux(packet)


def parted(content: bytes) -> tuple[bytes, bytes]:
    """Return a film without its index, and the index."""
    head = head_of(BytesSource(content))
    assert head is not None
    assert looks_like_index(content[head.data_end : head.data_end + 16])
    return content[: head.data_end], content[head.data_end :]


def indexed(content: bytes, position: int = 0) -> Index:
    tracks = tracks_of(content)
    assert tracks is not None
    return Index(position, len(content), tuple(tracks))


def noise(clusters: int, seed: int = 9) -> bytes:
    return random.Random(seed).randbytes(clusters * CLUSTER)


def breaks(runs: bytes, start: int, position: int, size: int) -> list[int]:
    """Return where a film may break that starts at a position, with the index at another."""
    source = BytesSource(runs)
    head = head_of(BytesSource(runs[start:]))
    assert head is not None
    return Joining(source, start, head, indexed(runs[position : position + size], position), lambda: None).breaks(
        CLUSTER
    )


@pytest.mark.parametrize(
    ("codec", "form"), [("h264", "mp4"), ("h264", "mov"), ("mpeg4", "mp4"), ("mjpeg", "mov"), ("hevc", "mp4")]
)
def test_samples_of_a_film_are_where_its_index_says(codec: str, form: str) -> None:
    content = film(1, codec=codec, form=form)
    _, index = parted(content)
    tracks = tracks_of(index) or []

    assert len(tracks) == 2
    for track in tracks:
        known = form_of(track)
        assert known is not None
        places = list(zip(track.sample_offsets.tolist(), track.sample_sizes.tolist(), strict=True))
        assert len(places) >= 40
        assert all(known.stands(BytesSource(content), *place) for place in places)
        if known.bits > 1:
            assert sum(known.stands(BytesSource(content), place + 3, size) for place, size in places) < 4
    head = head_of(BytesSource(content))
    assert head is not None
    assert fits(head, indexed(index))
    assert fills(head, indexed(index))


@pytest.mark.parametrize("before", [True, False])
def test_an_index_elsewhere_is_joined_with_data_in_one_piece(before: bool) -> None:
    data, index = parted(film(1))
    data += bytes(-len(data) % CLUSTER)
    head = head_of(BytesSource(data))
    assert head is not None
    runs = (index + bytes(-len(index) % CLUSTER) + noise(2) + data) if before else (data + noise(2) + index)
    start, position = (runs.index(data), 0) if before else (0, len(data) + 2 * CLUSTER)

    found = breaks(runs, start, position, len(index))
    if head.data_end % CLUSTER:
        assert found == [head.data_end]
    assert head.data_end in found


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8, 0.97])
@pytest.mark.parametrize("before", [True, False])
def test_a_film_in_two_pieces_is_told_to_break_where_it_does(share: float, before: bool) -> None:
    content = film(2)
    place = int(len(parted(content)[0]) * share) // CLUSTER * CLUSTER
    first, second = content[:place], content[place:] + bytes(-len(content) % CLUSTER)
    runs = second + noise(3) + first + noise(60) if before else first + noise(3) + second
    start = runs.index(first)
    position = runs.index(parted(content)[1])

    found = breaks(runs, start, position, len(parted(content)[1]))
    assert place in found
    assert len(found) <= 2
    edges = {place}
    assert likeliest(found, edges) == place
    head = head_of(BytesSource(first + bytes(len(content))))
    assert head is not None
    joined = Joining(BytesSource(runs), start, head, indexed(parted(content)[1], position), lambda: None).joined(place)
    assert joined is not None
    assert joined.read_at(0, joined.size) == content


def test_the_index_of_another_film_is_not_taken() -> None:
    data, _ = parted(film(1))
    for other in (film(2), film(3, frames=41), film(1, sound=False)):
        _, index = parted(other)
        runs = data + bytes(-len(data) % CLUSTER) + index

        assert breaks(runs, 0, len(runs) - len(index), len(index)) == []


def test_data_that_were_written_over_are_not_joined() -> None:
    data, index = parted(film(1))
    place = len(data) // 2 // CLUSTER * CLUSTER
    runs = data[:place] + noise(3) + data[place + 3 * CLUSTER :] + index

    assert breaks(runs, 0, len(data), len(index)) == []


def test_where_no_sample_decides_nothing_is_made_up() -> None:
    assert likeliest([4096, 8192, 12288], set()) is None
    assert likeliest([4096, 8192, 12288], {8192, 1}) == 8192
    assert likeliest([4096, 8192], {4096, 8192}) is None
    assert likeliest([4096], set()) == 4096


def test_speech_is_known_by_the_chain_of_its_frames() -> None:
    frames = b"\x04" + bytes(12) + b"\x3c" + bytes(31) + b"\x7c"
    (track,) = tracks_of(_index(b"samr", [len(frames)], 40)) or []
    known = form_of(track)
    assert known is not None

    assert known.stands(BytesSource(frames), 0, len(frames))
    assert not known.stands(BytesSource(frames), 0, len(frames) - 2)
    assert not known.stands(BytesSource(b"\xff" * 50), 0, 50)


def _index(codec: bytes, sizes: list[int], offset: int, *, runs: bytes = b"") -> bytes:
    def box(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I4s", 8 + len(content), kind) + content

    table = box(b"stsd", struct.pack(">III4s", 0, 1, 40, codec) + bytes(32))
    table += box(b"stsz", struct.pack(">III", 0, 0, len(sizes)) + struct.pack(f">{len(sizes)}I", *sizes))
    table += box(b"stsc", runs or struct.pack(">IIIII", 0, 1, 1, len(sizes), 1))
    table += box(b"stco", struct.pack(">III", 0, 1, offset))
    return box(b"moov", box(b"mvhd", bytes(100)) + box(b"trak", box(b"mdia", box(b"minf", box(b"stbl", table)))))


@pytest.mark.parametrize(
    "runs",
    [
        struct.pack(">II", 0, 0),
        struct.pack(">IIIII", 0, 1, 2, 2, 1),
        struct.pack(">IIIII", 0, 1, 1, 3, 1),
        struct.pack(">IIIIIIII", 0, 2, 1, 1, 1, 1, 1, 1),
        struct.pack(">IIIII", 0, 1, 1, 0xFFFFFFFF, 1),
    ],
)
def test_tables_that_disagree_are_no_index(runs: bytes) -> None:
    assert tracks_of(_index(b"mp4v", [5, 6], 40)) is not None
    assert tracks_of(_index(b"mp4v", [5, 6], 40, runs=runs)) is None


def test_damaged_indexes_end_in_tracks_or_none() -> None:
    _, index = parted(film(1))
    chance = random.Random(3)
    kept = 0
    for _ in range(400):
        damaged = bytearray(index)
        for _ in range(chance.randrange(1, 6)):
            damaged[chance.randrange(8, len(damaged))] = chance.randrange(256)
        tracks = tracks_of(bytes(damaged[: chance.randrange(100, len(damaged) + 1)]))
        kept += tracks is not None
        for track in tracks or ():
            assert len(track.chunk_offsets) == len(track.chunk_sizes)
            assert len(track.sample_offsets) == len(track.sample_sizes) <= len(index)

    assert kept > 20
