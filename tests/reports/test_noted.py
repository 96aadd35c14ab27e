"""What applications noted stands in the report: counts, accounts, conversations, remains; never a message's text."""

from __future__ import annotations

import html
import re
import shlex
from pathlib import Path

import pytest
from pypdf import PdfReader

from kaval.artefacts.records import ArtefactKind
from kaval.artefacts.sqlite.rows import RecoverySource
from kaval.folder.views import ask, open_folder
from kaval.reports import wording, write_report
from kaval.reports.noted import CONVERSATIONS_LISTED
from tests.reports.applications import DIGEST, SECRET
from tests.reports.synthetic import Synthetic


def _page(folder: Path) -> str:
    return write_report(folder, formats=("html",))[0].read_text(encoding="utf-8")


def _text(page: str) -> str:
    body = page.partition("<body>")[2]
    return " ".join(
        html.unescape(re.sub(r"<(?!/?(?:wbr|bdi))[^>]*>", " ", re.sub(r"</?(?:wbr|bdi)>", "", body))).split()
    )


def _section(page: str) -> str:
    return _text("<body>" + page.partition('<h2 id="noted">')[2].partition("</section>")[0])


@pytest.fixture(name="folder", scope="module")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("noted") / "folder"
    Synthetic(applications=True).build(folder)
    return folder


def test_every_kind_and_every_place_of_recovery_has_its_words() -> None:
    assert set(wording.ARTEFACT_KINDS) == set(ArtefactKind)
    assert set(wording.RECOVERED_FROM) == set(RecoverySource)


def test_records_are_counted_by_application_and_kind_with_their_certainty(folder: Path) -> None:
    section = _section(_page(folder))

    assert "whatsapp Messages 53 4 5 1 " in section
    assert "android-sms Messages 5 1 1 1 " in section
    assert "telegram Messages 25 0 0 0 " in section
    assert "android-calls Calls 0 1 0 0 " in section


def test_accounts_and_conversations_are_named_in_every_script(folder: Path) -> None:
    section = _section(_page(folder))

    assert "whatsapp +91 90000 00009 ഉപയോക്താവ് osk@example.invalid" in section
    assert "കുടുംബം ൨൦൨൪ ഗ്രൂപ്പ് whatsapp ; 120-7@g.us 3 61 9 " in section.replace("whatsapp;", "whatsapp ;")
    assert "परिवार की बातें और छुट्टियाँ" in section
    assert "15 November 2023, 03:43:20 (UTC+05:30)" in section
    assert "<script>alert('x')</script> ⟨U+202E⟩gpj.exe" in section


def test_no_text_of_a_message_is_printed(folder: Path) -> None:
    pages = write_report(folder)

    assert SECRET not in pages[0].read_text(encoding="utf-8")
    assert SECRET not in "".join(page.extract_text() for page in PdfReader(pages[1]).pages)


def test_files_that_are_mentioned_and_not_present_are_told(folder: Path) -> None:
    page = _page(folder)
    section = _section(page)

    assert "whatsapp 3 1 0 2 " in section
    assert "Set alert alert 2 1 " in section
    assert "Set review review 1 1 " in section
    assert f"SHA256 {DIGEST}" in section
    assert section.count("mentioned, not present") == 1
    first = _text(page).partition("Contents")[0]
    assert "12 of the records are no longer shown and were recovered." in first
    assert "2 files that records speak of are not present." in first
    assert "One record gives the digest of a file of a set of role alert that is not present." in first


def test_rows_that_databases_no_longer_show_are_told_by_place(folder: Path) -> None:
    section = _section(_page(folder))

    assert "a gap left in a page in use 1 6 3 5 1" in section
    assert "the write-ahead log beside the database 1 3 2 2 1" in section
    assert "a page outside the file, in unallocated space 1 2 1 1 1" in section


def test_the_commands_of_the_section_answer(folder: Path) -> None:
    _, connection = open_folder(folder)
    section = _page(folder).partition('<h2 id="noted">')[2].partition("</section>")[0]
    commands = [
        html.unescape(re.sub(r"<[^>]*>", "", each))
        for each in re.findall(r'<code class="command">(.*?)</code>', section, re.DOTALL)
    ]
    answers = [len(list(ask(connection, shlex.split(command)[3])[1])) for command in commands]

    assert answers == [2, 11]


def test_what_is_not_printed_is_counted(tmp_path: Path) -> None:
    Synthetic(applications=True, more_conversations=100).build(tmp_path / "folder")

    section = _section(_page(tmp_path / "folder"))
    assert f"{104 - CONVERSATIONS_LISTED} further conversations are counted and not printed here." in section
    assert "104 conversations and groups with messages" in section


def test_an_examination_that_did_not_read_them_says_so(tmp_path: Path) -> None:
    Synthetic().build(tmp_path / "left-out")
    Synthetic(applications=True, manifest={"segments": []}).build(tmp_path / "none")

    assert "were not read: the plan left them out" in _section(_page(tmp_path / "left-out"))
    assert "Nothing was found that an application known to this software had noted" in _section(
        _page(tmp_path / "none")
    )


def test_the_method_says_whether_slack_was_searched(tmp_path: Path) -> None:
    Synthetic().build(tmp_path / "without")
    with_slack = Synthetic(slack=True)
    with_slack.build(tmp_path / "with")

    assert "Slack, the space behind the ends of files, was not searched." in _text(_page(tmp_path / "without"))
    assert "Slack was searched by content as well" in _text(_page(tmp_path / "with"))
