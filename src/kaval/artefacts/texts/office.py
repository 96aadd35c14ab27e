"""The text of office documents: OOXML (ECMA-376) and OpenDocument (ISO/IEC 26300), out of their XML parts."""

from __future__ import annotations

import re
import zipfile
import zlib
from typing import ClassVar
from xml.parsers import expat

from kaval.artefacts.items import Item
from kaval.artefacts.texts import MOST_CHARACTERS, TEXTS, Text, cut
from kaval.core.errors import CorruptStructureError, LockedError
from kaval.core.progress import advance
from kaval.core.sources import SourceFile

_OOXML = "application/vnd.openxmlformats-officedocument."
_ODF = "application/vnd.oasis.opendocument."
_PARTS = re.compile(
    r"^(word/(document|header\d*|footer\d*|comments|footnotes|endnotes)\.xml|xl/sharedStrings\.xml"
    r"|xl/worksheets/sheet\d+\.xml|ppt/(slides|notesSlides)/[^/]+\.xml|content\.xml)$"
)
_ENDS = frozenset({"p", "h", "tr", "row", "table-row", "br", "si"})
_TEXTS = frozenset({"t", "v"})
"""Elements of OOXML whose characters are text; of OpenDocument those of all elements are."""

_MOST_PARTS = 512
_MOST_BYTES = 32 << 20
_AT_ONCE = 1 << 16


@TEXTS.register
class OfficeText:
    """Takes paragraphs, cells and slides out of the document's parts."""

    name: ClassVar[str] = "office"
    title: ClassVar[str] = "Text of office documents (OOXML, OpenDocument)"
    rank: ClassVar[int] = 30
    requires: ClassVar[tuple[str, ...]] = ()
    media_types: ClassVar[frozenset[str]] = frozenset(
        {
            _OOXML + "wordprocessingml.document", _OOXML + "spreadsheetml.sheet",
            _OOXML + "presentationml.presentation", _ODF + "text", _ODF + "spreadsheet", _ODF + "presentation",
        }
    )  # fmt: skip

    def read(self, item: Item) -> Text:
        try:
            with zipfile.ZipFile(SourceFile(item.source)) as packed:
                names = [name for name in packed.namelist() if _PARTS.match(name)][:_MOST_PARTS]
                return _text(packed, names)
        except (zipfile.BadZipFile, zlib.error, ValueError, EOFError, OSError, LookupError) as error:
            raise CorruptStructureError("office document", f"its archive cannot be read ({error})") from error
        except NotImplementedError as error:
            raise CorruptStructureError("office document", f"its archive is packed in another way ({error})") from error
        except RuntimeError as error:
            raise LockedError("office document", "its parts are encrypted") from error


def _text(packed: zipfile.ZipFile, names: list[str]) -> Text:
    reader = _Characters()
    for name in names:
        advance()
        with packed.open(name) as part:
            left = _MOST_BYTES
            parser = reader.parser(everything=name == "content.xml")
            try:
                while left > 0 and not reader.full and (block := part.read(min(_AT_ONCE, left))):
                    left -= len(block)
                    parser.Parse(block, False)
            except (expat.ExpatError, LookupError) as error:
                raise CorruptStructureError("office document", f"its part {name} is no XML ({error})") from error
            if left <= 0 or reader.full:
                return cut(reader.text(), complete=False)
    return cut(reader.text())


class _Characters:
    """Collects the characters of text elements; entities of a document are never expanded."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._size = 0
        self._inside = 0
        self._everything = False

    @property
    def full(self) -> bool:
        return self._size > MOST_CHARACTERS

    def parser(self, *, everything: bool) -> expat.XMLParserType:
        self._inside, self._everything = 0, everything
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.EntityDeclHandler = self._refuse
        return parser

    def _start(self, name: str, _: dict[str, str]) -> None:
        if name.rpartition(":")[2] in _TEXTS:
            self._inside += 1

    def _end(self, name: str) -> None:
        short = name.rpartition(":")[2]
        if short in _TEXTS:
            self._inside -= 1
            self._add("\t" if short == "v" else "")
        elif short in _ENDS:
            self._add("\n")

    def _characters(self, text: str) -> None:
        if self._inside or self._everything:
            self._add(text)

    def _add(self, text: str) -> None:
        self._parts.append(text)
        self._size += len(text)

    def _refuse(self, *_: object) -> None:
        raise CorruptStructureError("office document", "it declares entities, which such documents never do")

    def text(self) -> str:
        return "".join(self._parts).strip()
