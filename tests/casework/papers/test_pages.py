"""The pages of papers: what each of the cast sees, what a button does, what stands in the ledger afterwards."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from casework.accounts import api as accounts
from casework.audit.models import Entry
from casework.lib import clock
from casework.papers import api as papers
from casework.papers import reading, rules, wording
from casework.papers.models import Document, Form, Paper
from casework.papers.urls import urlpatterns
from tests.casework.conftest import THE_CASE, Cast, enlist, signed_in
from tests.casework.papers.conftest import issued
from tests.casework.papers.values import RECEIPT

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("forms")]
OF_CASE = f"/papers/case/{THE_CASE}/"


@pytest.fixture
def paper(led: Cast) -> Paper:
    """Return a paper of the case."""
    return issued(led)


def test_every_address_about_a_case_is_absent_for_all_outsiders(led: Cast, paper: Paper) -> None:
    about_a_case = [
        OF_CASE,
        *(
            f"/papers/{paper.pk}/{str(pattern.pattern).partition('/')[2]}"
            for pattern in urlpatterns
            if str(pattern.pattern).startswith("<uuid:paper>")
        ),
    ]
    before = Entry.objects.count()

    assert len(about_a_case) == 5
    for address in about_a_case:
        for outsider in (led.carla, led.dora, led.esther):
            for method in ("get", "post"):
                answer = getattr(signed_in(outsider), method)(address, {"reason": "curious"})
                assert answer.status_code in (404, 405), (address, outsider, method)
                assert paper.number not in answer.content.decode()
    assert Entry.objects.count() == before


def test_members_see_the_papers_of_their_case(led: Cast, paper: Paper) -> None:
    for person in (led.inga, led.bashir):
        listed = signed_in(person).get(OF_CASE).content.decode()
        shown = signed_in(person).get(f"/papers/{paper.pk}/").content.decode()

        assert paper.number in listed
        assert "form unverified" in listed
        assert paper.digest[:8] in shown
        assert "Suma" not in listed + shown


def test_an_empty_case_says_what_to_do(led: Cast) -> None:
    assert "choose the paper there" in signed_in(led.inga).get(OF_CASE).content.decode()


def test_a_look_leaves_no_entry_and_changes_nothing(led: Cast, paper: Paper) -> None:
    before = Entry.objects.count()
    for address in (OF_CASE, f"/papers/{paper.pk}/", f"/papers/{paper.pk}/withdraw/", "/papers/", "/papers/forms/"):
        assert signed_in(led.inga).get(address).status_code == 200

    assert Entry.objects.count() == before
    assert papers.state_of(paper) is papers.State.GENUINE


def test_the_file_is_given_out_with_a_button_and_an_entry(led: Cast, paper: Paper) -> None:
    assert signed_in(led.bashir).get(f"/papers/{paper.pk}/file/").status_code == 405
    answer = signed_in(led.bashir).post(f"/papers/{paper.pk}/file/")

    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"] == f'attachment; filename="{paper.number.replace("/", "-")}.pdf"'
    assert answer["Cache-Control"] == "no-store"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer.content == bytes(Document.objects.get(paper=paper).content)
    entry = Entry.objects.get(act="papers.paper_taken_out")
    assert (entry.actor_id, entry.subject_id) == (str(led.bashir.pk), str(paper.pk))


def test_a_worker_withdraws_with_a_reason_and_a_reader_does_not(led: Cast, paper: Paper) -> None:
    address = f"/papers/{paper.pk}/withdraw/"

    assert signed_in(led.bashir).post(address, {"reason": "x"}).status_code == 403
    assert signed_in(led.inga).post(address, {"reason": " "}).status_code == 422
    assert "Withdraw" not in signed_in(led.bashir).get(f"/papers/{paper.pk}/").content.decode()
    assert signed_in(led.inga).post(address, {"reason": "wrong line"}).status_code == 302
    shown = signed_in(led.bashir).get(f"/papers/{paper.pk}/").content.decode()
    assert "wrong line" in shown
    assert signed_in(led.inga).post(address, {"reason": "again"}).status_code == 403


def test_a_superseded_paper_leads_to_the_one_in_its_place(led: Cast, paper: Paper) -> None:
    new = issued(led, supersedes=paper, reason="a line was missing")
    old_page = signed_in(led.inga).get(f"/papers/{paper.pk}/").content.decode()
    new_page = signed_in(led.inga).get(f"/papers/{new.pk}/").content.decode()

    assert f"/papers/{new.pk}/" in old_page
    assert "a line was missing" in old_page
    assert paper.number in new_page


@pytest.mark.parametrize("scanned", [True, False])
def test_a_sheet_is_checked_by_what_stands_at_its_foot(led: Cast, paper: Paper, *, scanned: bool) -> None:
    digest = paper.digest[:32]
    asked = {"number": rules.check_address("https://k.example/papers/check/", paper.number, digest)}
    if not scanned:
        asked = {"number": paper.number.lower(), "digest": " ".join(digest[at : at + 8] for at in range(0, 32, 8))}

    assert "Genuine" in signed_in(led.bashir).get("/papers/check/", asked).content.decode()
    new = issued(led, supersedes=paper, reason="x")
    assert "another has taken its place" in signed_in(led.bashir).get("/papers/check/", asked).content.decode()
    papers.withdraw(acting=led.inga, paper=paper, reason="x")
    assert "has withdrawn it" in signed_in(led.bashir).get("/papers/check/", asked).content.decode()
    for outsider in (led.carla, led.dora, led.esther):
        answer = signed_in(outsider).get("/papers/check/", asked).content.decode()
        assert "no such paper, or none for you" in answer
        assert str(paper.pk) not in answer
    forged = {"number": new.number, "digest": "ab" * 16}
    assert "Not genuine" in signed_in(led.bashir).get("/papers/check/", forged).content.decode()
    assert "no such paper" in signed_in(led.carla).get("/papers/check/", forged).content.decode()
    never = {"number": "SL/77/2026/0001", "digest": "ab" * 16}
    assert "no such paper" in signed_in(led.bashir).get("/papers/check/", never).content.decode()


def test_what_does_not_read_like_a_number_says_how_one_reads(led: Cast) -> None:
    answer = signed_in(led.bashir).get("/papers/check/", {"number": "7", "digest": ""})

    assert answer.status_code == 422
    assert "SL/01/2026/0001" in answer.content.decode()


def test_a_file_is_compared_byte_for_byte_and_not_kept(led: Cast, paper: Paper) -> None:
    content = bytes(Document.objects.get(paper=paper).content)

    def sent(person: accounts.Account, sent: bytes) -> str:
        file = SimpleUploadedFile("any name.pdf", sent)
        return signed_in(person).post("/papers/check/", {"file": file}).content.decode()

    assert "Genuine" in sent(led.bashir, content)
    assert "no such paper" in sent(led.bashir, content + b"\n")
    assert "no such paper" in sent(led.carla, content)
    assert "no such paper" in sent(led.bashir, b"")


def test_an_upload_is_refused_without_its_token(led: Cast) -> None:
    browser = signed_in(led.bashir)
    browser.handler.enforce_csrf_checks = True

    answer = browser.post("/papers/check/", {"file": SimpleUploadedFile("x.pdf", b"x")})

    assert answer.status_code == 403


def test_an_upload_larger_than_any_paper_ends(led: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("casework.papers.uploads.LARGEST_UPLOAD", 1000)
    answer = signed_in(led.bashir).post("/papers/check/", {"file": SimpleUploadedFile("x.pdf", b"x" * 200_000)})

    assert answer.status_code == 422
    assert "larger than any paper" in answer.content.decode()


def test_my_papers_are_those_of_cases_i_may_still_see(led: Cast, paper: Paper) -> None:
    assert paper.number in signed_in(led.inga).get("/papers/").content.decode()
    accounts.declare_conflict(acting=led.inga, of=led.inga, case=THE_CASE, reason="named by a witness")

    assert paper.number not in signed_in(led.inga).get("/papers/").content.decode()
    assert signed_in(led.inga).get(f"/papers/{paper.pk}/").status_code == 404


def test_who_keeps_the_ledger_prints_its_head(led: Cast) -> None:
    for outsider in (led.inga, led.bashir, led.carla):
        assert signed_in(outsider).get("/papers/heads/").status_code == 404
        assert signed_in(outsider).post("/papers/heads/", {"language": "en"}).status_code == 404
    answer = signed_in(led.dora).post("/papers/heads/", {"language": "hi"})

    head = Paper.objects.get()
    assert answer["Location"] == f"/papers/{head.pk}/"
    assert head.number in signed_in(led.esther).get("/papers/heads/").content.decode()
    assert signed_in(led.inga).get(f"/papers/{head.pk}/").status_code == 404
    assert signed_in(led.dora).post(f"/papers/{head.pk}/file/").status_code == 200
    assert signed_in(led.dora).post("/papers/heads/", {"language": "xx"}).status_code == 422


def test_forms_are_read_by_all_and_changed_by_a_legal_officer(led: Cast) -> None:
    legal = enlist("Lata", led.inga.unit, accounts.Role.LEGAL)
    form = wording.form_for(papers.Kind.RECEIPT, papers.Language.ENGLISH, clock.now().date())
    here = f"/papers/forms/{form.pk}/"
    given = {f"word_{name}": text for name, text in form.words.items()}
    given |= {"word_closing": "Both say so.", "source": "Order 7", "reason": "read against Order 7"}

    assert "unverified" in signed_in(led.inga).get("/papers/forms/").content.decode()
    assert "I have checked" not in signed_in(led.inga).get(here).content.decode()
    for outsider in (led.inga, led.carla, led.dora):
        assert signed_in(outsider).get(here + "reword/").status_code == 404
        assert signed_in(outsider).post(here + "reword/", given).status_code == 404
        assert signed_in(outsider).post(here + "confirm/", {"reason": "x"}).status_code == 404
    assert "I have checked" in signed_in(legal).get(here).content.decode()
    assert signed_in(legal).get(here + "reword/").status_code == 200
    lost = signed_in(legal).post(here + "reword/", {**given, "word_closing": ""})
    assert lost.status_code == 422
    assert signed_in(legal).post(here + "reword/", given).status_code == 302
    successor = Form.objects.get(supersedes=form)
    assert (successor.words["closing"], successor.verified_by) == ("Both say so.", "Lata")
    assert "superseded" in signed_in(led.inga).get(here).content.decode()
    other = wording.form_for(papers.Kind.RECEIPT, papers.Language.HINDI, clock.now().date())
    assert signed_in(legal).post(f"/papers/forms/{other.pk}/confirm/", {"reason": "Order 7"}).status_code == 302
    assert "verified by Lata" in signed_in(led.inga).get("/papers/forms/").content.decode()


def test_a_place_to_fill_that_was_lost_is_told_in_the_form(led: Cast) -> None:
    legal = enlist("Lata", led.inga.unit, accounts.Role.LEGAL)
    form = wording.form_for(papers.Kind.CERTIFICATE_63_A, papers.Language.ENGLISH, clock.now().date())
    given = {f"word_{name}": text for name, text in form.words.items()}
    given |= {"word_affirmation": "I affirm.", "source": "Gazette", "reason": "x"}

    answer = signed_in(legal).post(f"/papers/forms/{form.pk}/reword/", given)

    assert answer.status_code == 422
    assert "{parent}" in answer.content.decode()


def test_a_list_is_paged_and_its_price_does_not_grow(led: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PAGE_SIZE", 3)
    first = issued(led, papers.Kind.RECEIPT, values=RECEIPT)
    for number in range(2, 9):
        _copy(first, number)
    browser = signed_in(led.inga)
    with CaptureQueriesContext(
        connection,
    ) as asked:
        page = browser.get(OF_CASE)

    assert len(asked) <= 30
    assert not any("OFFSET" in query["sql"] or "COUNT(" in query["sql"] for query in asked)
    seen = page.content.decode()
    assert "RC/01/2026/0008" in seen
    assert "RC/01/2026/0005" not in seen
    older = papers.of_case(acting=led.inga, case=THE_CASE).older
    assert "RC/01/2026/0005" in browser.get(OF_CASE, {"page": older}).content.decode()
    assert browser.get(OF_CASE, {"page": "nonsense"}).status_code == 404


@pytest.mark.parametrize("address", ["/papers/", OF_CASE, "/papers/check/", "/papers/forms/"])
def test_pages_ask_the_database_little(led: Cast, paper: Paper, address: str) -> None:
    browser = signed_in(led.inga)
    with CaptureQueriesContext(connection) as asked:
        assert browser.get(address).status_code == 200

    assert len(asked) <= 30


def test_a_search_finds_a_paper_by_number_and_digest_for_members_only(led: Cast, paper: Paper) -> None:
    short = paper.number.replace("/000", "/")
    for words in (paper.number, paper.number.lower(), short, paper.digest[:32], paper.digest, paper.file_digest):
        [found] = papers.find(led.bashir, words, purpose="")
        assert (found.title, found.url) == (paper.number, f"/papers/{paper.pk}/")
        for outsider in (led.carla, led.dora, led.esther):
            assert papers.find(outsider, words, purpose="x") == []
    for words in ("Suma", "SL", "%", "ab" * 16, ""):
        assert papers.find(led.inga, words, purpose="") == []


def test_what_waits_is_told_to_whom_it_waits_for(led: Cast) -> None:
    legal = enlist("Lata", led.inga.unit, accounts.Role.LEGAL)

    assert papers.waiting_for(led.inga) == []
    [forms] = papers.waiting_for(legal)
    assert forms.url == "/papers/forms/"
    [head] = papers.waiting_for(led.dora)
    assert (head.url, head.due) == ("/papers/heads/", clock.now().astimezone(rules.INDIA).date())
    papers.issue_head(acting=led.esther, language=papers.Language.ENGLISH)
    assert papers.waiting_for(led.dora) == []
    with clock.moved_by(timedelta(days=1)):
        assert len(papers.waiting_for(led.dora)) == 1


def test_the_signature_page_says_that_there_is_none(led: Cast, paper: Paper) -> None:
    assert "signed by hand" in signed_in(led.bashir).get(f"/papers/{paper.pk}/signature/").content.decode()


def _copy(paper: Paper, number: int) -> None:
    """Put a like row into the table past the press."""
    fields = {field.name: getattr(paper, field.name) for field in Paper._meta.concrete_fields if field.name != "id"}
    at = paper.issued_at + timedelta(minutes=number)
    Paper(**{**fields, "number": f"RC/01/2026/{number:04d}", "issued_at": at, "id": UUID(int=number)}).save(
        force_insert=True
    )
