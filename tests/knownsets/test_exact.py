"""Exact look-ups answer as a dictionary would, whatever the values look like."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaval.core.errors import CorruptStructureError
from kaval.knownsets import fast
from kaval.knownsets.algorithms import WIDTHS
from kaval.knownsets.batches import Rows
from kaval.knownsets.exact import PAGE_SIZE, DigestTable, TableWriter, bucket_bits

DIGEST = st.binary(min_size=16, max_size=16)


def table(folder: Path, algorithm: str, values: Rows) -> DigestTable:
    distinct = np.unique(values, axis=0)
    writer = TableWriter(folder, algorithm, len(values))
    for start in range(0, len(distinct), 37):
        writer.add(distinct[start : start + 37])
    writer.close()
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
    for count in (10**5, 10**6, 10**7, 10**8, 10 << 23, 4 * 10**8, 10**10):
        item = 8 if count >= 1 << 32 else 4
        for width in (16, 20, 32):
            assert item * ((1 << bucket_bits(count)) + 1) + 8 * (count * width // PAGE_SIZE + 1) <= 0.5 * count + 24


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256"])
def test_one_look_up_touches_one_page_of_values(algorithm: str, tmp_path: Path) -> None:
    width = WIDTHS[algorithm]
    source = np.random.default_rng(11)
    known = table(tmp_path, algorithm, source.integers(0, 256, (40_000, width), dtype=np.uint8))
    asked = [row.tobytes() for row in known.rows[::3]] + [source.bytes(width) for _ in range(10_000)]
    touched: list[tuple[int, int]] = []

    class Watched:
        def __init__(self, inner: Any) -> None:
            self.inner = inner

        def __len__(self) -> int:
            return len(self.inner)

        def __getitem__(self, wanted: slice) -> bytes:
            if wanted.start < wanted.stop:
                touched.append((wanted.start // PAGE_SIZE, (wanted.stop - 1) // PAGE_SIZE))
            return bytes(self.inner[wanted])

    known._values = Watched(known._values)  # type: ignore[assignment]
    twice = 0
    for value in asked:
        touched.clear()
        known.find(value)
        twice += len({page for pages in touched for page in pages}) > 1
    whole_rows = PAGE_SIZE % width == 0
    assert twice <= (0 if whole_rows else len(asked) * 2 * width / PAGE_SIZE)


@pytest.mark.parametrize("name", ["md5.values", "md5.buckets", "md5.fences"])
def test_files_that_do_not_fit_are_damage(name: str, tmp_path: Path) -> None:
    table(tmp_path, "md5", np.random.default_rng(1).integers(0, 256, (500, 16), dtype=np.uint8))
    path = tmp_path / name
    path.write_bytes(path.read_bytes()[:-4])

    with pytest.raises(CorruptStructureError):
        DigestTable(tmp_path, "md5")
    path.unlink()
    with pytest.raises(CorruptStructureError, match="missing"):
        DigestTable(tmp_path, "md5")
