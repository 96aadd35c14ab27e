"""A row of law is superseded, never changed."""

from __future__ import annotations

from datetime import date

import pytest
from django.urls import reverse

from casework.accounts import api as accounts
from casework.audit.models import Entry
from casework.law import api as law
from casework.law.models import ClockRule, Offence
from casework.lib.errors import RefusedError
from tests.casework.conftest import Cast, enlist, signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def leela(cast: Cast) -> accounts.Account:
    law.seed()
    return enlist("Leela", cast.inga.unit, accounts.Role.LEGAL)


def voyeurism() -> Offence:
    return Offence.objects.get(act="BNS 2023", section="77", superseded_by=None)


@pytest.mark.usefixtures("morning")
def test_the_new_row_stands_in_the_place_of_the_old_with_name_and_reason(leela: accounts.Account) -> None:
    old = voyeurism()

    new = law.supersede(acting=leela, row=old, changes={"court": "JMFC"}, reason="Gazette, page 9")

    assert (voyeurism().pk, new.court, new.supersedes) == (new.pk, "JMFC", old)
    assert (new.verified_by, new.verified_on) == ("Leela", date(2026, 11, 24))
    assert Offence.objects.get(pk=old.pk).court == "any Magistrate"
    entry = Entry.objects.get(act="law.row_superseded")
    assert "court=JMFC" in entry.fields
    answer = {str(each.offence): each for each in law.offences_open(date(2026, 5, 1), law.Victim()).offences}
    assert answer["BNS 2023 77"].verified


def test_a_superseded_row_is_not_superseded_again(leela: accounts.Account) -> None:
    old = voyeurism()
    law.confirm(acting=leela, row=old, reason="Gazette")

    with pytest.raises(RefusedError, match="meanwhile"):
        law.confirm(acting=leela, row=old, reason="Gazette")


def test_a_row_cannot_be_changed_or_removed(leela: accounts.Account) -> None:
    row = voyeurism()
    row.court = "none"

    with pytest.raises(law.OverwrittenLawError):
        row.save()
    with pytest.raises(law.OverwrittenLawError):
        row.delete()


def test_only_a_legal_officer_with_a_reason_changes_the_law(cast: Cast, leela: accounts.Account) -> None:
    for acting, reason in ((cast.inga, "Gazette"), (cast.dora, "Gazette"), (leela, "  ")):
        with pytest.raises(RefusedError):
            law.supersede(acting=acting, row=voyeurism(), changes={"court": "JMFC"}, reason=reason)
    with pytest.raises(RefusedError, match="system"):
        law.supersede(acting=leela, row=voyeurism(), changes={"verified_by": "Inga"}, reason="Gazette")
    with pytest.raises(RefusedError, match="no columns"):
        law.supersede(acting=leela, row=voyeurism(), changes={"colour": "red"}, reason="Gazette")


def test_clock_rules_are_superseded_alike(leela: accounts.Account) -> None:
    rule = ClockRule.objects.get(key="form-a")

    law.supersede(acting=leela, row=rule, changes={"span": "48h"}, reason="Rules, 4")

    assert ClockRule.objects.get(key="form-a", superseded_by=None).span == "48h"


def test_seeding_again_leaves_superseded_rows_alone(leela: accounts.Account) -> None:
    law.supersede(acting=leela, row=voyeurism(), changes={"court": "JMFC"}, reason="Gazette")

    assert law.seed() == 0
    assert voyeurism().court == "JMFC"


def test_the_pages_show_unverified_rows_as_such_and_let_legal_confirm(cast: Cast, leela: accounts.Account) -> None:
    address = reverse("law:offence", args=[voyeurism().pk])

    seen_by_inga = signed_in(cast.inga).get(address).content.decode()
    browser = signed_in(leela)
    done = browser.post(reverse("law:confirm", args=[voyeurism().pk]), {"reason": "Gazette"}, follow=True)

    assert "unverified" in seen_by_inga
    assert "I have checked this row" not in seen_by_inga
    assert "verified by Leela" in done.content.decode()
    assert signed_in(cast.inga).post(reverse("law:confirm", args=[voyeurism().pk]), {"reason": "x"}).status_code == 404


def test_legal_supersedes_in_the_browser(leela: accounts.Account) -> None:
    row = voyeurism()
    address = reverse("law:supersede", args=[row.pk])
    browser = signed_in(leela)

    page = browser.get(address)
    form = {name: getattr(row, name) for name in ("what", "minimum", "maximum", "jj_class", "limitation")}
    done = browser.post(address, {**form, "court": "JMFC", "source": "Gazette", "reason": "read"})

    assert "any Magistrate" in page.content.decode()
    assert done.status_code == 302
    assert voyeurism().court == "JMFC"
    assert voyeurism().victim_sex == "female"


def test_the_list_says_what_is_not_on_record(cast: Cast, leela: accounts.Account) -> None:
    page = signed_in(cast.inga).get(reverse("law:offences"), {"day": "2018-05-01", "sex": "female", "age": "15"})
    wrong = signed_in(cast.inga).get(reverse("law:offences"), {"day": "yesterday"})

    assert "not on record" in page.content.decode()
    assert "POCSO 2012 4<" in page.content.decode()
    assert wrong.status_code == 200
    assert "Enter a valid date" in wrong.content.decode()
    assert signed_in(cast.inga).get(reverse("law:clocks")).status_code == 200
