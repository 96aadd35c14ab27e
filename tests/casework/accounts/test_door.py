"""The way in: nobody without a second factor, no code twice, no door left open."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from casework.accounts import api as accounts
from casework.accounts import factors, people
from casework.accounts.models import Account, Failure, Invitation, RecoveryCode, Totp
from casework.audit import api as audit
from casework.audit.models import Entry
from casework.lib import clock
from tests.casework.conftest import PASSWORD, Cast, signed_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("morning")]

STRONG = "seven copper kettles drift"


def with_app(account: accounts.Account) -> Totp:
    """Enrol an app whose first code was used long ago."""
    totp = factors.begin_totp(account)
    Totp.objects.filter(pk=totp.pk).update(confirmed_at=clock.now())
    return totp


def present_code(totp: Totp, later: int = 0) -> str:
    return factors.code_at(totp.secret, factors.present_step() + later)


def give_password(browser: Client, name: str = "inga", password: str = PASSWORD) -> int:
    answer = browser.post(reverse("accounts:sign_in"), {"username": name, "password": password})
    return answer.status_code


def give_code(browser: Client, code: str) -> int:
    return browser.post(reverse("accounts:second_factor"), {"code": code}).status_code


def is_in(browser: Client) -> bool:
    return browser.get("/").status_code == 200


def test_password_and_code_let_in(cast: Cast) -> None:
    totp, browser = with_app(cast.inga), Client()

    assert give_password(browser) == 302
    assert not is_in(browser)
    assert give_code(browser, present_code(totp)) == 302
    assert is_in(browser)
    assert Entry.objects.filter(act="accounts.signed_in", subject_id=str(cast.inga.pk)).count() == 1


def test_the_codes_of_rfc_6238() -> None:
    secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"  # the SHA-1 key of appendix B, in base32

    assert [factors.code_at(secret, t // 30) for t in (59, 1111111109, 20000000000)] == ["287082", "081804", "353130"]


def test_a_code_counts_once(cast: Cast) -> None:
    totp, first, second = with_app(cast.inga), Client(), Client()
    code = present_code(totp)
    give_password(first)
    give_code(first, code)
    give_password(second)

    assert give_code(second, code) == 422
    assert not is_in(second)
    assert factors.check_totp(cast.inga, present_code(totp, later=1))
    assert not factors.check_totp(cast.inga, present_code(totp, later=-1))


def test_a_code_of_two_steps_ago_is_refused(cast: Cast) -> None:
    totp = with_app(cast.inga)

    assert not factors.check_totp(cast.inga, present_code(totp, later=-2))
    assert not factors.check_totp(cast.inga, present_code(totp, later=2))
    assert not factors.check_totp(cast.inga, "")


def test_a_password_alone_lets_nobody_in(cast: Cast) -> None:
    browser = Client()

    assert give_password(browser) == 422
    assert browser.get(reverse("accounts:second_factor")).status_code == 302
    assert not is_in(browser)


def test_five_failures_close_the_door_for_a_quarter_of_an_hour(cast: Cast) -> None:
    totp, browser = with_app(cast.inga), Client()
    for _ in range(5):
        assert give_password(browser, password="wrong") == 422

    assert give_password(browser) == 422
    assert Entry.objects.filter(act="accounts.sign_in_refused").count() == 5
    with clock.moved_by(timedelta(minutes=15, seconds=1)):
        assert give_password(browser) == 302
        assert give_code(browser, present_code(totp)) == 302
    assert Failure.objects.count() == 0


def test_wrong_codes_count_as_failures(cast: Cast) -> None:
    totp, browser = with_app(cast.inga), Client()
    give_password(browser)
    for _ in range(5):
        assert give_code(browser, "000000") == 422

    assert give_code(browser, present_code(totp)) == 422
    assert give_password(Client()) == 422


def test_a_name_nobody_has_is_answered_like_a_wrong_password(cast: Cast) -> None:
    with_app(cast.inga)
    one = Client().post(reverse("accounts:sign_in"), {"username": "inga", "password": "wrong"})
    two = Client().post(reverse("accounts:sign_in"), {"username": "nobody", "password": "wrong"})

    assert one.context["form"].errors == two.context["form"].errors
    assert not Failure.objects.filter(username_mark__contains="nobody").exists()


def test_the_first_step_is_remembered_for_ten_minutes_only(cast: Cast) -> None:
    totp, browser = with_app(cast.inga), Client()
    give_password(browser)

    with clock.moved_by(timedelta(minutes=11)):
        assert browser.get(reverse("accounts:second_factor")).status_code == 302
        assert give_code(browser, present_code(totp)) == 302
        assert not is_in(browser)


def test_a_closed_account_does_not_get_in_and_its_session_ends(cast: Cast) -> None:
    totp = with_app(cast.inga)
    inside, half_way = signed_in(cast.inga), Client()
    give_password(half_way)
    people.close_account(acting=cast.esther, account=Account.objects.get(pk=cast.inga.pk), reason="left the unit")

    assert not is_in(inside)
    assert give_code(half_way, present_code(totp)) == 302
    assert not is_in(half_way)
    assert give_password(Client()) == 422


def test_a_newer_session_ends_the_older(cast: Cast) -> None:
    totp, older, newer = with_app(cast.inga), Client(), Client()
    give_password(older)
    give_code(older, present_code(totp))
    give_password(newer)
    give_code(newer, present_code(totp, later=1))

    assert is_in(newer)
    assert not is_in(older)


def test_a_session_ends_by_silence_and_by_age(cast: Cast) -> None:
    browser = signed_in(cast.inga)
    with clock.moved_by(timedelta(minutes=14)):
        assert is_in(browser)
    with clock.moved_by(timedelta(minutes=28)):
        assert is_in(browser)
    with clock.moved_by(timedelta(minutes=44)):
        assert not is_in(browser)
        assert Entry.objects.filter(act="accounts.signed_out", fields__contains="idle").exists()

    busy = signed_in(cast.inga)
    for minutes in range(10, 12 * 60 + 10, 10):
        with clock.moved_by(timedelta(minutes=minutes)):
            inside = is_in(busy)
    assert not inside


def test_a_recovery_code_lets_in_once(cast: Cast) -> None:
    with_app(cast.inga)
    [code, *_] = factors.renew_recovery_codes(cast.inga)
    first, second = Client(), Client()
    give_password(first)
    give_password(second)

    assert give_code(first, code.upper()) == 302
    assert give_code(second, code) == 422
    assert RecoveryCode.objects.filter(account=cast.inga, used_at=None).count() == 9


def test_the_secret_of_the_app_is_sealed_in_the_database(cast: Cast) -> None:
    from django.db import connection

    totp = with_app(cast.inga)
    with connection.cursor() as cursor:
        cursor.execute("SELECT secret FROM accounts_totp")
        [stored] = cursor.fetchone()

    assert totp.secret.encode() not in bytes(stored)


def invited(cast: Cast) -> tuple[accounts.Account, str]:
    newcomer = people.open_account(acting=cast.dora, username="nila", name="Nila", unit=cast.inga.unit)
    return newcomer, people.invite(acting=cast.dora, to=newcomer)


def test_an_invitation_leads_to_password_app_and_recovery_codes(cast: Cast) -> None:
    newcomer, token = invited(cast)
    browser = Client()
    address = reverse("accounts:invitation", args=[token])

    assert browser.get(address).status_code == 200
    assert browser.post(address, {"password": STRONG, "again": STRONG}).status_code == 302
    assert not is_in(browser)
    page = browser.get(reverse("accounts:enrol")).content.decode()
    totp = Totp.objects.get(account=newcomer)
    assert "<svg" in page
    done = browser.post(reverse("accounts:enrol"), {"code": present_code(totp)})

    assert len(done.context["codes"]) == 10
    assert is_in(browser)
    assert Client().get(address).status_code == 404
    assert audit.verify().broken is None
    # The code that enrolled the app is used up.
    again = Client()
    give_password(again, "nila", STRONG)
    assert give_code(again, present_code(totp)) == 422


def test_an_invitation_holds_three_days_and_a_newer_one_ends_it(cast: Cast) -> None:
    newcomer, token = invited(cast)
    address = reverse("accounts:invitation", args=[token])
    with clock.moved_by(timedelta(hours=73)):
        assert Client().get(address).status_code == 404
    newer = people.invite(acting=cast.dora, to=newcomer)

    with clock.moved_by(timedelta(seconds=1)):
        assert Client().get(address).status_code == 404
        assert Client().get(reverse("accounts:invitation", args=[newer])).status_code == 200
    assert not Invitation.objects.filter(token_digest__contains=token).exists()


@pytest.mark.parametrize("password", ["short", "password12345678", "nilanilanilanila", "11111111111111111"])
def test_a_weak_password_is_refused(cast: Cast, password: str) -> None:
    newcomer, token = invited(cast)
    answer = Client().post(reverse("accounts:invitation", args=[token]), {"password": password, "again": password})

    assert answer.status_code == 422
    newcomer.refresh_from_db()
    assert not newcomer.has_usable_password()


def test_enrolment_is_for_the_invited_only(cast: Cast) -> None:
    with_app(cast.inga)
    half_way = Client()
    give_password(half_way)

    assert half_way.get(reverse("accounts:enrol")).status_code == 404
    assert Client().get(reverse("accounts:enrol")).status_code == 404
    assert Client().get(reverse("accounts:enrol_passkey")).status_code == 404
    assert Client().get(reverse("accounts:passkey_proof")).status_code == 404


def test_one_changes_the_own_password_and_stays_in(cast: Cast) -> None:
    browser = signed_in(cast.inga)
    address = reverse("accounts:change_password")

    wrong = browser.post(address, {"old": "wrong", "password": STRONG, "again": STRONG})
    right = browser.post(address, {"old": PASSWORD, "password": STRONG, "again": STRONG})

    assert (wrong.status_code, right.status_code) == (422, 302)
    assert is_in(browser)
    assert Account.objects.get(pk=cast.inga.pk).check_password(STRONG)


def test_factors_are_touched_after_the_password_only_and_the_last_one_stays(cast: Cast) -> None:
    with_app(cast.inga)
    browser = signed_in(cast.inga)

    assert browser.get(reverse("accounts:factors")).status_code == 302
    assert browser.post(reverse("accounts:remove_totp")).status_code == 403
    browser.post(reverse("accounts:confirm"), {"old": PASSWORD})
    assert browser.get(reverse("accounts:factors")).status_code == 200
    last = browser.post(reverse("accounts:remove_totp"))
    assert last.status_code == 403
    assert "only second factor" in last.content.decode()
    codes = browser.post(reverse("accounts:renew_codes"))
    assert len(codes.context["codes"]) == 10
    with clock.moved_by(timedelta(minutes=6)):
        assert browser.post(reverse("accounts:renew_codes")).status_code == 403


def test_the_desk_opens_invites_grants_and_closes(cast: Cast) -> None:
    dora, esther = signed_in(cast.dora), signed_in(cast.esther)
    form = {"username": "nila", "name": "Nila", "rank": "inspector", "unit": str(cast.inga.unit.pk)}
    dora.post(reverse("accounts:open_account"), form)
    nila = Account.objects.get(username="nila")
    page = dora.post(reverse("accounts:invite", args=[nila.pk]))
    granted = esther.post(reverse("accounts:grant", args=[nila.pk]), {"role": "examiner"})

    assert "/accounts/invitation/" in page.content.decode()
    assert granted.status_code == 302
    assert accounts.standing_of(nila).roles == {accounts.Role.EXAMINER}
    assert dora.post(reverse("accounts:grant", args=[nila.pk]), {"role": "legal"}).status_code == 403
    assert dora.post(reverse("accounts:invite", args=[nila.pk])).status_code == 403
    assert esther.post(reverse("accounts:grant", args=[nila.pk]), {"role": "emperor"}).status_code == 403
    assert "Nila" in dora.get(reverse("accounts:accounts")).content.decode()
    esther.post(reverse("accounts:end_role", args=[nila.pk]), {"role": "examiner"})
    dora.post(reverse("accounts:close", args=[nila.pk]), {"reason": "left"})
    nila.refresh_from_db()
    assert not nila.is_active
    assert accounts.standing_of(nila).roles == frozenset()
    assert dora.post(reverse("accounts:open_account"), form).status_code == 422


def test_the_desk_is_absent_for_everyone_else(cast: Cast) -> None:
    for person in (cast.inga, cast.bashir, cast.carla):
        browser = signed_in(person)
        for name in ("accounts", "open_account"):
            assert browser.get(reverse(f"accounts:{name}")).status_code == 404
        assert browser.post(reverse("accounts:invite", args=[cast.bashir.pk])).status_code == 404


def test_a_link_kept_back_does_not_open_an_account_that_got_a_role_since(cast: Cast) -> None:
    newcomer, first = invited(cast)
    newcomer.set_password(STRONG)
    newcomer.save()
    kept_back = people.invite(acting=cast.dora, to=newcomer)
    people.grant_role(acting=cast.esther, to=newcomer, role=accounts.Role.INVESTIGATOR)

    for token in (first, kept_back):
        assert people.invitation_of(token) is None
