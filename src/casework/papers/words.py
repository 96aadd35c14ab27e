"""The names of kinds, languages, states and verdicts as the pages show them, in the language of who looks."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as named

from casework.papers.rules import Kind, Language, State, Verdict

KINDS: dict[Kind, str] = {
    Kind.SEIZURE_LIST: named("Seizure list"),
    Kind.CUSTODY_SEQUENCE: named("Sequence of custody"),
    Kind.CERTIFICATE_63_A: named("Certificate BSA 63(4), Part A"),
    Kind.CERTIFICATE_63_B: named("Certificate BSA 63(4), Part B"),
    Kind.CERTIFICATE_65B: named("Certificate Evidence Act 65B(4)"),
    Kind.FORWARDING_NOTE: named("Forwarding note"),
    Kind.RECEIPT: named("Receipt"),
    Kind.AUDIT_HEAD: named("Head of the ledger"),
    Kind.LABEL_SHEET: named("Labels"),
}
LANGUAGES: dict[Language, str] = {
    Language.ENGLISH: "English",
    Language.HINDI: "हिन्दी",
    Language.MALAYALAM: "മലയാളം",
}
STATES: dict[State, str] = {
    State.GENUINE: named("in force"),
    State.SUPERSEDED: named("superseded"),
    State.WITHDRAWN: named("withdrawn"),
}
VERDICTS: dict[Verdict, str] = {
    Verdict.GENUINE: named("Genuine: the unit issued this paper, and it is in force."),
    Verdict.SUPERSEDED: named("The unit issued this paper, but another has taken its place."),
    Verdict.WITHDRAWN: named("The unit issued this paper, and has withdrawn it."),
    Verdict.OTHER_DIGEST: named("Not genuine: a paper with this number was issued, and its digest is another."),
    Verdict.UNKNOWN: named("There is no such paper, or none for you."),
}


def kind_name(kind: str) -> str:
    """Return the name of a kind."""
    return _(KINDS[Kind(kind)])


def language_name(language: str) -> str:
    """Return the name of a language, in that language."""
    return LANGUAGES[Language(language)]


def state_name(state: str) -> str:
    """Return the name of a state."""
    return _(STATES[State(state)])


def verdict_text(verdict: str) -> str:
    """Return what a verdict says."""
    return _(VERDICTS[Verdict(verdict)])
