"""English, Hindi and Malayalam: chosen once and kept, complete, and with Indian numbers."""

from __future__ import annotations

import ast
import gettext
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from django.test import Client
from django.utils import translation
from django.utils.formats import date_format, get_format

import casework
from casework.lib.templatetags.kaval import grouped
from tests.casework.conftest import Cast, signed_in

HOUSE = Path(casework.__file__).parent
LANGUAGES = ("hi", "ml")
_HOLE = re.compile(r"%\(\w+\)[sd]|%[sd]|<\w+>")
_MAKE = "from django.core.management import execute_from_command_line as run; import sys; run(['x', *sys.argv[1:]])"


@pytest.fixture(autouse=True)
def english_afterwards() -> Iterator[None]:
    """Leave no language behind for the tests that follow in this thread."""
    yield
    translation.deactivate()


def catalogue(folder: Path, language: str) -> dict[str, list[str]]:
    """Return what stands in a catalogue, by the English words."""
    text = (folder / language / "LC_MESSAGES" / "django.po").read_text(encoding="utf-8")
    assert "#, fuzzy" not in text
    found: dict[str, list[str]] = {}
    for block in text.split("\n\n"):
        parts = re.findall(r'^(msgid|msgid_plural|msgstr)(?:\[\d\])? ((?:"[^\n]*"\n?)+)', block, re.MULTILINE)
        said = [(kind, "".join(ast.literal_eval(line) for line in lines.splitlines())) for kind, lines in parts]
        english = next((words for kind, words in said if kind == "msgid"), "")
        if english:
            found[english] = [words for kind, words in said if kind == "msgstr"]
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_is_translated_with_its_holes(language: str) -> None:
    words = catalogue(HOUSE / "locale", language)

    assert len(words) > 1000
    assert [english for english, told in words.items() if not all(told)] == []
    wrong = [e for e, told in words.items() for one in told if sorted(_HOLE.findall(one)) != sorted(_HOLE.findall(e))]
    assert wrong == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_read_when_running_is_what_stands_in_the_catalogue(language: str) -> None:
    compiled = gettext.translation("django", str(HOUSE / "locale"), languages=[language])

    words = catalogue(HOUSE / "locale", language)
    assert [e for e, told in words.items() if len(told) == 1 and compiled.gettext(e) != told[0]] == []


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("xgettext") is None, reason="xgettext is not installed (apt install gettext)")
def test_no_sentence_of_the_pages_is_missing_from_the_catalogues(tmp_path: Path) -> None:
    copy = tmp_path / "casework"
    shutil.copytree(HOUSE, copy, ignore=shutil.ignore_patterns("__pycache__", "static", "data", "fonts"))
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "django.conf.global_settings"}
    words = ["makemessages", "-l", "hi", "--no-obsolete", "--no-wrap", "-v", "0"]
    subprocess.run([sys.executable, "-c", _MAKE, *words], cwd=copy, env=environment, check=True, capture_output=True)

    text = (copy / "locale" / "hi" / "LC_MESSAGES" / "django.po").read_text(encoding="utf-8")
    made = set(re.findall(r'^msgid "(.+)"$', text, re.MULTILINE))
    kept = {e.replace('"', '\\"').replace("\n", "\\n") for e in catalogue(HOUSE / "locale", "hi")}
    assert made - kept == set()


@pytest.mark.parametrize(("language", "may"), [("en", "May"), ("hi", "मई"), ("ml", "മേയ്")])
def test_days_and_amounts_are_written_as_in_india(language: str, may: str) -> None:
    with translation.override(language):
        assert grouped(1234567) == "12,34,567"
        assert grouped(999) == "999"
        assert date_format(date(2026, 5, 3), "j F Y") == f"3 {may} 2026"
        assert get_format("DATE_INPUT_FORMATS")[0] == "%Y-%m-%d"


@pytest.mark.django_db
def test_a_person_chooses_a_language_once(cast: Cast) -> None:
    browser = signed_in(cast.inga)

    answer = browser.post("/accounts/language/", {"language": "ml", "next": "/law/?day=2026-01-01"})
    assert answer["Location"] == "/law/?day=2026-01-01"
    cast.inga.refresh_from_db()
    assert cast.inga.language == "ml"
    # On another machine, with another language of the browser, it is the account's that counts.
    page = signed_in(cast.inga).get("/", headers={"Accept-Language": "hi"}).content.decode()
    assert '<html lang="ml">' in page
    assert "നമസ്കാരം, Inga" in page
    assert '<html lang="hi">' in signed_in(cast.bashir).get("/", headers={"Accept-Language": "hi"}).content.decode()


@pytest.mark.django_db
def test_before_the_door_the_browser_remembers() -> None:
    browser = Client()
    browser.post("/accounts/language/", {"language": "hi"})

    assert "साइन इन करें" in browser.get("/accounts/sign-in/").content.decode()
    assert browser.post("/accounts/language/", {"language": "xx", "next": "https://other.example/"})["Location"] == "/"
    assert browser.cookies["language"].value == "hi"
