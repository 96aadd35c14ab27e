"""What goes in comes out sorted and once, however large, skewed or interrupted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaval.knownsets import sorting
from kaval.knownsets.batches import Column, Rows
from kaval.knownsets.sorting import Spill, sorted_records


def records_of(spill: Spill) -> list[bytes]:
    found = [row.tobytes() for group in spill.groups() for row in group]
    spill.remove()
    return found


def skewed(source: np.random.Generator, count: int, width: int) -> Rows:
    """Return values most of which begin alike, with many of them twice."""
    rows = source.integers(0, 256, (count, width), dtype=np.uint8)
    rows[: count // 2, : width - 2] = 7
    rows[count // 2 : 3 * count // 4, :6] = 9
    return np.concatenate([rows, rows[::3]])


@pytest.mark.parametrize("width", [16, 20, 32])
@pytest.mark.parametrize("linked", [False, True])
def test_values_come_out_sorted_and_once(
    width: int, linked: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sorting, "RUN_SIZE", 4000)
    monkeypatch.setattr(sorting, "GROUP_SIZE", 3000)
    monkeypatch.setattr(sorting, "_LARGEST_GROUP", 6000)
    source = np.random.default_rng(width)
    values = skewed(source, 3000, width)
    owners = source.integers(0, 5, len(values), dtype=np.uint32)
    spill = Spill(tmp_path / "x.unsorted", width, linked=linked)
    for start in range(0, len(values), 170):
        run = slice(start, start + 170)
        spill.add(Column(values=values[run], owners=owners[run] if linked else None), first_detail=100)

    expected = {
        value.tobytes() + ((int(owner) + 100).to_bytes(4, "big") if linked else b"")
        for value, owner in zip(values, owners, strict=True)
    }
    assert records_of(spill) == sorted(expected)
    assert list(tmp_path.iterdir()) == []


def test_a_value_more_common_than_memory_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sorting, "RUN_SIZE", 2000)
    monkeypatch.setattr(sorting, "_LARGEST_GROUP", 3000)
    spill = Spill(tmp_path / "x.unsorted", 16, linked=False)
    for _ in range(20):
        spill.add(Column(values=np.full((100, 16), 5, dtype=np.uint8)))

    assert records_of(spill) == [bytes([5] * 16)]


def test_a_state_is_gone_back_to(tmp_path: Path) -> None:
    source = np.random.default_rng(1)
    kept, lost, after = (source.integers(0, 256, (50, 20), dtype=np.uint8) for _ in range(3))
    spill = Spill(tmp_path / "x.unsorted", 20, linked=False)
    spill.add(Column(values=kept))
    state = spill.state()
    spill.add(Column(values=lost))
    spill.put_aside()
    spill.close()

    again = Spill(tmp_path / "x.unsorted", 20, linked=False)
    again.restore(state)
    again.add(Column(values=after))
    assert records_of(again) == sorted(row.tobytes() for row in np.concatenate([kept, after]))


@settings(max_examples=200, deadline=None)
@given(
    rows=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 3)), max_size=80),
    places=st.tuples(st.integers(0, 15), st.integers(0, 15), st.integers(0, 15)),
)
def test_records_that_agree_almost_everywhere_are_sorted(
    rows: list[tuple[int, int, int]], places: tuple[int, int, int]
) -> None:
    records = np.zeros((len(rows), 16), dtype=np.uint8)
    for number, values in enumerate(rows):
        records[number, list(places)] = values

    found = [row.tobytes() for row in sorted_records(records, 16, 0)]
    assert found == sorted({row.tobytes() for row in records})
