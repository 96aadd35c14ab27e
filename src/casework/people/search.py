"""The search of persons and identifiers: in any script, by words and their beginnings, sounds, fragments of numbers.

One function, two databases. SQLite: FTS5; persons by words (``unicode61`` with marks kept as parts of words, or every
Indic word would fall apart), identifiers by trigrams. PostgreSQL: GIN over the words as a text vector made without a
parser, and over trigrams (pg_trgm). Neither counts, ranks in the database, or skips rows. What is found is what the
account may know; a protected person is found by the code, which the search knows, and by no name, which it does not.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from uuid import UUID

from django.db import connection
from django.urls import reverse
from django.utils.translation import gettext as _

from casework.accounts import api as accounts
from casework.lib.hooks import FOUND_AT_MOST, Found
from casework.people import sight
from casework.people.models import Attribution, Identifier, IdentifierText, Person, PersonName, PersonRole, PersonText
from casework.people.scripts import romanise_word, words_of
from casework.people.sounds import sound_of_word

# Sounds stand among the words with this letter before them, which no name begins with.
SOUND = "0"
_LEAST_FRAGMENT = 3
_LOOKED_AT = 60
_CODE = re.compile(r"p-?([0-9a-z]{5})-?([0-9a-z]{5})\Z")

_MATCH = {
    "sqlite": (
        "people_personwords AS found JOIN people_persontext AS row ON row.id = found.rowid",
        "people_personwords MATCH %s",
        "people_identifierparts AS found JOIN people_identifiertext AS row ON row.id = found.rowid",
        "people_identifierparts MATCH %s",
    ),
    "postgresql": (
        "people_persontext AS row",
        "array_to_tsvector(string_to_array(row.words, ' ')) @@ %s::tsquery",
        "people_identifiertext AS row",
        "row.text LIKE %s",
    ),
}


def find(asking: accounts.Account, words: str, *, purpose: str = "") -> list[Found]:
    """Return the persons and identifiers that answer to the words, as far as the account may know them.

    ``purpose`` is not asked for: nothing that is found here is shut away.
    """
    cases = accounts.case_ids_open_to(asking)
    if not cases:
        return []
    return [*_persons(cases, words), *_identifiers(cases, words)][: 2 * FOUND_AT_MOST]


def keep_person(person: Person) -> None:
    """Write anew what the search knows of a person; of a protected one it knows nothing."""
    if person.is_shut_away:
        PersonText.objects.filter(person=person).delete()
        return
    names = PersonName.objects.filter(person=person, withdrawn_at=None)
    words = words_from([(name.text, name.romanised) for name in names])
    PersonText.objects.update_or_create(person=person, defaults={"words": " ".join(words)})


def words_from(names: Sequence[tuple[str, str]]) -> list[str]:
    """Return the words, Latin writings and sounds of names, each once."""
    words: dict[str, None] = {}
    for text, romanised in names:
        for word in (*words_of(text), *words_of(romanised)):
            words[word] = None
            words[romanise_word(word)] = None
            words[SOUND + sound_of_word(word)] = None
    return [word for word in words if word not in ("", SOUND)]


def keep_identifier(identifier: Identifier) -> None:
    """Write what the search knows of an identifier."""
    text = f"{identifier.value} {identifier.platform}".strip().lower()
    IdentifierText.objects.get_or_create(identifier=identifier, defaults={"text": text})


def _persons(cases: list[UUID], words: str) -> list[Found]:
    code = _CODE.match(words.strip().lower())
    ranks: dict[UUID, float] = {}
    if code:
        coded = Person.objects.filter(code=f"P-{code[1]}-{code[2]}".upper(), roles__case__in=cases)
        ranks = dict.fromkeys(coded.values_list("pk", flat=True)[:1], 1.0)
    else:
        tokens = [word for word in words_of(words) if len(word) > 1][:6]
        for exact in (True, False):
            if tokens and len(ranks) < FOUND_AT_MOST:
                for person, text in _matching(tokens, cases, exact=exact):
                    ranks.setdefault(person, _rank(tokens, text.split()))
    best = sorted(ranks, key=lambda person: (-ranks[person], person))[:FOUND_AT_MOST]
    return _told(best, ranks, cases)


def _matching(tokens: list[str], cases: list[UUID], *, exact: bool) -> list[tuple[UUID, str]]:
    table, match, _table, _match = _MATCH[connection.vendor]
    writings = [[word for word in dict.fromkeys((token, romanise_word(token))) if word] for token in tokens]
    sounds = ["" if exact else sound_of_word(token) for token in tokens]
    alternatives = [
        [_term(word, begins=not exact and len(word) >= _LEAST_FRAGMENT) for word in written]
        + ([_term(SOUND + sound)] if len(sound) > 1 else [])
        for written, sound in zip(writings, sounds, strict=True)
    ]
    one, every = (" OR ", " AND ") if connection.vendor == "sqlite" else (" | ", " & ")
    query = every.join(f"({one.join(terms)})" for terms in alternatives)
    allowed = f'role.person_id = row.person_id AND role."case" IN ({_holes(cases)})'
    rows = _run(
        f"SELECT row.person_id, row.words FROM {table} WHERE {match} "  # noqa: S608  # no value of a person is in it
        f"AND EXISTS (SELECT 1 FROM people_personrole AS role WHERE {allowed}) LIMIT {_LOOKED_AT}",
        [query, *_values(cases)],
    )
    return [(_uuid(person), text) for person, text in rows]


def _term(word: str, *, begins: bool = False) -> str:
    """Write one word for the database's own query language; words hold letters, marks and digits only."""
    if connection.vendor == "sqlite":
        return f'"{word}"*' if begins else f'"{word}"'
    return f"'{word}':*" if begins else f"'{word}'"


def _rank(tokens: list[str], words: list[str]) -> float:
    known = set(words)

    def likeness(token: str) -> float:
        if token in known:
            return 1.0
        if romanise_word(token) in known:
            return 0.9
        return 0.7 if any(word.startswith(token) for word in words) else 0.5

    return sum(map(likeness, tokens)) / len(tokens)


def _told(best: list[UUID], ranks: dict[UUID, float], cases: list[UUID]) -> list[Found]:
    persons = {person.pk: person for person in Person.objects.filter(pk__in=best)}
    titles = sight.titles_of(persons.values())
    roles: dict[UUID, list[str]] = {}
    for role in PersonRole.objects.filter(person__in=best, case__in=cases):
        roles.setdefault(role.person_id, []).append(role.get_role_display())
    return [
        Found(
            kind=_("Persons"),
            title=titles[pk],
            hint=", ".join((*dict.fromkeys(roles.get(pk, [])), persons[pk].code)),
            url=reverse("people:person", args=[pk]),
            rank=ranks[pk],
        )
        for pk in best
        if pk in persons
    ]


def _identifiers(cases: list[UUID], words: str) -> list[Found]:
    fragment = re.sub(r"[\s()/-]", "", words.lower())
    if re.fullmatch(r"0\d+", fragment):
        fragment = fragment.lstrip("0")
    if len(fragment) < _LEAST_FRAGMENT:
        return []
    _table, _match, table, match = _MATCH[connection.vendor]
    escaped = re.sub(r"([\\%_])", r"\\\1", fragment)
    query = '"' + fragment.replace('"', '""') + '"' if connection.vendor == "sqlite" else f"%{escaped}%"
    allowed = f'seen.identifier_id = row.identifier_id AND seen."case" IN ({_holes(cases)})'
    rows = _run(
        f"SELECT row.identifier_id FROM {table} WHERE {match} "  # noqa: S608  # no value of a person is in it
        f"AND EXISTS (SELECT 1 FROM people_sighting AS seen WHERE {allowed}) LIMIT {FOUND_AT_MOST}",
        [query, *_values(cases)],
    )
    found = Identifier.objects.filter(pk__in=[_uuid(row[0]) for row in rows])
    holders = _holders([identifier.pk for identifier in found], cases)
    return [
        Found(
            kind=_("Identifiers"),
            title=str(identifier),
            hint=", ".join((identifier.get_kind_display(), *holders.get(identifier.pk, []))),
            url=reverse("people:identifier", args=[identifier.pk]),
            rank=1.0 if fragment in (identifier.value, identifier.value.removeprefix("+91")) else 0.5,
        )
        for identifier in found
    ]


def _holders(identifiers: list[UUID], cases: list[UUID]) -> dict[UUID, list[str]]:
    """Return whose the identifiers are said to be; of a protected person nothing is said in a search."""
    said = Attribution.objects.select_related("person").filter(
        identifier__in=identifiers, case__in=cases, withdrawn_at=None, person__access="ordinary"
    )
    rows = list(said[:200])
    titles = sight.titles_of(row.person for row in rows)
    holders: dict[UUID, list[str]] = {}
    for row in rows:
        holders.setdefault(row.identifier_id, []).append(titles[row.person_id])
    return holders


def _holes(values: Sequence[object]) -> str:
    return ", ".join(["%s"] * len(values))


def _values(cases: list[UUID]) -> list[str | UUID]:
    return [case.hex if connection.vendor == "sqlite" else case for case in cases]


def _uuid(value: UUID | str) -> UUID:
    return value if isinstance(value, UUID) else UUID(value)


def _run(statement: str, values: Sequence[str | UUID]) -> list[tuple[str, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())
