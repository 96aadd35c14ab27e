"""Pages by key: every row once, there and back; a cursor that was changed or carried elsewhere is no page."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from casework.accounts.models import Account, Unit
from casework.lib.errors import AbsentError
from casework.lib.paging import Page, Pager
from tests.casework.conftest import A_MORNING

pytestmark = pytest.mark.django_db
BY_AGE = Pager("accounts by age", "created_at", size=4)
BY_NAME = Pager("accounts by name", "name", descending=False, size=4)


@pytest.fixture
def eleven() -> list[Account]:
    unit = Unit.objects.create(name="Cell of the north")
    rows = [
        Account(username=f"n{i}", name=f"Name {i % 3}", unit=unit, created_at=A_MORNING + timedelta(days=i // 4))
        for i in range(11)
    ]
    return Account.objects.bulk_create(rows)


@pytest.mark.parametrize("pager", [BY_AGE, BY_NAME])
def test_every_row_comes_once_there_and_back(eleven: list[Account], pager: Pager) -> None:
    forth: list[Page[Account]] = [pager.page(Account.objects.all())]
    while forth[-1].older:
        forth.append(pager.page(Account.objects.all(), forth[-1].older))
    back = [forth[-1]]
    while back[-1].newer:
        back.append(pager.page(Account.objects.all(), back[-1].newer))

    seen = [row.pk for page in forth for row in page.rows]
    assert [len(page.rows) for page in forth] == [4, 4, 3]
    assert sorted(seen) == sorted(row.pk for row in eleven)
    sort_keys = [getattr(row, pager.key) for page in forth for row in page.rows]
    assert sort_keys == sorted(sort_keys, reverse=pager.descending)
    assert [row.pk for page in reversed(back) for row in page.rows] == seen
    assert forth[0].newer == "" == back[-1].newer


def test_a_page_neither_counts_nor_skips(eleven: list[Account]) -> None:
    second = BY_AGE.page(Account.objects.all()).older
    with CaptureQueriesContext(
        connection,
    ) as asked:
        BY_AGE.page(Account.objects.all(), second)

    assert len(asked) == 1
    assert "COUNT" not in asked[0]["sql"]
    assert "OFFSET" not in asked[0]["sql"]


def test_a_cursor_hides_the_key_and_holds_for_its_list_only(eleven: list[Account]) -> None:
    cursor = BY_NAME.page(Account.objects.all()).older

    assert "Name" not in cursor
    with pytest.raises(AbsentError):
        BY_AGE.page(Account.objects.all(), cursor)


@pytest.mark.parametrize("cursor", ["x", "xx", "മലയാളം", "A" * 60, "=", "%00", "\x00" * 44])
def test_a_made_up_cursor_is_no_page(eleven: list[Account], cursor: str) -> None:
    with pytest.raises(AbsentError):
        BY_AGE.page(Account.objects.all(), cursor)


def test_any_changed_letter_of_a_cursor_is_no_page(eleven: list[Account]) -> None:
    cursor = BY_AGE.page(Account.objects.all()).older
    for place in range(0, len(cursor) - 1, 7):
        other = "A" if cursor[place] != "A" else "B"
        with pytest.raises(AbsentError):
            BY_AGE.page(Account.objects.all(), cursor[:place] + other + cursor[place + 1 :])


def test_the_links_keep_the_rest_of_the_query(eleven: list[Account]) -> None:
    page = BY_AGE.of(RequestFactory().get("/", {"state": "open", "page": ""}), Account.objects.all())

    assert QueryDict(page.older_query)["state"] == "open"
    assert QueryDict(page.older_query)["page"] == page.older
    assert page.newer_query == ""
