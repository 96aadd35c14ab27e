"""May this happen? Pure answers about persons: whose identity is shut away, who opens it, who is joined or watched."""

from __future__ import annotations

from collections.abc import Collection, Set
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from casework.lib.errors import AbsentError, RefusedError


class RoleKind(StrEnum):
    """What a person is in a case."""

    SUSPECT = "suspect"
    ACCUSED = "accused"
    VICTIM = "victim"
    CHILD_IN_CONFLICT = "child-in-conflict"
    WITNESS = "witness"
    REPORTER = "reporter"
    INFORMANT = "informant"
    GUARDIAN = "guardian"
    PANCH = "panch"
    OFFICER = "officer"


class AccessClass(StrEnum):
    """Whether the identity stands open to the members of the case, or is shut away, and for whom it is opened."""

    ORDINARY = "ordinary"
    PROTECTED = "protected"
    SOURCE = "source"


class NameKind(StrEnum):
    """What a name is to its bearer."""

    FULL = "full"
    ALIAS = "alias"
    NICKNAME = "nickname"
    BEFORE_MARRIAGE = "before-marriage"
    HOUSE = "house"
    PARENT = "parent"


class Script(StrEnum):
    """The script a name is written in."""

    LATIN = "latin"
    MALAYALAM = "malayalam"
    DEVANAGARI = "devanagari"
    TAMIL = "tamil"
    KANNADA = "kannada"
    TELUGU = "telugu"
    BENGALI = "bengali"
    OTHER = "other"


class Precision(StrEnum):
    """How exactly a birth is known."""

    DAY = "day"
    MONTH = "month"
    YEAR = "year"
    ESTIMATE = "estimate"


class Proof(StrEnum):
    """What a birth is known by, in the order of section 94 of the Juvenile Justice Act and then the weaker ones."""

    SCHOOL_RECORD = "school-record"
    BIRTH_CERTIFICATE = "birth-certificate"
    MEDICAL_TEST = "medical-test"
    IDENTITY_PAPER = "identity-paper"
    STATEMENT = "statement"
    APPEARANCE = "appearance"


class Alive(StrEnum):
    """Whether a person lives."""

    ALIVE = "alive"
    DEAD = "dead"
    UNKNOWN = "unknown"


class IdentifierKind(StrEnum):
    """What a person is reached or recognised by."""

    PHONE = "phone"
    EMAIL = "e-mail"
    ACCOUNT = "account"
    IP = "ip"
    IMEI = "imei"
    IMSI = "imsi"
    SERIAL = "serial"
    UPI = "upi"
    WALLET = "wallet"
    VEHICLE = "vehicle"
    ADDRESS = "address"


class Basis(StrEnum):
    """By what an identifier is said to be somebody's."""

    SUBSCRIBER_ANSWER = "subscriber-answer"
    PLATFORM_ANSWER = "platform-answer"
    DEVICE = "device"
    STATEMENT = "statement"
    DOCUMENT = "document"
    OBSERVATION = "observation"
    ASSUMPTION = "assumption"


class Confidence(StrEnum):
    """How sure the one is who said so."""

    CONFIRMED = "confirmed"
    PROBABLE = "probable"
    POSSIBLE = "possible"


class VaultKind(StrEnum):
    """What of an identity is shut away."""

    NAME = "name"
    BIRTH = "birth"
    ADDRESS = "address"
    SCHOOL = "school"
    FAMILY = "family"
    CONTACT = "contact"
    OTHER = "other"


class Verdict(StrEnum):
    """What a person says of a pair; ``open`` takes an earlier word back."""

    SAME = "same"
    DIFFERENT = "different"
    OPEN = "open"


# Section 23 of the POCSO Act and section 72 of the BNS count the family among what discloses a victim; section 74 of
# the Juvenile Justice Act covers the child in conflict with law.
_AT_LEAST: dict[RoleKind, AccessClass] = {
    RoleKind.VICTIM: AccessClass.PROTECTED,
    RoleKind.CHILD_IN_CONFLICT: AccessClass.PROTECTED,
    RoleKind.GUARDIAN: AccessClass.PROTECTED,
    RoleKind.INFORMANT: AccessClass.SOURCE,
}

# The house rule: no entry of the watch register goes longer than this without somebody saying that it must stay.
LONGEST_REVIEW = timedelta(days=183)
LEAST_REASON = 3


@dataclass(frozen=True, kw_only=True)
class Knower:
    """What somebody is who asks for an identity: in the house, and in the case."""

    leads: bool
    supports_victims: bool


def access_of(role: RoleKind, wanted: AccessClass | None = None) -> AccessClass:
    """Return the access class of a role: that of its kind, or a stricter one; a looser one is refused."""
    least = _AT_LEAST.get(role, AccessClass.ORDINARY)
    if wanted is None or wanted is least:
        return least
    if least is AccessClass.ORDINARY:
        return wanted
    raise RefusedError("access-class", "The identity of a person in this role is shut away; that cannot be lifted.")


def check_shut_away(access: AccessClass, *, others_need: bool) -> None:
    """An identity others work with under its name cannot be taken from them; the victim is entered on their own."""
    if access is not AccessClass.ORDINARY and others_need:
        raise RefusedError(
            "known-elsewhere",
            "This person stands under their name in another case. Enter a person of their own for this role, "
            "and judge the two the same.",
        )


def check_unmask(knower: Knower, access: Set[AccessClass], purpose: str) -> None:
    """Who leads the case opens any identity in it, victim support those of children and victims; with a purpose."""
    if not (knower.leads or (knower.supports_victims and AccessClass.SOURCE not in access)):
        raise AbsentError("identity")
    check_said(purpose, "purpose", "Say what you need to know the identity for.")


def check_said(words: str, rule: str, remedy: str) -> None:
    """Refuse an empty reason."""
    if len(words.strip()) < LEAST_REASON:
        raise RefusedError(rule, remedy)


def check_interval(since: date | None, until: date | None) -> None:
    """Refuse an interval that ends before it begins."""
    if since and until and until < since:
        raise RefusedError("interval", "The end lies before the beginning.")


def check_born(born_from: date, born_to: date, today: date) -> None:
    """Refuse a birth in the future, or one whose bounds are the wrong way round."""
    if born_to < born_from:
        raise RefusedError("birth", "The latest day of birth lies before the earliest.")
    if born_from > today:
        raise RefusedError("birth", "The day of birth lies in the future.")


def born_between(day: date, precision: Precision) -> tuple[date, date]:
    """Return the first and last day a birth known with this precision may have been on."""
    if precision is Precision.DAY:
        return day, day
    if precision is Precision.MONTH:
        following = date(day.year + day.month // 12, day.month % 12 + 1, 1)
        return day.replace(day=1), following - timedelta(days=1)
    spread = 2 if precision is Precision.ESTIMATE else 0
    return date(max(day.year - spread, 1), 1, 1), date(day.year + spread, 12, 31)


def check_attribute(kind: IdentifierKind, *, shut_away: bool) -> None:
    """The address of a child or victim is part of the identity, so it lies in the vault."""
    if shut_away and kind is IdentifierKind.ADDRESS:
        raise RefusedError("vault", "The address of a protected person is kept in the vault: add it there.")


def check_judge(verdict: Verdict, reason: str, *, stands: Verdict | None, joined: bool, parted: bool) -> None:
    """May this be said of a pair?

    ``stands`` is what was said of it last, ``joined`` whether other judgements make them one, ``parted`` whether the
    joined cluster would hold two who were judged different.
    """
    check_said(reason, "reason", "Say by what you judge.")
    if verdict is (stands or Verdict.OPEN):
        raise RefusedError("stands", "This is what stands already.")
    if verdict is Verdict.SAME and parted:
        raise RefusedError("parted", "Two of those who would become one were judged different; take that back first.")
    if verdict is Verdict.DIFFERENT and joined:
        raise RefusedError("joined", "The two are one through other judgements; take one of those back first.")


def check_watch(*, shut_away: bool, basis: str, since: date, review_on: date, today: date) -> None:
    """Every entry has a legal basis and a near review; a victim or a child is never under watch."""
    if shut_away:
        raise RefusedError("protected", "A protected person is not put under watch.")
    check_said(basis, "basis", "Name the legal basis.")
    if since > today:
        raise RefusedError("since", "The entry begins in the future.")
    check_review(review_on, today)


def check_review(review_on: date, today: date) -> None:
    """The next review is in the future, and near."""
    if not today < review_on <= today + LONGEST_REVIEW:
        raise RefusedError("review", f"The next review is due within {LONGEST_REVIEW.days} days.")


def check_keeps_watch(roles: Collection[str], wanted: Set[str], *, same_unit: bool) -> None:
    """The register of a unit is kept by its investigators and supervisors; for others it is not there."""
    if not same_unit or not wanted & set(roles):
        raise AbsentError("entry")
