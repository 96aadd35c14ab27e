"""``kaval known`` and ``kaval examine --known NAME``, as persons use them."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from kaval.cli import kaval
from kaval.core.errors import FolderError, KavalError, UsageError
from kaval.knownsets import Role
from kaval.knownsets.store import Store
from kaval.stages.listed_sets import KnownSetSource, clear_work, make_ready, make_ready_again
from tests.journeys.evidence import picture
from tests.knownsets.making import CONTENTS, EMPTY, MD5, NCMEC_PAGE, SHA256, medium, ncmec_image, vics
from tests.testdata import shared

Run = Callable[..., Result]


@pytest.fixture(name="run")
def _run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("KAVAL_SETS", str(tmp_path / "sets"))

    def run(*arguments: object, code: int = 0) -> Result:
        result = CliRunner().invoke(kaval, [str(argument) for argument in arguments], standalone_mode=False)
        if isinstance(result.exception, KavalError):
            raise result.exception
        assert result.exception is None, result.exception
        assert (result.return_value or 0) == code, result.output
        return result

    return run


@pytest.fixture(name="evidence")
def _evidence(tmp_path: Path) -> Path:
    folder = tmp_path / "seized"
    (folder / "DCIM").mkdir(parents=True)
    for name, content in CONTENTS.items():
        (folder / name).write_bytes(content)
    for seed in range(4):
        (folder / "DCIM" / f"{seed}.jpg").write_bytes(picture(seed))
    return folder


def imported(run: Run, tmp_path: Path, name: str = "partner", role: str = "alert", **fields: Any) -> Result:
    path = tmp_path / f"{name}.json"
    path.write_bytes(vics([medium(Category=1, **fields), medium("osk.txt", Category=2)]))
    return run("known", "import", path, "--name", name, "--role", role, "--owner", "Lopel", "--legal-basis", "Order 7")


def test_a_set_is_imported_listed_shown_verified_and_dropped(run: Run, tmp_path: Path) -> None:
    told = imported(run, tmp_path).output
    assert "partner, version 1, role alert: 2 entries with 2 md5, 2 sha1" in told

    assert "partner: alert, version 1" in run("known", "list").output
    shown = run("known", "show", "partner").output
    for text in ("Lopel", "Order 7", hashlib.sha256((tmp_path / "partner.json").read_bytes()).hexdigest()):
        assert text in shown
    assert json.loads(run("known", "show", "partner", "--json").output)["import"]["entries"] == 2
    assert "checks" in run("known", "verify").output

    values = next((tmp_path / "sets").glob("sets/partner/versions/*/md5.values"))
    content = bytearray(values.read_bytes())
    content[3] ^= 1
    values.write_bytes(content)
    assert "another than the manifest's" in run("known", "verify", "partner", code=5).output
    run("known", "drop", "partner")
    assert run("known", "list").output == ""


def test_nothing_is_imported_without_a_role(run: Run, tmp_path: Path) -> None:
    (tmp_path / "x.md5").write_text(f"{MD5['osk.txt']}\n")
    result = CliRunner().invoke(kaval, ["known", "import", str(tmp_path / "x.md5")])

    assert result.exit_code == 2
    assert "--role" in result.output


def test_a_lookup_says_why(run: Run, tmp_path: Path, evidence: Path) -> None:
    imported(run, tmp_path, VictimIdentified="false", Series="vindra")
    told = run("known", "lookup", evidence / "tarn.txt", MD5["osk.txt"].upper(), SHA256["quor.bin"], EMPTY).output

    for text in ("alert: partner: category 1", "victim identified: no", "series: vindra", "category 2", "in no set"):
        assert text in told
    assert "no match among what could be looked at" in told
    (line,) = run("known", "lookup", "--json", evidence / "osk.txt").output.splitlines()
    assert [match["category"] for match in json.loads(line)["matches"]] == ["2", "2"]
    with pytest.raises(UsageError, match="no file"):
        run("known", "lookup", "nonsense")


def test_a_changed_picture_is_looked_up_by_appearance(run: Run, tmp_path: Path, evidence: Path) -> None:
    run("examine", evidence, "--exhibit", "MO-7", "--authority", "Order 7", "--out", tmp_path / "mo-7",
        "--no-thumbnails", "--no-carving", "--no-artefacts")  # fmt: skip
    locator = json.loads(
        run("query", tmp_path / "mo-7", "SELECT locator FROM entries WHERE name = '2.jpg'", "--format", "json").output
    )["locator"]
    made = run("known", "make", "found", "--role", "alert", "--from", tmp_path / "mo-7", "--locator", locator,
               "--why", "review 12/2026", "--by", "Inga", "--category", "2")  # fmt: skip
    assert "1 entries" in made.output

    smaller = tmp_path / "smaller.png"
    smaller.write_bytes(picture(2, size=(200, 150), form="PNG"))
    told = run("known", "lookup", smaller, evidence / "DCIM" / "3.jpg").output
    first, second = told.split(str(evidence))
    assert "alert: found: category 2; pdq" in first
    assert f"provenance: locator: {locator}" in first
    assert "provenance: why: review 12/2026" in first
    assert "in no set" in second
    with pytest.raises(UsageError, match="lists no entry"):
        run(
            "known", "make", "found", "--role", "alert", "--from", tmp_path / "mo-7", "--locator", "x/y:z", "--why", "w"
        )


def test_a_disputed_entry_accuses_nobody_twice(run: Run, tmp_path: Path, evidence: Path) -> None:
    imported(run, tmp_path)
    run("known", "dispute", "partner", MD5["tarn.txt"], "--reason", "a landscape", "--by", "Inga", "--silence", "ours")
    told = run("known", "lookup", evidence / "tarn.txt").output
    assert "SILENCED by ours" in told
    assert "this unit: dispute, Inga" in told
    run("known", "confirm", "partner", MD5["osk.txt"], "--reason", "seen", "--by", "Bashir")
    assert "this unit: confirm, Bashir" in run("known", "lookup", evidence / "osk.txt").output

    run("examine", evidence, "--exhibit", "MO-7", "--authority", "Order 7", "--out", tmp_path / "mo-7", "--known",
        "partner", "--no-media", "--no-carving", "--no-artefacts")  # fmt: skip
    rows = run("query", tmp_path / "mo-7", "SELECT DISTINCT path, role, set_name FROM hits ORDER BY ALL", "--format",
               "json").output  # fmt: skip
    assert [tuple(json.loads(row).values()) for row in rows.splitlines()] == [
        ("osk.txt", "alert", "partner"), ("tarn.txt", "negative", "ours"), ("tarn.txt", "negative", "partner"),
    ]  # fmt: skip


def test_an_examination_names_the_version_it_used_and_copies_nothing(run: Run, tmp_path: Path, evidence: Path) -> None:
    imported(run, tmp_path)
    imported(run, tmp_path, Comments="second")
    for given, number in (("partner", 2), ("partner@1", 1)):
        out = tmp_path / f"out-{number}"
        run("examine", evidence, "--exhibit", "MO-7", "--authority", "Order 7", "--out", out, "--known", given,
            "--no-media", "--no-carving", "--no-artefacts")  # fmt: skip
        manifest = json.loads((out / "manifest.json").read_text())
        (known,) = manifest["known_sets"]
        assert (known["name"], known["number"], known["owner"]) == ("partner", number, "Lopel")
        assert manifest["counts"]["hits"] > 0
        assert not list(out.glob("**/md5.values"))
    with pytest.raises(UsageError, match="name of a set"):
        run("examine", evidence, "--exhibit", "E", "--authority", "A", "--out", tmp_path / "x", "--known", "stranger")


def test_a_set_past_its_day_is_not_used(run: Run, tmp_path: Path, evidence: Path) -> None:
    path = tmp_path / "old.md5"
    path.write_text(f"{MD5['osk.txt']}\n")
    run("known", "import", path, "--name", "old", "--role", "alert", "--expires-on", "2020-01-01")

    assert "EXPIRED" in run("known", "list").output
    with pytest.raises(UsageError, match="until 2020-01-01"):
        run("known", "lookup", MD5["osk.txt"], "--set", "old")
    imported(run, tmp_path)
    told = run("known", "lookup", MD5["osk.txt"]).output
    assert "old: not asked" in told
    assert "alert: partner" in told
    assert "alert: old" not in told
    with pytest.raises(UsageError, match="until 2020-01-01"):
        run("examine", evidence, "--exhibit", "E", "--authority", "A", "--out", tmp_path / "x", "--known", "old")


def test_a_resumed_examination_uses_the_same_version_or_none(run: Run, tmp_path: Path) -> None:
    imported(run, tmp_path)
    store = Store(tmp_path / "sets")
    folder = tmp_path / "examination"
    (folder / "work").mkdir(parents=True)
    info = make_ready(folder, 0, KnownSetSource(name="partner", store=store.root))
    link = folder / "work" / "set-0"
    assert os.path.realpath(link) == info.stored_in

    imported(run, tmp_path, Comments="second")
    make_ready_again(folder, 0, info, ())
    assert os.path.realpath(link) == info.stored_in
    link.unlink()
    make_ready_again(folder, 0, info, ())
    assert os.path.realpath(link) == info.stored_in
    store.drop("partner", 1)
    with pytest.raises(FolderError, match="no longer in"):
        make_ready_again(folder, 0, info, ())
    imported(run, tmp_path)
    make_ready_again(folder, 0, info, ())
    assert os.path.realpath(link) == str(store.version_folder("partner", 3))
    clear_work(folder)
    assert not link.is_symlink()
    assert store.open("partner", 3).info.role is Role.ALERT


def test_an_import_can_be_followed_by_a_program(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "x.md5"
    path.write_text(f"{MD5['osk.txt']}\n")
    lines = run("known", "import", path, "--role", "review", "--json").output.splitlines()

    assert [json.loads(line).get("stage") for line in lines] == ["reading", "sorting", None]
    assert json.loads(lines[-1])["counts"] == {"md5": 1}


def test_a_table_is_read_by_the_columns_a_person_names(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text(f"a,b\n{MD5['osk.txt']},{MD5['tarn.txt']}\n")
    run("known", "import", path, "--role", "review", "--name", "b", "--column", "md5=b")

    assert run("known", "lookup", MD5["tarn.txt"]).output.count("review: b") == 1
    assert "in no set" in run("known", "lookup", MD5["osk.txt"]).output
    with pytest.raises(UsageError, match="no column"):
        run("known", "import", path, "--role", "review", "--name", "c", "--column", "md5=z")


def test_feedback_and_exports_are_written(run: Run, tmp_path: Path) -> None:
    imported(run, tmp_path)
    told = run("known", "export", "partner", "--format", "md5sum", "--out", tmp_path / "out.md5").output

    assert hashlib.sha256((tmp_path / "out.md5").read_bytes()).hexdigest() in told
    assert (
        "0 judgements"
        in run("known", "export", "partner", "--format", "ncmec-feedback", "--out", tmp_path / "f").output
    )


def test_of_a_folder_of_pages_the_answers_without_entries_are_left_out(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "pages"
    folder.mkdir()
    entry = ncmec_image("osk", "2026-01-01T00:00:00Z", f"<md5>{MD5['osk.txt']}</md5>")
    (folder / "1.xml").write_text(NCMEC_PAGE.format(entry))
    (folder / "2.xml").write_text('<status xmlns="https://hashsharing.ncmec.org/hashsharing/v2"><remoteIp/></status>')
    told = run("known", "import", folder, "--name", "pages", "--role", "review").output

    assert "left out: 2.xml" in told
    assert "1 entries with 1 md5" in told


def test_many_near_hashes_are_told_in_few_lines(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "many.pdq"
    path.write_text("".join(f"{'ab' * 31}{number:02x}\n" for number in range(25)))
    run("known", "import", path, "--name", "many", "--role", "alert", "--values", "pdq")
    told = run("known", "lookup", "ab" * 32).output

    assert told.count("alert: many") == 10
    assert "many: and 15 more" in told
    assert len(json.loads(run("known", "lookup", "ab" * 32, "--json").output)["matches"]) == 25


def test_a_known_video_is_found_by_the_samples_of_it(run: Run, tmp_path: Path) -> None:
    video = shared("formats/vpdq/pattern-sd-grey-bar.mp4")
    run("known", "import", video.with_suffix(".txt"), "--name", "clips", "--role", "alert")
    told = run("known", "lookup", video).output

    assert "clips: video pattern-sd-grey-bar.txt" in told
    assert "100.0 % of this one's" in told
