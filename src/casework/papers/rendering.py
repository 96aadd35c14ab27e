"""From what a paper says to its sheet: words, labels and vocabulary of its language, QR, and the check of letters."""

from __future__ import annotations

import io
import json
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import segno
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]

from casework.lib.errors import RefusedError
from casework.papers import printing, rules
from casework.papers.printing import Printed
from casework.papers.rules import Kind, Language

_DATA = Path(__file__).parent / "data"
# Joiners have no glyph of their own and shape their neighbours.
_SHAPERS = frozenset("\u200c\u200d\u200b\u2060\n")


@cache
def labels() -> dict[str, dict[str, str]]:
    """Return the labels around the words of a form, by language."""
    found: dict[str, dict[str, str]] = json.loads((_DATA / "labels.json").read_text(encoding="utf-8"))
    return found


@cache
def vocabulary() -> dict[str, dict[str, dict[str, str]]]:
    """Return the words of the vocabularies, by language and list."""
    found: dict[str, dict[str, dict[str, str]]] = json.loads((_DATA / "vocabulary.json").read_text(encoding="utf-8"))
    return found


def render(frozen: Mapping[str, Any], *, address: str, preview: bool = False) -> Printed:
    """Return the PDF of what a paper says; the same gives the same bytes."""
    kind, language = Kind(frozen["kind"]), Language(frozen["language"])
    digest = rules.digest_of(rules.canonical(frozen))
    sheet = {
        **{name: frozen[name] for name in ("number", "language", "unit", "day", "supersedes", "values", "signed_by")},
        "words": frozen["form"]["words"],
        "form": {"verified": frozen["form"]["verified_by"]},
        "form_line": _form_line(frozen["form"], kind, language),
        "labels": labels()[language],
        "vocabulary": vocabulary()[language],
        "digest": digest,
        "address": address,
        "preview": preview,
        "qr": qr_of(rules.check_address(address, frozen["number"], digest)),
    }
    if kind is Kind.LABEL_SHEET:
        sheet["codes"] = [qr_of(label["code"]) for label in frozen["values"]["labels"]]
    return printing.press(kind.value, sheet)


def qr_of(text: str) -> str:
    """Return a QR code as SVG; level M outlives a stamp or a crease."""
    buffer = io.BytesIO()
    segno.make(text, error="m", micro=False).save(buffer, kind="svg", xmldecl=False, svgns=True, border=2)
    return buffer.getvalue().decode()


def check_letters(values: Mapping[str, Any]) -> None:
    """Refuse a text with letters no font of the house has: an empty box on a paper for the court is a hole in it."""
    known = _covered()
    missing = {letter for text in _texts(values) for letter in text if letter not in known and letter not in _SHAPERS}
    if missing:
        scripts = sorted({_script(letter) for letter in missing})
        raise RefusedError(
            "letters",
            f"These letters cannot be printed: {', '.join(scripts)}. Write the text in Latin, Devanagari or Malayalam.",
        )


def _script(letter: str) -> str:
    name = unicodedata.name(letter, "")
    return name.split(" ")[0].title() if name else "control characters"


@cache
def _covered() -> frozenset[str]:
    covered: set[str] = set()
    for path in sorted((Path(printing.HERE) / "fonts").glob("*-Regular.ttf")):
        with TTFont(path, lazy=True) as font:
            covered |= {chr(point) for point in font.getBestCmap()}
    return frozenset(covered)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)


def _form_line(form: Mapping[str, Any], kind: Kind, language: Language) -> str:
    said = labels()[language]
    line = said["form"].format(
        kind=kind.value, version=form["version"], language=language.value, source=f"{form['source']} ({form['status']})"
    )
    if form["verified_by"]:
        line += "; " + said["form_verified"].format(name=form["verified_by"], day=form["verified_on"])
    return line
