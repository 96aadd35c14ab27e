"""Killed at any moment and taken up again, with one worker or two: the same facts in the same order."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.journeys.conftest import Run
from tests.journeys.evidence import Evidence


def _arguments(evidence: Evidence, folder: Path, *more: str) -> list[str]:
    return [
        "examine", str(evidence.image), "--exhibit", "MO-7", "--authority", "A", "--operator", "Inga",
        "--out", str(folder), "--known", f"alert={evidence.alert_list}",
        "--seal-key", str(folder.parent / "seal.key"), *more,
    ]  # fmt: skip


def _facts(folder: Path) -> str:
    digest: str = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["facts_digest"]
    return digest


@pytest.fixture(name="undisturbed")
def _undisturbed(evidence: Evidence, tmp_path: Path, kaval: Run) -> tuple[str, float]:
    begun = time.monotonic()
    kaval(*_arguments(evidence, tmp_path / "undisturbed"), code=3)
    return _facts(tmp_path / "undisturbed"), time.monotonic() - begun


def test_the_number_of_workers_changes_nothing(
    evidence: Evidence, tmp_path: Path, kaval: Run, undisturbed: tuple[str, float]
) -> None:
    kaval(*_arguments(evidence, tmp_path / "one", "--workers", "1"), code=3)

    assert _facts(tmp_path / "one") == undisturbed[0]


@pytest.mark.slow
def test_ten_kills_at_random_moments_change_nothing(
    evidence: Evidence, tmp_path: Path, kaval: Run, undisturbed: tuple[str, float]
) -> None:
    facts, seconds = undisturbed
    chance = random.Random(20260101)
    folder = tmp_path / "killed"
    kills = 0
    while kills < 10:
        more = ["--resume"] if (folder / "plan.json").exists() else []
        process = subprocess.Popen(
            [sys.executable, "-m", "kaval.cli", *_arguments(evidence, folder, *more)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            process.wait(chance.uniform(0.2, max(0.4, seconds)))
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL) if chance.random() < 0.5 else process.kill()
            process.wait()
        kills += 1
        if (folder / "manifest.json").exists():
            assert _facts(folder) == facts
            folder = tmp_path / f"killed-{kills}"
    if (folder / "plan.json").exists():
        kaval(*_arguments(evidence, folder, "--resume"), code=3)

        assert _facts(folder) == facts
        kaval("verify", folder, "--source", evidence.image, code=(0, 3))
