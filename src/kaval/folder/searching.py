"""Searching: which names, messages, other artefacts and documents of an examination hold some words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kaval.core.errors import UsageError
from kaval.folder.folding import fold

SHOWN_AROUND = 60
"""Characters of a text that are shown on either side of a word that was found."""

_ROWS_AT_ONCE = 2048

_QUESTIONS = (
    (
        "message",
        """SELECT concat_ws(' ', title, text, attachments_text), locator, place, application,
                  coalesce(conversation_title, conversation), CAST(happened_at AS VARCHAR), zone, recovered
           FROM (SELECT *, nullif(array_to_string(list_transform(attachments, lambda a: a.name), ' '), '')
                           AS attachments_text
                 FROM artefacts WHERE kind = 'message')
           ORDER BY happened_at, locator, place""",
    ),
    (
        "artefact",
        """SELECT concat_ws(' ', who_name, title, text, url, conversation_title, who, conversation), locator, place,
                  application || ' ' || kind, coalesce(conversation_title, who), CAST(happened_at AS VARCHAR), zone,
                  recovered
           FROM artefacts WHERE kind <> 'message'
           ORDER BY kind, happened_at, locator, place""",
    ),
    (
        "document",
        """SELECT t.text, t.locator, NULL, t.read_by, e.path, NULL, NULL, e.state <> 'allocated'
           FROM texts t JOIN entries e USING (entry_id) ORDER BY entry_id""",
    ),
    (
        "name",
        """SELECT path, locator, NULL, kind, NULL, CAST(modified_at AS VARCHAR), times_zone, state <> 'allocated'
           FROM entries ORDER BY entry_id""",
    ),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """One place where every word stands: ``before``, ``word`` and ``after`` are the first of them in its text."""

    kind: str
    where: str
    within: str
    locator: str
    place: str
    at: str
    zone: str
    recovered: bool
    before: str
    word: str
    after: str


def search(connection: Any, words: Sequence[str], kinds: Sequence[str] = ()) -> Iterator[Found]:
    """Yield what holds all the words, in any order: messages first, then other artefacts, documents, names.

    A word is found inside longer ones as well; several words in one argument are found as they stand.

    Raises:
        UsageError: There is no word to search for.
    """
    folded = [fold(word).strip() for word in words]
    if not folded or not all(folded):
        raise UsageError("say which words to search for")
    for kind, question in _QUESTIONS:
        if kinds and kind not in kinds:
            continue
        answer = connection.execute(question)
        while rows := answer.fetchmany(_ROWS_AT_ONCE):
            for text, *told in rows:
                if text:
                    found = fold(text)
                    if all(word in found for word in folded):
                        yield _found(kind, *_first(text, found, words, folded), told)


def _first(text: str, found: str, words: Sequence[str], folded: Sequence[str]) -> tuple[str, int, int]:
    """Return a text and the place of the first word in it: as stored if the word stands so in it, else as compared."""
    places = [match.span() for word in words if (match := re.search(re.escape(word), text, re.IGNORECASE))]
    if places:
        return text, *min(places)
    word = min(folded, key=found.find)
    start = found.find(word)
    return found, start, start + len(word)


def _found(kind: str, text: str, start: int, end: int, told: Sequence[Any]) -> Found:
    locator, place, where, within, at, zone, recovered = told
    return Found(
        kind=kind,
        where=where or "",
        within=within or "",
        locator=locator,
        place=place or "",
        at=at or "",
        zone=zone or "",
        recovered=bool(recovered),
        before=text[max(0, start - SHOWN_AROUND) : start],
        word=text[start:end],
        after=text[end : end + SHOWN_AROUND],
    )
