"""Pictures that people hand in: made anew by the engine's confined decoder, or refused; the file is never kept."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

import kaval
from casework.lib.errors import RefusedError

LARGEST = 20 * 1024 * 1024
EDGE = 2048


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture made here: ``kind`` is its media type; no Exif, no place, no device, no hidden bytes."""

    content: bytes
    kind: str
    width: int
    height: int


def re_encode(content: bytes, *, edge: int = EDGE) -> Picture:
    """Return the picture made anew, upright, at most ``edge`` each way.

    Takes a second or two, since a process of its own is started and confined for it.

    Raises:
        RefusedError: It is no JPEG, PNG or WebP, it is damaged, or too large.
    """
    if len(content) > LARGEST:
        raise RefusedError("picture", _("The picture is larger than 20 MB; make it smaller first."))
    try:
        made = kaval.reencode(content, edge=edge)
    except kaval.PictureRefusedError as error:
        raise RefusedError(
            "picture", _("This is no JPEG, PNG or WebP picture, or it is damaged. Save it as JPEG and try again.")
        ) from error
    return Picture(content=made.content, kind=made.media_type, width=made.width, height=made.height)
