"""The demonstration, small: built, examined by the real command line, compared; and comparisons that fail."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from demonstration import journey
from demonstration.__main__ import main
from demonstration.build import DISK, TRUTH, Shape, build
from demonstration.comparison import Share, compare
from demonstration.programs import find_program
from demonstration.truth import FileTruth, Truth

SMALL = Shape(files=40, sizes=(("ntfs", 20), ("fat32", 72), ("exfat", 16), ("ext4", 20)))


@pytest.fixture(name="demo", scope="module")
def _demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Truth]:
    for program in ("mkntfs", "mke2fs"):
        if find_program(program) is None:
            pytest.skip(f"{program} is absent (make system installs it)")
    folder = tmp_path_factory.mktemp("demo")
    truth = build(folder, seed=3, shape=SMALL)
    journey.kaval(folder, journey.examine_arguments(folder, truth, 2), (0, 3))
    return folder, truth


pytestmark = pytest.mark.slow


def test_an_examination_agrees_with_the_truth(demo: tuple[Path, Truth]) -> None:
    folder, truth = demo
    comparison = compare(folder / journey.EXAMINATION, truth)

    assert comparison.failures == ()
    assert all(one.live == Share(26, 26) for one in comparison.volumes)
    assert sum(one.deleted.expected for one in comparison.volumes) > 20
    assert min(share.expected for share in comparison.hits.values()) > 5
    told = CliRunner().invoke(
        main, ["compare", "--folder", str(folder / journey.EXAMINATION), "--truth", str(folder / TRUTH)]
    )
    assert told.exit_code == 0
    assert "26 of 26" in told.output


def _first(truth: Truth, chosen: Callable[[FileTruth], bool]) -> FileTruth:
    return next(row for row in truth.files if chosen(row))


@pytest.mark.parametrize(
    ("chosen", "change", "said"),
    [
        (lambda row: row.state == "live", {"sha256": "0" * 64}, "25 of 26 live files are listed"),
        (lambda row: row.volume == "kaval ext4" and row.comes_back, {"state": "live"}, "live files are listed"),
        (lambda row: row.known == "exact" and row.state == "live", {"known": None}, "files are pointed to that no set"),
        (lambda row: row.known is None and row.state == "live", {"known": "exact"}, "exact ones were found"),
    ],
)
def test_what_does_not_agree_is_said_and_ends_with_a_code(
    demo: tuple[Path, Truth], tmp_path: Path, chosen: Callable[[FileTruth], bool], change: dict[str, str], said: str
) -> None:
    folder, truth = demo
    wrong = _first(truth, chosen)
    files = tuple(replace(row, **change) if row is wrong else row for row in truth.files)  # type: ignore[arg-type]
    altered = replace(truth, files=files)
    altered.store(tmp_path / TRUTH)

    assert any(said in failure for failure in compare(folder / journey.EXAMINATION, altered).failures)
    told = CliRunner().invoke(
        main, ["compare", "--folder", str(folder / journey.EXAMINATION), "--truth", str(tmp_path / TRUTH)]
    )
    assert told.exit_code == 1
    assert "Below its floor" in told.output


def test_the_evidence_is_the_same_whenever_it_is_built(demo: tuple[Path, Truth], tmp_path: Path) -> None:
    folder, truth = demo
    again = build(tmp_path, seed=3, shape=SMALL, workers=1)

    assert again == truth
    assert Truth.load(folder / TRUTH) == truth
    assert (tmp_path / DISK).stat().st_size == truth.disk_size
    for name in truth.known_sets:
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


def test_only_what_was_made_here_is_removed(tmp_path: Path) -> None:
    (tmp_path / "examination").mkdir()
    (tmp_path / DISK).touch()
    (tmp_path / "mine.txt").touch()
    journey.clear(tmp_path)

    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_a_page_is_drawn_for_the_readme(demo: tuple[Path, Truth], tmp_path: Path) -> None:
    from PIL import Image

    if find_program("pdftoppm") is None:
        pytest.skip("pdftoppm is absent (make system installs it)")
    folder, _ = demo
    journey.kaval(folder, ["report", str(folder / journey.EXAMINATION), "--format", "pdf"])
    report = folder / journey.EXAMINATION / "report" / "report.pdf"

    told = CliRunner().invoke(main, ["picture", "--report", str(report), "--to", str(tmp_path / "page.png")])
    assert told.exit_code == 0
    with Image.open(tmp_path / "page.png") as page:
        assert page.width == 900
    assert json.loads((folder / TRUTH).read_text(encoding="utf-8"))["seed"] == 3
