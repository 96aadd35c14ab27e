"""May this happen to an exhibit? Pure answers, and the words the register knows; a no is a `RefusedError`.

Everything here is decided from values. The database holds the same chain by its own triggers, so that a fault in
these lines can refuse too much, but never make a gap.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from casework.lib.errors import RefusedError


class Kind(StrEnum):
    """What the thing is."""

    MOBILE_PHONE = "mobile-phone"
    TABLET = "tablet"
    COMPUTER = "computer"
    LAPTOP = "laptop"
    EXTERNAL_DRIVE = "external-drive"
    FLASH_DRIVE = "flash-drive"
    MEMORY_CARD = "memory-card"
    SIM_CARD = "sim-card"
    OPTICAL_DISC = "optical-disc"
    DVR = "dvr"
    CAMERA = "camera"
    ROUTER = "router"
    WEARABLE = "wearable"
    SERVER = "server"
    CLOUD_ACCOUNT = "cloud-account"
    DOCUMENT = "document"
    MATERIAL_COPY = "material-copy"
    OTHER = "other"


class FoundState(StrEnum):
    """How a device was when it was found."""

    ON_UNLOCKED = "on-unlocked"
    ON_LOCKED = "on-locked"
    OFF = "off"
    UNKNOWN = "unknown"
    NOT_A_DEVICE = "not-a-device"


class Isolation(StrEnum):
    """What was done so that nothing reaches it from outside."""

    NONE = "none"
    FLIGHT_MODE = "flight-mode"
    FARADAY_BAG = "faraday-bag"
    SIM_REMOVED = "sim-removed"
    POWERED_OFF = "powered-off"
    NOT_NEEDED = "not-needed"


class Passcode(StrEnum):
    """Whether a code was given."""

    NOT_ASKED = "not-asked"
    GIVEN = "given"
    REFUSED = "refused"
    NONE_SET = "none-set"


class Purpose(StrEnum):
    """What custody changes for."""

    SEIZURE = "seizure"
    RECEIPT = "receipt"
    STORAGE = "storage"
    EXAMINATION = "examination"
    ACQUISITION = "acquisition"
    TRANSPORT = "transport"
    FORWARDING = "forwarding"
    PRODUCTION = "production"
    RETURN = "return"
    SEPARATION = "separation"
    OTHER = "other"


class Condition(StrEnum):
    """How the exhibit is when it changes hands."""

    AS_BEFORE = "as-before"
    DAMAGED = "damaged"
    SEAL_BROKEN = "seal-broken"
    CHANGED = "changed"


class SealKind(StrEnum):
    """What closes it."""

    TAMPER_BAG = "tamper-bag"
    WAX = "wax"
    PAPER = "paper"
    CLOTH = "cloth"
    BOX = "box"


class Office(StrEnum):
    """Where an outside party belongs."""

    COURT = "court"
    LABORATORY = "laboratory"
    MESSENGER = "messenger"
    STATION = "station"
    OWNER = "owner"
    OTHER = "other"


class OfferState(StrEnum):
    """Where an offered hand-over stands."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    WITHDRAWN = "withdrawn"
    DECLINED = "declined"


class HashCheck(StrEnum):
    """What a move says of the images of an exhibit."""

    NO_IMAGE = "no-image"
    MATCHED = "matched"
    DIFFERED = "differed"
    NOT_CHECKED = "not-checked"


class HashResult(StrEnum):
    """What one digest says."""

    RECORDED = "recorded"
    MATCHED = "matched"
    DIFFERED = "differed"


class Method(StrEnum):
    """How an image was made (levels of NIST SP 800-101r1)."""

    PHYSICAL = "physical"
    FILE_SYSTEM = "file-system"
    LOGICAL = "logical"
    MANUAL = "manual"
    CHIP = "chip"


class Direction(StrEnum):
    """Into the locker or out of it."""

    IN = "in"
    OUT = "out"


class LockerReason(StrEnum):
    """Why a package goes into the locker or leaves it."""

    STORAGE = "storage"
    COURT = "court"
    VIEWING = "viewing"
    EXAMINATION = "examination"
    DESTRUCTION = "destruction"


class Source(StrEnum):
    """What the certificate ticks as the source of a record (BSA 63(4), Schedule)."""

    COMPUTER = "computer-or-storage-media"
    DVR = "dvr"
    MOBILE = "mobile"
    FLASH_DRIVE = "flash-drive"
    CD_DVD = "cd-dvd"
    SERVER = "server"
    CLOUD = "cloud"
    OTHER = "other"


_SOURCES: Mapping[Kind, Source] = {
    Kind.MOBILE_PHONE: Source.MOBILE,
    Kind.TABLET: Source.MOBILE,
    Kind.COMPUTER: Source.COMPUTER,
    Kind.LAPTOP: Source.COMPUTER,
    Kind.EXTERNAL_DRIVE: Source.COMPUTER,
    Kind.MEMORY_CARD: Source.COMPUTER,
    Kind.FLASH_DRIVE: Source.FLASH_DRIVE,
    Kind.OPTICAL_DISC: Source.CD_DVD,
    Kind.DVR: Source.DVR,
    Kind.SERVER: Source.SERVER,
    Kind.CLOUD_ACCOUNT: Source.CLOUD,
}

# Digest sizes in hexadecimal digits; another algorithm is taken as the officer names it.
ALGORITHMS: Mapping[str, int] = {"MD5": 32, "SHA-1": 40, "SHA-256": 64, "SHA-512": 128, "SHA3-256": 64, "BLAKE3": 64}

HAND_OVER_PURPOSES: tuple[Purpose, ...] = (
    Purpose.STORAGE,
    Purpose.EXAMINATION,
    Purpose.ACQUISITION,
    Purpose.TRANSPORT,
    Purpose.OTHER,
)
OUTSIDE_PURPOSES: tuple[Purpose, ...] = (
    Purpose.FORWARDING,
    Purpose.PRODUCTION,
    Purpose.RETURN,
    Purpose.TRANSPORT,
    Purpose.EXAMINATION,
    Purpose.OTHER,
)


@dataclass(frozen=True, kw_only=True)
class State:
    """What the register says of an exhibit at this moment; parties are compared by their ids."""

    holder: str
    holder_outside: bool
    sequence: int
    offered: bool
    sealed: bool
    withdrawn: bool
    returned: bool
    inherits: bool
    in_locker: bool
    has_images: bool


@dataclass(frozen=True, kw_only=True)
class Ordered:
    """What a court's order lets happen: these persons, on these days."""

    persons: frozenset[str]
    valid_from: date
    valid_to: date | None
    withdrawn: bool


def check_alive(state: State) -> None:
    """Refuse every act on what is withdrawn from the register or was given back for good."""
    if state.withdrawn:
        raise RefusedError("withdrawn", "The exhibit is withdrawn from the register.")
    if state.returned:
        raise RefusedError("returned", "The exhibit was given back for good; register it anew if it is seized again.")


def check_hand_over(state: State, giver: str, *, in_place_of_holder: bool = False) -> None:
    """May ``giver`` hand the exhibit on? Only who holds it, unless the lead acts in place of one who cannot."""
    check_alive(state)
    if state.inherits:
        raise RefusedError("part", "A part moves with the whole; separate it first.")
    if state.holder != giver and not in_place_of_holder:
        raise RefusedError("not-holder", "You do not hold this exhibit; only who holds it hands it over.")
    if state.offered:
        raise RefusedError("offered", "A hand-over waits for its receiver; withdraw it first.")
    if state.in_locker:
        raise RefusedError("in-locker", "The package lies in the locker; book it out first.")


def check_offer(state: State, giver: str, receiver: str, *, in_place_of_holder: bool = False) -> None:
    """May ``giver`` offer the exhibit to ``receiver``, who is a colleague?"""
    check_hand_over(state, giver, in_place_of_holder=in_place_of_holder)
    if receiver == state.holder:
        raise RefusedError("same-hands", "The receiver holds it already; to put it elsewhere, move it.")
    if state.holder_outside:
        raise RefusedError("outside", "The exhibit is outside the house; who receives it back records the return.")


def check_acknowledge(state: State, receiver: str, acting: str, offered_after: int) -> None:
    """May ``acting`` acknowledge? Only the receiver named, and only if nothing came between."""
    if acting != receiver:
        raise RefusedError("not-receiver", "Only the receiver who was named acknowledges.")
    check_alive(state)
    if state.sequence != offered_after:
        raise RefusedError("moved", "Custody has moved on since it was offered.")


def check_receive(state: State) -> None:
    """May it come back into the house? Only from outside."""
    check_alive(state)
    if state.inherits:
        raise RefusedError("part", "A part moves with the whole.")
    if not state.holder_outside:
        raise RefusedError("not-outside", "A colleague holds the exhibit; they hand it over.")


def check_document(document: str) -> None:
    """Who cannot sign in here acknowledges on paper, and the paper is named."""
    if not document.strip():
        raise RefusedError("document", "Name the paper with which the other side acknowledges: kind, number, day.")


def check_seal(state: State, acting: str) -> None:
    """May ``acting`` apply or break a seal? Only who holds the exhibit, and not while it is between two hands."""
    check_alive(state)
    if state.inherits:
        raise RefusedError("part", "A part lies under the seal of the whole; separate it first.")
    if state.holder != acting:
        raise RefusedError("not-holder", "Only who holds the exhibit seals it or breaks a seal.")
    if state.offered:
        raise RefusedError("offered", "A hand-over waits for its receiver; the seal stays as it was offered.")


def check_apply(state: State, acting: str) -> None:
    """A second seal is applied after the first is broken."""
    check_seal(state, acting)
    if state.sealed:
        raise RefusedError(
            "sealed", "The exhibit is sealed; a seal is broken, with its reason, before another is put on."
        )


def check_separate(part: State, whole: State, acting: str) -> None:
    """May ``acting`` take the part out of the whole?"""
    check_alive(part)
    check_alive(whole)
    if not part.inherits:
        raise RefusedError("separate", "The part is separate already.")
    if whole.holder != acting:
        raise RefusedError("not-holder", "Only who holds the whole takes a part out of it.")
    if whole.offered:
        raise RefusedError("offered", "A hand-over of the whole waits for its receiver; withdraw it first.")
    if whole.sealed:
        raise RefusedError(
            "sealed", "The whole is sealed; break the seal, with its reason, before a part is taken out."
        )


def check_acquire(exhibit: State, whole: State, acting: str) -> None:
    """May ``acting`` image the exhibit? Who holds it, with the seal broken before, and not while it is offered."""
    check_alive(exhibit)
    check_alive(whole)
    if whole.holder != acting:
        raise RefusedError("not-holder", "Only who holds the exhibit makes an image of it.")
    if whole.offered:
        raise RefusedError("offered", "A hand-over waits for its receiver; withdraw it first.")
    if whole.sealed:
        raise RefusedError("sealed", "The exhibit is sealed; break the seal, with its reason, before it is imaged.")


def check_forwarding(questions: Sequence[str], history: str, *, rank_needed: str, rank_enough: bool) -> None:
    """A laboratory is asked something, told of what, and by an officer of the rank it asks for."""
    if not any(question.strip() for question in questions):
        raise RefusedError("questions", "Ask the laboratory at least one question.")
    if not history.strip():
        raise RefusedError("history", "Tell the laboratory the short history of the case.")
    if not rank_enough:
        raise RefusedError("rank", f"By the practice on record the note is signed by a {rank_needed} or above.")


def check_reason(reason: str, what: str = "Say why.") -> None:
    """A reason is words, not a blank."""
    if not reason.strip():
        raise RefusedError("reason", what)


def check_images_answered(state: State, check: HashCheck, reason: str) -> None:
    """A move of an exhibit with images says how their digests stood, or why nobody looked."""
    if state.has_images and check is HashCheck.NOT_CHECKED and not reason.strip():
        raise RefusedError("digests", "There are images: give their digests as you computed them, or say why not.")


def worst(results: Collection[HashResult]) -> HashCheck:
    """Return what several digests say together: one that differs decides."""
    if not results:
        return HashCheck.NOT_CHECKED
    return HashCheck.DIFFERED if HashResult.DIFFERED in results else HashCheck.MATCHED


def check_locker_entry(last: Direction | None, direction: Direction, state: State, acting: str, document: str) -> None:
    """In and out take turns; what lies in the locker is sealed; it leaves on a paper."""
    check_alive(state)
    if state.holder != acting:
        raise RefusedError("not-holder", "Only who holds the package books it.")
    if state.offered:
        raise RefusedError("offered", "A hand-over of the package waits for its receiver; withdraw it first.")
    if direction is (last or Direction.OUT):
        raise RefusedError(
            "locker", f"The package is {'in the locker' if last is Direction.IN else 'not in the locker'}."
        )
    if direction is Direction.IN and not state.sealed:
        raise RefusedError("unsealed", "Only a sealed package goes into the locker.")
    if direction is Direction.OUT and not document.strip():
        raise RefusedError("order", "The material leaves the locker on an order: name the court and the order.")


def check_viewing(order: Ordered, day: date, persons: Sequence[str], *, expert: bool, devices_kept_out: bool) -> None:
    """A viewing is what the court ordered: these persons, with an expert, without devices."""
    if order.withdrawn:
        raise RefusedError("order", "The order is withdrawn.")
    if day < order.valid_from or (order.valid_to is not None and day > order.valid_to):
        raise RefusedError("order", "The order does not hold on this day.")
    if not persons:
        raise RefusedError("attendance", "Write down who attends.")
    if strange := [name for name in persons if folded(name) not in order.persons]:
        raise RefusedError("attendance", f"{len(strange)} of those present are not named in the order.")
    if not expert:
        raise RefusedError("expert", "The order asks for an expert to be present; there is none.")
    if not devices_kept_out:
        raise RefusedError("devices", "Nobody brings a device to a viewing; take them in custody first.")


def check_keeps_house(supervises: bool) -> None:
    """Storage places, specimens and laboratories belong to the unit, not to a case."""
    if not supervises:
        raise RefusedError("role", "A supervisor keeps the list of places, seals and laboratories.")


def check_times(found_at: datetime | None, now: datetime) -> None:
    """Nothing is found in the future."""
    if found_at is not None and found_at > now:
        raise RefusedError("future", "The time of finding lies in the future.")


def folded(text: str) -> str:
    """Return letters and digits only, in capitals, so that spellings of one mark are one value."""
    return "".join(sign for sign in text.upper() if sign.isalnum())


def passes_luhn(digits: str) -> bool:
    """Tell whether the last digit is the check digit of the others."""
    total = 0
    for place, sign in enumerate(reversed(digits)):
        value = int(sign) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


_SEPARATORS = re.compile(r"[\s./:-]+")
_MAC = re.compile(r"[0-9a-f]{12}\Z")


def clean_imei(text: str, *, as_read: bool = False) -> str:
    """Return 15 digits, or refuse; ``as_read`` keeps a number that fails its check digit, for devices that lie."""
    digits = _SEPARATORS.sub("", text)
    if not digits:
        return ""
    if not (digits.isascii() and digits.isdigit() and len(digits) == 15):
        raise RefusedError("imei", "An IMEI has 15 digits.")
    if not (as_read or passes_luhn(digits)):
        raise RefusedError(
            "imei", "The check digit of the IMEI does not fit: read it again; if the device shows it so, say so."
        )
    return digits


def clean_mac(text: str) -> str:
    """Return a hardware address as ``aa:bb:cc:dd:ee:ff``."""
    digits = _SEPARATORS.sub("", text).lower()
    if not digits:
        return ""
    if not _MAC.match(digits):
        raise RefusedError("mac", "A hardware address has twelve hexadecimal digits.")
    return ":".join(digits[place : place + 2] for place in range(0, 12, 2))


def clean_digest(algorithm: str, value: str) -> str:
    """Return the digest in lower case, or refuse one that cannot come from the algorithm."""
    digits = _SEPARATORS.sub("", value).lower()
    size = ALGORITHMS.get(algorithm)
    if not re.fullmatch(r"[0-9a-f]{8,}", digits) or (size is not None and len(digits) != size):
        raise RefusedError("digest", f"This is not a digest of {algorithm}.")
    return digits


def check_unread(size: int, ranges: Sequence[tuple[int, int]]) -> None:
    """What could not be read lies inside the image, in order, and does not overlap."""
    end = 0
    for offset, length in ranges:
        if offset < end or length < 1 or offset + length > size:
            raise RefusedError("unread", "The ranges not read are out of order, empty, or outside the image.")
        end = offset + length


def source_of(kind: Kind) -> Source:
    """Return what the certificate ticks for an exhibit of this kind."""
    return _SOURCES.get(kind, Source.OTHER)


def shown_number(register_no: int, part_no: int, year: int) -> str:
    """Return the number as it is written on labels and papers."""
    return f"{register_no:04d}.{part_no}/{year}" if part_no else f"{register_no:04d}/{year}"


def shown_offset(seconds: int | None) -> str:
    """Return how far the clock of a device stood from true time."""
    if seconds is None:
        return ""
    hours, rest = divmod(abs(seconds), 3600)
    return f"{'-' if seconds < 0 else '+'}{hours:02d}:{rest // 60:02d}:{rest % 60:02d}"


def certificate_law(evidence: str) -> str:
    """Return which certificate an electronic record needs under this law of evidence."""
    return "63" if evidence.startswith("BSA") else "65b"
