"""The search of persons and identifiers: in any script, by words and their beginnings, sounds, fragments of numbers.

One function, two databases. SQLite: FTS5; persons by words (``unicode61`` with marks kept as parts of words, or every
Indic word would fall apart), identifiers by trigrams. PostgreSQL: GIN over the words as a text vector made without a
parser, and over trigrams (pg_trgm). Neither counts, ranks in the database, or skips rows.
"""

from __future__ import annotations

from casework.people.models import Identifier, IdentifierText, Person, PersonName, PersonText
from casework.people.scripts import romanise_word, words_of
from casework.people.sounds import sound_of_word

# Sounds stand among the words with this letter before them, which no word begins with.
SOUND = "0"


def keep_person(person: Person) -> None:
    """Write anew what the search knows of a person; a protected person is not in it."""
    if person.is_shut_away:
        PersonText.objects.filter(person=person).delete()
        return
    names = PersonName.objects.filter(person=person, withdrawn_at=None)
    words = words_from([(name.text, name.romanised) for name in names])
    PersonText.objects.update_or_create(person=person, defaults={"words": " ".join(words)})


def words_from(names: list[tuple[str, str]]) -> list[str]:
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
