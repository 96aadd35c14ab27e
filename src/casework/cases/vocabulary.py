"""The words of a case: what happens in it, what state it is in, how it is classed. No word here is law.

What an event starts, and within which time, stands in the rows of `casework.law`; an event without a rule starts
nothing.
"""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where a case stands; it follows from its events."""

    ENQUIRY = "enquiry"
    INVESTIGATION = "investigation"
    BEFORE_COURT = "before-court"
    DECIDED = "decided"
    CLOSED = "closed"
    TRANSFERRED = "transferred"
    WITHDRAWN = "withdrawn"


class Classification(StrEnum):
    """What kind of matter it is, for the register."""

    MATERIAL = "material"
    PRODUCTION = "production"
    CONTACT = "contact"
    GROOMING = "grooming"
    SEXTORTION = "sextortion"
    TRAFFICKING = "trafficking"
    PLATFORM = "platform"
    OTHER = "other"


class Happened(StrEnum):
    """What happened in a case."""

    OPENED = "opened"
    RECLASSIFIED = "reclassified"
    # The information and its registration.
    OFFENCE_KNOWN = "offence-known"
    INFORMATION_RECORDED = "information-recorded"
    ELECTRONIC_INFORMATION = "electronic-information"
    INFORMANT_SIGNED = "informant-signed"
    PRELIMINARY_ENQUIRY_OPENED = "preliminary-enquiry-opened"
    PRELIMINARY_ENQUIRY_ENDED = "preliminary-enquiry-ended"
    REGISTRATION = "registration"
    FIR_TRANSFERRED = "fir-transferred"
    RAPE_INFORMATION = "rape-information"
    SERIOUS_OFFENCE_KNOWN = "serious-offence-known"
    # The child who was harmed.
    CHILD_NEEDS_CARE = "child-needs-care"
    CHILD_WITHOUT_SAFE_HOME = "child-without-safe-home"
    CHILD_PRODUCED = "child-produced"
    COMMITTEE_TOLD = "committee-told"
    COMMITTEE_RECOMMENDATION = "committee-recommendation"
    COMMITTEE_DECISION = "committee-decision"
    COMPENSATION_ORDER = "compensation-order"
    # Search.
    SEARCH_RECORDED = "search-recorded"
    SEARCH_WITHOUT_WARRANT = "search-without-warrant"
    SEARCH_OUTSIDE_LIMITS = "search-outside-limits"
    PROPERTY_PRODUCED = "property-produced"
    # An adult who is accused.
    ARREST = "arrest"
    PRODUCED = "produced"
    FIRST_REMAND = "first-remand"
    RELEASED_ON_BAIL = "released-on-bail"
    ACCUSED_APPEARS = "accused-appears"
    # A child who is suspected.
    CHILD_APPREHENDED = "child-apprehended"
    GUARDIAN_TOLD = "guardian-told"
    CHILD_FIRST_PRODUCTION = "child-first-production"
    SOCIAL_REPORT = "social-investigation-report"
    CHILD_RELEASED = "child-released"
    PRELIMINARY_ASSESSMENT = "preliminary-assessment"
    BOARD_CLASSED = "board-classed"
    BOARD_ORDER = "board-order"
    TRIED_AS_ADULT = "tried-as-adult"
    APPEAL_PERIOD_OVER = "appeal-period-over"
    AGE_DISPUTED = "age-disputed"
    AGE_DETERMINED = "age-determined"
    # Platforms.
    ORDER_TO_PLATFORM = "order-to-platform"
    PLATFORM_ANSWERED = "platform-answered"
    TAKEDOWN_ORDER = "takedown-order"
    INTIMATE_IMAGE_COMPLAINT = "intimate-image-complaint"
    CONTENT_REMOVED = "content-removed"
    # The end of the investigation, and the court.
    POLICE_REPORT_FILED = "police-report-filed"
    CLOSURE_REPORT_FILED = "closure-report-filed"
    CLOSURE_ACCEPTED = "closure-accepted"
    COGNIZANCE = "cognizance"
    CHARGES_FRAMED = "charges-framed"
    HEARING = "hearing"
    ADJOURNED = "adjourned"
    CHILD_EVIDENCE_RECORDED = "child-evidence-recorded"
    COURT_ORDER = "court-order"
    FURTHER_INVESTIGATION_LEAVE = "further-investigation-leave"
    JUDGEMENT = "judgement"
    APPEAL_FILED = "appeal-filed"
    # The case itself.
    TRANSFERRED_OUT = "transferred-out"
    CLOSED = "closed"
    REOPENED = "reopened"
    WITHDRAWN = "withdrawn"


class Stage(StrEnum):
    """How far a charge has come."""

    ALLEGED = "alleged"
    IN_FIR = "in-fir"
    IN_POLICE_REPORT = "in-police-report"
    FRAMED = "framed"
    DECIDED = "decided"
    DROPPED = "dropped"


class Outcome(StrEnum):
    """How a charge ended."""

    CONVICTED = "convicted"
    ACQUITTED = "acquitted"
    DISCHARGED = "discharged"
    QUASHED = "quashed"
    ABATED = "abated"
    COMPOUNDED = "compounded"
    TO_BOARD = "transferred-to-board"
    BOARD_ORDER = "order-of-the-board"
    NOT_PROCEEDED = "not-proceeded-with"


class ClockState(StrEnum):
    """What became of a clock."""

    RUNNING = "running"
    MET = "met"
    EXCUSED = "excused"
    VOID = "void"


class ClockStep(StrEnum):
    """What was done with a clock."""

    STARTED = "started"
    RECOUNTED = "recounted"
    EXTENDED = "extended"
    MET = "met"
    EXCUSED = "excused"
    VOIDED = "voided"
    RESUMED = "resumed"


class TaskState(StrEnum):
    """Where a task stands."""

    OPEN = "open"
    DONE = "done"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class LinkKind(StrEnum):
    """What a case can be tied to; the thing itself belongs to another context."""

    TIP = "tip"
    OPERATION = "operation"
    EXHIBIT = "exhibit"
    CASE = "case"
    DOCUMENT = "document"


# What concerns one person, and is refused without one.
OF_A_PERSON = frozenset(
    {
        Happened.ARREST,
        Happened.PRODUCED,
        Happened.FIRST_REMAND,
        Happened.RELEASED_ON_BAIL,
        Happened.ACCUSED_APPEARS,
        Happened.CHILD_APPREHENDED,
        Happened.GUARDIAN_TOLD,
        Happened.CHILD_FIRST_PRODUCTION,
        Happened.SOCIAL_REPORT,
        Happened.CHILD_RELEASED,
        Happened.PRELIMINARY_ASSESSMENT,
        Happened.BOARD_CLASSED,
        Happened.BOARD_ORDER,
        Happened.TRIED_AS_ADULT,
        Happened.APPEAL_PERIOD_OVER,
        Happened.AGE_DISPUTED,
        Happened.AGE_DETERMINED,
    }
)
# What is never done to a child; the law has another word and another road for each.
NEVER_TO_A_CHILD = frozenset({Happened.ARREST, Happened.PRODUCED, Happened.FIRST_REMAND})
ONLY_OF_A_CHILD = frozenset(
    {
        Happened.CHILD_APPREHENDED,
        Happened.GUARDIAN_TOLD,
        Happened.CHILD_FIRST_PRODUCTION,
        Happened.SOCIAL_REPORT,
        Happened.CHILD_RELEASED,
        Happened.PRELIMINARY_ASSESSMENT,
        Happened.BOARD_CLASSED,
        Happened.BOARD_ORDER,
        Happened.TRIED_AS_ADULT,
        Happened.APPEAL_PERIOD_OVER,
    }
)
IN_COURT = frozenset(
    {
        Happened.COGNIZANCE,
        Happened.CHARGES_FRAMED,
        Happened.HEARING,
        Happened.ADJOURNED,
        Happened.CHILD_EVIDENCE_RECORDED,
        Happened.COURT_ORDER,
        Happened.FURTHER_INVESTIGATION_LEAVE,
        Happened.COMPENSATION_ORDER,
        Happened.PROPERTY_PRODUCED,
        Happened.CLOSURE_ACCEPTED,
        Happened.JUDGEMENT,
    }
)
# How a case leaves the desk; it stays in the register.
ENDS_A_CASE = frozenset({Happened.CLOSED, Happened.TRANSFERRED_OUT, Happened.WITHDRAWN})
# What only its own verb writes.
BY_OWN_VERB = (
    frozenset(
        {
            Happened.OPENED,
            Happened.RECLASSIFIED,
            Happened.REGISTRATION,
            Happened.FIR_TRANSFERRED,
            Happened.BOARD_CLASSED,
            Happened.REOPENED,
        }
    )
    | ENDS_A_CASE
    | IN_COURT
)
