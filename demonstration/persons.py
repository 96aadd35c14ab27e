"""Invented persons, as several offices would have written them down: names in three scripts, with their mistakes.

The truth is known: every record says whose it is. Names are made of syllables in Malayalam letters and mean nothing. A
record is written in Malayalam, in Devanagari (indic-transliteration) or in Latin, by one of several schemes of that
library and then as clerks spell: th or t, ee or i, zh or l. Then come typing errors, initials, swapped and missing
words, missing and wrong births, phones shared in a family. The noise knows nothing of how the platform compares names.
"""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from indic_transliteration import sanscript

_CONSONANTS = [
    "ക",
    "ഗ",
    "ച",
    "ജ",
    "ട",
    "ഡ",
    "ത",
    "ദ",
    "ധ",
    "ന",
    "പ",
    "ബ",
    "ഭ",
    "മ",
    "യ",
    "ര",
    "ല",
    "വ",
    "ശ",
    "ഷ",
    "സ",
    "ഹ",
    "ള",
    "ഴ",
    "ണ",
]
_CLUSTERS = [
    "ക്ര",
    "പ്ര",
    "ശ്ര",
    "ക്ഷ",
    "ന്ദ",
    "ന്ത",
    "മ്ബ",
    "ണ്ണ",
    "ല്ല",
    "ത്ത",
    "ക്ക",
    "പ്പ",
    "ര്മ",
    "സ്ത",
    "ഞ്ച",
    "ങ്ങ",
    "ദ്ധ",
    "ഷ്ണ",
    "ച്ച",
    "ട്ട",
    "സ്വ",
    "ത്യ",
]
_SIGNS = ("", "ാ", "ി", "ീ", "ു", "ൂ", "െ", "േ", "ൊ", "ോ", "ൈ", "ൗ")
_SIGN_WEIGHTS = (30, 16, 14, 7, 9, 4, 4, 5, 3, 5, 2, 1)
_ENDINGS = ("ൻ", "ൻ", "ൽ", "ർ", "ി", "", "ാ", "ു", "ം", "ത്", "സ്", "ഷ്")
_FIRST_VOWELS = ["അ", "ആ", "ഇ", "ഉ", "എ", "ഒ", "ഐ"]
_CHILLUS = {"ൻ": "ന്", "ൽ": "ല്", "ർ": "ര്", "ൾ": "ള്", "ൺ": "ണ്", "ൗ": "ൌ"}

_SCHEMES = (sanscript.ISO, sanscript.ISO, sanscript.IAST, sanscript.ITRANS, sanscript.HK, sanscript.OPTITRANS)

# How clerks spell what a scheme has written; each is drawn for itself, for one word.
_SPELLINGS: tuple[tuple[str, str, float], ...] = (
    ("aa", "a", 0.85), ("ii", "ee", 0.5), ("ii", "i", 0.8), ("uu", "oo", 0.5), ("uu", "u", 0.8), ("ee", "i", 0.15),
    ("t(?!h)", "th", 0.4), ("dh", "d", 0.25), ("bh", "b", 0.15), ("sh", "s", 0.2), ("v", "w", 0.15), ("zh", "l", 0.3),
    ("ksh", "x", 0.3), ("k", "c", 0.05), ("ch", "c", 0.08), ("ai", "ay", 0.2), ("au", "ou", 0.3), ("y", "i", 0.08),
    ("an$", "en", 0.06), ("a$", "ah", 0.05), ("i$", "y", 0.12), ("u$", "", 0.1), (r"(ll|tt|kk|pp|nn|cc)", "1", 0.45),
    ("ph", "f", 0.4), ("m$", "n", 0.03), ("j", "g", 0.03), ("s", "z", 0.03), ("nn", "n", 0.2),
    ("(?<=[aeiou])h", "", 0.1),
)  # fmt: skip
_CAPITALS = (
    ("A", "aa"), ("I", "ii"), ("U", "uu"), ("RRi", "ri"), ("R^i", "ri"), ("Sh", "sh"), ("z", "sh"), ("S", "sh"),
    ("G", "n"), ("J", "n"), ("~N", "n"), ("~n", "n"), ("L", "l"), ("^", ""), ("~", ""),
)  # fmt: skip
_MARKS = (
    ("ā", "aa"), ("ī", "ii"), ("ū", "uu"), ("ē", "e"), ("ō", "o"), ("ś", "sh"), ("ṣ", "sh"), ("ṭ", "t"), ("ḍ", "d"),
    ("ṇ", "n"), ("ṅ", "n"), ("ñ", "n"), ("ḷ", "l"), ("ḻ", "zh"), ("ṟ", "r"), ("ṃ", "m"), ("ṁ", "m"), ("cc", "ch"),
    ("c", "ch"),
)  # fmt: skip
_NEAR = {
    "a": "sq", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "f": "dg", "g": "fh", "h": "gj", "i": "uo", "j": "hk",
    "k": "jl", "l": "k", "m": "n", "n": "bm", "o": "ip", "p": "o", "r": "et", "s": "ad", "t": "ry", "u": "yi",
    "v": "cb", "w": "qe", "x": "zc", "y": "tu", "z": "x",
}  # fmt: skip
_SWAPPED_SIGNS = (
    ("ി", "ീ"),
    ("ു", "ൂ"),
    ("െ", "േ"),
    ("ൊ", "ോ"),
    ("ि", "ी"),
    ("ु", "ू"),
    ("ന", "ണ"),
    ("ല", "ള"),
    ("न", "ण"),
    ("श", "ष"),
)

TODAY = date(2026, 11, 1)


@dataclass(frozen=True, kw_only=True)
class Life:
    """An invented person, as they are."""

    words: tuple[str, ...]
    parent: str
    born: date
    sex: str
    phones: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Written:
    """One record of a person, as an office wrote it; ``person`` is the truth and is hidden from what is measured."""

    number: int
    person: int
    name: str
    parent: str
    born: date | None
    only_year: bool
    sex: str
    phones: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Care:
    """How much the offices wrote down: shares of the records that have a birth, a parent, each of the phones."""

    births: float
    parents: float
    phones: float


# Who takes a statement asks for age and father's name; who writes down a rumour has neither.
STATEMENTS = Care(births=0.9, parents=0.75, phones=0.65)
RUMOURS = Care(births=0.6, parents=0.3, phones=0.4)


def records(
    count: int, *, seed: int, persons: float = 0.7, care: Care = STATEMENTS, words: int | None = None
) -> list[Written]:
    """Return ``count`` records of ``persons`` times as many invented persons, in no order.

    Lists with the same ``words`` share their stock of names.
    """
    chance = random.Random(seed)  # noqa: S311
    stock = chance if words is None else random.Random(words)  # noqa: S311
    lives = list(_families(chance, stock, int(count * persons)))
    owners = [*range(len(lives)), *(_skewed(chance, len(lives)) for _ in range(count - len(lives)))]
    chance.shuffle(owners)
    return [_write(chance, number, owner, lives[owner], care) for number, owner in enumerate(owners)]


def pairs(written: Sequence[Written]) -> set[tuple[int, int]]:
    """Return the true pairs: two records of one person, by number, the smaller first."""
    groups: dict[int, list[int]] = {}
    for record in written:
        groups.setdefault(record.person, []).append(record.number)
    return {
        (one, other)
        for group in groups.values()
        for at, one in enumerate(sorted(group))
        for other in sorted(group)[at + 1 :]
    }


def invented_word(chance: random.Random) -> str:
    """Return a word of two to four syllables in Malayalam letters that means nothing."""
    parts = []
    for place in range(chance.choice((1, 2, 2, 2, 3))):
        if place == 0 and chance.random() < 0.15:
            parts.append(chance.choice(_FIRST_VOWELS))
            continue
        body = chance.choice(_CLUSTERS if place and chance.random() < 0.35 else _CONSONANTS)
        parts.append(body + chance.choices(_SIGNS, _SIGN_WEIGHTS)[0])
    return "".join(parts) + chance.choice(_CONSONANTS) + chance.choice(_ENDINGS)


def _families(chance: random.Random, stock: random.Random, count: int) -> Iterator[Life]:
    given = [invented_word(stock) for _ in range(3000)]
    houses = [invented_word(stock) for _ in range(2500)]
    weights_given, weights_house = _weights(len(given)), _weights(len(houses))
    made = 0
    while made < count:
        size = min(chance.choice((1, 1, 1, 2, 2, 3, 4)), count - made)
        [house] = chance.choices(houses, weights_house)
        [parent] = chance.choices(given, weights_given)
        family_phone, eldest = _phone(chance), TODAY - timedelta(days=chance.randrange(16 * 365, 65 * 365))
        for place in range(size):
            words = [chance.choices(given, weights_given)[0]]
            if chance.random() < 0.2:
                words.append(chance.choices(given, weights_given)[0])
            words.append(house if chance.random() < 0.8 else parent)
            phones = [_phone(chance)] if chance.random() < 0.7 else []
            if chance.random() < 0.35:
                phones.append(family_phone)
            born = eldest + timedelta(days=place * chance.randrange(365, 1500))
            yield Life(
                words=tuple(words),
                parent=parent,
                born=born,
                sex=chance.choice(("female", "male", "male")),
                phones=tuple(phones),
            )
            made += 1


def _weights(count: int) -> list[float]:
    return [1 / (rank + 15) for rank in range(count)]


def _skewed(chance: random.Random, count: int) -> int:
    """Some are written down often; most once or twice."""
    return int(count * chance.random() ** 1.5)


def _phone(chance: random.Random) -> str:
    return f"{chance.choice('6789')}{chance.randrange(10**9):09}"


def _write(chance: random.Random, number: int, owner: int, life: Life, care: Care) -> Written:
    writer = chance.choices((_latin, _malayalam, _devanagari), (55, 25, 20))[0]
    born, only_year = _birth(chance, life.born, care)
    sex = life.sex if chance.random() > 0.01 else "male"
    phones = tuple(phone for phone in life.phones if chance.random() < care.phones)
    if chance.random() < 0.08:
        phones = (_phone(chance),)
    return Written(
        number=number, person=owner, name=_name(chance, life.words, writer),
        parent=_name(chance, (life.parent,), writer) if chance.random() < care.parents else "", born=born,
        only_year=only_year, sex=sex if chance.random() < 0.9 else "", phones=phones,
    )  # fmt: skip


def _name(chance: random.Random, words: Sequence[str], writer: Callable[[random.Random, str], str]) -> str:
    kept = list(words)
    if len(kept) > 2 and chance.random() < 0.35:
        kept.pop(1)
    elif len(kept) == 2 and chance.random() < 0.06:
        kept.pop()
    spelt = [writer(chance, word) for word in kept]
    if len(spelt) > 1 and chance.random() < 0.15:
        place = len(spelt) - 1 if chance.random() < 0.8 else 0
        spelt[place] = _initial(spelt[place])
        if place:
            spelt = [*spelt[place:], *spelt[:place]]
    elif len(spelt) > 1 and chance.random() < 0.15:
        spelt.reverse()
    return " ".join(spelt)


def _initial(word: str) -> str:
    first = re.match(r".[\u0900-\u0903\u093e-\u094c\u0d00-\u0d03\u0d3e-\u0d4c]*", word)
    return f"{first.group() if first else word}."


def _latin(chance: random.Random, word: str) -> str:
    scheme = chance.choice(_SCHEMES)
    text = _plain_letters(sanscript.transliterate(_old_chillus(word), sanscript.MALAYALAM, scheme), scheme)
    for pattern, spelling, likelihood in _SPELLINGS:
        if chance.random() < likelihood:
            text = re.sub(pattern, (lambda found: found.group()[0]) if spelling == "1" else spelling, text)
    if chance.random() < 0.1:
        text = _slip(chance, text)
    return text.title() if text else "X"


def _plain_letters(text: str, scheme: str) -> str:
    """Write what clerks have on their keys; each scheme marks length and place in its own way."""
    if scheme in (sanscript.HK, sanscript.ITRANS, sanscript.OPTITRANS):
        for marked, plain in _CAPITALS:
            text = text.replace(marked, plain)
        text = text.replace("c", "ch").replace("chh", "ch") if scheme == sanscript.HK else text
        return re.sub(r"[^a-z]", "", unicodedata.normalize("NFD", text.lower()))
    for marked, plain in _MARKS:
        text = text.replace(marked, plain)
    return re.sub(r"[^a-z]", "", unicodedata.normalize("NFD", text.replace("chh", "ch")))


def _malayalam(chance: random.Random, word: str) -> str:
    text = _old_chillus(word).replace("ൌ", "ൗ") if chance.random() < 0.2 else word
    return _slip_of_sign(chance, text)


def _devanagari(chance: random.Random, word: str) -> str:
    text = sanscript.transliterate(_old_chillus(word), sanscript.MALAYALAM, sanscript.DEVANAGARI)
    if chance.random() < 0.7:
        text = text.removesuffix("्")
    return _slip_of_sign(chance, text.replace("ऴ", "ळ").replace("ॆ", "े").replace("ॊ", "ो"))


def _old_chillus(word: str) -> str:
    for chillu, old in _CHILLUS.items():
        word = word.replace(chillu, old)
    return word


def _slip(chance: random.Random, word: str) -> str:
    """Make one typing error."""
    if len(word) < 4:
        return word
    at = chance.randrange(1, len(word) - 1)
    kind = chance.randrange(4)
    if kind == 0:
        return word[:at] + word[at + 1 :]
    if kind == 1:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    near = chance.choice(_NEAR.get(word[at], "a"))
    return word[:at] + near + word[at + (kind == 2) :]


def _slip_of_sign(chance: random.Random, word: str) -> str:
    """Take a long vowel for a short one, or a letter for its neighbour."""
    if chance.random() < 0.15:
        one, other = chance.choice(_SWAPPED_SIGNS)
        word = word.replace(one, other, 1) if one in word else word.replace(other, one, 1)
    return word


def _birth(chance: random.Random, born: date, care: Care) -> tuple[date | None, bool]:
    if chance.random() >= care.births:
        return None, False
    if chance.random() < 0.07:
        born = born.replace(day=1, year=born.year + chance.choice((-1, 1)))
    if chance.random() < 0.4:
        return date(born.year, 1, 1), True
    if chance.random() < 0.06 and born.day <= 12:
        born = date(born.year, born.day, born.month)
    elif chance.random() < 0.04:
        born = date(born.year, born.month, chance.randrange(1, 28))
    return born, False
