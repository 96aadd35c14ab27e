"""The door of exhibits."""

from __future__ import annotations

from casework.exhibits.acquiring import Computed, Made, record_acquisition, verify_image
from casework.exhibits.custody import (
    Outside,
    Received,
    acknowledge,
    decline,
    hand_over_outside,
    move,
    offer,
    receive_from_outside,
    separate,
    withdraw_offer,
)
from casework.exhibits.demo import Hands, make_demo
from casework.exhibits.digests import Digest
from casework.exhibits.documents import (
    Certifier,
    Submission,
    certificates_for,
    issue_certificate,
    issue_custody_sequence,
    issue_forwarding_note,
    issue_labels,
    issue_receipt,
    issue_seizure_list,
)
from casework.exhibits.forwarding import (
    draft_forwarding,
    keep_laboratory,
    record_laboratory_receipt,
    send_forwarding,
    take_back_from_laboratory,
    withdraw_forwarding,
)
from casework.exhibits.locker import Present, book_locker, enter_order, record_viewing, withdraw_order
from casework.exhibits.models import CustodyEvent, Exhibit, HandOver, Seal, Seizure, StoragePlace
from casework.exhibits.photographs import add_photograph, prepare
from casework.exhibits.practice import seed
from casework.exhibits.reading import custody_line, exhibits_of, exhibits_open_to, get_exhibit
from casework.exhibits.registering import (
    Details,
    Witness,
    correct,
    give_court_number,
    read_passcode,
    record_seizure,
    register_exhibit,
    register_part,
    withdraw,
)
from casework.exhibits.rest import router
from casework.exhibits.rules import (
    Condition,
    Direction,
    FoundState,
    Isolation,
    Kind,
    LockerReason,
    Method,
    Office,
    Passcode,
    Purpose,
    SealKind,
)
from casework.exhibits.seals import break_seal, keep_specimen, seal
from casework.exhibits.search import find
from casework.exhibits.storing import close_place, open_place
from casework.exhibits.waiting import waiting_for

__all__ = [
    "Certifier",
    "Computed",
    "Condition",
    "CustodyEvent",
    "Details",
    "Digest",
    "Direction",
    "Exhibit",
    "FoundState",
    "HandOver",
    "Hands",
    "Isolation",
    "Kind",
    "LockerReason",
    "Made",
    "Method",
    "Office",
    "Outside",
    "Passcode",
    "Present",
    "Purpose",
    "Received",
    "Seal",
    "SealKind",
    "Seizure",
    "StoragePlace",
    "Submission",
    "Witness",
    "acknowledge",
    "add_photograph",
    "book_locker",
    "break_seal",
    "certificates_for",
    "close_place",
    "correct",
    "custody_line",
    "decline",
    "draft_forwarding",
    "enter_order",
    "exhibits_of",
    "exhibits_open_to",
    "find",
    "get_exhibit",
    "give_court_number",
    "hand_over_outside",
    "issue_certificate",
    "issue_custody_sequence",
    "issue_forwarding_note",
    "issue_labels",
    "issue_receipt",
    "issue_seizure_list",
    "keep_laboratory",
    "keep_specimen",
    "make_demo",
    "move",
    "offer",
    "open_place",
    "prepare",
    "read_passcode",
    "receive_from_outside",
    "record_acquisition",
    "record_laboratory_receipt",
    "record_seizure",
    "record_viewing",
    "register_exhibit",
    "register_part",
    "router",
    "seal",
    "seed",
    "send_forwarding",
    "separate",
    "take_back_from_laboratory",
    "verify_image",
    "waiting_for",
    "withdraw",
    "withdraw_forwarding",
    "withdraw_offer",
    "withdraw_order",
]
