"""What the whole house finds and what waits in it: each context answers under its own rules, here it is put together.

A search is recorded with a keyed digest of its words, not with the words: the ledger is kept for ever and read by
many, and the words are names and numbers of people. Whoever holds the unit's key can test whether a certain name was
searched for (`digest_of`), and nobody can try all names against the ledger without it.
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from casework.accounts import api as accounts
from casework.audit import api as audit
from casework.lib.errors import RefusedError
from casework.lib.hooks import FOUND_AT_MOST, Found, Waiting
from casework.web import contexts

_SHORTEST, _LONGEST = 2, 200


@dataclass(frozen=True, kw_only=True)
class Hit:
    """One found record, and the context it is of."""

    context: str
    found: Found


@dataclass(frozen=True, kw_only=True)
class Group:
    """What was found of one kind, best first; ``full`` where the context may know more than it showed."""

    kind: str
    hits: tuple[Hit, ...]
    full: bool


@dataclass(frozen=True, kw_only=True)
class Findings:
    """The answer of the house; ``asks_purpose`` where a context shows restricted matter only to who says what for."""

    groups: tuple[Group, ...]
    asks_purpose: bool


def find(*, acting: accounts.Account, words: str, purpose: str) -> Findings:
    """Return what all contexts find for this person, and record the search."""
    words, purpose = words.strip(), purpose.strip()
    if not _SHORTEST <= len(words) <= _LONGEST:
        raise RefusedError("words", _("Type between 2 and 200 letters or digits."))
    hits, asks_purpose = [], False
    for name, ask in contexts.offers("find"):
        try:
            hits += [Hit(context=name, found=found) for found in ask(acting, words, purpose=purpose)[:FOUND_AT_MOST]]
        except RefusedError as refusal:
            if refusal.rule != "purpose":
                raise
            asks_purpose = True
    _record(acting, words, purpose, len(hits))
    return Findings(groups=_grouped(hits), asks_purpose=asks_purpose)


def waiting_for(account: accounts.Account) -> list[Waiting]:
    """Return what waits for this person in all contexts, the most urgent first, what has no day last."""
    waiting = [one for _name, ask in contexts.offers("waiting_for") for one in ask(account)]
    return sorted(waiting, key=lambda one: (not one.overdue, one.due is None, one.due or date.max, one.kind, one.title))


def digest_of(words: str) -> str:
    """Return what the ledger keeps of the words of a search."""
    plain = " ".join(unicodedata.normalize("NFKC", words).casefold().split())
    return hmac.new(settings.KEY_RING.current("search words").secret, plain.encode(), hashlib.sha256).hexdigest()


def _grouped(hits: list[Hit]) -> tuple[Group, ...]:
    kinds: dict[str, list[Hit]] = {}
    for hit in hits:
        kinds.setdefault(hit.found.kind, []).append(hit)
    return tuple(
        Group(
            kind=kind,
            hits=tuple(sorted(found, key=lambda hit: -hit.found.rank)),
            full=len(found) >= FOUND_AT_MOST,
        )
        for kind, found in kinds.items()
    )


@transaction.atomic
def _record(acting: accounts.Account, words: str, purpose: str, found: int) -> None:
    fields: audit.Fields = {"words_digest": digest_of(words), "found": found}
    audit.append(
        actor=accounts.actor(acting),
        act="web.house_searched",
        subject=audit.Subject(kind="house", id="search"),
        purpose=purpose,
        fields=fields,
    )
