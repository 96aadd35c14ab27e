"""The door of papers."""

from __future__ import annotations

from casework.papers.checking import FileCheck, check_on_machine, verify_all
from casework.papers.issuing import instant, issue, issue_head, preview, state_of, withdraw
from casework.papers.models import Paper
from casework.papers.printing import Printed, PrintingError
from casework.papers.reading import Shown, get_paper, of_case, of_subject, shown, take_out
from casework.papers.rest import router
from casework.papers.rules import Kind, Language, State, Verdict
from casework.papers.search import find
from casework.papers.signing import SigningFailedError
from casework.papers.views import pdf_answer
from casework.papers.waiting import waiting_for
from casework.papers.wording import seed

__all__ = [
    "FileCheck",
    "Kind",
    "Language",
    "Paper",
    "Printed",
    "PrintingError",
    "Shown",
    "SigningFailedError",
    "State",
    "Verdict",
    "check_on_machine",
    "find",
    "get_paper",
    "instant",
    "issue",
    "issue_head",
    "of_case",
    "of_subject",
    "pdf_answer",
    "preview",
    "router",
    "seed",
    "shown",
    "state_of",
    "take_out",
    "verify_all",
    "waiting_for",
    "withdraw",
]
