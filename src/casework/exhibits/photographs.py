"""Photographs of exhibits and seals, made anew from what came; the material itself is never photographed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from casework.accounts import api as accounts
from casework.exhibits import rules
from casework.exhibits.ledger import told
from casework.exhibits.models import Exhibit, Photograph
from casework.exhibits.reading import locked, state_of
from casework.lib import pictures
from casework.lib.errors import AbsentError, RefusedError

PHOTOGRAPHS_AT_MOST = 40


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A photograph made anew, and the digest of the file as it came."""

    picture: pictures.Picture
    received_sha256: str


def prepare(content: bytes) -> Prepared:
    """Return the photograph made anew; it takes a while, so it is done before a verb locks anything.

    Only what the decoder saw stays, without place, device or hidden bytes. The digest of the file as it came tells the
    camera's own file apart from any other.
    """
    return Prepared(picture=pictures.re_encode(content), received_sha256=hashlib.sha256(content).hexdigest())


@transaction.atomic
def add_photograph(*, acting: accounts.Account, exhibit: Exhibit, prepared: Prepared, caption: str = "") -> Photograph:
    """Keep a photograph of the exhibit."""
    exhibit = locked(exhibit)
    accounts.check_may_work(acting, exhibit.case_id)
    rules.check_alive(state_of(exhibit))
    photograph = kept(acting, exhibit, prepared, caption)
    told(acting, "photographed", "exhibit", exhibit.pk, exhibit.case_id, {"sha256": photograph.sha256})
    return photograph


def kept(acting: accounts.Account, exhibit: Exhibit, prepared: Prepared, caption: str) -> Photograph:
    """Write a photograph down, inside the verb that tells of it."""
    if exhibit.is_material:
        raise RefusedError("material", "Of the material itself no picture is kept here.")
    if len(Photograph.objects.filter(exhibit=exhibit).values_list("pk")[:PHOTOGRAPHS_AT_MOST]) == PHOTOGRAPHS_AT_MOST:
        raise RefusedError("photographs", f"There are {PHOTOGRAPHS_AT_MOST} photographs of it already.")
    picture = prepared.picture
    return Photograph.objects.create(
        exhibit=exhibit,
        caption=caption.strip(),
        kind=picture.kind,
        width=picture.width,
        height=picture.height,
        sha256=hashlib.sha256(picture.content).hexdigest(),
        received_sha256=prepared.received_sha256,
        content=picture.content,
        taken_by=acting,
    )


def photograph_of(exhibit: Exhibit, photograph: UUID) -> Photograph:
    """Return one photograph of the exhibit, or say there is none."""
    found = Photograph.objects.filter(exhibit=exhibit, pk=photograph).first()
    if found is None:
        raise AbsentError("photograph")
    return found
