"""The papers: every kind is issued in every language from what the register holds, and only the right certificate."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime

import pytest
from pypdf import PdfReader

from casework.cases import api as cases
from casework.exhibits import api as exhibits
from casework.exhibits import documents
from casework.lib.errors import AbsentError, RefusedError
from casework.papers import api as papers
from tests.casework.exhibits.conftest import COMPUTED, Full, Store, image_made, pass_on, telephone

pytestmark = pytest.mark.django_db

CERTIFIER = exhibits.Certifier(
    name="Inga", parent="Someone", address="Cell of the north", relation=("managed",), designation="Examiner"
)
SUBMISSION = exhibits.Submission(record="Image of the telephone", to="Special Court, bail")


@pytest.fixture(autouse=True)
def forms(db: None) -> None:
    papers.seed()


def words_of(paper: papers.Paper, acting: object) -> str:
    content = papers.take_out(acting=acting, paper=paper)  # type: ignore[arg-type]
    return " ".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)


@pytest.mark.parametrize("language", list(papers.Language))
def test_every_paper_is_issued(full: Full, language: papers.Language) -> None:
    inga, store = full.store.inga, full.store
    exhibits.acknowledge(
        acting=store.malini, offers=[full.offer], received=exhibits.Received(digest_note="no tool at the gate")
    )
    event = exhibits.custody_line(full.phone)[-1]
    issued = [
        exhibits.issue_seizure_list(acting=inga, seizure=full.seizure, language=language, place="Town"),
        exhibits.issue_custody_sequence(acting=inga, exhibit=full.phone, language=language, place="Town"),
        exhibits.issue_forwarding_note(acting=inga, forwarding=full.forwarding, language=language, place="Town"),
        exhibits.issue_receipt(acting=inga, event=event, language=language, place="Town"),
        exhibits.issue_labels(
            acting=inga, case=store.case, exhibits=[full.phone], language=language, place="Town",
            addresses={full.phone.pk: "https://unit.example/exhibits/x/"},
        ),
    ]  # fmt: skip
    for kind in exhibits.certificates_for(full.phone, person=inga):
        issued.append(
            exhibits.issue_certificate(
                acting=inga, exhibit=full.phone, kind=kind, language=language, certifier=CERTIFIER,
                submission=SUBMISSION, place="Town",
            )
        )  # fmt: skip

    assert {paper.kind for paper in issued} == {
        "seizure-list", "custody-sequence", "forwarding-note", "receipt", "label-sheet", "certificate-63-a",
        "certificate-63-b",
    }  # fmt: skip
    for paper in issued:
        said = words_of(paper, inga)
        assert paper.number in said
        assert "7788-xx" not in paper.frozen
        if paper.kind in ("custody-sequence", "receipt"):
            assert "Malini" in said


def test_the_sequence_says_what_is_pending_and_renumbers_a_part_from_its_whole(full: Full) -> None:
    values = documents.custody_values(full.phone)
    assert (values["complete"], values["gaps"], len(values["events"])) == (False, 0, 1)
    assert values["events"][0]["place_from"] == "desk by the window"
    store = full.store
    whole = telephone(store)
    part = exhibits.register_part(acting=store.inga, whole=whole, details=exhibits.Details(kind=exhibits.Kind.SIM_CARD))
    pass_on(store, whole, store.inga, store.hari)
    exhibits.separate(acting=store.hari, part=part, reason="read apart")
    part.refresh_from_db()
    pass_on(store, part, store.hari, store.malini)
    values = documents.custody_values(part)

    assert [event["sequence"] for event in values["events"]] == [1, 2, 3, 4]
    assert values["holder_now"]["name"] == "Malini"
    assert values["complete"] is True
    assert [one["custody"] for one in documents.custody_values(whole)["parts"]] == ["separated"]


def test_an_old_matter_is_certified_under_the_old_law(store: Store) -> None:
    cases.register_fir(
        acting=store.inga, case=store.case, state="S", district="D", station="Station", number="11", year=2024,
        registered_at=datetime(2024, 6, 30, 4, 0, tzinfo=UTC),
    )  # fmt: skip
    exhibit = telephone(store)
    exhibits.record_acquisition(acting=store.inga, exhibit=exhibit, made=image_made(), computed=COMPUTED)

    assert exhibits.certificates_for(exhibit, person=store.inga) == (papers.Kind.CERTIFICATE_65B,)
    with pytest.raises(RefusedError, match="other law of evidence"):
        exhibits.issue_certificate(
            acting=store.inga, exhibit=exhibit, kind=papers.Kind.CERTIFICATE_63_A, language=papers.Language.ENGLISH,
            certifier=CERTIFIER, submission=SUBMISSION, place="Town",
        )  # fmt: skip
    paper = exhibits.issue_certificate(
        acting=store.inga, exhibit=exhibit, kind=papers.Kind.CERTIFICATE_65B, language=papers.Language.ENGLISH,
        certifier=CERTIFIER, submission=SUBMISSION, place="Town",
    )  # fmt: skip
    frozen = json.loads(paper.frozen)["values"]
    assert frozen["case"]["fir"] == "11/2024"
    assert {row["value"] for row in frozen["hashes"]} == {"0" * 32, "ab" * 32}


def test_a_certificate_names_a_digest_of_the_record_and_of_nothing_later(full: Full) -> None:
    store = full.store
    loose = telephone(store)

    def issue(exhibit: exhibits.Exhibit, submission: exhibits.Submission) -> papers.Paper:
        return exhibits.issue_certificate(
            acting=store.inga, exhibit=exhibit, kind=papers.Kind.CERTIFICATE_63_A, language=papers.Language.ENGLISH,
            certifier=CERTIFIER, submission=submission, place="Town",
        )  # fmt: skip

    with pytest.raises(RefusedError, match="names the digest"):
        issue(loose, SUBMISSION)
    given = exhibits.Submission(
        record="call list", to="Court", digests=[exhibits.Computed(algorithm="SHA-256", value="cd" * 32)]
    )
    frozen = json.loads(issue(loose, given).frozen)["values"]
    assert [row["value"] for row in frozen["hashes"]] == ["cd" * 32]
    exhibits.verify_image(
        acting=store.inga, acquisition=full.image, computed=[exhibits.Computed(algorithm="MD5", value="1" * 32)],
        tool="x 1",
    )  # fmt: skip
    frozen = json.loads(issue(full.phone, SUBMISSION).frozen)["values"]
    assert "1" * 32 not in {row["value"] for row in frozen["hashes"]}


def test_papers_are_for_who_works_on_the_case(full: Full) -> None:
    for person, refusal in (
        (full.store.cast.bashir, RefusedError),
        (full.store.cast.carla, AbsentError),
        (full.store.cast.dora, AbsentError),
    ):
        with pytest.raises(refusal):
            exhibits.issue_custody_sequence(
                acting=person, exhibit=full.phone, language=papers.Language.ENGLISH, place="Town"
            )
