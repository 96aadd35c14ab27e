"""The tables of the ledger.

`Entry` has one state: written. `Head` is the end of the chain, one row. `DailyHead` has one state: closed; `HeadStamp`
has one: given.
No row points into another table, so nothing can cascade into the ledger; triggers refuse UPDATE and DELETE.
"""

from __future__ import annotations

from django.db import models


class Entry(models.Model):
    """One act. Actor and subject are values as they were at the time, not references.

    ``digest`` is SHA-256 over the row and the digest before it: anyone can check it. ``mark`` is an HMAC with the key
    of the unit over the digest: one who may write to the database, and has not the key, cannot make the chain anew.

    .. pii: actor_name and the values in fields, kept for as long as the ledger
    """

    seq = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    actor_id = models.CharField(max_length=64)
    actor_name = models.CharField(max_length=200)
    act = models.CharField(max_length=80)
    subject_kind = models.CharField(max_length=80)
    subject_id = models.CharField(max_length=64)
    case = models.CharField(max_length=64, blank=True)
    purpose = models.TextField(blank=True)
    fields = models.TextField()
    request = models.CharField(max_length=32, blank=True)
    previous = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)
    mark = models.CharField(max_length=80)

    class Meta:
        indexes = (
            models.Index(fields=("subject_kind", "subject_id", "seq"), name="audit_by_subject"),
            models.Index(fields=("case", "seq"), name="audit_by_case"),
            models.Index(fields=("actor_id", "seq"), name="audit_by_actor"),
        )


class Head(models.Model):
    """The end of the chain: its row is locked while an entry is appended, so the chain has no forks.

    .. no_pii:
    """

    id = models.SmallIntegerField(primary_key=True, default=1)
    seq = models.BigIntegerField()
    digest = models.CharField(max_length=64)
    mark = models.CharField(max_length=80)


class DailyHead(models.Model):
    """The end of the chain at the end of a day, to be printed and kept elsewhere.

    .. no_pii:
    """

    day = models.DateField(primary_key=True)
    seq = models.BigIntegerField()
    digest = models.CharField(max_length=64)
    made_at = models.DateTimeField()
    mark = models.CharField(max_length=80)


class HeadStamp(models.Model):
    """The answer of a time stamping authority (RFC 3161) about one daily head, whole, as it came.

    .. no_pii:
    """

    day = models.DateField(primary_key=True)
    answer = models.BinaryField()
    stamped_at = models.DateTimeField()
    authority = models.CharField(max_length=300)
