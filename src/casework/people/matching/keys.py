"""Keys that bring likely pairs together: two persons are compared only where they share one.

A key is a number derived from sounds (`sounds.sound_of_word`), so it is the same in every script. Each name gives:
every two of its words, whatever their order; each word with the first sound of each other word, for initials; each word
with the year of birth; the parent's words, and the day of birth, with first sounds; each word alone. A key that very
many share (`TOO_MANY`; of words alone `TOO_COMMON`) brings nobody together, or one common name would stop the house.
The keys of words alone also tell how common a word is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import combinations

from casework.people.scripts import words_of
from casework.people.sounds import folded, sound_of_word

TOO_MANY = 400
TOO_COMMON = 60
_MOST_KEYS = 60

Days = tuple[date, date]


@dataclass(frozen=True, kw_only=True)
class Keys:
    """The keys of one person: of combinations, and of words alone."""

    combined: tuple[int, ...]
    alone: tuple[int, ...]


def keys_from(names: Iterable[str], parents: Iterable[str], born: Days | None) -> Keys:
    """Return the keys of a person with these names and these of parents, born between these days."""
    own = list(names)
    fathers = [sound for name in parents for sound in map(sound_of_word, words_of(name)) if len(sound) > 1]
    combined = dict.fromkeys(text for name in own for text in _combined(name, fathers, born))
    words = [word for name in own for word in words_of(name)]
    alone = dict.fromkeys(
        (*(sound_text(sound_of_word(word)) for word in words), *(fold_text(folded(word)) for word in words))
    )
    return Keys(
        combined=tuple(number_of(text) for text in combined)[:_MOST_KEYS],
        alone=tuple(number_of(text) for text in alone)[:_MOST_KEYS],
    )


def number_of(text: str) -> int:
    """Return the number a key is stored as: 64 bits, signed."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big", signed=True)


def sound_text(sound: str) -> str:
    """Return the text of the key of all words with this sound."""
    return f"s|{sound}"


def fold_text(fold: str) -> str:
    """Return the text of the key of all words folded alike."""
    return f"w|{fold}"


def _combined(name: str, fathers: list[str], born: Days | None) -> Iterator[str]:
    sounds = [sound for sound in map(sound_of_word, words_of(name)) if sound]
    whole = [sound for sound in sounds if len(sound) > 1]
    years = range(born[0].year, born[1].year + 1) if born else range(0)
    for one, other in combinations(whole, 2):
        yield "2|" + "|".join(sorted((one, other)))
    for sound in whole:
        yield from (f"y|{sound}|{year}" for year in years)
    for sound in fathers:
        yield from (f"p|{sound}|{other[0]}" for other in sounds)
    if born and born[0] == born[1]:
        yield from (f"d|{born[0].isoformat()}|{sound[0]}" for sound in sounds)
    for place, sound in enumerate(sounds):
        if len(sound) > 1:
            yield from (f"i|{sound}|{other[0]}" for at, other in enumerate(sounds) if at != place)
