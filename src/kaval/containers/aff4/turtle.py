"""Turtle as AFF4 containers use it: prefixes, resources, literals; no blank nodes with content, no collections.

By W3C, RDF 1.1 Turtle, section 2, for that subset.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from kaval.core.errors import CorruptStructureError

AFF4 = "http://aff4.org/Schema#"
RDF_TYPE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#type"
MAXIMUM_STATEMENTS = 1_000_000

_TOKEN = re.compile(
    r"""
    (?P<space>(?:\s|\#[^\n]*)+)
  | <(?P<resource>[^<>"{}|^`\x00-\x20]*)>
  | (?P<long>\"{3}(?:[^"\\]|\\.|"(?!""))*\"{3})
  | (?P<text>"(?:[^"\\\n]|\\.)*")
  | (?P<keyword>@prefix|@base|PREFIX\b|BASE\b)
  | (?P<language>@[A-Za-z]+(?:-[A-Za-z0-9]+)*)
  | (?P<caret>\^\^)
  | (?P<number>[+-]?(?:\d+\.\d+|\.\d+|\d+)(?:[eE][+-]?\d+)?)
  | (?P<name>(?:[\w-](?:[\w.-]*[\w-])?)?:(?:[\w%-](?:[\w.%:/-]*[\w%/-])?)?)
  | (?P<word>a\b|true\b|false\b)
  | (?P<mark>[.;,])
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))", re.DOTALL)
_ESCAPED = {"t": "\t", "b": "\b", "n": "\n", "r": "\r", "f": "\f"}


class Value(NamedTuple):
    """One object of a statement: a resource, or a literal with its type (empty where none is said)."""

    text: str
    kind: str
    is_resource: bool


Graph = dict[str, dict[str, list[Value]]]
"""For each subject its predicates, each with its objects in their order."""


class _Token(NamedTuple):
    kind: str
    text: str
    offset: int


def read_turtle(text: str) -> Graph:
    """Return the statements of a document.

    Raises:
        CorruptStructureError: It is written in no way this subset knows.
    """
    return _Parser(text).read()


def _tokens(text: str) -> Iterator[_Token]:
    place = 0
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None or found.end() == place:
            raise CorruptStructureError("the AFF4 description", f"{text[place : place + 20]!r} has no meaning", place)
        kind = found.lastgroup or ""
        if kind != "space":
            yield _Token(kind, found[kind], place)
        place = found.end()
    yield _Token("end", "", place)


class _Parser:
    def __init__(self, text: str) -> None:
        self._source = _tokens(text)
        self._token = next(self._source)
        self._prefixes: dict[str, str] = {}
        self._graph: Graph = {}
        self._count = 0

    def _take(self) -> _Token:
        token = self._token
        self._token = next(self._source, token)
        return token

    def _fail(self, token: _Token) -> CorruptStructureError:
        shown = token.text[:20] or "its end"
        return CorruptStructureError("the AFF4 description", f"{shown!r} stands where it cannot", token.offset)

    def _expect(self, mark: str) -> None:
        token = self._take()
        if token.kind != "mark" or token.text != mark:
            raise self._fail(token)

    def read(self) -> Graph:
        while self._token.kind != "end":
            if self._token.kind == "keyword":
                self._directive()
            else:
                self._statement()
        return self._graph

    def _directive(self) -> None:
        word = self._take().text
        if word.lower().endswith("prefix"):
            prefix = self._take()
            if prefix.kind != "name" or not prefix.text.endswith(":"):
                raise self._fail(prefix)
            self._prefixes[prefix.text] = self._resource()
        else:
            self._resource()
        if word.startswith("@"):
            self._expect(".")

    def _resource(self) -> str:
        token = self._take()
        if token.kind == "resource":
            return token.text
        if token.kind == "name":
            prefix, _, local = token.text.partition(":")
            base = self._prefixes.get(f"{prefix}:")
            if base is not None:
                return base + local
        raise self._fail(token)

    def _statement(self) -> None:
        subject = self._graph.setdefault(self._resource(), {})
        while True:
            predicate = self._predicate()
            objects = subject.setdefault(predicate, [])
            objects.append(self._object())
            while self._token.text == "," and self._token.kind == "mark":
                self._take()
                objects.append(self._object())
            token = self._take()
            while token.kind == "mark" and token.text == ";" and self._token.text in (";", "."):
                token = self._take()
            if token.kind != "mark" or token.text not in (";", "."):
                raise self._fail(token)
            if token.text == ".":
                return

    def _predicate(self) -> str:
        if self._token.kind == "word" and self._token.text == "a":
            self._take()
            return RDF_TYPE
        return self._resource()

    def _object(self) -> Value:
        self._count += 1
        if self._count > MAXIMUM_STATEMENTS:
            raise CorruptStructureError("the AFF4 description", f"it makes more than {MAXIMUM_STATEMENTS} statements")
        token = self._token
        if token.kind in ("text", "long"):
            self._take()
            return self._literal(token)
        if token.kind in ("number", "word") and token.text != "a":
            self._take()
            return Value(token.text, "", False)
        return Value(self._resource(), "", True)

    def _literal(self, token: _Token) -> Value:
        width = 3 if token.kind == "long" else 1
        text = _ESCAPE.sub(_unescaped, token.text[width:-width])
        if self._token.kind == "caret":
            self._take()
            return Value(text, self._resource(), False)
        if self._token.kind == "language":
            self._take()
        return Value(text, "", False)


def _unescaped(found: re.Match[str]) -> str:
    digits = found[1] or found[2]
    if digits:
        number = int(digits, 16)
        return chr(number) if number < 0x110000 and not 0xD800 <= number < 0xE000 else "\ufffd"
    return _ESCAPED.get(found[3], found[3])
