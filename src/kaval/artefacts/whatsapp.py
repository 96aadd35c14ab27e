"""What the WhatsApp parsers share: kinds of message, names of contacts, the digest of a file."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from kaval.artefacts.found import Tables, text_of, whole
from kaval.artefacts.items import Item
from kaval.artefacts.sqlite import Database, Row
from kaval.core.errors import KavalError

APPLICATION = "whatsapp"

TYPES = {
    0: "text", 1: "picture", 2: "audio", 3: "video", 4: "contact", 5: "place", 7: "system", 8: "call", 9: "document",
    10: "missed call", 11: "waiting to be decrypted", 13: "moving picture", 14: "several contacts",
    15: "deleted for all", 16: "live place", 20: "sticker", 42: "view-once picture", 43: "view-once video",
    66: "poll", 90: "call",
}  # fmt: skip
"""Values of ``message_type`` (earlier ``media_wa_type``), as observed by those who published them."""

SYSTEM_ACTIONS = {
    1: "subject changed", 4: "joined", 5: "left", 6: "picture changed", 7: "removed", 9: "broadcast list created",
    10: "number changed", 11: "group created", 12: "added", 14: "removed", 15: "made admin",
    18: "security code changed", 19: "end-to-end encrypted", 20: "joined by link", 27: "description changed",
}  # fmt: skip
"""Values of ``action_type`` of system messages, as observed; others are given by number alone."""


def message_details(kind: Any) -> dict[str, str]:
    """Return what the number of a message's kind stands for, beside the number."""
    code = whole(kind)
    if code is None:
        return {}
    return {"type": TYPES.get(code, "unknown"), "type number": str(code)}


def digest_of_base64(value: Any) -> str | None:
    """Return the SHA-256 that a column holds in Base64, in hexadecimal; ``None`` where it is no such digest."""
    text = text_of(value)
    if text is None or not 43 <= len(text.strip()) <= 44:
        return None
    try:
        digest = base64.b64decode(text.strip() + "=" * (-len(text.strip()) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    return digest.hex() if len(digest) == 32 else None


def contact_names(item: Item) -> dict[str, str]:
    """Return the names of contacts by their identifier, from ``wa.db`` beside the message store.

    A ``wa.db`` that cannot be read is told by the parser that reads it for itself; here it gives no names.
    """
    source = item.beside("wa.db")
    if source is None:
        return {}
    try:
        tables = Tables(Database.open(source, wal=item.beside("wa.db-wal"), journal=item.beside("wa.db-journal")))
        rows = list(tables.live("wa_contacts"))
    except KavalError:
        return {}
    named = ((text_of(row.get("jid")), contact_name(row)) for row in rows)
    return {jid: name for jid, name in named if jid and name}


def contact_name(row: Row) -> str | None:
    """Return the name the device's owner gave a contact, else the one the contact chose."""
    parts = [text_of(row.get("given_name")), text_of(row.get("family_name"))]
    given = " ".join(filter(None, parts))
    return text_of(row.get("display_name")) or given or text_of(row.get("wa_name"))
