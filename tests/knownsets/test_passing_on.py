"""What is passed on is read again with the same values, and says what it is; handling codes bind."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from kaval.core.errors import UsageError
from kaval.knownsets import Role
from kaval.knownsets.compiled import CompiledSet
from kaval.knownsets.exports import SET_EXPORTS
from kaval.knownsets.importing import Order
from kaval.knownsets.passing_on import pass_on
from kaval.knownsets.store import Description, Store
from tests.knownsets.making import CONTENTS, MD5, SHA1, SHA256, medium, read, statements_of, values_of, vics
from tests.testdata import shared

PDQ = ("a5" * 32, "3c" * 32, "0f" * 32)


def stored(folder: Path, **description: str) -> CompiledSet:
    others = [
        [{"HashName": "SHA256", "HashValue": SHA256[name]}, {"HashName": "PDQ", "HashValue": pdq}]
        for name, pdq in zip(CONTENTS, PDQ, strict=True)
    ]
    media = [
        medium(name, Category=number, AlternativeHashes=other, VictimIdentified="true", IsDistributed=None,
               Series="=osk", Comments="തടം", PhotoDNA="AA" * 144, MediaSize=7)
        for number, (name, other) in enumerate(zip(CONTENTS, others, strict=True))
    ]  # fmt: skip
    path = folder / "set.json"
    path.write_bytes(vics(media))
    store = Store(folder / "sets")
    store.import_set(Order(paths=(path,), role=Role.ALERT), Description(name="lopel", role=Role.ALERT, **description))
    return store.open("lopel")


EXPECTED = {
    "vics": {"md5", "sha1", "sha256", "pdq"}, "csv": {"md5", "sha1", "sha256", "pdq"},
    "kdb": {"md5", "sha1", "sha256"}, "md5sum": {"md5"}, "sha1sum": {"sha1"}, "sha256sum": {"sha256"},
    "kaval-set": {"md5", "sha1", "sha256", "pdq"},
}  # fmt: skip


def test_every_export_is_tried() -> None:
    assert {export.name for export in SET_EXPORTS.all()} == set(EXPECTED)


@pytest.mark.parametrize("form", EXPECTED)
def test_what_is_written_is_read_again(form: str, tmp_path: Path) -> None:
    known = stored(tmp_path, country="UK")
    target = tmp_path / f"out.{form}"
    passed = pass_on(known, form, target, by="Inga")
    truth = {"md5": MD5, "sha1": SHA1, "sha256": SHA256, "pdq": dict(zip(CONTENTS, PDQ, strict=True))}

    assert passed.written.entries == 3
    found = {name: {value.hex() for value in values} for name, values in values_of(read(target)).items()}
    assert found == {name: set(truth[name].values()) for name in EXPECTED[form]}
    note = json.loads((tmp_path / f"out.{form}.note.json").read_text())
    assert (note["set"], note["version"], note["by"], note["sha256"]) == (
        "lopel", known.info.version, "Inga", passed.sha256,
    )  # fmt: skip
    assert not list(tmp_path.glob(".*"))


def test_vics_and_our_own_form_keep_what_is_said(tmp_path: Path) -> None:
    known = stored(tmp_path, country="UK")
    for form in ("vics", "kaval-set"):
        target = tmp_path / form
        pass_on(known, form, target, by="Inga")
        before, after = list(known.every_statement()), list(statements_of(target, read(target)))
        for name in ("category", "flags", "size", "values"):
            assert [_answered(getattr(one, name)) for one in after] == [_answered(getattr(one, name)) for one in before]
        assert [(one.notes["series"], one.notes["comments"]) for one in after] == [("=osk", "തടം")] * 3
    assert "/DataModels/2.0.xml/UK/$metadata#Media" in (tmp_path / "vics").read_text()


def _answered(said: object) -> object:
    return {key: one for key, one in said.items() if one is not None} if isinstance(said, dict) else said


def test_vics_has_the_keys_and_types_of_the_model(tmp_path: Path) -> None:
    model = shared("formats/vics/ProjectVicDataModel.2.0.xml").read_text(encoding="utf-8-sig")
    media = model[model.index('EntityType Name="Media"') :].split("</EntityType>")[0]
    pass_on(stored(tmp_path), "vics", tmp_path / "out.json", by="Inga")
    (one, *_) = json.loads((tmp_path / "out.json").read_text())["value"]

    for key in one:
        assert f'Name="{key}"' in media, key
    assert one["MD5"] == MD5["tarn.txt"].upper()
    assert one["Category"] == 0
    assert one["VictimIdentified"] is True


def test_a_spreadsheet_takes_no_text_for_a_formula(tmp_path: Path) -> None:
    pass_on(stored(tmp_path), "csv", tmp_path / "out.csv", by="Inga")

    assert "'=osk" in (tmp_path / "out.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize(("form", "arguments"), [("kdb", ()), ("md5sum", ("index",))])
def test_hfind_finds_what_was_written(form: str, arguments: tuple[str, ...], tmp_path: Path) -> None:
    hfind = shutil.which("hfind")
    if hfind is None:
        pytest.skip("hfind is absent (sleuthkit)")
    target = tmp_path / ("out.kdb" if form == "kdb" else "out.txt")
    pass_on(stored(tmp_path), form, target, by="Inga")
    if arguments:
        subprocess.run([hfind, "-i", "md5sum", str(target)], check=True, capture_output=True)
    told = [
        subprocess.run([hfind, "-q", str(target), value], check=False, capture_output=True, text=True).stdout.strip()
        for value in (MD5["osk.txt"].upper(), "0" * 32)
    ]

    assert told == ["1", "0"]


def test_a_set_that_says_nothing_is_passed_on_value_by_value(tmp_path: Path) -> None:
    path = tmp_path / "list.md5"
    path.write_text("".join(f"{value}\n" for value in MD5.values()))
    store = Store(tmp_path / "sets")
    store.import_set(Order(paths=(path,), role=Role.ALERT), Description(name="plain", role=Role.ALERT))
    passed = pass_on(store.open("plain"), "md5sum", tmp_path / "out", by="Inga")

    assert passed.written.entries == 3
    left = pass_on(store.open("plain"), "sha1sum", tmp_path / "none", by="Inga").written.left_out
    assert dict(left) == {"entry without sha1": 3}


def test_a_handling_code_binds_until_a_permission_is_on_record(tmp_path: Path) -> None:
    known = stored(tmp_path, handling="H2")

    with pytest.raises(UsageError, match="permission"):
        pass_on(known, "csv", tmp_path / "out.csv", by="Inga")
    assert not (tmp_path / "out.csv").exists()
    pass_on(known, "csv", tmp_path / "out.csv", by="Inga", permission="letter 7/2026")
    assert json.loads((tmp_path / "out.csv.note.json").read_text())["permission"] == "letter 7/2026"


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "out.csv").write_text("there")

    with pytest.raises(UsageError, match="there already"):
        pass_on(stored(tmp_path), "csv", tmp_path / "out.csv", by="Inga")
    assert (tmp_path / "out.csv").read_text() == "there"
