"""The pages of cases: they work, the outsider gets 404, a look changes nothing, none asks the database too often."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from casework.accounts import api as accounts
from casework.audit.models import Entry
from casework.cases import api as cases
from casework.cases import queues
from casework.cases.models import Charge, ChildPath, Deadline, Element, Event, Link, Support, Task
from casework.cases.urls import urlpatterns
from casework.law import api as law
from casework.lib import clock
from tests.casework.cases.conftest import DAY_NEW, DAY_OLD, Scene, charge, enter, register, row, victim
from tests.casework.conftest import A_MORNING, enlist, signed_in

pytestmark = pytest.mark.django_db
MOST_QUERIES = 30


@pytest.fixture
def full(scene: Scene) -> Scene:
    """Return the case with some of everything, and two more cases beside it."""
    inga = scene.cast.inga
    adult, child, harmed = (
        enter(scene, born=date(1985, 1, 1)),
        enter(scene, born=date(2010, 1, 1), name="Sollin Arq"),
        None,
    )
    harmed = victim(scene, born=date(2012, 6, 15))
    register(scene, A_MORNING - timedelta(days=40))
    for section in ("POCSO 2012 14(1)", "IT Act 2000 67B(a)-(e)", "POCSO 2012 15(1)"):
        charge(scene, section, adult, harmed)
    cases.lay_charge(
        acting=inga, case=scene.id, person=adult.pk, victim=harmed.pk, first=DAY_OLD, last=DAY_OLD, old_section="354C"
    )
    charge(scene, "POCSO 2012 12", child, harmed)
    cases.open_child_path(
        acting=inga, case=scene.id, person=child.pk, offence_on=DAY_NEW, age_proof="school record 7",
        welfare_officer="ASI Dorvan",
    )  # fmt: skip
    for happened, at, person in (
        (cases.Happened.ARREST, A_MORNING - timedelta(days=39), adult),
        (cases.Happened.FIRST_REMAND, A_MORNING - timedelta(days=38), adult),
        (cases.Happened.CHILD_APPREHENDED, A_MORNING - timedelta(hours=3), child),
    ):
        cases.record(acting=inga, case=scene.id, happened=happened, at=at, person=person.pk)
    cases.record_sitting(
        acting=inga, case=scene.id, happened=cases.Happened.HEARING, at=A_MORNING - timedelta(days=2),
        court="Special Court", cnr="KLND010001232026", next_on=A_MORNING.date() + timedelta(days=3),
    )  # fmt: skip
    cases.give_task(acting=inga, case=scene.id, what="fetch the log", to=inga, due_on=A_MORNING.date())
    cases.decide(acting=inga, case=scene.id, question="Wait?", options=["go", "wait"], choice="wait", reason="a child")
    cases.link(
        acting=inga, case=scene.id, kind=cases.LinkKind.TIP, target=UUID(int=4), label="Tip 4", reason="began it"
    )
    element = Element.objects.filter(charge__case=scene.id)[0]
    cases.support(acting=inga, case=scene.id, element=element.pk, statement="12 pictures")
    for number in range(2):
        cases.open_case(
            acting=inga, title=f"Matter {number}", classification=cases.Classification.OTHER, purpose="inquiry"
        )
    return scene


def every_page(scene: Scene) -> dict[str, str]:
    """Return every address of cases, filled from this case."""
    case = {"case": scene.id}
    rows: dict[str, UUID] = {
        "event": Event.objects.filter(case=scene.id)[0].pk, "link": Link.objects.get().pk,
        "charge": Charge.objects.filter(case=scene.id)[0].pk,
        "element": Element.objects.filter(charge__case=scene.id)[0].pk,
        "support": Support.objects.get().pk, "deadline": Deadline.objects.filter(case=scene.id)[0].pk,
        "task": Task.objects.get().pk, "child_path": ChildPath.objects.get().pk, "account": scene.cast.bashir.pk,
    }  # fmt: skip
    found = {}
    for pattern in urlpatterns:
        holes = set(pattern.pattern.converters)
        given = {name: value for name, value in {**rows, **case}.items() if name in holes}
        found[str(pattern.name)] = reverse(f"cases:{pattern.name}", kwargs=given)
    return found


def test_every_page_opens_for_who_leads_and_changes_nothing(full: Scene) -> None:
    browser = signed_in(full.cast.inga)
    before = Entry.objects.count()

    for name, address in every_page(full).items():
        answer = browser.get(address)
        assert answer.status_code == (405 if name in ("no_lockup", "count_anew") else 200), name
    assert Entry.objects.count() == before


def test_no_page_asks_the_database_too_often(full: Scene) -> None:
    browser = signed_in(full.cast.inga)
    counted = {}
    harmed = Charge.objects.filter(case=full.id)[0]
    query = f"?person={harmed.person_id}&victim={harmed.victim_id}&first=2024-06-01&last=2024-08-01"
    pages = every_page(full)
    pages["picked"] = pages["pick"] + query
    for name, address in pages.items():
        with CaptureQueriesContext(
            connection,
        ) as asked:
            browser.get(address)
        counted[name] = len(asked)
        for each in asked:
            assert "OFFSET" not in each["sql"], name
            assert "COUNT(" not in each["sql"], name

    assert {name: number for name, number in counted.items() if number > MOST_QUERIES} == {}


@pytest.mark.parametrize("who", ["carla", "dora", "esther"])
def test_to_an_outsider_nothing_is_there(full: Scene, who: str) -> None:
    browser = signed_in(getattr(full.cast, who))
    lists = {"cases", "open", "clocks", "default_bail"}

    for name, address in every_page(full).items():
        if name not in lists:
            assert {browser.get(address).status_code, browser.post(address).status_code} <= {404, 405}, name
            continue
        answer = browser.get(address)
        assert answer.status_code == (404 if who == "dora" else 200), name
        assert "blue kettle" not in answer.content.decode()
        assert "Matter" not in answer.content.decode()


def test_who_is_excluded_sees_nothing_any_more(full: Scene) -> None:
    inga, bashir = signed_in(full.cast.inga), signed_in(full.cast.bashir)
    page = reverse("cases:case", args=[full.id])
    before = bashir.get(page).status_code
    given = {"account": str(full.cast.bashir.pk), "reason": "brother of the suspect"}
    answer = inga.post(reverse("cases:exclude", args=[full.id]), given)

    assert (before, answer.status_code, bashir.get(page).status_code) == (200, 302, 404)
    members = inga.get(reverse("cases:members", args=[full.id])).content.decode()
    assert "brother of the suspect" in members


def test_a_reader_reads_and_a_form_that_is_sent_is_refused(full: Scene) -> None:
    browser = signed_in(full.cast.bashir)
    given = {"how": "withdrawn", "reason": "x"}

    assert browser.get(reverse("cases:case", args=[full.id])).status_code == 200
    assert browser.post(reverse("cases:end", args=[full.id]), given).status_code == 403
    assert browser.get(reverse("cases:members", args=[full.id])).status_code == 200
    assert "brother" not in browser.get(reverse("cases:members", args=[full.id])).content.decode()
    refused = browser.post(
        reverse("cases:add_event", args=[full.id]), {"happened": "information-recorded", "at": "2026-11-20T10:00"}
    )
    assert refused.status_code == 422
    assert "not change it" in refused.content.decode()


def test_the_child_is_a_pseudonym_on_every_page(full: Scene) -> None:
    browser = signed_in(full.cast.inga)
    said = "".join(browser.get(address).content.decode() for address in every_page(full).values())

    assert "Child A" in said
    assert "Sollin" not in said
    assert "Milvi" not in said


def test_a_case_is_opened_on_its_page(scene: Scene) -> None:
    browser = signed_in(scene.cast.inga)
    given = {
        "title": "Matter of the tin drum", "classification": "grooming", "purpose": "inquiry",
        "first_known_at": "2026-11-20T10:00",
    }  # fmt: skip
    empty = browser.post(reverse("cases:open"), {"title": ""})
    answer = browser.post(reverse("cases:open"), given, follow=True)

    assert empty.status_code == 422
    assert "2/2026 · Matter of the tin drum" in answer.content.decode()
    assert Event.objects.get(happened="offence-known").at == datetime(2026, 11, 20, 10, 0, tzinfo=law.INDIA)


def test_the_picker_shows_what_is_open_and_lays_what_is_chosen(scene: Scene) -> None:
    accused, harmed = enter(scene), victim(scene, born=date(2012, 6, 15))
    browser = signed_in(scene.cast.inga)
    page = reverse("cases:pick", args=[scene.id])
    asked = {"person": str(accused.pk), "victim": str(harmed.pk), "first": "2024-06-01", "last": "2024-08-01"}
    across = browser.get(page, asked).content.decode()
    asked |= {"last": ""}
    old = browser.get(page, asked).content.decode()
    laid = browser.post(page, {**asked, "offence": str(row("POCSO 2012 12").pk)}, follow=True)
    refused = browser.post(page, {**asked, "offence": str(row("POCSO 2012 4(1)").pk)})
    broken = browser.post(page, {**asked, "offence": "nonsense"})

    assert "The law changed on 1 Jul 2024" in across
    assert "Indian Penal Code, by number only" in old
    assert "the victim was 11" in old
    assert "unverified" in old
    assert "POCSO 2012 12" in laid.content.decode()
    assert (refused.status_code, broken.status_code) == (422, 422)
    assert Charge.objects.count() == 1


def test_what_a_rule_refuses_stands_above_the_form(full: Scene) -> None:
    child = ChildPath.objects.get().person_id
    given = {"happened": "arrest", "at": "2026-11-20T10:00", "person": str(child), "age_asked": "on"}

    answer = signed_in(full.cast.inga).post(reverse("cases:add_event", args=[full.id]), given)

    assert answer.status_code == 422
    assert "never arrested" in answer.content.decode()


def test_the_board_shows_who_is_late_and_the_day_of_bail_beside_the_laboratory(
    full: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = signed_in(full.cast.inga)
    without = browser.get(reverse("cases:default_bail")).content.decode()
    monkeypatch.setattr(queues, "_asked", [queues._nobody])
    cases.use_laboratory_queue(lambda ids: {full.id: cases.Queue(waiting=3, oldest_on=date(2026, 10, 20))})
    with_it = browser.get(reverse("cases:default_bail")).content.decode()
    late = browser.get(reverse("cases:clocks")).content.decode()

    assert "3 exhibits wait" in with_it
    assert "3 exhibits wait" not in without
    # Remanded on 17 October: 15 December is day 60, and today, 24 November, is day 39.
    assert "39 / 60" in with_it
    assert "15 Dec 2026" in with_it
    assert "open: the shorter term" in with_it
    assert late.index("late") < late.index("Default bail") or "late" in late
    assert "Child A" in late


STEPS: list[tuple[str, Callable[[Scene], dict[str, str]]]] = [
    ("rename", lambda _scene: {"title": "Renamed", "classification": "other", "summary": "", "reason": "clearer"}),
    ("fir", lambda _scene: {
        "state": "Kerala", "district": "N", "station": "N", "number": "4", "year": "2026",
        "registered_at": "2026-11-20T10:00",
    }),
    ("add_event", lambda _scene: {"happened": "search-without-warrant", "at": "2026-11-20T10:00"}),
    ("strike", lambda _scene: {"reason": "wrong"}),
    ("add_link", lambda _scene: {"kind": "exhibit", "target": str(UUID(int=9)), "label": "E 9", "reason": "seized"}),
    ("end_link", lambda _scene: {"reason": "wrong"}),
    ("step", lambda _scene: {"stage": "in-police-report", "on": "2026-11-20"}),
    ("add_element", lambda _scene: {"text": "the device was his"}),
    ("support", lambda _scene: {"statement": "12 pictures", "finding": ""}),
    ("end_support", lambda _scene: {"reason": "wrong"}),
    ("withdraw_charge", lambda _scene: {"reason": "wrong"}),
    ("meet", lambda _scene: {"at": "2026-11-20T10:00", "document": "letter 4"}),
    ("excuse", lambda _scene: {"reason": "no child"}),
    ("add_sitting", lambda _scene: {"happened": "hearing", "at": "2026-11-20T10:00", "court": "Special Court"}),
    ("decide", lambda _scene: {"question": "Go?", "options": "go\nwait", "choice": "go", "reason": "near"}),
    ("add_task", lambda scene: {"to": str(scene.cast.inga.pk), "what": "write it up"}),
    ("finish_task", lambda _scene: {"result": "done"}),
    ("refuse_task", lambda _scene: {"result": "cannot"}),
    ("withdraw_task", lambda _scene: {"result": "not needed"}),
    ("add_member", lambda scene: {"account": str(scene.cast.carla.pk), "capacity": "worker", "purpose": "south"}),
    ("dismiss", lambda _scene: {"reason": "done"}),
    ("board_class", lambda _scene: {"jj_class": "petty", "at": "2026-11-20T10:00", "document": "order 4"}),
    ("erasure", lambda _scene: {"on": "2026-12-24", "document": "order 4"}),
    ("no_lockup", lambda _scene: {}),
    ("count_anew", lambda _scene: {}),
    ("end", lambda _scene: {"how": "closed", "reason": "nothing found"}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "given"), STEPS, ids=[name for name, _given in STEPS])
def test_a_form_does_what_it_says_and_is_on_record(
    full: Scene, name: str, given: Callable[[Scene], dict[str, str]]
) -> None:
    pages = every_page(full)
    if name == "strike":
        pages[name] = reverse("cases:strike", args=[full.id, Event.objects.get(happened="arrest").pk])
    if name in ("meet", "excuse"):
        running = Deadline.objects.filter(case=full.id, state="running", key="form-a").get()
        pages[name] = reverse(f"cases:{name}", args=[full.id, running.pk])
    before = Entry.objects.count()
    answer = signed_in(full.cast.inga).post(pages[name], given(full))

    assert answer.status_code == 302, answer.content.decode()[:4000]
    assert Entry.objects.count() > before


def test_an_erasure_waits_on_its_day_and_is_done_on_its_page(full: Scene) -> None:
    path = ChildPath.objects.get()
    cases.set_erasure(
        acting=full.cast.inga, case=full.id, path=path.pk, on=A_MORNING.date(), tried_as_adult=False, document="order 4"
    )
    kinds = {one.kind for one in cases.waiting_for(full.cast.inga)}
    answer = signed_in(full.cast.inga).post(reverse("cases:erase", args=[full.id, path.pk]), {"reason": "order 4"})

    assert "Erasure" in kinds
    assert answer.status_code == 302
    assert ChildPath.objects.get().erased_at == clock.now()


def test_what_waits_is_what_is_late_due_or_sits_in_the_week(full: Scene) -> None:
    waiting = cases.waiting_for(full.cast.inga)
    kinds = {one.kind for one in waiting}

    assert kinds == {"Clock", "Task", "Court"}
    assert [one.title for one in waiting if one.kind == "Task"] == ["fetch the log"]
    assert any(one.overdue for one in waiting)
    assert {one.kind for one in cases.waiting_for(full.cast.bashir)} == {"Clock", "Court"}
    for outsider in (full.cast.carla, full.cast.dora, full.cast.esther):
        assert cases.waiting_for(outsider) == []


@pytest.mark.parametrize(
    ("words", "titles"),
    [
        ("1/2026", ["1/2026 · Matter of the blue kettle"]),
        ("17/2026", ["1/2026 · Matter of the blue kettle"]),
        ("Cr. 17/2026", ["1/2026 · Matter of the blue kettle"]),
        ("KLND01-000123-2026", ["1/2026 · Matter of the blue kettle"]),
        ("kettle", ["1/2026 · Matter of the blue kettle"]),
        ("Matter", ["1/2026 · Matter of the blue kettle", "2/2026 · Matter 0", "3/2026 · Matter 1"]),
        ("x", []),
        ("Sollin", []),
    ],
)
def test_a_search_finds_by_number_report_court_and_words(full: Scene, words: str, titles: list[str]) -> None:
    assert sorted(one.title for one in cases.find(full.cast.inga, words, purpose="")) == titles
    assert cases.find(full.cast.carla, words, purpose="") == []
    assert cases.find(full.cast.dora, words, purpose="") == []


def test_the_list_is_filtered_and_paged_by_its_key(full: Scene) -> None:
    for number in range(55):
        with clock.moved_by(timedelta(minutes=number)):
            cases.open_case(
                acting=full.cast.inga, title=f"Row {number:02}", classification=cases.Classification.GROOMING,
                purpose="inquiry",
            )  # fmt: skip
    browser = signed_in(full.cast.inga)
    page = reverse("cases:cases")
    first = browser.get(page, {"classification": "grooming"})
    older = browser.get(page + "?" + first.context["page"].older_query)
    titles = [case.title for answer in (first, older) for case in answer.context["page"].rows]

    assert titles == [f"Row {number:02}" for number in reversed(range(55))]
    assert "No case of yours" in browser.get(page, {"words": "zzz"}).content.decode()
    assert browser.get(page, {"state": "nonsense"}).status_code == 200


def test_the_next_step_is_one_and_follows_the_case(scene: Scene) -> None:
    browser = signed_in(scene.cast.inga)
    page = reverse("cases:case", args=[scene.id])
    titles = [browser.get(page).context["next"].title]
    register(scene, A_MORNING - timedelta(hours=2))
    titles.append(browser.get(page).context["next"].title)
    charge(scene, "POCSO 2012 12", enter(scene))
    titles.append(browser.get(page).context["next"].title)
    with clock.moved_by(timedelta(days=2)):
        late = signed_in(scene.cast.inga).get(page).context["next"]

    assert titles == ["Enter the first information report", "Lay the first charge", "free copy"]
    assert late.late
    assert signed_in(scene.cast.bashir).get(page).context["next"] is None


def test_clocks_are_counted_anew_when_a_rule_was_superseded(full: Scene) -> None:
    leela = enlist("Leela", full.cast.inga.unit, accounts.Role.LEGAL)
    rule = Deadline.objects.get(case=full.id, key="form-a").rule
    law.supersede(acting=leela, row=rule, changes={"span": "48h"}, reason="Gazette")
    browser = signed_in(full.cast.inga)
    page = reverse("cases:case", args=[full.id])
    told = browser.get(page).content.decode()
    browser.post(reverse("cases:count_anew", args=[full.id]))
    form_a = Deadline.objects.get(case=full.id, key="form-a")

    assert "Count by the present law" in told
    assert "Count by the present law" not in browser.get(page).content.decode()
    assert (form_a.due_at, form_a.rule.is_verified) == (A_MORNING - timedelta(days=38), True)
