"""Issuing: shape, freezing, numbers, printing, rights, and what cannot be changed afterwards."""

from __future__ import annotations

import hashlib
import json

import pytest

from casework.audit.models import Entry
from casework.papers import rules
from casework.papers.models import Document
from tests.casework.conftest import Cast
from tests.casework.papers.conftest import issued, seizure_list

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("forms", "morning")]


def test_a_paper_is_numbered_frozen_printed_and_entered(led: Cast) -> None:
    paper = issued(led)

    document = bytes(Document.objects.get(paper=paper).content)
    assert paper.number == "SL/01/2026/0001"
    assert document.startswith(b"%PDF-1.7")
    assert hashlib.sha256(document).hexdigest() == paper.file_digest
    assert rules.digest_of(paper.frozen) == paper.digest
    assert json.loads(paper.frozen)["values"] == seizure_list()
    entry = Entry.objects.get(act="papers.paper_issued")
    assert (entry.subject_id, paper.digest in entry.fields) == (str(paper.pk), True)
    assert "Suma" not in entry.fields
