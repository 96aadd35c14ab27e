"""The door of exhibits."""

from __future__ import annotations

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
from casework.exhibits.digests import Digest
from casework.exhibits.models import CustodyEvent, Exhibit, HandOver, Seal, Seizure, StoragePlace
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
from casework.exhibits.rules import (
    Condition,
    FoundState,
    Isolation,
    Kind,
    Method,
    Office,
    Passcode,
    Purpose,
    SealKind,
)
from casework.exhibits.seals import break_seal, keep_specimen, seal
from casework.exhibits.storing import close_place, open_place

__all__ = [
    "Condition",
    "CustodyEvent",
    "Details",
    "Digest",
    "Exhibit",
    "FoundState",
    "HandOver",
    "Isolation",
    "Kind",
    "Method",
    "Office",
    "Outside",
    "Passcode",
    "Purpose",
    "Received",
    "Seal",
    "SealKind",
    "Seizure",
    "StoragePlace",
    "Witness",
    "acknowledge",
    "break_seal",
    "close_place",
    "correct",
    "custody_line",
    "decline",
    "exhibits_of",
    "exhibits_open_to",
    "get_exhibit",
    "give_court_number",
    "hand_over_outside",
    "keep_specimen",
    "move",
    "offer",
    "open_place",
    "read_passcode",
    "receive_from_outside",
    "record_seizure",
    "register_exhibit",
    "register_part",
    "seal",
    "separate",
    "withdraw",
    "withdraw_offer",
]
