"""Archives inside archives: opened as deep as the plan goes, and not once they hold too much all together."""

from __future__ import annotations

import io
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from kaval.examination import Request, examine
from kaval.folder.views import open_folder
from kaval.stages.plan import Plan


def _packed(name: str, content: bytes, filler: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(zipfile.ZipInfo(name), content)
        packed.writestr(zipfile.ZipInfo("filler.txt"), b"osk " * filler)
    return buffer.getvalue()


def _examined(folder: Path, plan: Plan) -> tuple[set[str], list[tuple[str, str]]]:
    nest = _packed("note.txt", b"quor" * 50, 10)
    for level in range(3):
        nest = _packed(f"level-{level}.zip", nest, 5000)
    evidence = folder / "evidence"
    evidence.mkdir()
    (evidence / "nest.zip").write_bytes(nest)
    request = Request(source=evidence, folder=folder / "out", plan=plan, authority="A", operator="Inga")
    with ThreadPoolExecutor(1) as executor:
        examine(request, executor=executor)
    _, connection = open_folder(folder / "out")
    names = {row[0] for row in connection.execute("SELECT name FROM entries").fetchall()}
    return names, connection.execute("SELECT code, message FROM notices").fetchall()


def test_archives_are_opened_to_the_innermost(tmp_path: Path) -> None:
    names, notices = _examined(tmp_path, Plan(exhibit="MO-7", source_name="evidence", media=False))

    assert {"level-2.zip", "level-1.zip", "level-0.zip", "note.txt"} <= names
    assert notices == []


def test_what_holds_too_much_is_not_opened_further_and_that_is_told(tmp_path: Path) -> None:
    plan = Plan(exhibit="MO-7", source_name="evidence", media=False, nested_size=30_000, nested_ratio=1)
    names, notices = _examined(tmp_path, plan)

    assert "level-1.zip" in names
    assert "note.txt" not in names
    assert [code for code, _ in notices] == ["ratio-limit"]
    assert "all levels together" in notices[0][1]


def test_the_depth_of_the_plan_is_kept_and_told(tmp_path: Path) -> None:
    names, notices = _examined(tmp_path, Plan(exhibit="MO-7", source_name="evidence", media=False, depth=2))

    assert "level-1.zip" in names
    assert "level-0.zip" not in names
    assert [code for code, _ in notices] == ["depth-limit"]
