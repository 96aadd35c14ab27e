"""Every quirk measured on real exports (facts, formats 1.4), one test each."""

from __future__ import annotations

import base64
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from kaval.core.errors import CorruptStructureError, UsageError
from kaval.knownsets import Role
from kaval.knownsets.compiled import CompiledSet, compile_set, open_set
from kaval.knownsets.moments import Moment, moment_of
from kaval.knownsets.places import place_of
from tests.knownsets.making import MD5, SHA1, VICS_1, VICS_2, medium, read, skipped_of, statements_of, values_of, vics


def written(folder: Path, media: list[dict[str, Any]], **options: Any) -> Path:
    path = folder / "set.json"
    path.write_bytes(vics(media, **options))
    return path


def compiled(path: Path, role: Role = Role.ALERT) -> CompiledSet:
    target = path.with_name("compiled")
    compile_set(path, name="lopel", role=role, target=target)
    return open_set(target)


def test_1_many_entries_may_name_one_file(tmp_path: Path) -> None:
    media = [medium(MediaID=number, Category=2) for number in range(116)]
    known = compiled(written(tmp_path, media))

    assert (known.info.entries, known.info.counts["md5"]) == (116, 1)
    (match,) = known.exact("md5", [bytes.fromhex(MD5["tarn.txt"])])[0]
    assert len(match.statements) == 116


def test_2_what_the_sender_counts_stands_beside_what_was_counted_here(tmp_path: Path) -> None:
    path = tmp_path / "case.json"
    case = {"CaseID": "{7a}", "TotalMediaFiles": 9, "Media": [medium(), medium("osk.txt")], "TotalPrecategorized": 1}
    path.write_bytes(vics([case], VICS_2.format("US", "Cases")))
    batches = read(path)

    assert sum(batch.entries for batch in batches) == 2
    assert "TotalMediaFiles stated: 9" in [remark for batch in batches for remark in batch.remarks]


def test_3_is_precategorized_says_nothing(tmp_path: Path) -> None:
    known = compiled(written(tmp_path, [medium(IsPrecategorized=True, Category=None)]))

    assert known.exact("md5", [bytes.fromhex(MD5["tarn.txt"])])[0][0].category is None


@pytest.mark.parametrize(("given", "category"), [({"Category": 0}, "0"), ({"Category": None}, None), ({}, None)])
def test_4_category_0_is_recorded_and_absent_is_not(
    given: dict[str, Any], category: str | None, tmp_path: Path
) -> None:
    known = compiled(written(tmp_path, [medium(**given)]))

    assert known.exact("md5", [bytes.fromhex(MD5["tarn.txt"])])[0][0].category == category


@pytest.mark.parametrize(
    ("written_as", "answer"),
    [("false", False), ("True", True), (False, False), (None, None), ("", None), ("maybe", None), (0, False)],
)
def test_5_answers_come_as_texts_too(written_as: Any, answer: bool | None, tmp_path: Path) -> None:
    path = written(tmp_path, [medium(VictimIdentified=written_as)])
    (statement,) = statements_of(path, read(path))

    assert statement.flags["victim identified"] is answer


def test_6_digests_match_however_they_are_written_and_stay_as_they_were(tmp_path: Path) -> None:
    known = compiled(written(tmp_path, [medium(MD5=f" {MD5['tarn.txt'].upper()} ")]))
    row = known.tables["md5"].find(bytes.fromhex(MD5["tarn.txt"]))

    assert row == 0
    (statement,) = known.statements("md5", row)
    assert statement.values["md5"] == MD5["tarn.txt"]
    assert MD5["tarn.txt"].upper().encode() in (known.folder / "details.data").read_bytes()


def test_7_a_byte_order_mark_is_passed_over_and_a_cut_document_refused(tmp_path: Path) -> None:
    path = written(tmp_path, [medium(), medium("osk.txt")])
    content = b"\xef\xbb\xbf" + path.read_bytes()
    path.write_bytes(content)
    assert len(values_of(read(path))["md5"]) == 2

    for cut in (1, 2, 60, len(content) // 2):
        path.write_bytes(content[:-cut])
        with pytest.raises(CorruptStructureError, match="cut off"):
            compile_set(path, name="x", role=Role.ALERT, target=tmp_path / "target")
        assert not (tmp_path / "target").exists()


def test_8_a_digest_graded_in_two_ways_matches_twice(tmp_path: Path) -> None:
    media = [medium(MediaID=1, Category=1), medium(MediaID=2, Category=5), medium(MediaID=3, Category=1)]
    known = compiled(written(tmp_path, media))

    matches = known.exact("md5", [bytes.fromhex(MD5["tarn.txt"])])[0]
    assert [match.category for match in matches] == ["1", "5"]
    assert [len(match.statements) for match in matches] == [2, 1]


def test_9_a_stored_path_is_a_text_and_opens_nothing(tmp_path: Path) -> None:
    path = written(tmp_path, [medium(RelativeFilePath="..\\..\\etc\\passwd", MediaFiles=[{"FileName": "../x"}])])
    (statement,) = statements_of(path, read(path))

    assert "passwd" not in json.dumps(dict(statement.notes))
    assert statement.notes["files named"] == "1"
    compiled(path)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["compiled", "set.json"]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-02T03:04:05Z", Moment(seconds=1767323045.0, zone="utc")),
        ("2026-01-02T03:04:05+05:30", Moment(seconds=1767303245.0, zone="+05:30")),
        ("2026-01-02T03:04:05", Moment(seconds=1767323045.0, zone="unknown")),
        ("/Date(1700000000000)/", Moment(seconds=1700000000.0, zone="utc")),
        ("/Date(1700000000000+0530)/", Moment(seconds=1700000000.0, zone="utc")),
        ("3/9/2024 9:07:05 PM(UTC-5)", Moment(seconds=1710036425.0, zone="-05:00")),
        ("yesterday", None),
        ("2026-13-02T03:04:05Z", None),
        (None, None),
    ],
)
def test_10_times_come_in_four_shapes_and_no_zone_is_invented(text: str | None, moment: Moment | None) -> None:
    assert moment_of(text) == moment


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("41.88 / -87.62", (41.88, -87.62)),
        ("41 52 48 N, 87 37 12 W", (41.88, -87.62)),
        ("41° 52' 48\" North, 87° 37' 12\" West", (41.88, -87.62)),
        ("41 52 48 Q, 87 37 12 W", None),
        ("91.0 / 10.0", None),
        ("41 61 48 N, 87 37 12 W", None),
        ("", None),
    ],
)
def test_11_a_wrong_reference_gives_no_place_rather_than_a_wrong_one(
    text: str, place: tuple[float, float] | None
) -> None:
    found = place_of(text)
    assert found == (None if place is None else pytest.approx(place))


def test_11_what_an_exporter_says_of_place_and_time_is_told_with_its_zone(tmp_path: Path) -> None:
    exifs = [
        {"PropertyName": "Lat/Lon", "PropertyValue": "41.88 / -87.62"},
        {"PropertyName": "Capture Time", "PropertyValue": "3/9/2024 9:07:05 PM(UTC-5)"},
    ]
    path = written(tmp_path, [medium(Exifs=exifs, DateUpdated="2026-01-02T03:04:05")])
    (statement,) = statements_of(path, read(path))

    assert statement.notes["place of capture"] == "41.880000, -87.620000"
    assert statement.notes["time of capture"] == "3/9/2024 9:07:05 PM(UTC-5) (zone -05:00)"
    assert statement.notes["zone of its time"] == "not stated"


def test_12_braces_empty_contacts_and_ncmec_sources_are_read_over(tmp_path: Path) -> None:
    path = tmp_path / "case.json"
    case = {
        "CaseID": "{6a1f2f43-90d2-4d1c-9b3b-6d6e3a0a0001}", "ContactName": "", "ContactEmail": None,
        "Media": [medium(MediaFiles=[{"MD5": MD5["tarn.txt"], "SourceID": "NCMEC #7"}])],
        "Identifiers": [{"MD5": "x", "Media": [medium("osk.txt")]}],
    }  # fmt: skip
    path.write_bytes(vics([case, case | {"Media": []}], VICS_2.format("UNKNOWN", "Cases")))

    assert [value.hex() for value in values_of(read(path))["md5"]] == [MD5["tarn.txt"]]


def test_13_a_graded_list_is_never_known_good(tmp_path: Path) -> None:
    path = written(tmp_path, [medium(Category=5), medium("osk.txt", Category=1)])

    with pytest.raises(UsageError, match="cannot be known-good"):
        compile_set(path, name="x", role=Role.KNOWN_GOOD, target=tmp_path / "target")
    assert not (tmp_path / "target").exists()
    media_of_software = written(tmp_path, [medium(Category=8)], header=VICS_1.format("1.2", "Media"))
    good = compiled(media_of_software, Role.KNOWN_GOOD)
    assert good.info.role is Role.KNOWN_GOOD


def test_14_a_time_of_a_file_keeps_the_offset_it_was_written_with() -> None:
    there = moment_of("2026-01-02T03:04:05+01:00")
    unknown = moment_of("2026-01-02T03:04:05")

    assert there is not None
    assert unknown is not None
    assert there.zone == "+01:00"
    assert unknown.zone == "unknown"


def test_picture_bytes_in_a_field_are_taken_out(tmp_path: Path) -> None:
    secret = base64.b64encode(bytes(range(256)) * 60).decode()
    media = [
        medium(Miniature="aGk=", Category=2),
        medium("osk.txt", Agency=secret),
        medium("quor.bin", Agency="vindra"),
    ]
    path = written(tmp_path, media, header=VICS_1.format("1.3", "Media"))
    known = compiled(path)

    kept = (known.folder / "details.data").read_bytes()
    assert b"aGk=" not in kept
    assert secret.encode() not in kept
    assert b"vindra" in kept
    remarks = json.loads((known.folder / "import.json").read_text())["remarks"]
    assert sum("taken out, unseen" in remark for remark in remarks) == 2
    assert known.exact("md5", [bytes.fromhex(MD5["tarn.txt"])])[0][0].category == "2"


def test_photodna_is_kept_with_the_entry_wherever_the_version_puts_it(tmp_path: Path) -> None:
    value = base64.b64encode(bytes(range(144))).decode()
    inside = medium("osk.txt", AlternativeHashes=[{"HashName": "PhotoDNA", "HashValue": value}])
    path = written(tmp_path, [medium(PhotoDNA=value), inside])

    assert [statement.values["photodna"] for statement in statements_of(path, read(path))] == [value, value]
    assert "photodna" not in values_of(read(path))
    assert values_of(read(path, photodna=True))["photodna"] == [bytes(range(144))] * 2


def test_an_entry_of_another_shape_is_counted_and_the_rest_is_read(tmp_path: Path) -> None:
    media = [medium(), {"MediaID": 2, "MD5": 7}, {"MediaID": 3}, medium("osk.txt", SHA1="zz"), medium("quor.bin")]
    path = written(tmp_path, media)
    batches = read(path)

    assert {value.hex() for value in values_of(batches)["md5"]} == set(MD5.values())
    assert skipped_of(batches) == {"entry without a digest": 2, "sha1 that is none": 1}
    assert sum(batch.tallies.get("entry with a field of another type", 0) for batch in batches) == 1


def test_digests_are_read_of_entries_with_fields_of_other_types_or_other_capitals(tmp_path: Path) -> None:
    lower = {"mediaID": 7, "md5": MD5["quor.bin"], "sha1": SHA1["quor.bin"], "category": 2, "isDistributed": "false"}
    odd = medium("osk.txt", Category=1.0, AlternativeHashes="none", Miniature=5, MediaSize=[])
    path = written(tmp_path, [medium(Category=0), odd, lower])
    batches = read(path)

    assert {value.hex() for value in values_of(batches)["md5"]} == set(MD5.values())
    assert {value.hex() for value in values_of(batches)["sha1"]} == set(SHA1.values())
    assert skipped_of(batches) == {}
    assert sum((Counter(batch.tallies) for batch in batches), Counter()) == {
        "category 0": 1, "category 1": 1, "category 2": 1, "entry with a field of another type": 1,
    }  # fmt: skip
    said = list(statements_of(path, batches))[2]
    assert (said.category, said.identity, said.flags) == ("2", "7", {"distributed": False})


@pytest.mark.parametrize(
    "header",
    [
        "http:\\/\\/github.com\\/VICSDATAMODEL\\/ProjectVic\\/DataModels\\/2.0.xml\\/UK\\/$metadata#Media",
        "http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/UK#media",
        "http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/#Media",
    ],
)
def test_headers_as_other_writers_spell_them(header: str, tmp_path: Path) -> None:
    path = tmp_path / "set.json"
    path.write_text(f'{{"@odata.context": "{header}", "value": [{json.dumps(medium())}]}}')

    assert [value.hex() for value in values_of(read(path))["md5"]] == [MD5["tarn.txt"]]


def test_a_list_without_media_is_a_set_without_entries(tmp_path: Path) -> None:
    compile_set(written(tmp_path, []), name="x", role=Role.REVIEW, target=tmp_path / "set")

    assert open_set(tmp_path / "set").exact("md5", [bytes(16)]) == [[]]


@pytest.mark.parametrize("nested", ["[" * 100_000 + "]" * 100_000, "9" * 6000])
def test_an_absurd_field_is_damage_or_nothing(nested: str, tmp_path: Path) -> None:
    path = tmp_path / "set.json"
    text = vics([medium()]).decode()
    path.write_text(text.replace('"MediaID"', f'"x": {nested}, "MediaID"'))
    try:
        found = values_of(read(path))
    except CorruptStructureError:
        return

    assert [value.hex() for value in found["md5"]] == [MD5["tarn.txt"]]


@pytest.mark.parametrize("version", ["1.1", "1.2", "1.3", "2.0", "2.1", "3.7"])
def test_any_version_is_read_and_an_unknown_one_remarked(version: str, tmp_path: Path) -> None:
    old = version.startswith("1.")
    header = VICS_1.format(version, "Media") if old else VICS_2.replace("2.0", version).format("UK", "Media")
    key = "odata.metadata" if old else "@odata.context"
    path = tmp_path / "set.json"
    path.write_text(json.dumps({key: header, "value": [medium()]}), encoding="utf-8")
    batches = read(path)

    remarks = [remark for batch in batches for remark in batch.remarks]
    assert [value.hex() for value in values_of(batches)["sha1"]] == [SHA1["tarn.txt"]]
    assert any("nobody has described" in remark for remark in remarks) == (version in ("2.1", "3.7"))
