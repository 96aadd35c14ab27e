"""Applications installed on Android: ``packages.xml``, as XML or binary XML, by AOSP's package manager.

Times are hexadecimal milliseconds since 1970.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from kaval.artefacts import ARTEFACTS, Wanted
from kaval.artefacts.found import told
from kaval.artefacts.items import Item
from kaval.artefacts.markup import Element, parse_markup
from kaval.artefacts.records import Artefact, ArtefactKind, Moment
from kaval.artefacts.times import unix_milliseconds
from kaval.core.records import Notice

_MOST_BYTES = 64 << 20
_REMOVED = "updated-package"


@ARTEFACTS.register
class AndroidPackages:
    """Reads which applications are installed, since when, from where, and the versions of the system."""

    name: ClassVar[str] = "packages-android"
    title: ClassVar[str] = "Installed applications (Android)"
    rank: ClassVar[int] = 60
    requires: ClassVar[tuple[str, ...]] = ()
    wanted: ClassVar[Wanted] = Wanted(paths=(r"(^|/)system/packages(-backup)?\.xml$", r"^packages(-backup)?\.xml$"))

    def parse(self, item: Item) -> Iterator[Artefact | Notice]:
        root = parse_markup(item.content(_MOST_BYTES), "packages.xml")
        for number, element in enumerate(root.walk()):
            if element.name in ("package", _REMOVED) and element.attributes.get("name"):
                yield _package(element, number)
            elif element.name == "version" and element.attributes.get("fingerprint"):
                yield _version(element, number)


def _hexadecimal(value: str | None) -> int | None:
    try:
        return unix_milliseconds(int(value or "", 16))
    except ValueError:
        return None


def _package(element: Element, number: int) -> Artefact:
    values = element.attributes
    times = ((_hexadecimal(values.get("ft")), "files changed"), (_hexadecimal(values.get("ut")), "updated"))
    return Artefact(
        kind=ArtefactKind.APPLICATION,
        application="android",
        place=f"element {number}",
        at=_hexadecimal(values.get("it")),
        meaning="installed",
        zone="utc",
        moments=tuple(Moment(at=at, meaning=meaning) for at, meaning in times if at is not None),
        title=values.get("name"),
        identity=values.get("name"),
        details=told(
            {
                "code in": values.get("codePath"),
                "version": values.get("version"),
                "installed by": values.get("installer"),
                "user": values.get("userId") or values.get("sharedUserId"),
                "state": "as shipped, replaced by an update" if element.name == _REMOVED else None,
            }
        ),
    )


def _version(element: Element, number: int) -> Artefact:
    return Artefact(
        kind=ArtefactKind.IDENTIFIER,
        application="android",
        place=f"element {number}",
        title="system build",
        text=element.attributes["fingerprint"],
        details=told({"sdk": element.attributes.get("sdkVersion"), "volume": element.attributes.get("volumeUuid")}),
    )
