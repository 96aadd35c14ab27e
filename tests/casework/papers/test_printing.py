"""The printed page: the same bytes for the same values, every kind in every language, its text, its limits."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pypdf
import pytest

from casework.papers import printing, rendering, rules
from casework.papers.rules import Kind, Language
from tests.casework.papers.values import CUSTODY_SEQUENCE, OF_KIND, RECEIPT, hand_over

ADDRESS = "https://kaval.example/papers/check/"
PDFTOTEXT = shutil.which("pdftotext")
FORMS = Path(printing.__file__).parent / "data" / "forms"


def frozen(kind: Kind, language: Language = Language.ENGLISH, **changes: Any) -> dict[str, Any]:
    form = json.loads((FORMS / f"{kind.value}.json").read_text(encoding="utf-8"))["editions"][0]
    said = form["languages"][language.value]
    made = {
        "kind": kind.value,
        "language": language.value,
        "number": rules.number_of(kind, 1, 2026, 1),
        "unit": "Cell of the north",
        "day": "2026-11-24",
        "supersedes": "",
        "signed_by": "",
        "form": {
            "version": form["version"],
            "source": said["source"],
            "status": said["status"],
            "verified_by": "",
            "verified_on": "",
            "words": said["words"],
        },
        "values": OF_KIND[kind],
    }
    return {**made, **changes}


def pages(content: bytes) -> list[str]:
    """Return what a reader copies out of each page: poppler knows how letters of a conjunct belong together."""
    if PDFTOTEXT is None:
        pytest.skip("there is no pdftotext (apt install poppler-utils)")
    with tempfile.NamedTemporaryFile(suffix=".pdf") as file:
        file.write(content)
        file.flush()
        done = subprocess.run([PDFTOTEXT, "-raw", file.name, "-"], capture_output=True, check=True)
    return done.stdout.decode().split("\f")[:-1]


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("kind", list(Kind))
def test_each_page_carries_number_count_digest_and_the_mark_of_its_form(kind: Kind, language: Language) -> None:
    paper = frozen(kind, language)
    printed = rendering.render(paper, address=ADDRESS)

    labels = rendering.labels()[language]
    digest = rules.digest_of(rules.canonical(paper))
    written = pages(printed.content)
    assert len(written) == printed.pages
    for number, page in enumerate(written, start=1):
        squeezed_page = squeezed(page)
        assert paper["number"] in page
        assert digest[:32] in squeezed_page
        assert ADDRESS in squeezed_page
        assert squeezed(labels["page_of"].format(page=number, pages=len(written))) in squeezed_page
        assert squeezed(labels["unverified"]) in squeezed_page
        assert squeezed(labels["unsigned"]) in squeezed_page


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("kind", list(Kind))
def test_all_words_of_the_form_are_on_the_paper_and_underneath_it(kind: Kind, language: Language) -> None:
    written = squeezed("".join(pages(rendering.render(frozen(kind, language), address=ADDRESS).content)))

    # Some parts are printed only where the values ask for them.
    conditional = {"nothing", "pending", "gaps", "returned", "working_note", "as_below"}
    words = frozen(kind, language)["form"]["words"]
    for name, text in words.items():
        for part in re.split(r"\{[a-z_]+\}", text):
            if name not in conditional:
                assert squeezed(part) in written, (name, part)


def test_the_schedule_stands_word_for_word() -> None:
    part_a = frozen(Kind.CERTIFICATE_63_A)["form"]["words"]
    part_b = frozen(Kind.CERTIFICATE_63_B)["form"]["words"]

    assert part_a["control"] == (
        "The digital device or the digital record source was under the lawful control for regularly creating, storing "
        "or processing information for the purposes of carrying out regular activities and during this period, the "
        "computer or the communication device was working properly and the relevant information was regularly fed "
        "into the computer during the ordinary course of business."
    )
    assert part_a["worked"] == (
        "If the computer/digital device at any point of time was not working properly or out of operation, then it "
        "has not affected the electronic/digital record or its accuracy."
    )
    for words in (part_a, part_b):
        assert words["hash_statement"] == (
            "I state that the HASH value/s of the electronic/digital record/s is {value}, obtained through the "
            "following algorithm:—"
        )
        assert words["affirmation"].endswith("do hereby solemnly affirm and sincerely state and submit as follows:—")
    assert part_b["signature"] == "(Name, designation and signature)"


def test_the_same_values_give_the_same_bytes_and_others_do_not() -> None:
    one, same = (rendering.render(frozen(Kind.RECEIPT), address=ADDRESS).content for _ in range(2))
    other = rendering.render(frozen(Kind.RECEIPT, number="RC/01/2026/0002"), address=ADDRESS).content

    assert one == same
    assert one != other


def test_the_file_is_an_archive_with_its_own_fonts_and_tags() -> None:
    content = rendering.render(frozen(Kind.RECEIPT, Language.MALAYALAM), address=ADDRESS).content

    reader = pypdf.PdfReader(io.BytesIO(content))
    xmp = reader.xmp_metadata
    assert xmp is not None
    assert b"pdfaid:part" in content or "pdfaid" in str(xmp.rdf_root.toxml())
    catalogue = reader.root_object
    assert catalogue["/MarkInfo"]["/Marked"]  # type: ignore[index]
    assert str(catalogue["/Lang"]) == "ml-IN"
    fonts = {str(font) for page in reader.pages for font in page["/Resources"]["/Font"].values()}  # type: ignore[index]
    assert fonts
    assert b"/JavaScript" not in content
    assert not reader.attachments


def test_a_verified_form_loses_the_mark_and_names_who_verified_it() -> None:
    paper = frozen(Kind.RECEIPT)
    paper["form"] = {**paper["form"], "verified_by": "Lata", "verified_on": "24-11-2026"}
    [page] = pages(rendering.render(paper, address=ADDRESS).content)

    assert "not yet verified" not in page
    assert "verified by Lata on 24-11-2026" in " ".join(page.split())


def test_a_preview_says_on_each_page_that_it_is_none() -> None:
    written = pages(rendering.render(frozen(Kind.CUSTODY_SEQUENCE), address=ADDRESS, preview=True).content)

    assert all("Preview–notissued" in squeezed(page) for page in written)


def test_a_superseding_and_a_signed_paper_say_so() -> None:
    [page] = pages(
        rendering.render(frozen(Kind.RECEIPT, supersedes="RC/01/2026/0009", signed_by="Seal"), address=ADDRESS).content
    )

    assert "Supersedes RC/01/2026/0009" in page
    assert "carries the electronic signature of Seal" in " ".join(page.split())


@pytest.mark.parametrize(
    "hostile",
    [
        '#panic("out")',
        ']#read("/etc/passwd")[',
        '"); #sys.inputs',
        "$ x^2 $ *bold* _it_ <label> @ref // comment",
        "{name} {hash}",
        "\\u{41} \\",
        "= Heading\n+ item",
    ],
)
def test_values_are_text_and_never_part_of_the_layout(hostile: str) -> None:
    values = {**RECEIPT, "receipt_of": hostile, "place": hostile}
    [page] = pages(rendering.render(frozen(Kind.RECEIPT, values=values), address=ADDRESS).content)

    assert squeezed(hostile) in squeezed(page)


def test_a_pending_hand_over_is_said_at_once() -> None:
    values = {**CUSTODY_SEQUENCE, "complete": False}
    written = " ".join(pages(rendering.render(frozen(Kind.CUSTODY_SEQUENCE, values=values), address=ADDRESS).content))

    assert "A hand-over is pending: the sequence is not complete." in " ".join(written.split())


def test_a_text_as_long_as_a_text_may_be_is_printed_to_its_last_word() -> None:
    long = "word " * 1590 + "the-last-word"
    event = hand_over(1, purpose_note=long)
    values = {**CUSTODY_SEQUENCE, "events": [event]}
    printed = rendering.render(frozen(Kind.CUSTODY_SEQUENCE, values=values), address=ADDRESS)

    assert printed.pages > 2
    assert "the-last-word" in squeezed("".join(pages(printed.content)))


def test_every_label_and_vocabulary_is_there_in_each_language() -> None:
    labels, vocabulary = rendering.labels(), rendering.vocabulary()

    assert set(labels) == set(vocabulary) == {language.value for language in Language}
    for language in Language:
        assert set(labels[language]) == set(labels["en"])
        assert {name: set(words) for name, words in vocabulary[language].items()} == {
            name: set(words) for name, words in vocabulary["en"].items()
        }
        for name, text in labels[language].items():
            assert sorted(re.findall(r"\{\w+\}", text)) == sorted(re.findall(r"\{\w+\}", labels["en"][name])), name


def test_the_qr_of_a_page_leads_to_its_check(monkeypatch: pytest.MonkeyPatch) -> None:
    sheets: list[dict[str, Any]] = []
    monkeypatch.setattr(printing, "press", lambda layout, sheet: sheets.append(sheet))
    paper = frozen(Kind.RECEIPT)
    rendering.render(paper, address=ADDRESS)

    digest = rules.digest_of(rules.canonical(paper))
    address = f"{ADDRESS}?number={paper['number']}&digest={digest[:32]}"
    assert sheets[0]["qr"] == rendering.qr_of(address)
    assert rules.read_check(address, "") == (paper["number"], digest[:32])


def test_a_layout_that_fails_is_our_own_error_and_its_message_quotes_nothing() -> None:
    paper = frozen(Kind.RECEIPT, values={**RECEIPT, "lines": ["Nila"]})

    with pytest.raises(printing.PrintingError) as failed:
        rendering.render(paper, address=ADDRESS)
    assert "Nila" not in str(failed.value)


def test_the_press_may_take_only_so_much_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    order = json.dumps({"layout": "receipt", "sheet": {}}).encode()
    script = "import casework.papers.printing as p; p.MEMORY = 60 * 1024**2; p._main()"
    done = subprocess.run([sys.executable, "-c", script], input=order, capture_output=True, check=False)

    assert done.returncode != 0
    assert not done.stdout.startswith(b"1")


@pytest.mark.slow
def test_five_thousand_hand_overs_are_printed_within_the_limits() -> None:
    values = {**CUSTODY_SEQUENCE, "events": [hand_over(number) for number in range(1, 5001)]}
    printed = rendering.render(frozen(Kind.CUSTODY_SEQUENCE, values=values), address=ADDRESS)

    assert 200 < printed.pages < 400
    assert "5000" in "".join(pages(printed.content)[-2:])


def test_what_is_not_known_leaves_no_empty_label() -> None:
    case = dict.fromkeys(RECEIPT["case"], "") | {"number": "C/0042/2026"}
    bare = {**RECEIPT["lines"][0], "description": "", "serial": "", "imei": [], "mac": ""}
    [page] = pages(
        rendering.render(
            frozen(Kind.RECEIPT, values={**RECEIPT, "case": case, "lines": [bare]}), address=ADDRESS
        ).content
    )

    assert "FIR, station" not in page
    assert "Sections" not in page
    assert "mobile phone: Nilavu, X1, grey" in page
