"""What the words of the vocabulary are called on a page."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from django.utils.translation import gettext_lazy as _

from casework.accounts.api import Capacity
from casework.cases.vocabulary import (
    Classification,
    ClockState,
    ClockStep,
    Happened,
    LinkKind,
    Outcome,
    Stage,
    State,
    TaskState,
)

# In the groups in which a form offers them.
HAPPENED: tuple[tuple[Any, dict[Happened, Any]], ...] = (
    (
        _("Information and registration"),
        {
            Happened.OFFENCE_KNOWN: _("The offence became known (limitation runs)"),
            Happened.INFORMATION_RECORDED: _("Information recorded"),
            Happened.ELECTRONIC_INFORMATION: _("Information came electronically"),
            Happened.INFORMANT_SIGNED: _("The informant signed"),
            Happened.PRELIMINARY_ENQUIRY_OPENED: _("Preliminary enquiry opened"),
            Happened.PRELIMINARY_ENQUIRY_ENDED: _("Preliminary enquiry ended"),
            Happened.RAPE_INFORMATION: _("Information of rape"),
            Happened.SERIOUS_OFFENCE_KNOWN: _("An offence of seven years or more became known"),
        },
    ),
    (
        _("The child who was harmed"),
        {
            Happened.CHILD_NEEDS_CARE: _("A child needs care"),
            Happened.CHILD_WITHOUT_SAFE_HOME: _("A child has no safe home"),
            Happened.CHILD_PRODUCED: _("The child was produced before the Committee"),
            Happened.COMMITTEE_TOLD: _("The Child Welfare Committee was told"),
            Happened.COMMITTEE_RECOMMENDATION: _("The Committee recommended relief"),
            Happened.COMMITTEE_DECISION: _("The Committee decided"),
        },
    ),
    (
        _("Search"),
        {
            Happened.SEARCH_RECORDED: _("Search or seizure recorded"),
            Happened.SEARCH_WITHOUT_WARRANT: _("Search without warrant"),
            Happened.SEARCH_OUTSIDE_LIMITS: _("Search in the limits of another station"),
        },
    ),
    (
        _("An adult who is accused"),
        {
            Happened.ARREST: _("Arrest"),
            Happened.PRODUCED: _("Produced before the Magistrate"),
            Happened.FIRST_REMAND: _("First remand (default bail runs)"),
            Happened.RELEASED_ON_BAIL: _("Released on bail"),
            Happened.ACCUSED_APPEARS: _("The accused appeared before the court"),
        },
    ),
    (
        _("A child who is suspected"),
        {
            Happened.CHILD_APPREHENDED: _("Child apprehended"),
            Happened.GUARDIAN_TOLD: _("Parent or guardian told"),
            Happened.CHILD_FIRST_PRODUCTION: _("First production before the Board"),
            Happened.SOCIAL_REPORT: _("Social investigation report"),
            Happened.CHILD_RELEASED: _("Child released"),
            Happened.PRELIMINARY_ASSESSMENT: _("Preliminary assessment done"),
            Happened.BOARD_ORDER: _("Order of the Board"),
            Happened.TRIED_AS_ADULT: _("To be tried as an adult"),
            Happened.APPEAL_PERIOD_OVER: _("Period of appeal over"),
            Happened.AGE_DISPUTED: _("Age disputed"),
            Happened.AGE_DETERMINED: _("Age determined"),
        },
    ),
    (
        _("Platforms"),
        {
            Happened.ORDER_TO_PLATFORM: _("Order to a platform"),
            Happened.PLATFORM_ANSWERED: _("The platform answered"),
            Happened.TAKEDOWN_ORDER: _("Order to remove"),
            Happened.INTIMATE_IMAGE_COMPLAINT: _("Complaint about an intimate picture"),
            Happened.CONTENT_REMOVED: _("Content removed"),
        },
    ),
    (
        _("The end of the investigation"),
        {
            Happened.POLICE_REPORT_FILED: _("Police report filed"),
            Happened.CLOSURE_REPORT_FILED: _("Closure report filed"),
            Happened.APPEAL_FILED: _("Appeal filed"),
        },
    ),
)

COURT: dict[Happened, Any] = {
    Happened.HEARING: _("Hearing"),
    Happened.ADJOURNED: _("Adjourned"),
    Happened.COGNIZANCE: _("Cognizance taken (child's evidence runs)"),
    Happened.CHARGES_FRAMED: _("Charges framed"),
    Happened.CHILD_EVIDENCE_RECORDED: _("Child's evidence recorded"),
    Happened.COURT_ORDER: _("Order"),
    Happened.PROPERTY_PRODUCED: _("Property produced"),
    Happened.COMPENSATION_ORDER: _("Order of compensation"),
    Happened.FURTHER_INVESTIGATION_LEAVE: _("Leave for further investigation"),
    Happened.CLOSURE_ACCEPTED: _("Closure accepted"),
    Happened.JUDGEMENT: _("Judgement"),
}

ENDS: dict[Happened, Any] = {
    Happened.CLOSED: _("Closed"),
    Happened.TRANSFERRED_OUT: _("Handed over to another unit"),
    Happened.WITHDRAWN: _("Withdrawn"),
}

# Pairs, not a dictionary: words of two vocabularies may be spelt alike, and would be one key.
_WORDS: tuple[tuple[StrEnum, Any], ...] = (
    (Happened.OPENED, _("Case opened")),
    (Happened.RECLASSIFIED, _("Class changed")),
    (Happened.REGISTRATION, _("FIR registered")),
    (Happened.FIR_TRANSFERRED, _("FIR transferred and numbered anew")),
    (Happened.BOARD_CLASSED, _("The Board gave the class")),
    (Happened.REOPENED, _("Reopened")),
    (State.ENQUIRY, _("enquiry")),
    (State.INVESTIGATION, _("investigation")),
    (State.BEFORE_COURT, _("before the court")),
    (State.DECIDED, _("decided")),
    (State.CLOSED, _("closed")),
    (State.TRANSFERRED, _("handed over")),
    (State.WITHDRAWN, _("withdrawn")),
    (Classification.MATERIAL, _("possession or sharing of material")),
    (Classification.PRODUCTION, _("production of material")),
    (Classification.CONTACT, _("contact offence")),
    (Classification.GROOMING, _("grooming")),
    (Classification.SEXTORTION, _("sextortion")),
    (Classification.TRAFFICKING, _("trafficking")),
    (Classification.PLATFORM, _("platform or service")),
    (Classification.OTHER, _("other")),
    (Stage.ALLEGED, _("alleged")),
    (Stage.IN_FIR, _("in the FIR")),
    (Stage.IN_POLICE_REPORT, _("in the police report")),
    (Stage.FRAMED, _("framed by the court")),
    (Stage.DECIDED, _("decided")),
    (Stage.DROPPED, _("dropped")),
    (Outcome.CONVICTED, _("convicted")),
    (Outcome.ACQUITTED, _("acquitted")),
    (Outcome.DISCHARGED, _("discharged")),
    (Outcome.QUASHED, _("quashed")),
    (Outcome.ABATED, _("abated")),
    (Outcome.COMPOUNDED, _("compounded")),
    (Outcome.TO_BOARD, _("transferred to the Board")),
    (Outcome.BOARD_ORDER, _("order of the Board")),
    (Outcome.NOT_PROCEEDED, _("not proceeded with")),
    (ClockState.RUNNING, _("running")),
    (ClockState.MET, _("met")),
    (ClockState.EXCUSED, _("excused")),
    (ClockState.VOID, _("void")),
    (ClockStep.STARTED, _("started")),
    (ClockStep.RECOUNTED, _("counted anew")),
    (ClockStep.EXTENDED, _("extended")),
    (ClockStep.MET, _("met")),
    (ClockStep.EXCUSED, _("excused")),
    (ClockStep.VOIDED, _("void")),
    (ClockStep.RESUMED, _("runs again")),
    (TaskState.OPEN, _("open")),
    (TaskState.DONE, _("done")),
    (TaskState.REFUSED, _("refused")),
    (TaskState.WITHDRAWN, _("withdrawn")),
    (LinkKind.TIP, _("tip")),
    (LinkKind.OPERATION, _("operation")),
    (LinkKind.EXHIBIT, _("exhibit")),
    (LinkKind.CASE, _("case")),
    (LinkKind.DOCUMENT, _("document")),
    (Capacity.LEAD, _("leads")),
    (Capacity.WORKER, _("works")),
    (Capacity.READER, _("reads")),
)

_TITLES: dict[type[StrEnum], dict[str, Any]] = {}
for _word, _title in (
    *_WORDS,
    *COURT.items(),
    *ENDS.items(),
    *(pair for _group, words in HAPPENED for pair in words.items()),
):
    _TITLES.setdefault(type(_word), {})[_word.value] = _title


def title_of(word: StrEnum) -> Any:
    """Return what a word is called."""
    return _TITLES[type(word)][word.value]


def titled(vocabulary: type[StrEnum], word: str) -> Any:
    """Return what a stored word of a vocabulary is called."""
    return _TITLES[vocabulary][vocabulary(word).value]


def choices(vocabulary: type[StrEnum]) -> list[tuple[str, Any]]:
    """Return the words of a vocabulary for a form."""
    return [(word.value, title_of(word)) for word in vocabulary]
