"""The door of papers."""

from __future__ import annotations

from casework.papers.issuing import issue, preview, state_of, withdraw
from casework.papers.models import Paper
from casework.papers.printing import Printed, PrintingError
from casework.papers.reading import Shown, get_paper, of_case, of_subject, shown, take_out
from casework.papers.rules import Kind, Language, State
from casework.papers.signing import SigningFailedError
from casework.papers.wording import seed

__all__ = [
    "Kind",
    "Language",
    "Paper",
    "Printed",
    "PrintingError",
    "Shown",
    "SigningFailedError",
    "State",
    "get_paper",
    "issue",
    "of_case",
    "of_subject",
    "preview",
    "seed",
    "shown",
    "state_of",
    "take_out",
    "withdraw",
]
