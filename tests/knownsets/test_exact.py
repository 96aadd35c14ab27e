"""Exact look-ups answer as a dictionary would, whatever the values look like."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaval.core.errors import CorruptStructureError
from kaval.knownsets import fast
from kaval.knownsets.algorithms import WIDTHS
from kaval.knownsets.batches import Rows
from kaval.knownsets.exact import DigestTable, bucket_bits, prefixes, write_buckets

DIGEST = st.binary(min_size=16, max_size=16)


def table(folder: Path, algorithm: str, values: Rows) -> DigestTable:
    distinct = np.unique(values, axis=0)
    (folder / f"{algorithm}.values").write_bytes(distinct.tobytes())
    bits = bucket_bits(len(distinct))
    places = (prefixes(distinct) >> np.uint64(64 - bits)).astype(np.int64)
    write_buckets(folder / f"{algorithm}.buckets", np.bincount(places, minlength=1 << bits))
    return DigestTable(folder, algorithm)


def values(source: np.random.Generator, width: int) -> Rows:
    """Return values of several sorts: noise, alike in the first eight bytes, alike but for the last byte."""
    noise = source.integers(0, 256, (700, width), dtype=np.uint8)
    alike = source.integers(0, 256, (400, width), dtype=np.uint8)
    alike[:, :8] = 0x5A
    alike[:50, 8:-2] = 0x5A
    last = np.zeros((100, width), dtype=np.uint8)
    last[:, -1] = np.arange(100)
    return np.concatenate([noise, alike, last, np.full((1, width), 255, dtype=np.uint8)])


@pytest.mark.parametrize("compiled", [False, True], ids=["numpy", "numba"])
@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256"])
def test_one_and_many_answer_as_a_dictionary(
    algorithm: str, compiled: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if compiled:
        pytest.importorskip("numba", reason="numba is not installed (the extra 'fast')")
    monkeypatch.setattr(fast.EFFORT, "pays", lambda cost: compiled)
    source = np.random.default_rng(3)
    every = values(source, WIDTHS[algorithm])
    chosen = source.random(len(every)) < 0.5
    known = table(tmp_path, algorithm, every[chosen])
    place = {row.tobytes(): number for number, row in enumerate(known.rows)}

    truth = [place.get(row.tobytes(), -1) for row in every]
    assert known.find_rows(every).tolist() == truth
    assert [known.find(row.tobytes()) for row in every] == truth
    assert known.find_many([row.tobytes() for row in every[:5]]) == truth[:5]
    assert known.find_many([row.tobytes() for row in every]) == truth


@settings(max_examples=60, deadline=None)
@given(known=st.lists(DIGEST, max_size=60), asked=st.lists(DIGEST))
def test_any_values_are_told_apart(
    known: list[bytes], asked: list[bytes], tmp_path_factory: pytest.TempPathFactory
) -> None:
    rows = np.frombuffer(b"".join(known), dtype=np.uint8).reshape(-1, 16)
    made = table(tmp_path_factory.mktemp("set"), "md5", rows)
    queries = np.frombuffer(b"".join(asked + known), dtype=np.uint8).reshape(-1, 16)

    truth = [value in set(known) for value in asked + known]
    assert [row >= 0 for row in made.find_rows(queries).tolist()] == truth
    assert [made.find(value) >= 0 for value in asked + known] == truth


def test_a_table_costs_at_most_half_a_byte_a_value_more() -> None:
    for count in (10**5, 10**6, 10**7, 10**8, 4 * 10**8, 10**10):
        width = 8 if count >= 1 << 32 else 4
        assert width * ((1 << bucket_bits(count)) + 1) <= 0.5 * count + 16


@pytest.mark.parametrize("name", ["md5.values", "md5.buckets"])
def test_files_that_do_not_fit_are_damage(name: str, tmp_path: Path) -> None:
    table(tmp_path, "md5", np.random.default_rng(1).integers(0, 256, (500, 16), dtype=np.uint8))
    path = tmp_path / name
    path.write_bytes(path.read_bytes()[:-4])

    with pytest.raises(CorruptStructureError):
        DigestTable(tmp_path, "md5")
    path.unlink()
    with pytest.raises(CorruptStructureError, match="missing"):
        DigestTable(tmp_path, "md5")
