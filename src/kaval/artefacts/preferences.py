"""Android's shared preferences: a map of names to values in XML, or in the binary XML that Android 12 brought."""

from __future__ import annotations

from kaval.artefacts.items import Item
from kaval.artefacts.markup import Element, parse_markup

MOST_BYTES = 8 << 20


def read_preferences(item: Item) -> dict[str, str]:
    """Return the values of a preferences file by their names.

    Raises:
        CorruptStructureError: It is neither XML nor binary XML.
        LimitExceededError: It is far larger than such files are.
    """
    root = parse_markup(item.content(MOST_BYTES), "shared preferences")
    return preferences_of(root)


def preferences_of(root: Element) -> dict[str, str]:
    """Return the values below the root of a preferences file by their names."""
    values = {}
    for child in root.children:
        name = child.attributes.get("name")
        if name is not None:
            values[name] = child.attributes.get("value", child.text)
    return values
