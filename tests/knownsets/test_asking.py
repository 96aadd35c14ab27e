"""Judgements, silence, videos and vectors: what a match shows beside the value that matched."""

from __future__ import annotations

import random
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest

from kaval.core.errors import CorruptStructureError, UsageError
from kaval.knownsets import Role, SetInfo, Verdict, fast
from kaval.knownsets.compiled import CompiledSet, compile_set, open_set
from kaval.knownsets.feedback import write_feedback
from kaval.knownsets.importing import Order
from kaval.knownsets.judgements import Judgements, feedback_submission
from kaval.knownsets.photodna import PhotoDnaTable
from kaval.knownsets.store import Description, Store
from tests.knownsets.making import MD5, NCMEC_PAGE, SHA1, medium, ncmec_image, vics
from tests.testdata import shared

TARN = bytes.fromhex(MD5["tarn.txt"])


def placed(store: Store, name: str, content: bytes, role: Role = Role.ALERT, *, photodna: bool = False) -> SetInfo:
    path = store.root.parent / f"{name}.source"
    path.write_bytes(content)
    return store.import_set(Order(paths=(path,), role=role, photodna=photodna), Description(name=name, role=role))


@pytest.fixture(name="store")
def _store(tmp_path: Path) -> Store:
    store = Store(tmp_path / "sets")
    placed(store, "partner", vics([medium(Category=1), medium("osk.txt", Category=2)]))
    return store


def test_a_judgement_shows_on_every_later_hit_of_the_entry_and_in_the_next_version(store: Store) -> None:
    said = store.judgements("partner").add(
        Verdict.DISPUTE, algorithm="md5", value=MD5["tarn.txt"].upper(), by="Inga", reason="a landscape"
    )
    placed(store, "partner", vics([medium(Category=1, Comments="new")]))

    for algorithm, value in (("md5", TARN), ("sha1", bytes.fromhex(SHA1["tarn.txt"]))):
        (match,) = store.desk().exact(algorithm, [value])[0]
        assert match.judgements == (said,)
        assert match.role is Role.ALERT


def test_who_withdraws_takes_her_own_judgement_back_and_nothing_is_lost(store: Store) -> None:
    judgements = store.judgements("partner")
    for verdict, by in ((Verdict.DISPUTE, "Inga"), (Verdict.CONFIRM, "Bashir"), (Verdict.WITHDRAW, "Inga")):
        judgements.add(verdict, algorithm="md5", value=MD5["tarn.txt"], by=by, reason="seen again")

    assert [said.by for said in judgements.standing()["md5", MD5["tarn.txt"]]] == ["Bashir"]
    assert [said.verdict for said in judgements] == ["dispute", "confirm", "withdraw"]
    store.drop("partner")
    assert len(list(store.judgements("partner"))) == 3


@pytest.mark.parametrize(
    ("value", "by", "reason"), [("zz", "Inga", "x"), (MD5["osk.txt"], " ", "x"), (MD5["osk.txt"], "Inga", "")]
)
def test_a_judgement_without_value_person_or_reason_is_refused(value: str, by: str, reason: str, store: Store) -> None:
    with pytest.raises(UsageError):
        store.judgements("partner").add(Verdict.DISPUTE, algorithm="md5", value=value, by=by, reason=reason)


def test_a_line_cut_off_by_a_power_cut_is_not_there_and_another_one_is_damage(store: Store) -> None:
    judgements = store.judgements("partner")
    judgements.add(Verdict.DISPUTE, algorithm="md5", value=MD5["osk.txt"], by="Inga", reason="x")
    path = store.root / "judgements" / "partner.jsonl"
    with path.open("a") as file:
        file.write('{"half": ')
    assert len(list(judgements)) == 1
    judgements.add(Verdict.CONFIRM, algorithm="md5", value=MD5["osk.txt"], by="Inga", reason="y")
    assert len(list(judgements)) == 2

    path.write_text('{"half": \n' + path.read_text())
    with pytest.raises(CorruptStructureError, match="line 1"):
        list(judgements)


@pytest.mark.parametrize("algorithm", ["md5", "sha1"])
def test_a_negative_set_silences_the_entry_by_any_of_its_values_and_says_so(algorithm: str, store: Store) -> None:
    value = {"md5": MD5, "sha1": SHA1}[algorithm]["tarn.txt"]
    placed(store, "ours", f"{value}\n".encode(), Role.NEGATIVE)
    matches = store.desk(["partner"]).exact("md5", [TARN, bytes.fromhex(MD5["osk.txt"])])

    by_set = {match.set_name: match for match in matches[0]}
    assert by_set["partner"].silenced_by == ("ours",)
    assert ("ours" in by_set) == (algorithm == "md5")
    assert [match.silenced_by for match in matches[1]] == [()]


def test_two_sets_that_disagree_are_both_shown(store: Store) -> None:
    placed(store, "other", vics([medium(Category=5)]), Role.REVIEW)

    matches = store.desk().exact("md5", [TARN])[0]
    assert [(match.set_name, match.category) for match in matches] == [("other", "5"), ("partner", "1")]


def test_feedback_is_what_the_public_samples_show(tmp_path: Path) -> None:
    store = Store(tmp_path / "sets")
    entry = ncmec_image("image7", "2026-01-01T00:00:00Z", f"<md5>{MD5['tarn.txt']}</md5>")
    placed(store, "pages", NCMEC_PAGE.format(entry).encode())
    judgements = store.judgements("pages")
    reason = "01234567-abcd-0123-4567-012345678900"
    dispute = judgements.add(
        Verdict.DISPUTE, algorithm="md5", value=MD5["tarn.txt"], by="Inga", reason="x", reason_id=reason
    )
    confirm = judgements.add(Verdict.CONFIRM, algorithm="md5", value=MD5["tarn.txt"], by="Bashir", reason="y")

    for name, judgement in (("negative", dispute), ("affirmative", confirm)):
        sample = ElementTree.fromstring(shared(f"formats/ncmec-hashsharing/{name}_feedback_xml.xml").read_bytes())
        ours = ElementTree.fromstring(feedback_submission(judgement))
        shape = [[(one.tag, (one.text or "").strip()) for one in root.iter()] for root in (sample, ours)]
        assert shape[0] == shape[1]
    assert write_feedback(store.open("pages"), judgements, tmp_path / "out") == 2
    listed = (tmp_path / "out" / "submissions.json").read_text()
    assert listed.count("entries/42/image7/MD5/feedback") == 2


def test_a_dispute_without_a_reason_of_the_owners_list_is_not_sent(tmp_path: Path) -> None:
    judgements = Judgements(tmp_path, "x")
    said = judgements.add(Verdict.DISPUTE, algorithm="md5", value=MD5["osk.txt"], by="Inga", reason="x")

    with pytest.raises(UsageError, match="--reason-id"):
        feedback_submission(said)


def frames(path: Path) -> list[tuple[bytes, int]]:
    rows = [line.split(",") for line in path.read_text().split()]
    return [(bytes.fromhex(row[2]), int(row[1])) for row in rows]


def shares(query: list[tuple[bytes, int]], known: list[tuple[bytes, int]]) -> tuple[float, float]:
    """Return (known, seized) percentages by the documented rule."""
    one, other = ({value for value, quality in side if quality >= 50} for side in (query, known))

    def near(value: bytes, side: set[bytes]) -> bool:
        number = int.from_bytes(value, "big")
        return any((number ^ int.from_bytes(two, "big")).bit_count() <= 31 for two in side)

    return (
        100 * sum(near(value, one) for value in other) / len(other),
        100 * sum(near(value, other) for value in one) / len(one),
    )


def video_set(folder: Path, *paths: Path) -> CompiledSet:
    store = Store(folder / "sets")
    store.import_set(Order(paths=paths, role=Role.ALERT), Description(name="clips", role=Role.ALERT))
    return store.open("clips")


def test_a_known_video_is_found_by_the_documented_shares(tmp_path: Path) -> None:
    small, large = (shared(f"formats/vpdq/pattern-sd-grey-bar{name}.txt") for name in ("-128x128", ""))
    known = video_set(tmp_path, large)
    usable = [[value] for value, quality in frames(small) if quality >= 50]

    (match,) = known.videos(usable, 31)
    assert (match.known_share, match.seized_share) == pytest.approx(shares(frames(small), frames(large)))
    assert match.video == large.name
    assert known.videos(usable[:9], 31) == []
    assert [one.video for one in known.videos(usable[:9], 31, side="seized")] == [large.name]


def test_a_known_clip_is_found_inside_a_longer_video_and_a_stranger_is_not(tmp_path: Path) -> None:
    source = random.Random(5)
    clips = {name: [source.randbytes(32) for _ in range(20)] for name in ("tarn", "osk")}
    paths = []
    for name, values in clips.items():
        paths.append(tmp_path / f"{name}.txt")
        lines = [f"{number},99,{value.hex()},{number}.000\n" for number, value in enumerate(values)]
        paths[-1].write_text("".join([*lines, f"20,3,{bytes(32).hex()},20.000\n"]))
    known = video_set(tmp_path, *paths)
    longer = [source.randbytes(32) for _ in range(200)] + clips["tarn"][:17] + clips["osk"][:15]

    found = known.videos([[value] for value in longer], 31)
    assert [(match.video, match.known_share) for match in found] == [("tarn.txt", 85.0)]
    assert found[0].seized_share == pytest.approx(100 * 17 / 232)
    assert known.videos([[bytes(32)]], 31, 0.1) == []


@pytest.mark.parametrize("compiled", [False, True], ids=["numpy", "numba"])
def test_photodna_values_are_compared_exactly(compiled: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if compiled:
        pytest.importorskip("numba", reason="numba is not installed (the extra 'fast')")
    monkeypatch.setattr(fast.EFFORT, "pays", lambda cost: compiled)
    source = np.random.default_rng(6)
    vectors = source.integers(0, 256, (3000, 144), dtype=np.uint8)
    queries = np.clip(vectors[:40].astype(int) + source.integers(-25, 26, (40, 144)), 0, 255).astype(np.uint8)
    media = [medium(MD5=f"{number:032x}", PhotoDNA=row.tobytes().hex()) for number, row in enumerate(vectors)]
    store = Store(tmp_path / "sets")
    info = placed(store, "vectors", vics(media), photodna=True)
    known = store.open("vectors")
    table = PhotoDnaTable(known.folder)

    assert info.counts["photodna"] == 3000
    for query in queries:
        for threshold in (0, 10_000, 40_000, 600_000):
            distances = ((table.rows.astype(np.int64) - query) ** 2).sum(axis=1)
            truth = [(int(row), int(distances[row])) for row in np.flatnonzero(distances <= threshold)]
            assert [(near.row, near.distance) for near in table.within(query.tobytes(), threshold)] == truth
    (match, *_) = known.near_vectors([queries[7].tobytes()])[0]
    assert match.value == vectors[7].tobytes().hex()
    assert match.statements[0].values["md5"] == f"{7:032x}"


def test_photodna_is_not_compared_unless_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "set.json"
    path.write_bytes(vics([medium(PhotoDNA="00" * 144)]))
    compile_set(path, name="x", role=Role.ALERT, target=tmp_path / "set")
    known = open_set(tmp_path / "set")

    assert "photodna" not in known.info.counts
    assert known.near_vectors([bytes(144)]) == [[]]
    assert next(known.every_statement()).values["photodna"] == "00" * 144
