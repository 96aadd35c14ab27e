"""The law as rows.

A row is never changed: another row supersedes it and names it in ``supersedes``. A row that nothing supersedes is
current. It is unverified until a legal officer confirms it, which is again a superseding row, with ``verified_by``
and ``verified_on``. ``valid_from`` and ``valid_to`` are when the law held, both days included; when we knew it is
``created_at``.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q

from casework.law.rules import Sex, Status, VictimTest
from casework.lib.errors import CaseworkError
from casework.lib.records import Record

_STATUSES = [(status.value, status.value) for status in Status]


class OverwrittenLawError(CaseworkError):
    """A row of law was to be changed in place."""

    def __init__(self) -> None:
        super().__init__("A row of law is superseded, never changed.")


class LawRow(Record):
    """What every row of law carries: validity, source, status, who verified it, and what it supersedes."""

    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)
    source = models.CharField(max_length=300, blank=True)
    status = models.CharField(max_length=2, choices=_STATUSES)
    note = models.TextField(blank=True)
    verified_by = models.CharField(max_length=200, blank=True)
    verified_on = models.DateField(null=True, blank=True)
    supersedes = models.OneToOneField("self", null=True, on_delete=models.PROTECT, related_name="superseded_by")
    reason = models.CharField(max_length=500, blank=True)

    class Meta:
        abstract = True

    @property
    def is_verified(self) -> bool:
        """Tell whether a legal officer has put their name to the row."""
        return bool(self.verified_by)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Write a new row, and nothing else."""
        if not self._state.adding:
            raise OverwrittenLawError
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        """Refuse."""
        raise OverwrittenLawError


def in_force(day: Any) -> Q:
    """Return the condition of rows that are current and held on ``day``."""
    return Q(superseded_by=None, valid_from__lte=day) & (Q(valid_to=None) | Q(valid_to__gte=day))


class Statute(LawRow):
    """An Act or a set of rules.

    .. no_pii:
    """

    code = models.CharField(max_length=40)
    title = models.CharField(max_length=200)


class Offence(LawRow):
    """An offence, one row for each period in which its text was the same. Texts stand as the schedule has them.

    .. no_pii:
    """

    act = models.CharField(max_length=40)
    section = models.CharField(max_length=40)
    what = models.CharField(max_length=400)
    minimum = models.CharField(max_length=80, blank=True)
    maximum = models.CharField(max_length=80, blank=True)
    fine = models.CharField(max_length=80, blank=True)
    cognizable = models.CharField(max_length=40, blank=True)
    bailable = models.CharField(max_length=80, blank=True)
    court = models.CharField(max_length=120, blank=True)
    jj_class = models.CharField(max_length=40, blank=True)
    limitation = models.CharField(max_length=40, blank=True)
    minimum_rank = models.CharField(max_length=40, blank=True)
    victim_sex = models.CharField(max_length=20, blank=True, choices=[(sex.value, sex.value) for sex in Sex])
    victim_age_from = models.PositiveSmallIntegerField(null=True, blank=True)
    victim_age_below = models.PositiveSmallIntegerField(null=True, blank=True)
    elements = models.JSONField(default=list, blank=True)
    # How the elements are known, which may be less well than the text of the section.
    elements_status = models.CharField(max_length=2, blank=True, choices=_STATUSES)

    class Meta:
        indexes = (models.Index(fields=("act", "section"), name="offence_by_section"),)

    def __str__(self) -> str:
        return f"{self.act} {self.section}"

    @property
    def victim_test(self) -> VictimTest:
        """Return what the offence demands of the victim."""
        sex = Sex(self.victim_sex) if self.victim_sex else None
        return VictimTest(sex=sex, age_from=self.victim_age_from, age_below=self.victim_age_below)


class ClockRule(LawRow):
    """A duty that starts with an event; ``span`` is the limit as a number, where the text gives one.

    ``procedure``: the code of procedure the rule belongs to; it holds for matters begun under that code, others hold
    for all. ``counting``: ``day-in`` counts the day of the event as the first. ``per``: whether it runs for the case
    or for each person. ``met_by``: the events that fulfil the duty. ``extension``: by how much it can grow: a span,
    ``order`` (as a court says), ``journey`` (the time of the way), or not at all. ``needs``: class and age, on the
    day of the offence, of the person it runs for. ``about``: how these six are known.

    .. no_pii:
    """

    key = models.CharField(max_length=40)
    law = models.CharField(max_length=80)
    event = models.CharField(max_length=40)
    trigger = models.CharField(max_length=300)
    limit = models.CharField(max_length=200)
    span = models.CharField(max_length=20)
    duty = models.CharField(max_length=300)
    recipient = models.CharField(max_length=200, blank=True)
    only_for = models.JSONField(default=list, blank=True)
    condition = models.CharField(max_length=300, blank=True)
    procedure = models.CharField(max_length=40, blank=True)
    counting = models.CharField(max_length=20, blank=True)
    per = models.CharField(max_length=20, default="case")
    met_by = models.JSONField(default=list, blank=True)
    extension = models.CharField(max_length=20, blank=True)
    needs = models.JSONField(default=dict, blank=True)
    about = models.CharField(max_length=2, blank=True)

    class Meta:
        indexes = (models.Index(fields=("event",), name="clock_by_event"),)


class Correspondence(LawRow):
    """Which section of the Penal Code stands where in the Bharatiya Nyaya Sanhita.

    .. no_pii:
    """

    ipc = models.CharField(max_length=40)
    bns = models.CharField(max_length=40)


class Gap(LawRow):
    """What is known not to be on record: text that held in a period and is not in these tables.

    .. no_pii:
    """

    act = models.CharField(max_length=40)
    section = models.CharField(max_length=40)
    missing = models.CharField(max_length=300)
