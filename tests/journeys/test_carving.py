"""What no file system lists any more is found by its content, in one piece or in two, and leads back to its bytes."""

from __future__ import annotations

import hashlib
import json
import random
from pathlib import Path

import numpy as np
import pytest

from tests.journeys.conftest import Run
from tests.recovery.samples import picture, samples

CLUSTER = 4096


def _padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % CLUSTER)


def _noise(clusters: int) -> bytes:
    return b"".join(b"\x81" + random.Random(number).randbytes(CLUSTER - 1) for number in range(clusters))


def _detailed(seed: int) -> bytes:
    """Return a picture that fills several clusters."""
    import io

    from PIL import Image

    pixels = np.random.default_rng(seed).integers(0, 256, (60, 80, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).resize((320, 240)).save(buffer, "JPEG", quality=92)
    return buffer.getvalue()


@pytest.fixture(name="carved")
def _carved(tmp_path: Path, kaval: Run) -> tuple[Path, Path, dict[str, bytes]]:
    split = _detailed(1)
    inserted = picture("PNG", seed=3, size=(200, 150))
    contents = {"split": split, "inserted": inserted, "whole": samples()["pdf"], "text": samples()["txt"]}
    place = len(split) // 2 // CLUSTER * CLUSTER
    disk = tmp_path / "formatted.dd"
    disk.write_bytes(
        b"".join(
            [
                _noise(4), split[:place], _padded(inserted), _padded(split[place:]), _noise(2),
                _padded(contents["whole"]), _noise(1), _padded(contents["text"]), _noise(3),
            ]
        )
    )  # fmt: skip
    folder = tmp_path / "examination"
    kaval("examine", disk, "--exhibit", "MO-9", "--authority", "A", "--out", folder, code=(0, 3))
    return disk, folder, contents


def test_streams_are_found_by_content_and_joined_where_that_proves_itself(
    carved: tuple[Path, Path, dict[str, bytes]], kaval: Run
) -> None:
    disk, folder, contents = carved
    question = (
        "SELECT sha256, state, content, recovered_by, locator, len(extents) AS pieces FROM entries WHERE depth = 0"
    )
    rows = {
        row["sha256"]: row
        for row in map(json.loads, kaval("query", folder, question, "--format", "json").stdout.splitlines())
    }
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in contents.items()}

    assert [name for name, digest in digests.items() if digest not in rows] == []
    named = {name: rows[digest] for name, digest in digests.items()}
    assert {row["state"] for row in named.values()} == {"carved"}
    assert (named["split"]["pieces"], named["split"]["content"]) == (2, "assumed")
    assert named["split"]["recovered_by"] == "carve-jpeg, pieces joined"
    assert named["inserted"]["content"] == "intact"
    assert " 0 failed" in kaval("verify", folder, "--source", disk, "--everything").stdout


def test_all_that_was_recovered_is_brought_out_with_a_list(
    carved: tuple[Path, Path, dict[str, bytes]], kaval: Run, tmp_path: Path
) -> None:
    _, folder, contents = carved
    out = tmp_path / "out"
    kaval("extract", folder, "--all-recovered", "--out", out, "--purpose", "journey")

    digests = {hashlib.sha256(path.read_bytes()).hexdigest() for path in out.iterdir() if path.suffix != ".csv"}
    assert {hashlib.sha256(content).hexdigest() for content in contents.values()} <= digests
    assert len((out / "recovered.csv").read_text(encoding="utf-8").splitlines()) == 1 + len(list(out.iterdir())) - 1
    told = kaval("extract", folder, "--all-recovered", "--out", out, "--purpose", "again", code=2)
    assert "nothing is overwritten" in told.stderr
