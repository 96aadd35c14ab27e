"""A message as Telegram serialises it (TL), as far as it takes to find sender, text and what kind of event it is.

By the client's published schema: a constructor number, flags, then fields of which flags say whether they are there.
All numbers are little-endian. Where a header nests objects that are not read here, the text is found behind the date,
which is known from the row, and is taken only if it is a whole TL string in UTF-8.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

_PEERS = {
    0x59511722: ("q", "user"), 0x36C6019A: ("q", "chat"), 0xA2A5371E: ("q", "channel"),
    0x9DB1BC6D: ("i", "user"), 0xBAD0E5BB: ("i", "chat"), 0xBDDDE532: ("i", "channel"),
}  # fmt: skip
_TWO_FLAGS = frozenset(
    {
        0x7600B9D3, 0x95EF6F2B, 0x3AE56482, 0x9CB490E9, 0xB92F76CF, 0x9815CEC8, 0xEABCDD4D, 0x96FDBBE9, 0x94345242,
        0xBDE09C2E, 0x2357BF25,
    }
)  # fmt: skip
"""Constructors of messages from layer 179 on: they have a second word of flags."""

_ONE_FLAG = frozenset({0xA66C7EFC, 0x1E4C8A69, 0x76BEC211, 0x38116EE0, 0x85D6CBE2, 0xBCE383D2, 0x58AE39C9, 0xF52E6B7F})
_WITH_RANK = frozenset({0x3AE56482, 0x95EF6F2B, 0x7600B9D3})
_WITH_GUEST = frozenset({0x95EF6F2B, 0x7600B9D3})
_EVENTS = frozenset({0x7A800E0A, 0xD3D28540, 0x2B085862, 0x286FA604, 0x9E19A1F6, 0xC06B9607, 0x1D86F70E, 0x9F8D60BB})
_ACTIONS = {
    0xA6638B9A: "group created", 0xBD47CBAD: "group created", 0xB5A1CE5A: "title changed",
    0x7FCB13A8: "picture changed", 0x95E3FBEF: "picture removed", 0x488A7337: "members added",
    0x15CEFD00: "members added", 0xB2AE9B0C: "member removed", 0xA43F30CC: "member removed",
    0xF89CF5E8: "joined by link",
    0x031224C3: "joined by link", 0xEBBCA3CB: "joined on request", 0x95D2AC92: "channel created",
    0x51BDB021: "group became a supergroup", 0xE1037F92: "group became a supergroup", 0x94BD38ED: "message pinned",
    0x9FBAB604: "history cleared", 0x80E11A7F: "telephone call", 0x4792929B: "screenshot taken",
    0xAA1AFBFD: "timer for deletion changed", 0x3C134D7B: "timer for deletion changed",
    0xF3F25F76: "contact joined Telegram", 0x7A0D7F42: "group call",
}  # fmt: skip
"""What an event of a conversation tells, by its constructor; others are given by number."""

_FORWARDS = {
    0x4E4DF4BB: ((1, "peer"), (32, "text"), (0, "int"), (4, "int"), (8, "text"), (16, "peer"), (16, "int"),
                 (256, "peer"), (512, "text"), (1024, "int"), (64, "text")),
    0x5F777DCE: ((1, "peer"), (32, "text"), (0, "int"), (4, "int"), (8, "text"), (16, "peer"), (16, "int"),
                 (64, "text")),
}  # fmt: skip
_REPLIES = {
    0x1B97DD66: ((16, "int"), (1, "peer"), (32, "forward"), (256, "other"), (2, "int"), (64, "text"), (128, "other"),
                 (1024, "int"), (2048, "int"), (4096, "other")),
    0x6917560B: ((16, "int"), (1, "peer"), (32, "forward"), (256, "other"), (2, "int"), (64, "text"), (128, "other"),
                 (1024, "int"), (2048, "int")),
    0xAFBC09DB: ((16, "int"), (1, "peer"), (32, "forward"), (256, "other"), (2, "int"), (64, "text"), (128, "other"),
                 (1024, "int")),
    0x6EEBCABD: ((16, "int"), (1, "peer"), (32, "forward"), (256, "other"), (2, "int"), (64, "text"), (128, "other")),
    0xA6D57763: ((0, "int"), (1, "peer"), (2, "int")),
}  # fmt: skip
"""Headers of messages passed on and of replies: for each field the flag that says it is there, 0 if it always is."""

_FROM, _FORWARDED, _REPLY, _VIA, _SAVED, _BOOSTS = 1 << 8, 1 << 2, 1 << 3, 1 << 11, 1 << 28, 1 << 29
_RANK, _GUEST, _BUSINESS = 1 << 12, 1 << 19, 1


@dataclass(kw_only=True, slots=True)
class TelegramMessage:
    """What a serialised message tells; ``text_by_date`` says that the text was found behind the date."""

    constructor: int = 0
    sender: int | None = None
    text: str | None = None
    reply_to: int | None = None
    forwarded: bool = False
    action: str | None = None
    path: str | None = None
    text_by_date: bool = False


class _NotReadError(Exception):
    """The walk has come to something that is not read here, or has left the message."""


class _Walk:
    """Walks one serialised message front to back."""

    def __init__(self, blob: bytes) -> None:
        self._blob = blob
        self.place = 0

    def number(self, form: str = "I") -> int:
        try:
            (value,) = struct.unpack_from(f"<{form}", self._blob, self.place)
        except struct.error as error:
            raise _NotReadError from error
        self.place += struct.calcsize(f"<{form}")
        return int(value)

    def peer(self) -> int:
        """Return the identifier of a peer, negative for groups and channels as in the table of dialogs."""
        kind = _PEERS.get(self.number())
        if kind is None:
            raise _NotReadError
        value = self.number(kind[0])
        return value if kind[1] == "user" else -value

    def text(self) -> str:
        found = string_at(self._blob, self.place)
        if found is None:
            raise _NotReadError
        text, self.place = found
        return text

    def fields(self, flags: int, steps: tuple[tuple[int, str], ...]) -> list[int]:
        """Go past fields and return the whole numbers among them."""
        numbers = []
        for flag, kind in steps:
            if flag and not flags & flag:
                continue
            if kind == "int":
                numbers.append(self.number("i"))
            elif kind == "peer":
                self.peer()
            elif kind == "text":
                self.text()
            elif kind == "forward":
                self.header(_FORWARDS)
            else:
                raise _NotReadError
        return numbers

    def header(self, layouts: dict[int, tuple[tuple[int, str], ...]]) -> list[int]:
        steps = layouts.get(self.number())
        if steps is None:
            raise _NotReadError
        return self.fields(self.number(), steps)


def string_at(blob: bytes, place: int) -> tuple[str, int] | None:
    """Return the TL string at a place and where what follows begins, ``None`` if there is none in UTF-8."""
    if place >= len(blob):
        return None
    length, start = blob[place], place + 1
    if length == 254:
        length, start = int.from_bytes(blob[place + 1 : place + 4], "little"), place + 4
    if length == 255 or start + length > len(blob):
        return None
    try:
        text = blob[start : start + length].decode("utf-8")
    except UnicodeDecodeError:
        return None
    end = start + length
    return text, end + -(end - place) % 4


def read_message(blob: bytes, date: int | None) -> TelegramMessage:
    """Return what a serialised message tells; ``date`` is the row's own, in seconds, against which the walk is held."""
    message = TelegramMessage(path=_trailing_path(blob))
    walk = _Walk(blob)
    try:
        message.constructor = walk.number()
        if message.constructor in _EVENTS:
            message.action = _action(blob)
            return message
        if message.constructor in _TWO_FLAGS | _ONE_FLAG:
            _walk_message(walk, message)
            if date is None or walk.number("i") == date:
                message.text = walk.text()
                return message
    except _NotReadError:
        pass
    if date is not None:
        message.text = _text_behind(blob, date)
        message.text_by_date = message.text is not None
    return message


def _walk_message(walk: _Walk, message: TelegramMessage) -> None:
    """Go from the flags of a message to its date."""
    flags = walk.number()
    more = walk.number() if message.constructor in _TWO_FLAGS else 0
    walk.number("i")
    message.forwarded = bool(flags & _FORWARDED)
    if flags & _FROM:
        message.sender = walk.peer()
    if message.constructor in _TWO_FLAGS and flags & _BOOSTS:
        walk.number("i")
    if message.constructor in _WITH_RANK and more & _RANK:
        walk.text()
    walk.peer()
    if flags & _SAVED:
        walk.peer()
    if message.forwarded:
        walk.header(_FORWARDS)
    if flags & _VIA:
        walk.number("q")
    if more & _BUSINESS:
        walk.number("q")
    if message.constructor in _WITH_GUEST and more & _GUEST:
        walk.peer()
    if flags & _REPLY:
        numbers = walk.header(_REPLIES)
        message.reply_to = numbers[0] if numbers else None


def _action(blob: bytes) -> str:
    """Return what an event tells: the first constructor of an action in it, at a whole word."""
    for place in range(4, min(len(blob) - 3, 256), 4):
        (word,) = struct.unpack_from("<I", blob, place)
        if word in _ACTIONS:
            return _ACTIONS[word]
    return "event not known here"


def _text_behind(blob: bytes, date: int) -> str | None:
    """Return the string behind the first place where the date stands and a whole string follows."""
    try:
        needle = struct.pack("<i", date)
    except struct.error:
        return None
    place = blob.find(needle)
    while place >= 0:
        found = string_at(blob, place + 4)
        if found is not None and found[0] and found[0].isprintable() | ("\n" in found[0]):
            return found[0]
        place = blob.find(needle, place + 1)
    return None


def _trailing_path(blob: bytes) -> str | None:
    """Return the path of the file on the device that the client puts behind a message, as a last TL string."""
    for length in range(min(253, len(blob) - 1), 0, -1):
        total = length + 1 + -(length + 1) % 4
        place = len(blob) - total
        if place < 4 or blob[place] != length or blob[place + 1 : place + 2] != b"/":
            continue
        found = string_at(blob, place)
        if found is not None and found[1] == len(blob):
            return found[0]
    return None
