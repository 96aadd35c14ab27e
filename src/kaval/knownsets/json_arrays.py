"""JSON documents of any size, read in little memory: token by token outside, block by block inside one array.

A set may be one JSON object of many gigabytes on one line. The items of its array are decoded a block at a time:
a block is cut at the last place that looks like a border of two items. A wrong guess (inside a text, inside a
nested array) leaves brackets that do not match, which never decodes; the guesses before it are tried then, and at
last the items are measured one by one. What cannot be made whole that way is cut off or damaged, and it is said
where. RFC 8259; a UTF-8 byte order mark is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from numpy.typing import NDArray

from kaval.core.errors import CorruptStructureError, LimitExceededError
from kaval.knownsets.sources import open_source

BLOCK_SIZE = 1 << 20
LARGEST_ITEM = 1 << 28
EACH = "*"
"""In a path: any item of an array."""

_GUESSES = 6
_ITEMS_ONE_BY_ONE = 256
_FIELDS = 1000
_FIELD_SIZE = 4096

_TOKEN = re.compile(rb'(?:"(?:[^"\\]|\\.)*")|[{}\[\]:,]|[^\s{}\[\]:,"]+', re.DOTALL)
_SPACE = re.compile(rb"[ \t\r\n]*")
_NESTING = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\]"]', re.DOTALL)
_BORDER = re.compile(rb"\}[ \t\r\n]*,[ \t\r\n]*\{")
_OPEN, _CLOSE, _COMMA, _BRACE = b"[],{"


@dataclass(frozen=True, kw_only=True, slots=True)
class Items:
    """Some items of an array: the text they stand in, as an array of its own, each item, and where to go on.

    ``text`` and ``raw`` are views that hold until the next items are asked for. ``starts`` are the bytes of the
    document at which the items begin, ``position`` is the one behind them.
    """

    text: memoryview
    raw: Sequence[bytes]
    starts: NDArray[np.int64]
    position: int


class JsonArrays:
    """The items of the arrays that lie at one path of a document, such as ``("value", EACH, "Media")``.

    ``start`` is 0, or the position of items read before: then the array at ``wanted`` is still open there.
    ``fields`` holds scalars beside the arrays, as (path, key, value as it stands).
    """

    def __init__(self, path: Path, wanted: tuple[str, ...], start: int = 0) -> None:
        self.fields: list[tuple[tuple[str, ...], str, bytes]] = []
        self._name = path.name
        self._file = open_source(path, start)
        self._wanted = wanted
        self._inside = start > 0
        self._buffer = bytearray(BLOCK_SIZE)
        self._base = start
        self._have = 0
        self._at = 0
        self._decoder = msgspec.json.Decoder(list[msgspec.Raw])
        self._border: bytes | None = None

    @property
    def position(self) -> int:
        """The byte of the document that is read next."""
        return self._base + self._at

    def close(self) -> None:
        """Give the file back."""
        self._file.close()

    def items(self) -> Iterator[Items]:
        """Yield the items of every such array, in order.

        Raises:
            CorruptStructureError: The document is cut off or no JSON; ``offset`` says where.
        """
        self._fill()
        if self._base == 0 and self._buffer.startswith(b"\xef\xbb\xbf"):
            self._at = 3
        labels: list[str] = []
        objects: list[bool] = []
        if self._inside:
            labels = ["", *self._wanted]
            objects = [place + 1 < len(labels) and labels[place + 1] != EACH for place in range(len(labels))]
            yield from self._array()
            labels.pop()
            objects.pop()
        yield from self._walk(labels, objects)

    def _damaged(self, reason: str, at: int | None = None) -> CorruptStructureError:
        place = self._base + (self._at if at is None else at)
        return CorruptStructureError(f"JSON document {self._name}", reason, place)

    def _fill(self) -> bool:
        """Read on behind what is there; what was used up makes room. Say whether anything came."""
        left = self._have - self._at
        if self._at:
            self._buffer[:left] = self._buffer[self._at : self._have]
        elif left == len(self._buffer):
            if left >= LARGEST_ITEM:
                raise LimitExceededError("size of one JSON item", LARGEST_ITEM, f"at byte {self._base}")
            self._buffer = self._buffer + bytearray(left)
        self._base += self._at
        self._at, self._have = 0, left
        room = memoryview(self._buffer)
        while self._have < len(room) and (got := self._file.readinto(room[self._have :])):  # type: ignore[attr-defined]
            self._have += got
        return self._have > left

    def _token(self) -> bytes:
        """Return the next token; nothing at the end of the document."""
        while True:
            space = _SPACE.match(self._buffer, self._at, self._have)
            start = space.end() if space else self._at
            found = _TOKEN.match(self._buffer, start, self._have)
            if found and (found.end() < self._have or found[0] in b"{}[]:,"):
                self._at = found.end()
                return found[0]
            if not self._fill():
                found = _TOKEN.match(self._buffer, self._at, self._have)
                rest = bytes(self._buffer[self._at : self._have]).strip()
                if found is None and rest:
                    raise self._damaged("the document ends inside a text: it was cut off", self._have)
                self._at = self._have
                return rest

    def _walk(self, labels: list[str], objects: list[bool]) -> Iterator[Items]:
        """Go through the structure around the arrays; ``labels`` are the keys of what is open, outermost first."""
        begun = bool(labels)
        key: str | None = None
        while token := self._token():
            if not labels and begun:
                raise self._damaged("something follows the end of the document")
            begun = True
            if token in (b"{", b"["):
                labels.append("" if not labels else key if objects[-1] and key is not None else EACH)
                objects.append(token == b"{")
                key = None
                if token == b"[" and tuple(labels[1:]) == self._wanted:
                    self._at -= 1
                    yield from self._array()
                    labels.pop()
                    objects.pop()
            elif token in (b"}", b"]"):
                if not labels or objects[-1] != (token == b"}"):
                    raise self._damaged("brackets do not match")
                labels.pop()
                objects.pop()
                key = None
            elif token == b",":
                key = None
            elif token != b":" and labels and objects[-1] and key is None:
                key = token[1:-1].decode("utf-8", "replace")
            elif token != b":":
                self._keep(labels, key, token)
        if labels or not begun:
            raise self._damaged("the document ends before it is closed: it was cut off", self._have)

    def _keep(self, labels: list[str], key: str | None, token: bytes) -> None:
        if key is not None and len(token) <= _FIELD_SIZE and len(self.fields) < _FIELDS:
            self.fields.append((tuple(labels[1:]), key, token))

    def _array(self) -> Iterator[Items]:
        """Yield the items of an array; the place is at its bracket, or at the comma before the next item."""
        first = not self._inside
        self._inside = False
        while self._reach_item(first=first):
            end, following, raw = self._guess() or self._measure()
            before = self._buffer[end]
            self._buffer[self._at], self._buffer[end] = _OPEN, _CLOSE
            text = memoryview(self._buffer)[self._at : end + 1]
            yield Items(text=text, raw=raw, starts=self._starts(raw) + self._base, position=self._base + following)
            self._buffer[end] = before
            self._at = following
            first = False

    def _reach_item(self, *, first: bool) -> bool:
        """Go to the character before the next item; where the array ends, go behind it and say so."""
        place = 1 if first else 0
        found = self._next(place)
        if not first and self._character(found) == _COMMA:
            self._at += found
            found = self._next(1)
        elif not first and self._character(found) != _CLOSE:
            raise self._damaged("an item is not followed by a comma or the end of its array")
        elif self._character(found) == _CLOSE:
            self._at += found + 1
            return False
        if self._character(found) != _BRACE:
            raise self._damaged("an item of the array is no object")
        return True

    def _character(self, place: int) -> int:
        return self._buffer[self._at + place]

    def _next(self, place: int) -> int:
        """Return where the next character stands that is no space, counted from the present place."""
        while True:
            space = _SPACE.match(self._buffer, self._at + place, self._have)
            found = space.end() if space else self._have
            if found < self._have:
                return found - self._at
            if not self._fill():
                raise self._damaged("the document ends inside an array: it was cut off", self._have)

    def _starts(self, raw: Sequence[bytes]) -> NDArray[np.int64]:
        """Return where the items begin, counted from the buffer.

        As a rule what stands between two items is the same throughout; that is checked for each. Else each is
        looked for.
        """
        sizes = np.fromiter(map(len, raw), dtype=np.int64, count=len(raw))
        first = self._at + self._next(1)
        between = self._border[1:-1] if self._border else b","
        starts = first + np.cumsum(sizes + len(between)) - sizes - len(between)
        text = np.frombuffer(self._buffer, dtype=np.uint8)
        if len(raw) and int(starts[-1] + sizes[-1]) <= self._have:
            follows = starts[1:, None] - np.arange(len(between), 0, -1)
            alike = (text[follows] == np.frombuffer(between, dtype=np.uint8)).all()
            if alike and (text[starts] == _BRACE).all():
                return starts
        found = []
        place = first - self._at
        for size in sizes.tolist():
            place = self._next(place)
            found.append(self._at + place)
            place += size
            if len(found) < len(sizes):
                place = self._next(place) + 1
        return np.array(found, dtype=np.int64)

    def _guess(self) -> tuple[int, int, Sequence[bytes]] | None:
        """Return some items up to a likely border: where they end, where to go on, and each; or nothing."""
        if self._border is None:
            found = _BORDER.search(self._buffer, self._at, self._have)
            self._border = found[0] if found else None
        if self._border is None:
            return None
        limit = self._buffer.rfind(self._border, self._at + 1, self._have)
        if limit < 0 and self._at and self._fill():
            limit = self._buffer.rfind(self._border, self._at + 1, self._have)
        for _ in range(_GUESSES):
            if limit < 0:
                return None
            raw = self._decoded(limit + 1)
            if raw is not None:
                return limit + 1, limit + self._border.index(b","), raw
            limit = self._buffer.rfind(self._border, self._at + 1, limit)
        return None

    def _decoded(self, end: int) -> Sequence[bytes] | None:
        """Return the items of the text up to ``end``, framed as an array; nothing where it is none."""
        before = self._buffer[end]
        self._buffer[self._at], self._buffer[end] = _OPEN, _CLOSE
        try:
            raw: Sequence[bytes] = self._decoder.decode(memoryview(self._buffer)[self._at : end + 1])
        except (msgspec.DecodeError, RecursionError):
            return None
        finally:
            self._buffer[end] = before
        return raw

    def _measure(self) -> tuple[int, int, Sequence[bytes]]:
        """Return the same by counting brackets: slow, and always right."""
        end = self._item_end(1)
        following = self._next(end)
        for _ in range(_ITEMS_ONE_BY_ONE):
            if self._character(following) != _COMMA:
                break
            more = self._closed(following + 1)
            if more is None or self._at + more >= self._have:
                break
            end, following = more, self._next(more)
        raw = self._decoded(self._at + end)
        if raw is None:
            raise self._damaged("an item of the array is no JSON")
        return self._at + end, self._at + following, raw

    def _item_end(self, place: int) -> int:
        """Return where the item ends that begins at or behind a place, reading on as far as it takes."""
        while (end := self._closed(place)) is None:
            if not self._fill():
                raise self._damaged("the document ends inside an entry: it was cut off", self._have)
        return end

    def _closed(self, place: int) -> int | None:
        """Return where the brackets opened from a place on are closed again, if that is among what was read."""
        depth = 0
        for token in _NESTING.finditer(self._buffer, self._at + place, self._have):
            if token[0] in (b"{", b"["):
                depth += 1
            elif token[0] in (b"}", b"]"):
                depth -= 1
                if depth <= 0:
                    return token.end() - self._at
            elif token[0] == b'"':
                return None
        return None
