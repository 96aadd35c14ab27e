"""Accounts on Android: ``accounts.db``, ``accounts_ce.db`` and ``accounts_de.db`` of the account manager.

Passwords and tokens are not taken over.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from kaval.artefacts import ARTEFACTS, Wanted
from kaval.artefacts.found import found, text_of
from kaval.artefacts.items import Item
from kaval.artefacts.records import Artefact, ArtefactKind
from kaval.artefacts.times import unix_milliseconds
from kaval.core.records import Notice


@ARTEFACTS.register
class AndroidAccounts:
    """Reads name and kind of each account."""

    name: ClassVar[str] = "accounts-android"
    title: ClassVar[str] = "Accounts (Android)"
    rank: ClassVar[int] = 60
    requires: ClassVar[tuple[str, ...]] = ()
    wanted: ClassVar[Wanted] = Wanted(
        columns=(
            frozenset({"accounts.name", "accounts.type", "authtokens.accounts_id"}),
            frozenset({"accounts.name", "accounts.type", "accounts.last_password_entry_time_millis_epoch"}),
        )
    )

    def parse(self, item: Item) -> Iterator[Artefact | Notice]:
        for row in item.tables.rows("accounts"):
            name = text_of(row.get("name"))
            yield Artefact(
                kind=ArtefactKind.ACCOUNT,
                application="android",
                at=unix_milliseconds(row.get("last_password_entry_time_millis_epoch")),
                meaning="password last given",
                zone="utc",
                who=name,
                identifiers=(name,) if name else (),
                title=text_of(row.get("type")),
                identity=text_of(row.get("_id")),
                **found(row),
            )
