"""The base of every table that is not the ledger: an id that tells nothing, and when the row was made."""

from __future__ import annotations

import uuid

from django.db import models

from casework.lib import clock


class Record(models.Model):
    """A row with a random id; ids are shown in addresses, so they neither count nor can be guessed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    created_at = models.DateTimeField(default=clock.now, editable=False)

    class Meta:
        abstract = True
