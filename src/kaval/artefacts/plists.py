"""Property lists, binary and XML, by way of the standard library, with the engine's errors and limits."""

from __future__ import annotations

import plistlib
from collections import deque
from collections.abc import Iterator
from typing import Any
from xml.parsers.expat import ExpatError

from kaval.artefacts.items import Item
from kaval.core.errors import CorruptStructureError

MOST_BYTES = 32 << 20


def read_plist(item: Item) -> dict[str, Any]:
    """Return the dictionary a property list holds at its top.

    Raises:
        CorruptStructureError: It is no property list, or none with a dictionary at its top.
        LimitExceededError: It is far larger than such files are.
    """
    return plist_of(item.content(MOST_BYTES))


def plist_of(content: bytes) -> dict[str, Any]:
    """Return the dictionary that the bytes of a property list hold at its top."""
    try:
        value = plistlib.loads(content)
    except (plistlib.InvalidFileException, ExpatError, ValueError, TypeError, LookupError, AttributeError) as error:
        raise CorruptStructureError("property list", f"it cannot be read ({error})", 0) from error
    except (OverflowError, RecursionError, MemoryError) as error:
        raise CorruptStructureError("property list", "its structure contradicts itself", 0) from error
    if not isinstance(value, dict):
        raise CorruptStructureError("property list", "it holds no dictionary at its top", 0)
    return {str(name): part for name, part in value.items()}


def dictionaries(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every dictionary inside a value, outermost first; one that is referred to twice is yielded once."""
    seen: set[int] = set()
    waiting = deque([value])
    while waiting:
        part = waiting.popleft()
        if id(part) in seen or not isinstance(part, dict | list):
            continue
        seen.add(id(part))
        if isinstance(part, dict):
            yield part
        waiting.extend(part.values() if isinstance(part, dict) else part)
