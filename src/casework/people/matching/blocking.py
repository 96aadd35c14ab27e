"""Keys that bring likely pairs together: two persons are compared only where they share one.

A key is a number derived from sounds (`sounds.sound_of_word`), so it is the same in every script. Each name gives:
every two of its words, whatever their order; each word with the first sound of each other word, for initials; each word
with the year of birth. A key that very many share (`TOO_MANY`) brings nobody together, or one common name would stop
the house.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from itertools import combinations
from uuid import UUID

from casework.people.models import Birth, BlockingKey, Person, PersonName
from casework.people.rules import NameKind
from casework.people.scripts import words_of
from casework.people.sounds import sound_of_word

TOO_MANY = 400
_MOST_KEYS = 60


def keep_keys(person: Person) -> None:
    """Write the keys of a person anew; of a protected person none."""
    BlockingKey.objects.filter(person=person).delete()
    BlockingKey.objects.bulk_create(BlockingKey(person=person, key=key) for key in keys_of(person))


def keys_of(person: Person) -> list[int]:
    """Return the keys of a person from what stands on record."""
    if person.is_shut_away:
        return []
    names = PersonName.objects.filter(person=person, withdrawn_at=None).exclude(kind=NameKind.PARENT)
    birth = Birth.objects.filter(person=person).order_by("-created_at").first()
    years = range(birth.born_from.year, birth.born_to.year + 1) if birth and birth.born_from and birth.born_to else ()
    return keys_from([name.text for name in names], list(years))


def keys_from(names: Iterable[str], years: Iterable[int]) -> list[int]:
    """Return the keys of a person with these names, born in one of these years."""
    known_years = list(years)
    texts = dict.fromkeys(text for name in names for text in _texts(name, known_years))
    return [number_of(text) for text in texts][:_MOST_KEYS]


def number_of(text: str) -> int:
    """Return the number a key is stored as: 64 bits, signed."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big", signed=True)


def sharing(person: UUID, keys: Iterable[int]) -> dict[UUID, int]:
    """Return those who share keys with a person, and how many; keys that too many share are left out."""
    shared: dict[UUID, int] = {}
    for key in keys:
        others = list(BlockingKey.objects.filter(key=key).values_list("person", flat=True)[: TOO_MANY + 1])
        if len(others) <= TOO_MANY:
            for other in others:
                if other != person:
                    shared[other] = shared.get(other, 0) + 1
    return shared


def _texts(name: str, years: list[int]) -> Iterator[str]:
    sounds = [sound for sound in map(sound_of_word, words_of(name)) if sound]
    whole = [sound for sound in sounds if len(sound) > 1]
    for one, other in combinations(whole, 2):
        yield "2|" + "|".join(sorted((one, other)))
    for place, sound in enumerate(sounds):
        if len(sound) > 1:
            yield from (f"i|{sound}|{other[0]}" for at, other in enumerate(sounds) if at != place)
            yield from (f"y|{sound}|{year}" for year in years)
    if len(whole) == 1:
        yield f"1|{whole[0]}"
