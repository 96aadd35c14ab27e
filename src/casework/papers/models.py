"""The tables of papers.

`Form` is the wording of a kind of paper in one language: current until another names it in ``supersedes``; unverified
until a legal officer puts their name to it. `Paper` has one state of its own, issued; it is *superseded* when another
names it, and *withdrawn* when a `Withdrawal` does. `Document` is its file. None of them is ever changed or removed;
triggers refuse it. `Series` counts, and only upwards. `Office` gives a unit the two digits in its numbers.
"""

from __future__ import annotations

from django.db import models

from casework.accounts import api as accounts
from casework.law import api as law
from casework.lib.records import Record
from casework.lib.sealed import SealedTextField
from casework.papers.rules import Kind, Language
from casework.papers.sealing import SealedBytesField

_KINDS = [(kind.value, kind.value) for kind in Kind]
_LANGUAGES = [(language.value, language.value) for language in Language]


class Form(law.LawRow):
    """The words of one kind of paper in one language, one row for each period in which they were the same.

    ``version`` tells forms of the same day apart on paper. ``words`` go by the parts of the layout.

    .. no_pii:
    """

    kind = models.CharField(max_length=40, choices=_KINDS)
    language = models.CharField(max_length=2, choices=_LANGUAGES)
    version = models.CharField(max_length=40)
    words = models.JSONField()

    class Meta:
        indexes = (models.Index(fields=("kind", "language", "valid_from"), name="form_by_kind"),)

    def __str__(self) -> str:
        return f"{self.kind} {self.version} {self.language}"


class Series(models.Model):
    """A counter: of the papers of a unit, a kind and a year, or of the offices.

    .. no_pii:
    """

    name = models.CharField(max_length=80, primary_key=True)
    last = models.BigIntegerField(default=0)


class Office(models.Model):
    """The digits that stand for a unit in the numbers of its papers.

    .. no_pii:
    """

    unit = models.OneToOneField(accounts.Unit, on_delete=models.PROTECT, primary_key=True, related_name="+")
    code = models.PositiveSmallIntegerField(unique=True)


class Paper(Record):
    """A paper as it was issued. ``frozen`` is everything it says, ``digest`` is SHA-256 over it.

    ``file_digest`` is SHA-256 over the PDF, with its electronic signature where there is one.

    .. pii: frozen, sealed; it names whoever the paper names
    """

    kind = models.CharField(max_length=40, choices=_KINDS)
    language = models.CharField(max_length=2, choices=_LANGUAGES)
    number = models.CharField(max_length=40, unique=True)
    unit = models.ForeignKey(accounts.Unit, on_delete=models.PROTECT, related_name="+")
    case = models.UUIDField(null=True)
    subject_kind = models.CharField(max_length=80)
    subject_id = models.CharField(max_length=64)
    form = models.ForeignKey(Form, on_delete=models.PROTECT, related_name="papers")
    frozen = SealedTextField()
    digest = models.CharField(max_length=64)
    file_digest = models.CharField(max_length=64)
    pages = models.PositiveIntegerField()
    size = models.PositiveIntegerField()
    issued_by = models.ForeignKey(accounts.Account, on_delete=models.PROTECT, related_name="+")
    issued_at = models.DateTimeField()
    signed_by = models.CharField(max_length=200, blank=True)
    supersedes = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="superseded_by")
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        indexes = (
            models.Index(fields=("case", "-issued_at", "-id"), name="papers_of_case"),
            models.Index(fields=("subject_kind", "subject_id", "-issued_at", "-id"), name="papers_of_subject"),
            models.Index(fields=("digest",), name="paper_by_digest"),
            models.Index(fields=("file_digest",), name="paper_by_file"),
            models.Index(fields=("issued_by", "-issued_at", "-id"), name="papers_of_account"),
            models.Index(fields=("kind", "-issued_at", "-id"), name="papers_of_kind"),
        )

    def __str__(self) -> str:
        return self.number


class Document(models.Model):
    """The file of a paper, apart from it so that lists stay light.

    .. pii: sealed; it shows whoever the paper names
    """

    paper = models.OneToOneField(Paper, on_delete=models.PROTECT, primary_key=True, related_name="document")
    content = SealedBytesField()


class Withdrawal(Record):
    """That a paper no longer counts, and why.

    .. pii: the reason, sealed
    """

    paper = models.OneToOneField(Paper, on_delete=models.PROTECT, related_name="withdrawal")
    reason = SealedTextField()
    withdrawn_by = models.ForeignKey(accounts.Account, on_delete=models.PROTECT, related_name="+")
