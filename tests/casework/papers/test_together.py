"""Several hands issue at once, in real transactions and with the real press: no gap, no number twice."""

from __future__ import annotations

import threading

import pytest
from django.db import connection

from casework.audit import api as audit
from casework.papers import api as papers
from casework.papers.models import Paper
from tests.casework.conftest import Cast
from tests.casework.papers.conftest import issued
from tests.casework.papers.values import RECEIPT


@pytest.mark.slow
@pytest.mark.usefixtures("committed")
def test_papers_issued_at_the_same_time_have_numbers_without_gaps(led: Cast) -> None:
    papers.seed()
    faults: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(3):
                issued(led, papers.Kind.RECEIPT, values=RECEIPT)
        except BaseException as fault:  # noqa: BLE001 - handed to the main thread
            faults.append(fault)
        finally:
            connection.close()

    hands = [threading.Thread(target=work) for _ in range(4)]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()

    assert faults == []
    numbers = sorted(Paper.objects.values_list("number", flat=True))
    year = numbers[0].split("/")[2]
    assert numbers == [f"RC/01/{year}/{serial:04d}" for serial in range(1, 13)]
    assert audit.verify().broken is None
    assert papers.verify_all() == (12, [])
