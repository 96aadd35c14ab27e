"""The door of the ledger."""

from __future__ import annotations

from casework.audit.reading import by_actor, export, of_case, of_subject
from casework.audit.rules import Actor, Fields, Subject
from casework.audit.stamping import (
    Stamped,
    StampError,
    Transport,
    line_of,
    read_authorities,
    stamp,
    unstamped,
    verify_stamps,
)
from casework.audit.verifying import Break, Published, Verdict, verify
from casework.audit.writing import NoTransactionError, append, close_day

__all__ = [
    "Actor",
    "Break",
    "Fields",
    "NoTransactionError",
    "Published",
    "StampError",
    "Stamped",
    "Subject",
    "Transport",
    "Verdict",
    "append",
    "by_actor",
    "close_day",
    "export",
    "line_of",
    "of_case",
    "of_subject",
    "read_authorities",
    "stamp",
    "unstamped",
    "verify",
    "verify_stamps",
]
