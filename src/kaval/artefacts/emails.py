"""E-mail messages as files, by RFC 5322 and MIME: who wrote to whom, when, what, with which files.

Not read: mailboxes that hold many messages (mbox, PST).
"""

from __future__ import annotations

import codecs
import email
import email.header
import email.policy
import email.utils
import hashlib
from collections.abc import Iterator
from datetime import UTC
from typing import ClassVar

from kaval.artefacts import ARTEFACTS, Wanted
from kaval.artefacts.found import told
from kaval.artefacts.items import Item
from kaval.artefacts.records import Artefact, ArtefactKind, Attachment
from kaval.artefacts.texts.hypertext import plain_of_html
from kaval.artefacts.times import of_datetime
from kaval.core.errors import CorruptStructureError
from kaval.core.records import Notice

APPLICATION = "email"
_MOST_BYTES = 64 << 20
_MOST_TEXT = 1 << 18


@ARTEFACTS.register
class Emails:
    """Reads one message with its addresses, text and the names of its files."""

    name: ClassVar[str] = "emails"
    title: ClassVar[str] = "E-mail messages (.eml)"
    rank: ClassVar[int] = 30
    requires: ClassVar[tuple[str, ...]] = ()
    wanted: ClassVar[Wanted] = Wanted(media_types=frozenset({"message/rfc822"}))

    def parse(self, item: Item) -> Iterator[Artefact | Notice]:
        content = item.content(_MOST_BYTES)
        try:
            message = email.message_from_bytes(content, policy=email.policy.compat32)
            yield _message(message)
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError, AssertionError) as error:
            raise CorruptStructureError("e-mail message", f"it cannot be read ({error})") from error


def _message(message: email.message.Message) -> Artefact:
    senders = _addresses(message, "from", "sender")
    name, sender = senders[0] if senders else (None, None)
    recipients = tuple(address for _, address in _addresses(message, "to", "cc", "bcc"))
    at, zone = _date(message)
    return Artefact(
        kind=ArtefactKind.MESSAGE,
        application=APPLICATION,
        place="byte 0",
        at=at,
        meaning="dated by the sender",
        zone=zone,
        who=sender,
        who_name=name or None,
        whom=recipients,
        conversation=_text(message, "thread-topic") or ", ".join(filter(None, (sender, *recipients)))[:500] or None,
        conversation_title=_text(message, "subject"),
        title=_text(message, "subject"),
        text=_body(message),
        identity=_text(message, "message-id"),
        reply_to=_text(message, "in-reply-to"),
        attachments=tuple(_attachments(message)),
        details=told({"received": _text(message, "received"), "mailer": _text(message, "x-mailer")}),
    )


def _text(message: email.message.Message, name: str) -> str | None:
    """Return a header's text, encoded words resolved."""
    value = message.get(name)
    return None if value is None else _decoded(str(value)) or None


def _decoded(value: str) -> str:
    """Return a header's text with encoded words (RFC 2047) resolved."""
    parts = email.header.decode_header(value)
    texts = [part.decode(_known(charset), "replace") if isinstance(part, bytes) else part for part, charset in parts]
    return " ".join("".join(texts).split())


def _known(charset: str | None) -> str:
    try:
        return codecs.lookup(charset or "utf-8").name
    except LookupError:
        return "utf-8"


def _addresses(message: email.message.Message, *names: str) -> list[tuple[str, str]]:
    values = [str(value) for name in names for value in message.get_all(name, [])]
    return [(_decoded(name), address.lower()) for name, address in email.utils.getaddresses(values) if address]


def _date(message: email.message.Message) -> tuple[int | None, str]:
    """Return the date as an instant where it names an offset, else as stored, with its zone unknown."""
    value = message.get("date")
    try:
        moment = email.utils.parsedate_to_datetime(str(value)) if value else None
    except ValueError:
        moment = None
    if moment is None:
        return None, "unknown"
    if moment.tzinfo is None:
        return of_datetime(moment), "unknown"
    return of_datetime(moment.astimezone(UTC)), "utc"


def _parts(message: email.message.Message) -> Iterator[email.message.Message]:
    for part in message.walk():
        if not part.is_multipart():
            yield part


def _body(message: email.message.Message) -> str | None:
    for wanted in ("text/plain", "text/html"):
        for part in _parts(message):
            if part.get_content_type() == wanted and part.get_content_disposition() != "attachment":
                content = part.get_payload(decode=True)
                if isinstance(content, bytes):
                    text = content[: 4 * _MOST_TEXT].decode(_known(part.get_content_charset()), "replace")
                    plain = plain_of_html(text) if wanted == "text/html" else text.strip()
                    return plain[:_MOST_TEXT] or None
    return None


def _attachments(message: email.message.Message) -> Iterator[Attachment]:
    for part in _parts(message):
        name = part.get_filename()
        if name is None and part.get_content_disposition() != "attachment":
            continue
        content = part.get_payload(decode=True)
        plain = content if isinstance(content, bytes) else b""
        yield _attachment(name, part.get_content_type(), plain)


def _attachment(name: str | None, media_type: str, content: bytes) -> Attachment:
    digests = (
        {}
        if not content
        else {
            "md5": hashlib.md5(content).hexdigest(),
            "sha1": hashlib.sha1(content).hexdigest(),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
    )
    return Attachment(name=name, size=len(content), media_type=media_type, **digests)
