"""In which script a name stands, its words, and a Latin writing of it.

Words are cut by letters and their marks (`\\p{L}\\p{M}`): Python's ``\\w`` tears Indic words. The Latin writing is
for reading and for search by those who cannot type the script; it is no standard's and cannot be turned back.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

import regex
from indic_transliteration import sanscript

from casework.people.rules import Script

_WORD = regex.compile(r"[\p{L}\p{M}\p{N}\u200c\u200d]+")
_JOINERS = dict.fromkeys((0x200C, 0x200D))

_BLOCKS: tuple[tuple[int, int, Script], ...] = (
    (0x0041, 0x024F, Script.LATIN),
    (0x1E00, 0x1EFF, Script.LATIN),
    (0x0900, 0x097F, Script.DEVANAGARI),
    (0x0980, 0x09FF, Script.BENGALI),
    (0x0B80, 0x0BFF, Script.TAMIL),
    (0x0C00, 0x0C7F, Script.TELUGU),
    (0x0C80, 0x0CFF, Script.KANNADA),
    (0x0D00, 0x0D7F, Script.MALAYALAM),
)
_SCHEMES: dict[Script, str] = {
    Script.DEVANAGARI: sanscript.DEVANAGARI,
    Script.BENGALI: sanscript.BENGALI,
    Script.TAMIL: sanscript.TAMIL,
    Script.TELUGU: sanscript.TELUGU,
    Script.KANNADA: sanscript.KANNADA,
    Script.MALAYALAM: sanscript.MALAYALAM,
}
# Chillus are consonants without a vowel; the library knows the older spellings only, of these and of the sign AU.
_CHILLUS = str.maketrans(
    {"ൺ": "ണ്", "ൻ": "ന്", "ർ": "ര്", "ൽ": "ല്", "ൾ": "ള്", "ൿ": "ക്", "ൔ": "മ്", "ൕ": "യ്", "ൖ": "ഴ്", "ൗ": "ൌ"}
)
# Nukta letters of Devanagari, composed by NFC and unknown to the library.
_NUKTAS = str.maketrans({"\u093c": None})
_VIRAMAS = ("\u094d", "\u09cd")
_NASAL = regex.compile(r"[ṁṃ](?=[kgcjtdṭḍnṇsśṣhyrlv])")
_PLAIN = (
    ("ṟṟ", "tt"), ("nṟ", "nt"), ("ṟ", "r"), ("ḻ", "zh"), ("ḷ", "l"), ("ṇ", "n"), ("ṅ", "n"), ("ñ", "n"),
    ("m̐", "n"), ("ḥ", "h"), ("ś", "sh"), ("ṣ", "sh"), ("cch", "chh"), ("c", "ch"), ("ṛ", "ri"), ("r̥", "ri"), ("ā", "a"),
    ("ī", "i"), ("ū", "u"), ("ē", "e"), ("ō", "o"), ("ṭ", "t"), ("ḍ", "d"),
)  # fmt: skip


def words_of(text: str) -> list[str]:
    """Return the words of a text, in small letters, composed (NFC), without joiners."""
    plain = unicodedata.normalize("NFC", text).translate(_JOINERS)
    return [word.lower() for word in _WORD.findall(plain)]


def script_of(text: str) -> Script:
    """Return the script most letters of the text belong to."""
    counts: dict[Script, int] = {}
    for letter in text:
        if letter.isalpha():
            script = _script_of_letter(ord(letter))
            counts[script] = counts.get(script, 0) + 1
    return max(counts, key=lambda script: counts[script], default=Script.OTHER)


def romanise(text: str) -> str:
    """Return the words of a text in Latin letters without marks; what cannot be written so is left as it is."""
    return " ".join(romanise_word(word) for word in words_of(text))


@lru_cache(maxsize=65536)
def romanise_word(word: str) -> str:
    """Return one word, as `words_of` gives it, in plain Latin letters."""
    script = script_of(word)
    if script in _SCHEMES:
        spelt = word.translate(_CHILLUS)
        if script is Script.DEVANAGARI:
            spelt = unicodedata.normalize("NFD", spelt).translate(_NUKTAS)
        word = _without_last_a(sanscript.transliterate(spelt, _SCHEMES[script], sanscript.ISO), spelt, script)
        word = _NASAL.sub("n", word)
        for marked, plain in _PLAIN:
            word = word.replace(marked, plain)
    decomposed = unicodedata.normalize("NFD", word)
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter)).lower()


def _without_last_a(latin: str, spelt: str, script: Script) -> str:
    """In northern languages the vowel that is not written behind the last consonant is not spoken either."""
    is_northern = script in (Script.DEVANAGARI, Script.BENGALI)
    silent = is_northern and spelt[-1:].isalpha() and spelt[-2:-1] not in _VIRAMAS and len(latin) > 2
    return latin[:-1] if silent and latin.endswith("a") else latin


def _script_of_letter(point: int) -> Script:
    for first, last, script in _BLOCKS:
        if first <= point <= last:
            return script
    return Script.OTHER
