"""The cross-script sound key: one key for a name, however it is written in Malayalam, Devanagari, Latin.

A word is written in Latin letters (`scripts.romanise_word`), then folded: aspiration, length, doubling, retroflexion
and voice of stops are dropped, v and w, f and ph, x and ksh, zh and l become one, vowels go but for a first one.
``sound_of_word`` is this skeleton; ``folded`` keeps the vowels in three classes and is what likeness is measured on.
"""

from __future__ import annotations

import re
from functools import lru_cache

from casework.people.scripts import romanise_word, words_of

# In order; each pair is applied to the whole word.
_FOLDS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"[^a-z]", ""),
        (r"x|ksh|kch", "ks"),
        (r"tch|chh|cch|ch", "c"),
        (r"sch|sh|zs", "s"),
        (r"ph", "f"),
        (r"zh", "l"),
        (r"gn(?=[aeiou])|jn|ny(?=[aeiou])", "n"),
        (r"ck|q", "k"),
        (r"c(?=[aouklrt]|$)(?<!tc)", "c"),
        (r"([bdgjkt])h", r"\1"),
        (r"w", "v"),
        (r"(?<=[aeiou])y(?=$|[^aeiou])", "i"),
        (r"y(?=$|[^aeiou])", "i"),
        (r"z", "s"),
        (r"(?<=.)m(?=[^aeiouymh]|$)", "n"),
        (r"(.)\1+", r"\1"),
        (r"(?<=.)h(?=$|[^aeiou])", ""),
    )
)
_VOWELS = (
    (re.compile(r"aa|ah"), "a"),
    (re.compile(r"ee|ei|ey|ie|iy|ea"), "i"),
    (re.compile(r"oo|ou|ow|uu"), "u"),
    (re.compile(r"au|ao|av(?=[^aeiou]|$)"), "o"),
    (re.compile(r"ai|ay|ae"), "e"),
    (re.compile(r"e"), "i"),
    (re.compile(r"o"), "u"),
    (re.compile(r"(.)\1+"), r"\1"),
)
_STOPS = str.maketrans({"g": "k", "d": "t", "b": "p", "f": "p", "j": "c"})
_VOWEL = re.compile(r"[aeiouy]")


@lru_cache(maxsize=65536)
def folded(word: str) -> str:
    """Return a word, in any script, as it sounds, with its vowels in three classes: a, i, u."""
    latin = romanise_word(word)
    for pattern, replacement in (*_FOLDS, *_VOWELS):
        latin = pattern.sub(replacement, latin)
    return latin


@lru_cache(maxsize=65536)
def sound_of_word(word: str) -> str:
    """Return the skeleton of a word: consonants without voice and length; ``a`` stands for any first vowel."""
    whole = folded(word).translate(_STOPS)
    if not whole:
        return ""
    first = "a" if _VOWEL.match(whole) else whole[0]
    return first + _VOWEL.sub("", whole[1:]).replace("h", "")


def sound_of(name: str) -> str:
    """Return the sound key of a whole name: the skeletons of its words, in their order."""
    return " ".join(sound for sound in map(sound_of_word, words_of(name)) if sound)[:200]
