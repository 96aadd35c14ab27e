"""Many writers at once, in real transactions."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, transaction

from casework.audit import api as audit
from casework.audit.models import Entry


@pytest.mark.usefixtures("committed")
def test_writers_at_the_same_time_make_one_chain_without_gaps() -> None:
    faults: list[BaseException] = []

    def write(name: str) -> None:
        try:
            for number in range(15):
                with transaction.atomic():
                    subject = audit.Subject(kind="exhibit", id=str(number))
                    audit.append(actor=audit.Actor(id=name, name=name), act="exhibits.sealed", subject=subject)
        except BaseException as fault:  # noqa: BLE001 - handed to the main thread
            faults.append(fault)
        finally:
            connection.close()

    writers = [threading.Thread(target=write, args=(f"writer {number}",)) for number in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()

    assert faults == []
    assert Entry.objects.count() == 60
    assert audit.verify().broken is None


def test_an_entry_outside_a_transaction_is_refused(committed: None) -> None:
    with pytest.raises(audit.NoTransactionError, match="in the transaction"):
        audit.append(
            actor=audit.Actor(id="1", name="Inga"), act="exhibits.sealed", subject=audit.Subject(kind="exhibit", id="1")
        )
