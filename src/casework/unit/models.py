"""One table, one row: which unit this database belongs to. It is written at set-up and stays."""

from __future__ import annotations

from django.db import models


class Installation(models.Model):
    """The id that ``unit.env`` has to name as well, so that no other database is taken for this one.

    .. no_pii:
    """

    id = models.SmallIntegerField(primary_key=True, default=1)
    instance = models.CharField(max_length=32)
