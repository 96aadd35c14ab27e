"""Near matching finds exactly what comparing everything with everything finds, at any distance."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaval.core.errors import CorruptStructureError, UsageError
from kaval.knownsets import fast, hash_index
from kaval.knownsets.bands import HASH_BITS, Band, choose_bands, choose_radii
from kaval.knownsets.batches import Rows
from kaval.knownsets.hash_index import write_index
from kaval.knownsets.near import HashTable, Pairs
from tests.testdata import shared

CUTS = {
    "for few": choose_bands(300),
    "for a million": choose_bands(1_000_000),
    "for ten million": choose_bands(10_000_000),
    "even": tuple(Band(16 * number, 16, 8) for number in range(16)),
}


def table(folder: Path, hashes: Rows, bands: tuple[Band, ...] | None = None) -> HashTable:
    folder.mkdir(parents=True, exist_ok=True)
    distinct = np.unique(hashes, axis=0)
    (folder / "pdq.values").write_bytes(distinct.tobytes())
    write_index(folder, bands)
    return HashTable(folder)


def noise(source: np.random.Generator, count: int) -> Rows:
    return source.integers(0, 256, (count, 32), dtype=np.uint8)


def flipped(source: np.random.Generator, hashes: Rows, most: int) -> Rows:
    """Return each hash with up to ``most`` bits flipped, half of them spread evenly: the worst case for bands."""
    bits = np.unpackbits(hashes, axis=1)
    for number, row in enumerate(bits):
        count = int(source.integers(0, most + 1))
        even = (np.arange(count) * HASH_BITS // max(1, count) + source.integers(0, HASH_BITS)) % HASH_BITS
        places = even if number % 2 else source.choice(HASH_BITS, count, replace=False)
        row[places] ^= 1
    return np.packbits(bits, axis=1)


def crowd(source: np.random.Generator) -> Rows:
    """Return a set as bad as they come: clusters, runs of equal bytes, the empty picture, beside noise."""
    clusters = flipped(source, np.repeat(noise(source, 4), 150, axis=0), 40)
    dull = np.repeat(source.integers(0, 3, (200, 4), dtype=np.uint8) * 127, 8, axis=1)
    constant = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 32, axis=1)
    return np.concatenate([clusters, dull, constant, noise(source, 300)])


def told(pairs: Pairs) -> list[tuple[int, int, int]]:
    return list(zip(pairs.query.tolist(), pairs.row.tolist(), pairs.distance.tolist(), strict=True))


def by_hand(queries: Rows, hashes: Rows, threshold: int) -> list[tuple[int, int, int]]:
    bits = np.unpackbits(hashes, axis=1)
    found = []
    for number, query in enumerate(queries):
        distances = (bits != np.unpackbits(query)).sum(axis=1)
        found += [(number, int(row), int(distances[row])) for row in np.flatnonzero(distances <= threshold)]
    return found


@pytest.fixture(name="compiled", params=[False, True], ids=["numpy", "numba"])
def _compiled(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    if request.param:
        pytest.importorskip("numba", reason="numba is not installed (the extra 'fast')")
    monkeypatch.setattr(fast.EFFORT, "pays", lambda cost: request.param)
    return bool(request.param)


@pytest.mark.parametrize("cut", CUTS)
def test_every_distance_is_answered_exactly(cut: str, compiled: bool, tmp_path: Path) -> None:
    source = np.random.default_rng(31)
    known = table(tmp_path, crowd(source), CUTS[cut])
    chosen = source.choice(len(known.rows), 60)
    queries = np.concatenate([flipped(source, known.rows[chosen], 44), noise(source, 10)])

    for threshold in range(41):
        truth = by_hand(queries, known.rows, threshold)
        assert told(known.scan(queries, threshold)) == truth, threshold
        assert told(known.ask(queries, threshold)) == truth, threshold
        assert told(known.search(queries, threshold)) == truth, threshold


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 1 << 32), threshold=st.integers(0, 40), cut=st.sampled_from(sorted(CUTS)))
def test_no_set_is_known_where_one_is_missed(
    seed: int, threshold: int, cut: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    source = np.random.default_rng(seed)
    hashes = np.concatenate([crowd(source)[:: int(source.integers(1, 9))], noise(source, 50)])
    known = table(tmp_path_factory.mktemp("set"), hashes, CUTS[cut])
    queries = flipped(source, known.rows[source.choice(len(known.rows), 20)], threshold)

    pairs = told(known.ask(queries, threshold))
    assert pairs == by_hand(queries, known.rows, threshold)
    assert {query for query, _, _ in pairs} == set(range(20))


def test_a_set_of_one_hash_answers(compiled: bool, tmp_path: Path) -> None:
    one = np.full((1, 32), 0xA5, dtype=np.uint8)
    known = table(tmp_path, one)

    assert told(known.ask(one, 0)) == [(0, 0, 0)]
    assert told(known.ask(~one, 31)) == []
    assert told(known.search(~one, 256)) == [(0, 0, 256)]


def test_the_radii_of_a_threshold_reach_one_more_than_it() -> None:
    for count in (300, 10**6, 10**7, 10**8):
        bands = choose_bands(count)
        assert sum(band.width for band in bands) == HASH_BITS
        for threshold in range(41):
            _, radii = choose_radii(bands, count, threshold)
            assert sum(radius + 1 for radius in radii) >= threshold + 1


def test_an_index_stays_small() -> None:
    for count in (10**5, 10**6, 10**7, 10**8):
        size = 32 + sum(8 + 4 * ((1 << band.bits) + 1) / count for band in choose_bands(count))
        assert size <= 150.1


def test_a_distance_that_is_none_is_refused(tmp_path: Path) -> None:
    known = table(tmp_path, noise(np.random.default_rng(1), 5))

    with pytest.raises(UsageError, match="between 0 and 256"):
        known.search(known.rows, 257)


@pytest.mark.parametrize("name", ["pdq.tags", "pdq.ids", "pdq.starts", "pdq.index.json"])
def test_an_index_cut_short_is_damaged_not_empty(name: str, tmp_path: Path) -> None:
    table(tmp_path, noise(np.random.default_rng(1), 50))
    path = tmp_path / name
    path.write_bytes(path.read_bytes()[:-4])

    with pytest.raises(CorruptStructureError):
        HashTable(tmp_path)


def test_the_public_needles_are_found_in_the_public_haystack(compiled: bool, tmp_path: Path) -> None:
    lines = {name: shared(f"formats/pdq/text/{name}.txt").read_text().split() for name in ("needles", "haystack")}
    needles, haystack = (
        np.frombuffer(bytes.fromhex("".join(lines[name])), dtype=np.uint8).reshape(-1, 32) for name in lines
    )
    known = table(tmp_path, haystack, choose_bands(1_000_000))

    pairs = told(known.ask(needles, 31))
    assert pairs == by_hand(needles, known.rows, 31)
    assert {query for query, _, _ in pairs} == set(range(len(needles)))
    assert len({(needles[query].tobytes(), row) for query, row, _ in pairs}) == 250


def test_an_index_made_in_several_passes_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hashes = crowd(np.random.default_rng(5))
    table(tmp_path / "one", hashes, CUTS["for few"])
    monkeypatch.setattr(hash_index, "_ENTRIES_A_PASS", 100)
    monkeypatch.setattr(hash_index, "_ROWS_A_CHUNK", 64)
    table(tmp_path / "many", hashes, CUTS["for few"])

    for name in ("pdq.tags", "pdq.ids", "pdq.starts", "pdq.index.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "many" / name).read_bytes()
