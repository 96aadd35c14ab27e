"""Tokens: made behind the second factor, shown once, kept as digests; they hold for their time and their scope only."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.test import Client

from casework.accounts import factors, people, tokens
from casework.accounts.models import Account, Token, Totp
from casework.audit.models import Entry
from casework.lib import clock
from casework.lib.errors import AbsentError, RefusedError
from tests.casework.conftest import Cast, signed_in

pytestmark = pytest.mark.django_db


def made(account: Account, *, may_write: bool = False, days: int = 30) -> str:
    return tokens.make_token(acting=account, name="the exporter", may_write=may_write, days=days)


def ask(token: str, path: str = "/api/accounts/me") -> int:
    return Client().get(path, headers={"Authorization": f"Bearer {token}"}).status_code


def test_a_token_is_kept_as_a_digest_and_told_to_the_ledger(cast: Cast) -> None:
    token = made(cast.inga)

    [kept] = Token.objects.all()
    assert token not in str(vars(kept))
    entry = Entry.objects.get(act="accounts.token_made")
    assert token not in entry.fields
    assert str(kept.pk) in entry.fields


def test_a_token_says_who_asks(cast: Cast) -> None:
    answer = Client().get("/api/accounts/me", headers={"Authorization": f"Bearer {made(cast.inga)}"})

    assert answer.status_code == 200
    assert answer.json()["username"] == "inga"
    assert Token.objects.get().last_used_at is not None


def test_a_token_ends_by_time_by_its_owner_and_with_the_account(cast: Cast) -> None:
    by_time, by_owner, by_closing, by_invitation = made(cast.inga), made(cast.inga), made(cast.bashir), made(cast.carla)
    with clock.moved_by(timedelta(days=31)):
        assert ask(by_time) == 401
    mine = Token.objects.filter(account=cast.inga).order_by("created_at").last()
    assert mine is not None

    tokens.end_token(acting=cast.inga, token=mine.pk)
    people.close_account(acting=cast.esther, account=cast.bashir, reason="left the unit")
    invited = people.invitation_of(people.invite(acting=cast.esther, to=cast.carla))
    assert invited is not None
    people.accept_invitation(invitation=invited, password="seven copper kettles drift")

    assert [ask(token) for token in (by_time, by_owner, by_closing, by_invitation)] == [200, 401, 401, 401]


def test_nobody_ends_the_token_of_another(cast: Cast) -> None:
    made(cast.inga)

    with pytest.raises(AbsentError):
        tokens.end_token(acting=cast.bashir, token=Token.objects.get().pk)


@pytest.mark.parametrize(("name", "days", "rule"), [(" ", 30, "name"), ("x", 0, "days"), ("x", 366, "days")])
def test_a_token_without_name_or_end_is_refused(cast: Cast, name: str, days: int, rule: str) -> None:
    with pytest.raises(RefusedError) as refusal:
        tokens.make_token(acting=cast.inga, name=name, may_write=False, days=days)

    assert refusal.value.rule == rule


def test_an_eleventh_token_is_refused(cast: Cast) -> None:
    for _ in range(10):
        made(cast.inga)

    with pytest.raises(RefusedError, match="10 tokens"):
        made(cast.inga)


def test_a_token_that_only_reads_changes_nothing(cast: Cast) -> None:
    reads, writes = made(cast.esther), made(cast.esther, may_write=True)
    path, body = f"/api/accounts/{cast.bashir.pk}/close", {"reason": "left the unit"}

    no = Client().post(path, body, "application/json", headers={"Authorization": f"Bearer {reads}"})
    yes = Client().post(path, body, "application/json", headers={"Authorization": f"Bearer {writes}"})

    assert (no.status_code, yes.status_code) == (403, 200)
    assert yes.json()["is_open"] is False


def test_the_page_asks_for_the_second_factor_again(cast: Cast) -> None:
    factors.begin_totp(cast.inga)
    Totp.objects.update(confirmed_at=clock.now())
    secret = Totp.objects.get().secret
    browser = signed_in(cast.inga)
    with clock.moved_by(timedelta(minutes=6)):
        assert browser.get("/accounts/mine/tokens/")["Location"] == "/accounts/mine/prove/"
        assert browser.post("/accounts/mine/tokens/", {"name": "x", "days": 3})["Location"] == "/accounts/mine/prove/"
        assert browser.post("/accounts/mine/prove/", {"code": "000000x"}).status_code == 422
        code = factors.code_at(secret, factors.present_step())
        assert browser.post("/accounts/mine/prove/", {"code": code})["Location"] == "/accounts/mine/tokens/"
        page = browser.post("/accounts/mine/tokens/", {"name": "the exporter", "days": 3}).content.decode()

    [token] = re.findall(r"kaval_[\w-]{43}", page)
    assert ask(token) == 200
    [kept] = Token.objects.all()
    assert not kept.may_write
    assert token not in browser.get("/accounts/mine/tokens/").content.decode()
    browser.post(f"/accounts/mine/tokens/{kept.pk}/end/")
    assert ask(token) == 401


def test_a_minute_allows_so_many_questions(cast: Cast, settings: object) -> None:
    settings.API_PER_MINUTE = 3  # type: ignore[attr-defined]
    token = made(cast.inga)
    other = made(cast.inga)
    with clock.stopped_at(clock.now().replace(second=12, microsecond=0)):
        answers = [ask(token), ask(other), ask(token), ask(other)]
        refused = Client().get("/api/accounts/me", headers={"Authorization": f"Bearer {token}"})
        with clock.moved_by(timedelta(minutes=1)):
            later = ask(token)

    assert answers == [200, 200, 200, 429]
    assert refused["Retry-After"] == "48"
    assert later == 200
