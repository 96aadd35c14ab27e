"""Tango on Android: the profiles it keeps of others, by the schema plaso describes; names are in Base64."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from kaval.artefacts import ARTEFACTS, Wanted
from kaval.artefacts.found import found, text_of, told
from kaval.artefacts.items import Item
from kaval.artefacts.records import Artefact, ArtefactKind, Moment
from kaval.artefacts.sqlite import Row
from kaval.artefacts.tango_android import APPLICATION, decoded
from kaval.artefacts.times import unix_milliseconds
from kaval.core.records import Notice


@ARTEFACTS.register
class TangoAndroidProfiles:
    """Reads profiles as contacts; that one is kept does not mean that anybody wrote to it."""

    name: ClassVar[str] = "tango-android-profiles"
    title: ClassVar[str] = "Tango (Android), profiles"
    rank: ClassVar[int] = 31
    requires: ClassVar[tuple[str, ...]] = ()
    wanted: ClassVar[Wanted] = Wanted(
        columns=(frozenset({"profiletable.itemuserid", "profiletable.itemfirstname", "profiletable.itemisfriend"}),)
    )

    def parse(self, item: Item) -> Iterator[Artefact | Notice]:
        for row in item.tables.rows("profiletable"):
            yield _profile(row)


def _profile(row: Row) -> Artefact:
    names = [_name(row, column) for column in ("itemFirstName", "itemLastName")]
    user = text_of(row.get("itemUserId"))
    times = (("itemLastLocalAccessTime", "looked at"), ("itemFriendRequestTime", "asked to be a friend"))
    stored = ((unix_milliseconds(row.get(column)), meaning) for column, meaning in times)
    return Artefact(
        kind=ArtefactKind.CONTACT,
        application=APPLICATION,
        at=unix_milliseconds(row.get("itemLastActiveTime")),
        meaning="last active",
        zone="utc",
        moments=tuple(Moment(at=at, meaning=meaning) for at, meaning in stored if at is not None),
        who=user,
        who_name=" ".join(filter(None, names)) or None,
        identifiers=(user,) if user else (),
        text=_name(row, "itemStatus"),
        details=told(
            {
                "birthday": row.get("itemBirthday"),
                "gender": row.get("itemGender"),
                "city": row.get("itemCity"),
                "distance": row.get("itemDistance"),
                "friend": row.get("itemIsFriend"),
                "request": row.get("itemFriendRequestType"),
                "request text": _name(row, "itemFriendRequestMessage"),
            }
        ),
        **found(row),
    )


def _name(row: Row, column: str) -> str | None:
    return decoded(row.get(column)).decode("utf-8", "replace") or None
