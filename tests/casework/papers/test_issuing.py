"""Issuing: freezing, numbers, rights, superseding, withdrawing, and what cannot be changed afterwards."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction

from casework.accounts import api as accounts
from casework.audit import api as audit
from casework.audit.models import Entry
from casework.lib import clock
from casework.lib.errors import AbsentError, RefusedError
from casework.papers import api as papers
from casework.papers import numbering, printing, rules, triggers, wording
from casework.papers.models import Document, Form, Paper, Series, Withdrawal
from tests.casework.conftest import THE_CASE, Cast, enlist
from tests.casework.papers.conftest import THE_EXHIBIT, issued, seizure_list
from tests.casework.papers.values import OF_KIND

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("forms", "morning")]
RECEIPT = OF_KIND[papers.Kind.RECEIPT]


def test_a_paper_is_numbered_frozen_printed_and_entered(led: Cast) -> None:
    paper = issued(led)

    document = bytes(Document.objects.get(paper=paper).content)
    assert paper.number == "SL/01/2026/0001"
    assert document.startswith(b"%PDF-1.7")
    assert hashlib.sha256(document).hexdigest() == paper.file_digest
    assert rules.digest_of(paper.frozen) == paper.digest
    assert json.loads(paper.frozen)["values"] == seizure_list()
    entry = Entry.objects.get(act="papers.paper_issued")
    assert (entry.subject_id, entry.case, paper.digest in entry.fields) == (str(paper.pk), str(THE_CASE), True)
    assert "Suma" not in entry.fields


def test_numbers_go_by_unit_kind_and_year(led: Cast) -> None:
    lead = accounts.Capacity.LEAD
    accounts.assign(acting=led.inga, to=led.carla, case=THE_CASE, capacity=lead, purpose="joint work")
    first, second = issued(led), issued(led)
    other_kind = issued(led, papers.Kind.RECEIPT, values=RECEIPT)
    other_unit = issued(led, acting=led.carla)
    with clock.moved_by(timedelta(days=60)):
        next_year = issued(led)

    assert [paper.number for paper in (first, second, other_kind, other_unit, next_year)] == [
        "SL/01/2026/0001",
        "SL/01/2026/0002",
        "RC/01/2026/0001",
        "SL/02/2026/0001",
        "SL/01/2027/0001",
    ]


def test_the_year_turns_at_midnight_in_india(led: Cast) -> None:
    with clock.stopped_at(datetime(2026, 12, 31, 18, 45, tzinfo=UTC)):
        assert issued(led).number == "SL/01/2027/0001"


def test_a_paper_that_falls_leaves_no_gap(led: Cast) -> None:
    issued(led)
    with transaction.atomic():
        issued(led)
        transaction.set_rollback(True)

    assert issued(led).number == "SL/01/2026/0002"
    assert list(Series.objects.filter(name__contains="|SL|").values_list("last", flat=True)) == [2]


def test_when_another_takes_the_number_meanwhile_it_is_printed_again(led: Cast, monkeypatch: Any) -> None:
    press, rivals = printing.press, [1, 1]

    def slow(layout: str, sheet: dict[str, Any]) -> printing.Printed:
        if rivals:
            rivals.pop()
            with transaction.atomic():
                numbering.take_number(led.inga.unit_id, papers.Kind.SEIZURE_LIST, 2026)
        return press(layout, sheet)

    monkeypatch.setattr(printing, "press", slow)
    paper = issued(led)

    assert paper.number == "SL/01/2026/0003"
    assert json.loads(paper.frozen)["number"] == paper.number


def test_after_some_losses_it_is_printed_under_the_lock(led: Cast, monkeypatch: Any) -> None:
    press, rivals = printing.press, [1] * 4

    def slow(layout: str, sheet: dict[str, Any]) -> printing.Printed:
        if rivals:
            rivals.pop()
            with transaction.atomic():
                numbering.take_number(led.inga.unit_id, papers.Kind.SEIZURE_LIST, 2026)
        return press(layout, sheet)

    monkeypatch.setattr(printing, "press", slow)

    assert issued(led).number == "SL/01/2026/0005"


def test_readers_are_refused_and_to_all_others_there_is_no_case(led: Cast) -> None:
    before = (Entry.objects.count(), Series.objects.count())

    with pytest.raises(RefusedError, match="not change it"):
        issued(led, acting=led.bashir)
    for outsider in (led.carla, led.dora, led.esther):
        with pytest.raises(AbsentError):
            issued(led, acting=outsider)
        with pytest.raises(AbsentError):
            papers.preview(
                acting=outsider,
                kind=papers.Kind.SEIZURE_LIST,
                case=THE_CASE,
                language=papers.Language.ENGLISH,
                values=seizure_list(),
            )
    assert (Entry.objects.count(), Series.objects.count()) == before
    assert not Paper.objects.exists()


def test_the_right_is_tested_again_when_the_press_has_run(led: Cast, monkeypatch: Any) -> None:
    press = printing.press

    def meanwhile(layout: str, sheet: dict[str, Any]) -> printing.Printed:
        if THE_CASE in accounts.case_ids_open_to(led.inga):
            accounts.declare_conflict(acting=led.inga, of=led.inga, case=THE_CASE, reason="named by a witness")
        return press(layout, sheet)

    monkeypatch.setattr(printing, "press", meanwhile)

    with pytest.raises(AbsentError):
        issued(led)
    assert not Paper.objects.exists()


def test_a_case_and_a_head_of_the_ledger_do_not_mix(led: Cast) -> None:
    for kind, case in ((papers.Kind.AUDIT_HEAD, THE_CASE), (papers.Kind.RECEIPT, None)):
        with pytest.raises(RefusedError, match="belongs to a case"):
            papers.issue(
                acting=led.esther,
                kind=kind,
                case=case,
                language=papers.Language.ENGLISH,
                values=OF_KIND[kind],
                subject=THE_EXHIBIT,
            )


def test_a_seizure_before_july_2024_is_written_under_the_old_code(led: Cast) -> None:
    old = issued(led, values=seizure_list(seized_at="2024-06-30T04:30:00Z"))
    new = issued(led, values=seizure_list(seized_at="2024-07-01T04:30:00Z"))

    assert "Code of Criminal Procedure" in old.form.words["law"]
    assert "Bharatiya Nagarik Suraksha Sanhita" in new.form.words["law"]


def test_letters_no_font_has_are_refused_and_not_printed_as_boxes(led: Cast) -> None:
    with pytest.raises(RefusedError, match="Tamil") as refused:
        issued(led, values=seizure_list(copy_given_to="முல்லை"))

    assert "முல்லை" not in refused.value.reason


def test_control_characters_are_refused_and_line_ends_are_not(led: Cast) -> None:
    with pytest.raises(RefusedError, match="control characters"):
        issued(led, values=seizure_list(copy_given_to="Su\x07ma"))

    assert issued(led, values=seizure_list(seized_place="House 4\r\nLake Road")).pages == 1


def test_without_a_form_for_the_day_nothing_is_made(led: Cast) -> None:
    with pytest.raises(RefusedError, match="no form"):
        issued(led, values=seizure_list(seized_at="1960-01-01T04:30:00Z"))


def test_a_preview_says_so_and_leaves_nothing(led: Cast) -> None:
    before = Entry.objects.count()
    shown = papers.preview(
        acting=led.inga,
        kind=papers.Kind.SEIZURE_LIST,
        case=THE_CASE,
        language=papers.Language.ENGLISH,
        values=seizure_list(),
    )

    assert shown.content.startswith(b"%PDF")
    assert Entry.objects.count() == before
    assert (Paper.objects.count(), Series.objects.count()) == (0, 0)


def test_a_superseded_paper_stays_and_says_what_stands_in_its_place(led: Cast) -> None:
    old = issued(led)
    new = issued(led, supersedes=old, reason="a line was missing")

    assert (papers.state_of(old), papers.state_of(new)) == (papers.State.SUPERSEDED, papers.State.GENUINE)
    assert json.loads(new.frozen)["supersedes"] == old.number
    assert Document.objects.filter(paper=old).exists()
    with pytest.raises(RefusedError, match="superseded already"):
        issued(led, supersedes=old, reason="again")
    with pytest.raises(RefusedError, match="same kind"):
        issued(led, papers.Kind.RECEIPT, values=RECEIPT, supersedes=new, reason="other kind")
    with pytest.raises(RefusedError, match="Say why"):
        issued(led, supersedes=new)


def test_a_withdrawn_paper_stays_with_its_reason_sealed(led: Cast) -> None:
    paper = issued(led)
    with pytest.raises(RefusedError, match="Say why"):
        papers.withdraw(acting=led.inga, paper=paper, reason=" ")
    with pytest.raises(RefusedError):
        papers.withdraw(acting=led.bashir, paper=paper, reason="x")
    with pytest.raises(AbsentError):
        papers.withdraw(acting=led.carla, paper=paper, reason="x")
    papers.withdraw(acting=led.inga, paper=paper, reason="wrong witness Ravi")

    assert papers.state_of(paper) is papers.State.WITHDRAWN
    with pytest.raises(RefusedError, match="withdrawn already"):
        papers.withdraw(acting=led.inga, paper=paper, reason="again")
    entry = Entry.objects.get(act="papers.paper_withdrawn")
    assert "Ravi" not in entry.fields + entry.purpose
    with connection.cursor() as cursor:
        cursor.execute("SELECT reason FROM papers_withdrawal")
        assert b"Ravi" not in bytes(cursor.fetchone()[0])


def test_what_a_paper_says_and_its_file_stand_in_the_database_sealed(led: Cast) -> None:
    issued(led)

    with connection.cursor() as cursor:
        cursor.execute("SELECT frozen FROM papers_paper")
        assert b"Suma" not in bytes(cursor.fetchone()[0])
        cursor.execute("SELECT content FROM papers_document")
        assert not bytes(cursor.fetchone()[0]).startswith(b"%PDF")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE papers_paper SET number = 'SL/01/2026/0009'",
        "DELETE FROM papers_document",
        "UPDATE papers_document SET content = content",
        "DELETE FROM papers_withdrawal",
        "UPDATE papers_form SET source = 'x'",
        "UPDATE papers_office SET code = 7",
        "UPDATE papers_series SET last = last + 2",
        "UPDATE papers_series SET last = last - 1",
        "DELETE FROM papers_series",
    ],
)
def test_the_database_refuses_to_change_what_was_issued(led: Cast, statement: str) -> None:
    papers.withdraw(acting=led.inga, paper=issued(led), reason="x")

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert Paper.objects.get().number == "SL/01/2026/0001"
    assert Withdrawal.objects.count() == 1


def test_the_head_of_the_ledger_is_for_who_keeps_it(led: Cast) -> None:
    for outsider in (led.inga, led.bashir, led.carla):
        with pytest.raises(AbsentError):
            papers.issue_head(acting=outsider, language=papers.Language.ENGLISH)
    head = papers.issue_head(acting=led.dora, language=papers.Language.MALAYALAM)

    told = json.loads(head.frozen)["values"]
    closed = audit.close_day(clock.now().date())
    assert (told["row"], told["digest"], head.case) == (closed.seq, closed.digest, None)
    verdict = audit.verify([audit.Published(day=closed.day, seq=told["row"], digest=told["digest"])])
    assert verdict.broken is None


def test_a_damaged_file_and_a_changed_text_are_found(led: Cast) -> None:
    whole, damaged = issued(led), issued(led)
    triggers.remove(connection)
    Document.objects.filter(paper=damaged).update(content=b"%PDF-1.7 something else")

    assert papers.verify_all() == (2, [damaged.number])
    assert papers.take_out(acting=led.inga, paper=whole).startswith(b"%PDF")
    triggers.install(connection)


def test_seeding_again_adds_nothing_and_leaves_superseded_forms_alone(led: Cast) -> None:
    legal = _legal(led)
    form = wording.form_for(papers.Kind.RECEIPT, papers.Language.ENGLISH, clock.now().date())
    wording.confirm_form(acting=legal, form=form, reason="Order 7 of the unit")
    count = Form.objects.count()

    assert papers.seed() == 0
    assert Form.objects.count() == count


def test_a_legal_officer_verifies_a_form_and_the_mark_is_gone(led: Cast) -> None:
    legal = _legal(led)
    form = wording.form_for(papers.Kind.RECEIPT, papers.Language.ENGLISH, clock.now().date())
    with pytest.raises(RefusedError, match="legal officer"):
        wording.confirm_form(acting=led.inga, form=form, reason="x")
    changed = {**form.words, "closing": "Both say that all is as written."}
    successor = wording.supersede_form(
        acting=legal, form=form, words=changed, source="Order 7 of the unit", reason="read against Order 7"
    )
    paper = issued(led, papers.Kind.RECEIPT, values=RECEIPT)

    assert (successor.version, successor.verified_by) == ("1.1", "Lata")
    assert paper.form == successor
    told = json.loads(paper.frozen)["form"]
    assert (told["verified_by"], told["words"]["closing"]) == ("Lata", "Both say that all is as written.")
    with pytest.raises(RefusedError, match="meanwhile"):
        wording.confirm_form(acting=legal, form=form, reason="again")


def test_the_places_a_layout_fills_cannot_be_lost(led: Cast) -> None:
    legal = _legal(led)
    form = wording.form_for(papers.Kind.CERTIFICATE_63_A, papers.Language.ENGLISH, clock.now().date())
    for words in (
        {**form.words, "affirmation": "I affirm."},
        {**form.words, "control": form.words["control"] + " {name}"},
        {name: text for name, text in form.words.items() if name != "control"},
        {**form.words, "control": "  "},
    ):
        with pytest.raises(RefusedError):
            wording.supersede_form(acting=legal, form=form, words=words, source="Gazette", reason="x")


def _legal(cast: Cast) -> accounts.Account:
    return enlist("Lata", cast.inga.unit, accounts.Role.LEGAL)
