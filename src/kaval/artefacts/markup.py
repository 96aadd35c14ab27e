"""XML and Android's binary XML as one small tree; entities are never expanded.

Binary XML by AOSP ``BinaryXmlSerializer``: a magic, then tokens whose low half is the event and whose high half the
type of the value. Comments, processing instructions and document types are passed over.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from kaval.core.errors import CorruptStructureError

BINARY_MAGIC = b"ABX\0"
MOST_DEPTH = 64

_START_TAG, _END_TAG, _TEXT, _CDATA, _ATTRIBUTE = 2, 3, 4, 5, 15
_NULL, _STRING, _INTERNED, _HEX, _BASE64, _INT, _INT_HEX = range(1, 8)
_LONG, _LONG_HEX, _FLOAT, _DOUBLE, _TRUE, _FALSE = range(8, 14)
_ALL_BITS = (1 << 64) - 1
_NUMBERS = {_INT: ">i", _INT_HEX: ">i", _LONG: ">q", _LONG_HEX: ">q", _FLOAT: ">f", _DOUBLE: ">d"}


@dataclass(slots=True)
class Element:
    """One element: its name, attributes, children in order, and the text directly inside it."""

    name: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[Element] = field(default_factory=list)
    text: str = ""

    def walk(self) -> Iterator[Element]:
        """Yield the element and everything below it, in document order."""
        yield self
        for child in self.children:
            yield from child.walk()

    def all(self, name: str) -> Iterator[Element]:
        """Yield every element of a name, the element itself among them."""
        return (element for element in self.walk() if element.name == name)


def parse_markup(content: bytes, structure: str) -> Element:
    """Return the root of a document.

    Raises:
        CorruptStructureError: It is neither well-formed XML nor binary XML; what was read up to there is given up.
    """
    if content.startswith(BINARY_MAGIC):
        return _Binary(content, structure).read()
    return _Text(structure).read(content)


class _Builder:
    """Puts elements together; the first is the root."""

    def __init__(self, structure: str) -> None:
        self._structure = structure
        self._open: list[Element] = []
        self.root: Element | None = None

    def start(self, name: str, attributes: dict[str, str]) -> Element:
        element = Element(name, attributes)
        if self._open:
            self._open[-1].children.append(element)
        elif self.root is None:
            self.root = element
        self._open.append(element)
        if len(self._open) > MOST_DEPTH:
            raise CorruptStructureError(self._structure, f"elements are nested more than {MOST_DEPTH} deep")
        return element

    def end(self, _: str = "") -> None:
        if self._open:
            self._open.pop()

    def text(self, text: str) -> None:
        if self._open:
            self._open[-1].text += text

    def finish(self) -> Element:
        if self.root is None:
            raise CorruptStructureError(self._structure, "it holds no element")
        return self.root


class _Text(_Builder):
    """Reads XML; a document that declares entities is refused."""

    def read(self, content: bytes) -> Element:
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self.start
        parser.EndElementHandler = self.end
        parser.CharacterDataHandler = self.text
        parser.EntityDeclHandler = self._refuse
        try:
            parser.Parse(content, True)
        except expat.ExpatError as error:
            reason = f"it is no well-formed XML (line {error.lineno}): {expat.ErrorString(error.code)}"
            raise CorruptStructureError(self._structure, reason, parser.ErrorByteIndex) from error
        except (LookupError, ValueError) as error:
            raise CorruptStructureError(self._structure, f"its encoding is not known ({error})", 0) from error
        return self.finish()

    def _refuse(self, *_: object) -> None:
        raise CorruptStructureError(self._structure, "it declares entities, which such files never do")


class _Binary(_Builder):
    """Reads binary XML."""

    def __init__(self, content: bytes, structure: str) -> None:
        super().__init__(structure)
        self._content = content
        self._place = len(BINARY_MAGIC)
        self._pool: list[str] = []

    def read(self) -> Element:
        last: Element | None = None
        try:
            while self._place < len(self._content):
                token = self._content[self._place]
                self._place += 1
                event, kind = token & 15, token >> 4
                if event == _START_TAG:
                    last = self.start(self._value(kind), {})
                elif event == _ATTRIBUTE and last is not None:
                    name = self._value(_INTERNED)
                    last.attributes[name] = self._value(kind)
                else:
                    value = self._value(kind)
                    if event == _END_TAG:
                        self.end()
                    elif event in (_TEXT, _CDATA):
                        self.text(value)
        except (struct.error, IndexError) as error:
            raise CorruptStructureError(self._structure, "it ends inside a value", self._place) from error
        return self.finish()

    def _value(self, kind: int) -> str:
        if kind in _NUMBERS:
            code = _NUMBERS[kind]
            number: int | float = struct.unpack_from(code, self._content, self._place)[0]
            self._place += struct.calcsize(code)
            return f"{int(number) & _ALL_BITS:x}" if kind in (_INT_HEX, _LONG_HEX) else str(number)
        if kind == _STRING:
            return self._bytes().decode("utf-8", "replace")
        if kind == _INTERNED:
            return self._interned()
        if kind == _HEX:
            return self._bytes().hex()
        if kind == _BASE64:
            return base64.b64encode(self._bytes()).decode("ascii")
        if kind in (0, _NULL, _TRUE, _FALSE):
            return {_TRUE: "true", _FALSE: "false"}.get(kind, "")
        raise CorruptStructureError(self._structure, f"a value has the unknown type {kind}", self._place - 1)

    def _bytes(self) -> bytes:
        (length,) = struct.unpack_from(">H", self._content, self._place)
        start = self._place + 2
        if start + length > len(self._content):
            raise IndexError
        self._place = start + length
        return self._content[start : self._place]

    def _interned(self) -> str:
        (index,) = struct.unpack_from(">H", self._content, self._place)
        self._place += 2
        if index == 0xFFFF:
            self._pool.append(self._bytes().decode("utf-8", "replace"))
            return self._pool[-1]
        return self._pool[int(index)]
