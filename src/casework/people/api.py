"""The door of people."""

from __future__ import annotations

from casework.people.deconfliction import (
    SeenBefore,
    TalkTo,
    acknowledge,
    enquiries_into,
    identifier_seen_before,
    person_seen_before,
)
from casework.people.demo import Demo, make_demo
from casework.people.identifying import (
    Given,
    attribute,
    contest,
    enter_identifier,
    get_identifier,
    withdraw_attribution,
)
from casework.people.judging import cluster_of, judge
from casework.people.matching.candidates import seek, seek_due
from casework.people.models import Identifier, Person, PersonRole
from casework.people.naming import CaseName, name_cases
from casework.people.normalising import normalise
from casework.people.persons import (
    Born,
    Name,
    add_name,
    describe,
    end_role,
    enter_person,
    give_role,
    record_birth,
    withdraw_name,
)
from casework.people.reading import InCase, ages_on, persons_in_case, titles, victim_on
from casework.people.rest import router
from casework.people.rules import (
    AccessClass,
    Alive,
    Basis,
    Confidence,
    IdentifierKind,
    NameKind,
    Precision,
    Proof,
    RoleKind,
    VaultKind,
    Verdict,
)
from casework.people.scripts import romanise
from casework.people.search import find
from casework.people.sight import get_person, visible
from casework.people.vault import add_to_vault, unmask
from casework.people.waiting import waiting_for
from casework.people.watching import put_under_watch, remove, review, watched_count

__all__ = [
    "AccessClass",
    "Alive",
    "Basis",
    "Born",
    "CaseName",
    "Confidence",
    "Demo",
    "Given",
    "Identifier",
    "IdentifierKind",
    "InCase",
    "Name",
    "NameKind",
    "Person",
    "PersonRole",
    "Precision",
    "Proof",
    "RoleKind",
    "SeenBefore",
    "TalkTo",
    "VaultKind",
    "Verdict",
    "acknowledge",
    "add_name",
    "add_to_vault",
    "ages_on",
    "attribute",
    "cluster_of",
    "contest",
    "describe",
    "end_role",
    "enquiries_into",
    "enter_identifier",
    "enter_person",
    "find",
    "get_identifier",
    "get_person",
    "give_role",
    "identifier_seen_before",
    "judge",
    "make_demo",
    "name_cases",
    "normalise",
    "person_seen_before",
    "persons_in_case",
    "put_under_watch",
    "record_birth",
    "remove",
    "review",
    "romanise",
    "router",
    "seek",
    "seek_due",
    "titles",
    "unmask",
    "victim_on",
    "visible",
    "waiting_for",
    "watched_count",
    "withdraw_attribution",
    "withdraw_name",
]
