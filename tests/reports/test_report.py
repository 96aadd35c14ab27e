"""The report: what it says, what it never shows, and that its instructions for the other side work."""

from __future__ import annotations

import base64
import hashlib
import html
import io
import itertools
import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from PIL import Image
from pypdf import PageObject, PdfReader

from kaval.cli import kaval
from kaval.core.errors import FolderError, UsageError
from kaval.core.records import ContentState, EntryState, NoticeCode
from kaval.folder.sealed import SealingKey
from kaval.folder.views import ask, open_folder
from kaval.reports import REPORTS, wording, write_report
from kaval.reports.fonts import font_remark
from kaval.reports.hits import ALERT_ROWS
from tests.reports.synthetic import NAMES, TEXT, VOLUME_OFFSET, Synthetic


def _page(folder: Path, zone: str = "Asia/Kolkata") -> str:
    return write_report(folder, formats=("html",), zone=zone)[0].read_text(encoding="utf-8")


def _text(page: str) -> str:
    """Return what a reader sees of a page, blanks made one."""
    body = page.partition("<body>")[2]
    return " ".join(
        html.unescape(re.sub(r"<(?!/?(?:wbr|bdi))[^>]*>", " ", re.sub(r"</?(?:wbr|bdi)>", "", body))).split()
    )


def _commands(page: str) -> list[str]:
    found = re.findall(r'<code class="command">(.*?)</code>', page, re.DOTALL)
    return [html.unescape(re.sub(r"<[^>]*>", "", command)) for command in found]


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    Synthetic().build(tmp_path / "folder")
    return tmp_path / "folder"


def test_page_one_says_who_what_and_on_which_authority(folder: Path) -> None:
    first = _text(_page(folder)).partition("Contents")[0]

    assert "Exhibit P-14/2026 (mobile telephone)" in first
    assert "Warrant 112/2026 of the Judicial First Class Magistrate, with a <b>mark</b>" in first
    assert "Sub-Inspector A. Example" in first
    assert "23 November 2026, 15:32:11 (UTC+05:30)" in first
    assert "The copy was verified." in first
    assert "A hit is not a finding." in first
    assert "2 parts are locked and were not examined" in first


def test_the_page_has_no_script_and_loads_nothing(folder: Path) -> None:
    page = _page(folder)

    assert "<script" not in page
    assert "http://" not in page
    assert "https://" not in page
    assert re.findall(r"<(?:img|link|iframe|object|embed)\b", page) == []
    assert re.findall(r"url\(", page) == []


@pytest.mark.parametrize(
    ("verification", "said"),
    [
        ("differs", "THE COPY WAS NOT CONFIRMED"),
        ("nothing-to-compare", "The copy could not be verified"),
        ("not-computed", "The copy was not verified as a whole"),
    ],
)
def test_a_copy_that_was_not_verified_is_never_called_verified(tmp_path: Path, verification: str, said: str) -> None:
    Synthetic(verification=verification).build(tmp_path / "folder")

    text = _text(_page(tmp_path / "folder"))
    assert said in text
    assert "The copy was verified." not in text


def test_every_word_of_the_vocabularies_is_explained() -> None:
    assert set(wording.NOTICES) == set(NoticeCode)
    assert set(wording.STATES) == set(wording.STATE_SENTENCES) == set(EntryState)
    assert set(wording.CONTENTS) == set(wording.CONTENT_SENTENCES) == set(ContentState)
    counted = {code for codes, _, _ in wording.GAPS for code in codes}
    assert counted | wording.REMARK_ONLY == set(NoticeCode)
    assert not counted & wording.REMARK_ONLY


def test_hits_are_listed_by_set_exact_and_near_apart(folder: Path) -> None:
    text = _text(_page(folder))

    assert "Reference set A alert 3 2 5 " in text
    assert "Set without a hit alert 0 0 0 0" in text
    assert "Exact hits: 3 files" in text
    assert "Near hits: 2 files" in text
    assert "Same MD5, SHA-1 and SHA-256: the content is the same, byte for byte." in text
    assert "PDQ: 28 of 256 bits differ, up to 31 were allowed." in text
    assert "PDQ at 1:01 min of the video: 21 of 256 bits differ" in text
    assert "7 files agree with the set Software of role known-good" in text
    digest = hashlib.sha256(TEXT).hexdigest()
    assert digest in text


def test_the_device_is_told_from_the_outside_inwards_and_archives_are_counted(folder: Path) -> None:
    text = _text(_page(folder)).partition("How the device is divided What")[2].partition("Acquisition and ver")[0]

    places = [text.index(f"{part} ") for part in ("/raw", "/raw/gpt:1", "/raw/gpt:1/ntfs", "/raw/gpt:2")]
    assert places == sorted(places)
    assert "further sources were met: ZIP archive (1)." in text
    assert "/raw/gpt:1/ntfs:99/zip" not in text


def test_times_keep_their_zone_or_stay_without_one(folder: Path) -> None:
    text = _text(_page(folder))

    assert "Modified 2 January 2024, 01:45:03 (UTC+05:30)" in text
    assert "Modified 2 February 2024, 20:15:03 (by the device's clock, zone unknown)" in text
    assert "Modified 3 March 2024, 20:15:03 (UTC+05:30, as stored)" in text
    assert "Modified 1 January 2024, 20:15:03 (UTC)" in _text(_page(folder, "UTC"))


def test_names_print_as_stored_and_nothing_hidden_acts(tmp_path: Path) -> None:
    Synthetic(hits=len(NAMES)).build(tmp_path / "folder")
    page = _page(tmp_path / "folder")

    text = _text(page)
    assert "Users/User/Desktop/കുടുംബചിത്രങ്ങൾ/അവധിക്കാലം ൨൦൨൪.jpg" in text
    assert "Users/User/Documents/परिवार की तस्वीरें/छुट्टियाँ २०२४ क्षेत्र.png" in text
    assert "Downloads/report⟨U+202E⟩gpj.exe" in text
    assert "Downloads/line⟨U+000A⟩break⟨U+0009⟩and⟨U+0007⟩bell ⟨U+00A0⟩ gap.jpg" in text
    assert "\u202e" not in page
    assert "Downloads/<script>alert('x')</script>&amp;.jpg" in text


def test_many_hits_and_notices_are_counted_capped_and_their_place_named(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    Synthetic(hits=1500, near=900).build(folder)
    page = _page(folder)

    text = _text(page)
    assert "Exact hits: 1,500 files" in text
    assert page.count('class="no">') < ALERT_ROWS + 200
    assert len(page) < 1_000_000
    _, connection = open_folder(folder)
    answers = {}
    for command in _commands(page):
        program, verb, place, question, *form = shlex.split(command)
        assert (program, verb, place, form) == ("kaval", "query", "FOLDER", ["--format", "csv"])
        answers[question] = len(list(ask(connection, question)[1]))
    connection.close()
    exact = [
        n
        for question, n in answers.items()
        if "'alert'" in question and " IN ('md5'" in question and "NOT" not in question
    ]
    assert exact == [3 * 1500]
    assert answers["SELECT * FROM notices WHERE code = 'decoder-refused'"] == 30
    assert "18 further notices of this kind are counted and not printed" in text


def test_the_same_folder_elsewhere_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "a copy")

    here, there = write_report(folder), write_report(tmp_path / "a copy")
    assert [path.name for path in here] == ["report.html", "report.pdf"]
    assert [path.read_bytes() for path in here] == [path.read_bytes() for path in there]


def test_the_pdf_is_tagged_numbered_and_holds_the_names(tmp_path: Path) -> None:
    Synthetic(names=("DCIM/മലയാളം.jpg", "DCIM/हिन्दी.jpg"), notices=False).build(tmp_path / "folder")
    path = write_report(tmp_path / "folder", formats=("pdf",))[0]

    reader = PdfReader(path)
    texts = [page.extract_text() for page in reader.pages]
    assert all(f"Page {number} of {len(texts)}" in text for number, text in enumerate(texts, 1))
    root: Any = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    fonts = {str(font) for page in reader.pages for font in _font_names(page)}
    assert any("Malayalam" in font for font in fonts) or "has no font for" in texts[0]
    assert any("Devanagari" in font for font in fonts) or "has no font for" in texts[0]


def _font_names(page: PageObject) -> list[str]:
    resources: Any = page["/Resources"]
    return [str(font.get_object()["/BaseFont"]) for font in resources["/Font"].values()]


def test_a_script_no_font_covers_is_said_on_page_one(tmp_path: Path) -> None:
    uncovered = next((chr(c) for c in (0x30000, 0x18D00, 0x1B170, 0x16A40, 0x14400) if font_remark(chr(c))), None)
    if uncovered is None:
        pytest.skip("the fonts of this machine cover every script the test knows")
    Synthetic(names=(f"DCIM/{uncovered}.jpg",), notices=False).build(tmp_path / "folder")

    path = write_report(tmp_path / "folder", formats=("pdf",))[0]
    first = " ".join(PdfReader(path).pages[0].extract_text().replace("\0", "").split())
    assert f"no font for 1 of the characters in it (U+{ord(uncovered):04X})" in first


def _thumbnails(page: str) -> list[Image.Image]:
    found = re.findall(r'src="data:image/jpeg;base64,([^"]*)"', page)
    return [Image.open(io.BytesIO(base64.b64decode(content))) for content in found]


def _roughness(picture: Image.Image) -> int:
    row = [picture.getpixel((x, picture.height // 2)) for x in range(picture.width)]
    return max(abs(int(a) - int(b)) for a, b in itertools.pairwise(row))  # type: ignore[arg-type]


def test_picture_content_is_shown_only_when_asked_and_then_blurred(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    key = Synthetic(thumbnails=True).build(folder)

    assert _thumbnails(_page(folder)) == []
    blurred = _thumbnails(write_report(folder, formats=("html",), thumbnails=True, key=key)[0].read_text("utf-8"))
    clear = _thumbnails(
        write_report(folder, formats=("html",), thumbnails=True, key=key, clear_thumbnails=True)[0].read_text("utf-8")
    )
    assert len(blurred) == len(clear) > 0
    assert all(picture.mode == "L" and max(picture.size) <= 96 for picture in blurred + clear)
    assert all(3 * _roughness(dim) < _roughness(sharp) for dim, sharp in zip(blurred, clear, strict=True))


def test_thumbnails_without_the_right_key_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    Synthetic(thumbnails=True).build(folder)

    with pytest.raises(UsageError, match="sealed store"):
        write_report(folder, thumbnails=True)
    with pytest.raises(FolderError, match="key is another"):
        write_report(folder, formats=("html",), thumbnails=True, key=SealingKey.create(tmp_path / "other.key"))
    assert not (folder / "report" / "report.html").exists()


def _shell(command: str, folder: Path) -> str:
    done = subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.split()[0]


def test_the_instructions_for_an_independent_check_work(folder: Path, tmp_path: Path) -> None:
    blocks = [html.unescape(block) for block in re.findall(r"<pre>(.*?)</pre>", _page(folder), re.DOTALL)]
    facts = next(block for block in blocks if "xargs sha256sum" in block)
    bytewise = next(block for block in blocks if "dd if=IMAGE" in block)

    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert _shell(facts.replace("FOLDER", "."), folder) == manifest["facts_digest"]
    with (tmp_path / "IMAGE").open("wb") as image:
        image.seek(VOLUME_OFFSET + 8192)
        image.write(TEXT[:1024])
        image.seek(VOLUME_OFFSET + 20480)
        image.write(TEXT[1024:])
        image.truncate(VOLUME_OFFSET + 65536)
    assert _shell(bytewise, tmp_path) == hashlib.sha256(TEXT).hexdigest()


def test_a_damaged_or_strange_folder_is_told_and_no_report_written(folder: Path, tmp_path: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    segment = next((folder / "segments").glob("hits-*.parquet"))
    content = segment.read_bytes()
    segment.write_bytes(content[:4] + bytes(len(content) // 2) + content[4 + len(content) // 2 :])
    headless = tmp_path / "headless"
    Synthetic().build(headless)
    del manifest["authority"]
    (headless / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")

    with pytest.raises(FolderError):
        write_report(folder)
    with pytest.raises(FolderError, match="authority"):
        write_report(headless)
    with pytest.raises(UsageError, match="zone"):
        write_report(headless, zone="Nowhere/Place")
    assert not (folder / "report" / "report.html").exists()


def test_an_examination_without_sets_files_or_notices_still_reads(tmp_path: Path) -> None:
    from kaval.folder.durable import place_json

    Synthetic().build(tmp_path / "full")
    manifest = json.loads((tmp_path / "full" / "manifest.json").read_text(encoding="utf-8"))
    empty = tmp_path / "empty"
    empty.mkdir()
    place_json(manifest | {"segments": [], "known_sets": [], "counts": {}}, empty / "manifest.json")

    text = _text(_page(empty))
    assert "No file was listed." in text
    assert "No known set of role alert was used" in text
    assert "No such notice was written in this examination." in text


def test_the_command_line_writes_both_forms(folder: Path) -> None:
    done = CliRunner().invoke(kaval, ["report", str(folder), "--format", "html", "--zone", "UTC"])

    assert done.exit_code == 0, done.output
    assert done.output.split() == [str(folder / "report" / "report.html")]
    assert [row.name for row in REPORTS.rows()] == ["html", "pdf"]
