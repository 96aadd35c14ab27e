"""Several names of one stream: read once, told for each of them."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from kaval.core.keys import Keyring
from kaval.examination import KnownSetSource, Request, examine
from kaval.folder.segments import RowBuffer
from kaval.folder.views import open_folder
from kaval.knownsets import Role
from kaval.stages.analysis import Analyst, Task
from kaval.stages.matching import Matcher
from kaval.stages.opening import Opener
from kaval.stages.plan import Plan
from kaval.stages.schedule import stream_of
from tests.journeys.evidence import archive, picture, text

NAMES = {
    "picture": ("Documents/a.txt", "DCIM/b.jpg", "c.jpg"),
    "small": ("Documents/d.txt", "DCIM/e.txt"),
    "packed": ("Download/f.zip", "Documents/g.zip"),
    "lone": ("DCIM/h.jpg",),
}


def _image(folder: Path, second: Callable[[Path, Path], object], *features: str) -> Path:
    maker = shutil.which("mke2fs") or shutil.which("mke2fs", path="/usr/sbin:/sbin")
    if maker is None:
        pytest.skip("mke2fs is absent (make system installs it)")
    contents = {"picture": picture(1), "small": text(2, 90), "packed": archive(3, 4), "lone": picture(5)}
    tree = folder / "tree"
    for what, names in NAMES.items():
        for name in names:
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            if name == names[0]:
                (tree / name).write_bytes(contents[what])
            else:
                second(tree / names[0], tree / name)
    command = [maker, "-q", "-t", "ext4", *features, "-d", str(tree), str(folder / "disk.dd"), "8M"]
    subprocess.run(command, check=True, capture_output=True)
    return folder / "disk.dd"


def _facts(folder: Path, image: Path, name: str) -> list[list[tuple[Any, ...]]]:
    alert = folder / f"{name}.sha256"
    alert.write_text(f"{hashlib.sha256(picture(1)).hexdigest()}  osk\n", encoding="utf-8")
    request = Request(
        source=image,
        folder=folder / name,
        plan=Plan(exhibit="MO-7", source_name="disk.dd", thumbnails=False, carve=False, near_threshold=10),
        authority="A",
        operator="Inga",
        known_sets=(KnownSetSource(path=alert, role=Role.ALERT, name="osk"),),
    )
    with ThreadPoolExecutor(1) as executor:
        examine(request, executor=executor)
    _, connection = open_folder(folder / name)
    questions = (
        "SELECT path, size, sha256, media_type, type_mismatch FROM entries WHERE kind = 'file'",
        "SELECT path, m.format, m.width, m.pdq FROM media m JOIN entries e USING (entry_id)",
        "SELECT path, role, algorithm, distance FROM hits",
        "SELECT code, message FROM notices",
    )
    return [sorted(connection.execute(question).fetchall()) for question in questions]


@pytest.mark.parametrize("features", [(), ("-O", "inline_data", "-I", "512")])
def test_names_of_one_stream_have_the_facts_that_copies_of_it_have(tmp_path: Path, features: tuple[str, ...]) -> None:
    (tmp_path / "linked").mkdir()
    (tmp_path / "copied").mkdir()
    linked = _facts(tmp_path, _image(tmp_path / "linked", os.link, *features), "with-links")
    copied = _facts(tmp_path, _image(tmp_path / "copied", shutil.copyfile, *features), "with-copies")

    assert linked == copied
    assert len([row for row in linked[2] if row[1] == "alert"]) == 3
    assert sum(row[0].startswith("inside/") for row in linked[0]) == 4


def test_a_further_name_is_not_read_again(tmp_path: Path) -> None:
    content = picture(1)
    (tmp_path / "disk.dd").write_bytes(content)
    plan = Plan(exhibit="MO-7", source_name="disk.dd")
    opener = Opener(tmp_path / "disk.dd", "MO-7", Keyring())
    analyst = Analyst(plan, opener, Matcher([], threshold=31, quality_floor=50), None)
    rows = RowBuffer()
    first = _task(1, ((0, len(content), False),))
    beyond = ((1 << 40, len(content), False),)
    tally = analyst.run([first, _task(2, beyond, repeats=True), _task(3, beyond)], {}, rows, None)

    digests = [(row["entry_id"], row["sha256"]) for row in rows.rows("digests")]
    assert digests == [(number, hashlib.sha256(content).digest()) for number in (1, 2)]
    assert [row["locator"] for row in rows.rows("notices")] == ["MO-7/raw/ext:3"]
    assert tally.files == 2


def test_a_further_name_is_read_where_the_first_one_could_not_be(tmp_path: Path) -> None:
    (tmp_path / "disk.dd").write_bytes(b"quor" * 100)
    opener = Opener(tmp_path / "disk.dd", "MO-7", Keyring())
    analyst = Analyst(
        Plan(exhibit="MO-7", source_name="disk.dd"), opener, Matcher([], threshold=31, quality_floor=50), None
    )
    rows = RowBuffer()
    tasks = [_task(1, ((0, 400, False),), size=400), _task(2, ((0, 400, False),), size=400, repeats=True)]
    analyst.run(tasks, {0: "it died"}, rows, None)

    assert [row["entry_id"] for row in rows.rows("digests")] == [2]


def test_only_what_says_so_is_one_stream() -> None:
    extent: dict[str, object] = {"offset": 8, "length": 4, "sparse": False}

    def key(address: str, size: int, *extents: dict[str, object], source: str = "MO-7/raw") -> object:
        return stream_of({"locator": f"{source}/ext:{address}", "size": size, "extents": [*extents]})

    resident = {"locator": "MO-7/raw/ext:12@2", "size": 5, "extents": None}
    assert key("12", 3, extent) == key("12@2", 3, extent)
    assert key("12", 3, extent) != key("12", 4, extent)
    assert key("12", 3, extent) != key("12", 3, extent, source="MO-7/raw/mbr:1")
    assert stream_of(resident) == stream_of({**resident, "locator": "MO-7/raw/ext:12@3.2"})
    assert stream_of({**resident, "locator": "MO-7/raw/ext:12"}) is None
    assert key("12", 0) is None


def _task(
    number: int, extents: tuple[tuple[int, int, bool], ...], *, size: int | None = None, repeats: bool = False
) -> Task:
    return Task(
        entry_id=number,
        locator=f"MO-7/raw/ext:{number}",
        path=f"name-{number}.jpg",
        size=size if size is not None else extents[0][1],
        state="allocated",
        content="intact",
        priority=0,
        depth=0,
        extents=extents,
        repeats=repeats,
    )
