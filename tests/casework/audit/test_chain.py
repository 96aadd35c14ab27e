"""The chain: what is written holds, what is touched is found."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.test import override_settings

from casework.audit import api as audit
from casework.audit import rules, triggers
from casework.audit.models import DailyHead, Entry, Head
from casework.lib.keys import KeyRing

pytestmark = pytest.mark.django_db

SOMEBODY = audit.Actor(id="1", name="Inga")


def write(count: int, case: str = "") -> None:
    with transaction.atomic():
        for number in range(count):
            subject = audit.Subject(kind="exhibit", id=str(number), case=case)
            audit.append(
                actor=SOMEBODY, act="exhibits.sealed", subject=subject, purpose="trial", fields={"seal": number}
            )


def test_a_chain_that_nobody_touched_holds() -> None:
    write(7)

    verdict = audit.verify()

    assert verdict == audit.Verdict(rows=7, digest=Head.objects.get().digest, broken=None)
    assert list(Entry.objects.order_by("seq").values_list("seq", flat=True)) == [1, 2, 3, 4, 5, 6, 7]


def test_an_empty_ledger_holds() -> None:
    assert audit.verify() == audit.Verdict(rows=0, digest=rules.NOTHING_BEFORE, broken=None)


@pytest.mark.parametrize("table", ["audit_entry", "audit_dailyhead", "audit_head"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET digest = 'x'", "DELETE FROM {}"])
def test_the_database_refuses_to_change_the_ledger(table: str, statement: str) -> None:
    write(1)
    audit.close_day(date(2026, 11, 24))

    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement.format(table))

    assert audit.verify().broken is None


def test_postgresql_refuses_to_truncate_the_ledger() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("TRUNCATE is of PostgreSQL; this run is on SQLite")
    write(1)

    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("TRUNCATE audit_entry")


def change(sql: str) -> Callable[[], None]:
    def run() -> None:
        with connection.cursor() as cursor:
            cursor.execute(sql)

    return run


def forge_row_four() -> None:
    """Change a row and everything that anybody without the key can compute."""
    Entry.objects.filter(seq=4).update(purpose="another")
    previous = Entry.objects.get(seq=3).digest
    for entry in Entry.objects.filter(seq__gte=4).order_by("seq"):
        row = rules.Row(**{name: getattr(entry, name) for name in rules.Row.__dataclass_fields__})
        digest = rules.digest_of(row, previous)
        Entry.objects.filter(seq=entry.seq).update(previous=previous, digest=digest)
        previous = digest
    Head.objects.update(digest=previous)


def append_behind_the_head() -> None:
    last = Entry.objects.get(seq=7)
    Entry.objects.create(
        **{name: getattr(last, name) for name in rules.Row.__dataclass_fields__ if name != "seq"},
        seq=8, previous=last.digest, digest="0" * 64, mark=last.mark,
    )  # fmt: skip


def cut_off_the_end() -> None:
    """Remove the last rows and put the marks of row five where the head's were."""
    fifth = Entry.objects.get(seq=5)
    Entry.objects.filter(seq__gt=5).delete()
    Head.objects.update(seq=5, digest=fifth.digest, mark=fifth.mark)


@pytest.mark.parametrize(
    ("tamper", "row", "reason"),
    [
        (change("UPDATE audit_entry SET purpose = 'another' WHERE seq = 3"), 3, "changed"),
        (change("UPDATE audit_entry SET actor_name = 'Bashir' WHERE seq = 1"), 1, "changed"),
        (change("UPDATE audit_entry SET fields = '{}' WHERE seq = 7"), 7, "changed"),
        (change("UPDATE audit_entry SET mark = '00000000:0' WHERE seq = 2"), 2, "mark"),
        (change("DELETE FROM audit_entry WHERE seq = 1"), 1, "missing"),
        (change("DELETE FROM audit_entry WHERE seq = 4"), 4, "missing"),
        (change("DELETE FROM audit_entry WHERE seq = 7"), 7, "missing"),
        (change("DELETE FROM audit_entry"), 1, "missing"),
        (change("DELETE FROM audit_head"), 8, "head"),
        (change("UPDATE audit_entry SET seq = 0 WHERE seq = 5"), 1, "before the first"),
        (append_behind_the_head, 8, "changed"),
        (forge_row_four, 4, "mark"),
        (cut_off_the_end, 6, "mark"),
    ],
)
def test_one_who_lifts_the_triggers_is_found_at_the_first_row(
    tamper: Callable[[], None], row: int, reason: str
) -> None:
    write(7)
    triggers.remove(connection)
    tamper()

    broken = audit.verify().broken

    assert broken is not None
    assert broken.seq == row
    assert reason in broken.reason


def test_a_chain_made_anew_with_another_key_is_found() -> None:
    other = KeyRing((b"o" * 32,))
    with override_settings(KEY_RING=other):
        write(3)

    broken = audit.verify().broken

    assert broken == audit.Break(seq=1, reason="the row does not carry the mark of this unit's key")


def test_rows_written_with_an_older_key_still_hold() -> None:
    write(2)
    newer = KeyRing((b"n" * 32, b"k" * 32))
    with override_settings(KEY_RING=newer):
        write(2)

        assert audit.verify() == audit.Verdict(rows=4, digest=Head.objects.get().digest, broken=None)


def test_a_database_put_back_to_an_earlier_day_is_found_by_the_printed_head() -> None:
    write(3)
    earlier = Head.objects.values().get()
    write(2)
    printed = audit.close_day(date(2026, 11, 24))
    published = audit.Published(day=printed.day, seq=printed.seq, digest=printed.digest)
    triggers.remove(connection)
    Entry.objects.filter(seq__gt=3).delete()
    DailyHead.objects.all().delete()
    Head.objects.update(**earlier)

    assert audit.verify().broken is None
    broken = audit.verify([published]).broken
    assert broken == audit.Break(seq=4, reason="row 4 is missing: a daily or published head names row 5")


def test_a_daily_head_stands_from_the_first_asking() -> None:
    write(3)
    first = audit.close_day(date(2026, 11, 24))
    write(1)
    again = audit.close_day(date(2026, 11, 24))

    assert (again.seq, again.digest) == (first.seq, first.digest) == (3, Entry.objects.get(seq=3).digest)
    assert audit.verify().broken is None


def test_a_daily_head_that_was_changed_is_found() -> None:
    write(3)
    audit.close_day(date(2026, 11, 24))
    triggers.remove(connection)
    DailyHead.objects.update(seq=2)

    broken = audit.verify().broken

    assert broken is not None
    assert "daily head of 2026-11-24" in broken.reason


def test_an_act_that_fails_leaves_no_entry() -> None:
    write(1)

    def fail() -> None:
        with transaction.atomic():
            write(3)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()

    assert Entry.objects.count() == 1
    assert audit.verify().broken is None


def test_an_act_has_a_name_of_the_stated_form() -> None:
    with pytest.raises(ValueError, match=r"context\.what_was_done"), transaction.atomic():
        audit.append(actor=SOMEBODY, act="Sealed the thing", subject=audit.Subject(kind="exhibit", id="1"))


def test_the_export_of_a_case_holds_that_case_and_can_be_checked_by_hand() -> None:
    write(2, case="a")
    write(3, case="b")

    head, *rows, foot = [json.loads(line) for line in audit.export(audit.of_case("b"))]

    assert head["kaval"] == "audit export"
    assert [row["seq"] for row in rows] == [3, 4, 5]
    assert foot == {"exported": 3, "chain_rows": 5, "chain_head": Head.objects.get().digest, "broken": None}
    last = Entry.objects.get(seq=5)
    row = rules.Row(**{name: getattr(last, name) for name in rules.Row.__dataclass_fields__})
    assert rules.digest_of(row, rows[1]["digest"]) == rows[2]["digest"]


def test_the_ledger_tells_what_was_done_to_one_record_and_by_one_person() -> None:
    write(4)

    assert [entry.seq for entry in audit.of_subject("exhibit", "2")] == [3]
    assert audit.by_actor("1").count() == 4
    assert audit.by_actor("2").count() == 0


def test_the_key_of_the_tests_is_the_one_that_marks() -> None:
    write(1)

    entry = Entry.objects.get()
    key = settings.KEY_RING.current(rules.KEY_PURPOSE)
    assert entry.mark == rules.mark_entry(key, 1, entry.digest)
