"""The fence: every error becomes a notice of the right code, and nothing is swallowed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kaval.core.errors import (
    CorruptStructureError,
    KavalError,
    LimitExceededError,
    LockedError,
    UnreadableError,
    UnsupportedError,
)
from kaval.core.records import Notice, NoticeCode
from kaval.stages.fence import fenced, fenced_iteration, notice_of


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (LockedError("the volume", "a passphrase"), NoticeCode.LOCKED),
        (UnsupportedError("Quor", "use another tool"), NoticeCode.UNSUPPORTED),
        (CorruptStructureError("the table", "it loops", 512), NoticeCode.DAMAGED),
        (UnreadableError(10, 20, "bad sector"), NoticeCode.UNREADABLE),
        (LimitExceededError("ratio", 1000, "bomb"), NoticeCode.RATIO_LIMIT),
        (LimitExceededError("depth", 4, "nested"), NoticeCode.DEPTH_LIMIT),
        (LimitExceededError("memory", 4, "swells"), NoticeCode.MEMORY_LIMIT),
        (ZeroDivisionError("osk"), NoticeCode.CAPABILITY_FAILED),
    ],
)
def test_an_error_has_its_code(error: Exception, code: NoticeCode) -> None:
    assert notice_of(error, "reader").code is code


def test_a_notice_keeps_the_place() -> None:
    notice = notice_of(CorruptStructureError("the table", "it loops", 512), "reader", "7")

    assert (notice.offset, notice.structure, notice.address) == (512, "the table", "7")


def _records(error: Exception) -> Iterator[int]:
    yield 1
    yield 2
    raise error


def test_what_was_found_before_an_error_is_kept() -> None:
    found = list(fenced_iteration("reader", _records(KavalError("osk")), strict=True))

    assert found[:2] == [1, 2]
    assert isinstance(found[2], Notice)


def test_strict_lets_unforeseen_errors_through_and_others_become_notices() -> None:
    with pytest.raises(ZeroDivisionError):
        list(fenced_iteration("reader", _records(ZeroDivisionError()), strict=True))
    outcome = fenced("reader", lambda: 1 // 0, strict=False)

    assert isinstance(outcome, Notice)
    assert "ZeroDivisionError" in outcome.message
