"""Compressed streams read at any place."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import importlib
import lzma
import random
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaval.containers import decoders, inflate
from kaval.containers.decoders import Codec, codec_of
from kaval.containers.inflate import CheckpointedSource
from kaval.core.errors import CorruptStructureError, KavalError, LimitExceededError, UnreadableError
from kaval.core.sources import BytesSource


def _raw_deflate(content: bytes) -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    return packer.compress(content) + packer.flush()


def _zip_lzma(content: bytes) -> bytes:
    packer = lzma.LZMACompressor(lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA1, "dict_size": 1 << 20}])
    head = b"\x09\x04\x05\x00" + bytes([93]) + (1 << 20).to_bytes(4, "little")
    return head + packer.compress(content) + packer.flush()


def _zstd(content: bytes) -> bytes:
    packed: bytes = importlib.import_module("backports.zstd").compress(content)
    return packed


PACKERS: dict[Codec, Callable[[bytes], bytes]] = {
    Codec.DEFLATE: _raw_deflate,
    Codec.ZLIB: zlib.compress,
    Codec.GZIP: lambda content: gzip.compress(content, mtime=0),
    Codec.BZIP2: bz2.compress,
    Codec.XZ: lzma.compress,
    Codec.LZMA_ALONE: lambda content: lzma.compress(content, lzma.FORMAT_ALONE),
    Codec.ZIP_LZMA: _zip_lzma,
    Codec.ZSTANDARD: _zstd,
}


def _content(size: int, seed: int = 7) -> bytes:
    """Return bytes that neither compress away nor stay as they are."""
    drawn = random.Random(seed)
    words = [drawn.randbytes(drawn.randrange(3, 40)) for _ in range(300)]
    return b"".join(drawn.choices(words, k=size // 12))[:size].ljust(size, b"~")


CONTENT = _content(1_500_000)


@pytest.mark.parametrize("codec", list(Codec))
def test_every_codec_reads_at_any_place_what_was_packed(codec: Codec) -> None:
    packed = PACKERS[codec](CONTENT)
    source = CheckpointedSource(
        BytesSource(b"before" + packed + b"behind"),
        codec,
        offset=6,
        compressed_size=len(packed),
        size=len(CONTENT),
        crc=zlib.crc32(CONTENT),
    )
    drawn = random.Random(3)

    for _ in range(25):
        offset = drawn.randrange(len(CONTENT))
        length = drawn.choice((1, 100, 70_000, 600_000))
        assert source.read_at(offset, length) == CONTENT[offset : offset + length]
    assert source.read_at(0, len(CONTENT) + 5) == CONTENT
    assert source.read_at(len(CONTENT), 5) == b""
    assert source.read_at(-1, 5) == b""


@settings(max_examples=40, deadline=None)
@given(reads=st.lists(st.tuples(st.integers(0, len(CONTENT)), st.integers(0, 300_000)), max_size=6))
def test_kept_states_never_change_what_is_read(reads: list[tuple[int, int]]) -> None:
    source = CheckpointedSource(BytesSource(PACKERS[Codec.GZIP](CONTENT)), Codec.GZIP, size=len(CONTENT))
    source._interval = 100_000

    for offset, length in reads:
        assert source.read_at(offset, length) == CONTENT[offset : offset + length]


def test_the_number_of_kept_states_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inflate, "MAXIMUM_STATES", 8)
    monkeypatch.setattr(inflate, "OUTPUT_SIZE", 4096)
    source = CheckpointedSource(BytesSource(PACKERS[Codec.DEFLATE](CONTENT)), Codec.DEFLATE, size=len(CONTENT))
    source._interval = 5000

    assert source.read_at(700_000, 10) == CONTENT[700_000:700_010]
    assert source.read_at(0, 10) == CONTENT[:10]
    assert source.read_at(len(CONTENT) - 10, 10) == CONTENT[-10:]
    assert 2 <= len(source._states) <= 8
    assert source.read_at(700_000, 10) == CONTENT[700_000:700_010]


def test_a_jump_backwards_costs_one_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    decoded = 0
    original = CheckpointedSource._decoded

    def counted(self: CheckpointedSource, state: inflate._State, maximum: int) -> bytes:
        nonlocal decoded
        block = original(self, state, maximum)
        decoded += len(block)
        return block

    content = _content(24 << 20)
    source = CheckpointedSource(BytesSource(PACKERS[Codec.GZIP](content)), Codec.GZIP, size=len(content))
    source.read_at(len(content) - 1, 1)
    source.read_at(0, 1)
    source.read_at(len(content) - 1, 1)
    monkeypatch.setattr(CheckpointedSource, "_decoded", counted)

    assert source.read_at(17 << 20, 1000) == content[17 << 20 : (17 << 20) + 1000]
    assert decoded <= inflate.INTERVAL + 2 * inflate.OUTPUT_SIZE


@pytest.mark.parametrize("codec", sorted(decoders.MULTIPLE))
def test_streams_that_follow_one_another_are_read_as_one(codec: Codec) -> None:
    pack = PACKERS[codec]
    packed = pack(CONTENT[:400_000]) + pack(b"") + pack(CONTENT[400_000:]) + bytes(20)
    source = CheckpointedSource(BytesSource(packed), codec)

    measured = source.measure()

    assert measured.error is None
    assert measured.size == source.size == len(CONTENT)
    assert source.read_at(0, len(CONTENT)) == CONTENT
    assert source.trailing_size == 0


def test_streams_of_bzip2_that_follow_one_another_are_places_to_go_back_to() -> None:
    content = CONTENT * 8
    packed = b"".join(bz2.compress(content[at : at + 900_000], 1) for at in range(0, len(content), 900_000))
    source = CheckpointedSource(BytesSource(packed), Codec.BZIP2)
    source.measure()

    assert len(source._states) >= 2
    assert source.read_at(5_000_000, 200_000) == content[5_000_000:5_200_000]


def test_skippable_frames_of_zstandard_are_passed_over() -> None:
    frame = (0x184D2A53).to_bytes(4, "little") + (70_000).to_bytes(4, "little") + bytes(70_000)
    short = (0x184D2A50).to_bytes(4, "little") + (4).to_bytes(4, "little") + b"abcd"
    packed = short + _zstd(b"gromble") + frame + short + _zstd(b"fint") + frame
    source = CheckpointedSource(BytesSource(packed), Codec.ZSTANDARD)

    assert codec_of(packed) is Codec.ZSTANDARD
    assert source.measure().error is None
    assert source.read_at(0, 100) == b"gromblefint"


def test_bytes_behind_the_stream_are_counted() -> None:
    source = CheckpointedSource(BytesSource(gzip.compress(b"gromble", mtime=0) + b"trailing rubbish"), Codec.GZIP)

    assert source.measure().size == 7
    assert source.trailing_size == 16


@pytest.mark.parametrize("codec", list(Codec))
def test_a_stream_cut_short_is_unreadable_and_never_padded(codec: Codec) -> None:
    packed = PACKERS[codec](CONTENT)
    cut = BytesSource(packed[: len(packed) // 2])
    source = CheckpointedSource(cut, codec, compressed_size=len(packed), size=len(CONTENT))

    with pytest.raises((UnreadableError, CorruptStructureError)):
        source.read_at(0, len(CONTENT))
    with pytest.raises((UnreadableError, CorruptStructureError)):
        source.read_at(len(CONTENT) - 10, 5)


def test_what_was_decoded_before_the_damage_is_measured_and_readable() -> None:
    packed = PACKERS[Codec.GZIP](CONTENT)
    source = CheckpointedSource(BytesSource(packed[: len(packed) // 2]), Codec.GZIP)

    measured = source.measure()

    assert isinstance(measured.error, UnreadableError)
    assert 0 < measured.size < len(CONTENT)
    assert source.read_at(0, measured.size + 100) == CONTENT[: measured.size]


@pytest.mark.parametrize(("codec", "place"), [(Codec.GZIP, -8), (Codec.XZ, -28)])
def test_a_wrong_checksum_at_the_end_costs_no_bytes_before_it(codec: Codec, place: int) -> None:
    packed = bytearray(PACKERS[codec](CONTENT))
    packed[place] ^= 255
    source = CheckpointedSource(BytesSource(bytes(packed)), codec)

    measured = source.measure()

    assert isinstance(measured.error, CorruptStructureError)
    assert measured.size >= len(CONTENT) - inflate._SMALL_STEP
    assert source.read_at(0, measured.size) == CONTENT[: measured.size]
    assert source.read_at(measured.size - 100, 1000) == CONTENT[measured.size - 100 : measured.size]


def test_up_to_the_damage_every_byte_is_decoded() -> None:
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    packed = packer.compress(CONTENT[:60_000]) + packer.flush(zlib.Z_FULL_FLUSH) + b"\x07" * 1000
    source = CheckpointedSource(BytesSource(packed), Codec.DEFLATE, size=70_000)

    reached, error = source.reach(70_000)

    assert isinstance(error, CorruptStructureError)
    assert 60_000 - inflate._SMALL_STEP <= reached <= 60_000
    assert source.read_at(0, reached) == CONTENT[:reached]
    assert source.reach(100) == (100, None)
    assert source.reach(70_000) == (reached, error)


def test_a_failure_only_the_fast_decoder_sees_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    class Failing:
        eof, tail, needs_input = False, b"", True

        def decode(self, block: bytes, maximum: int) -> bytes:
            raise ValueError("no")

        def copy(self) -> None:
            return None

    monkeypatch.setitem(decoders._FAST, Codec.DEFLATE, Failing)
    source = CheckpointedSource(BytesSource(_raw_deflate(CONTENT)), Codec.DEFLATE, size=len(CONTENT))

    assert source.read_at(0, len(CONTENT)) == CONTENT


def test_a_second_decoder_that_ends_sooner_does_not_go_on_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    class Generous:
        eof, tail, needs_input = False, b"", True

        def decode(self, block: bytes, maximum: int) -> bytes:
            if not block:
                raise ValueError("no")
            return CONTENT[:maximum]

        def copy(self) -> None:
            return None

    monkeypatch.setitem(decoders._FAST, Codec.DEFLATE, Generous)
    packed = _raw_deflate(b"short") + bytes(inflate.INPUT_SIZE)
    source = CheckpointedSource(BytesSource(packed), Codec.DEFLATE, size=len(CONTENT))

    with pytest.raises((CorruptStructureError, UnreadableError)):
        source.read_at(0, len(CONTENT))


def test_a_stream_fails_again_where_it_failed() -> None:
    packed = bytearray(PACKERS[Codec.DEFLATE](CONTENT))
    middle = len(packed) // 2
    packed[middle : middle + 2000] = bytes(2000)
    source = CheckpointedSource(BytesSource(bytes(packed)), Codec.DEFLATE, size=len(CONTENT), crc=1)

    with pytest.raises(CorruptStructureError) as first:
        source.read_at(0, len(CONTENT))
    assert source.read_at(10, 1000) == CONTENT[10:1010]
    with pytest.raises(CorruptStructureError) as second:
        source.read_at(len(CONTENT) - 1000, 1000)

    assert str(first.value) == str(second.value)


@pytest.mark.parametrize(("declared", "part"), [(len(CONTENT) + 5, "it ends after"), (len(CONTENT) - 5, "it goes on")])
def test_a_wrong_declared_size_is_told(declared: int, part: str) -> None:
    source = CheckpointedSource(BytesSource(_raw_deflate(CONTENT)), Codec.DEFLATE, size=declared)

    with pytest.raises(CorruptStructureError, match=part):
        source.read_at(declared - 100, 200)


def test_a_wrong_checksum_is_told_at_the_end_of_the_stream() -> None:
    source = CheckpointedSource(BytesSource(_raw_deflate(CONTENT)), Codec.DEFLATE, size=len(CONTENT), crc=1)

    assert source.read_at(0, 1000) == CONTENT[:1000]
    with pytest.raises(CorruptStructureError, match="CRC-32"):
        source.read_at(len(CONTENT) - 10, 10)


def test_lzma_without_an_end_mark_ends_where_its_size_says() -> None:
    packed = lzma.compress(CONTENT, lzma.FORMAT_ALONE, filters=[{"id": lzma.FILTER_LZMA1, "dict_size": 1 << 20}])
    source = CheckpointedSource(
        BytesSource(b"\x09\x04\x05\x00" + packed[:5] + packed[13:]),
        Codec.ZIP_LZMA,
        size=len(CONTENT) - 1000,
        crc=zlib.crc32(CONTENT[:-1000]),
    )

    assert source.read_at(0, len(CONTENT)) == CONTENT[:-1000]


@pytest.mark.parametrize("codec", [Codec.DEFLATE, Codec.GZIP, Codec.BZIP2, Codec.XZ, Codec.ZSTANDARD, Codec.ZIP_LZMA])
def test_a_bomb_is_stopped_at_the_ratio(codec: Codec) -> None:
    packed = PACKERS[codec](bytes(200 << 20) if codec is not Codec.BZIP2 else bytes(80 << 20))
    source = CheckpointedSource(BytesSource(packed), codec, size=200 << 20)

    with pytest.raises(LimitExceededError) as caught:
        source.read_at((200 << 20) - 10, 5)
    assert caught.value.limit == "ratio"


def test_an_absurd_dictionary_is_refused() -> None:
    packed = b"\x09\x04\x05\x00" + bytes([93]) + b"\xff\xff\xff\xff" + bytes(100)
    with pytest.raises(LimitExceededError):
        CheckpointedSource(BytesSource(packed), Codec.ZIP_LZMA, size=1000).read_at(0, 10)

    alone = bytes([93]) + (1 << 31).to_bytes(4, "little") + b"\xff" * 8 + bytes(100)
    with pytest.raises(CorruptStructureError, match="emory"):
        CheckpointedSource(BytesSource(alone), Codec.LZMA_ALONE, size=1000).read_at(0, 10)


@settings(max_examples=60, deadline=None)
@given(
    codec=st.sampled_from(list(Codec)),
    changes=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=5),
    kept=st.floats(0, 1),
)
def test_mutated_streams_end_in_bytes_or_our_errors(
    codec: Codec, changes: list[tuple[float, int]], kept: float
) -> None:
    content = CONTENT[:5000]
    packed = bytearray(PACKERS[codec](content))
    for place, value in changes:
        packed[int(place * (len(packed) - 1))] = value
    source = CheckpointedSource(
        BytesSource(bytes(packed[: 1 + int(kept * len(packed))])), codec, size=len(content), crc=zlib.crc32(content)
    )

    for offset in (4000, 0, 2000):
        try:
            block = source.read_at(offset, 1500)
        except KavalError:
            continue
        assert len(block) <= 1500
    with contextlib.suppress(KavalError):
        assert source.read_at(0, len(content)) == content
