"""The pages of papers in a real browser: nothing too wide, nothing axe objects to, and a file that arrives whole."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from django.urls import reverse
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from casework.accounts import api as accounts
from casework.papers import api as papers
from casework.papers.models import Form
from tests.casework.conftest import THE_CASE, Cast, enlist
from tests.casework.exhibits import test_looks as looks
from tests.casework.papers.conftest import issued
from tests.casework.papers.values import RECEIPT

pytestmark = looks.pytestmark
page = looks.page


@pytest.fixture
def shown(led: Cast) -> papers.Paper:
    """Return a paper in force, in a case with a superseded and a withdrawn one."""
    papers.seed()
    old = issued(led, papers.Kind.RECEIPT, values=RECEIPT)
    issued(led, papers.Kind.RECEIPT, values=RECEIPT, supersedes=old, reason="a line was missing")
    gone = issued(led, papers.Kind.RECEIPT, values=RECEIPT, language=papers.Language.HINDI)
    papers.withdraw(acting=led.inga, paper=gone, reason="wrong exhibit")
    papers.issue_head(acting=led.esther, language=papers.Language.ENGLISH)
    return issued(led, language=papers.Language.MALAYALAM)


def test_every_page_of_papers_is_clean(page: Page, live_server: LiveServer, led: Cast, shown: papers.Paper) -> None:
    legal = enlist("Lata", led.inga.unit, accounts.Role.LEGAL)
    form = Form.objects.get(kind=papers.Kind.CERTIFICATE_63_A, language="ml")
    digest = shown.digest[:32]
    addresses = {
        led.inga: {
            "mine": reverse("papers:mine"),
            "case": reverse("papers:of_case", args=[THE_CASE]),
            "paper": reverse("papers:paper", args=[shown.pk]),
            "signature": reverse("papers:signature", args=[shown.pk]),
            "withdraw": reverse("papers:withdraw", args=[shown.pk]),
            "check": reverse("papers:check"),
            "checked": f"{reverse('papers:check')}?number={shown.number}&digest={digest}",
            "check-refused": f"{reverse('papers:check')}?number=7&digest=",
        },
        legal: {
            "forms": reverse("papers:forms"),
            "form": reverse("papers:form", args=[form.pk]),
            "reword": reverse("papers:reword_form", args=[form.pk]),
        },
        led.esther: {"heads": reverse("papers:heads")},
    }
    for width, suffix in ((1280, ""), (360, "-phone")):
        page.set_viewport_size({"width": width, "height": 800})
        for person, named in addresses.items():
            looks.come_in(page, live_server, person)
            for name, address in named.items():
                page.goto(live_server.url + address)
                looks.look(page, f"papers-{name}{suffix}")


def test_the_file_arrives_whole_and_is_recognised(
    page: Page, live_server: LiveServer, led: Cast, shown: papers.Paper, tmp_path: Path
) -> None:
    looks.come_in(page, live_server, led.bashir)
    page.goto(live_server.url + reverse("papers:paper", args=[shown.pk]))
    with page.expect_download() as arriving:
        page.get_by_role("button", name="Take out the PDF").click()
    file = tmp_path / "paper.pdf"
    arriving.value.save_as(file)

    assert arriving.value.suggested_filename == f"{shown.number.replace('/', '-')}.pdf"
    assert hashlib.sha256(file.read_bytes()).hexdigest() == shown.file_digest
    page.goto(live_server.url + reverse("papers:check"))
    page.get_by_label("PDF file").set_input_files(file)
    page.get_by_role("button", name="Compare").click()
    page.get_by_role("heading", name="Genuine").wait_for()
