"""Accounts on iOS and macOS: ``Accounts3.sqlite``, by public descriptions (iLEAPP). Times are seconds since 2001."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from kaval.artefacts import ARTEFACTS, Wanted
from kaval.artefacts.found import found, text_of, told
from kaval.artefacts.items import Item
from kaval.artefacts.records import Artefact, ArtefactKind
from kaval.artefacts.times import cocoa_seconds
from kaval.core.records import Notice


@ARTEFACTS.register
class IosAccounts:
    """Reads name and kind of each account."""

    name: ClassVar[str] = "accounts-ios"
    title: ClassVar[str] = "Accounts (iOS, macOS)"
    rank: ClassVar[int] = 60
    requires: ClassVar[tuple[str, ...]] = ()
    wanted: ClassVar[Wanted] = Wanted(columns=(frozenset({"zaccount.zusername", "zaccount.zaccounttype"}),))

    def parse(self, item: Item) -> Iterator[Artefact | Notice]:
        kinds = item.tables.by("zaccounttype", "Z_PK")
        for row in item.tables.rows("zaccount"):
            kind = kinds.get(row.get("ZACCOUNTTYPE"))
            name = text_of(row.get("ZUSERNAME"))
            yield Artefact(
                kind=ArtefactKind.ACCOUNT,
                application="ios",
                at=cocoa_seconds(row.get("ZDATE")),
                meaning="added",
                zone="utc",
                who=name,
                identifiers=(name,) if name else (),
                title=(text_of(kind.get("ZACCOUNTTYPEDESCRIPTION")) if kind else None)
                or text_of(row.get("ZACCOUNTDESCRIPTION")),
                identity=text_of(row.get("ZIDENTIFIER")),
                details=told(
                    {
                        "described as": row.get("ZACCOUNTDESCRIPTION"),
                        "owned by": row.get("ZOWNINGBUNDLEID"),
                        "kind": kind.get("ZIDENTIFIER") if kind else None,
                    }
                ),
                **found(row),
            )
