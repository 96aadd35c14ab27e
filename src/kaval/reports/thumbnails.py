"""Thumbnails of the sealed store as they may stand in a report: small, grey, blurred unless a person says otherwise.

What is decoded here are JPEGs this software made from pixels; no byte of the evidence is decoded.
"""

from __future__ import annotations

import base64
import io
from pathlib import Path

from kaval.core.errors import FolderError
from kaval.folder.sealed import SealingKey, read_sealed

EDGE = 96
"""Longest edge in pixels."""

_LARGEST = 1 << 20
_LARGEST_EDGE = 1024
_BLURRED_EDGE = 24
_BLUR_RADIUS = 2


class Thumbnails:
    """Opens thumbnails of one folder; equal ones are opened once."""

    def __init__(self, folder: Path, key: SealingKey, *, clear: bool) -> None:
        self._folder = folder
        self._key = key
        self._clear = clear
        self._shown: dict[str, str] = {}

    def show(self, *, digest: str, pack: str, offset: int, length: int) -> str:
        """Return a thumbnail as a data URI.

        Raises:
            FolderError: The sealed record is missing, altered, or no thumbnail of ours.
        """
        if digest not in self._shown:
            if not 0 < length <= _LARGEST or "/" in pack.removeprefix("sealed/"):
                raise FolderError(self._folder, f"its sealed index holds no thumbnail under {digest}")
            content = read_sealed(self._folder, self._key, pack, offset, length, bytes.fromhex(digest))
            self._shown[digest] = self._uri(content, digest)
        return self._shown[digest]

    def _uri(self, content: bytes, digest: str) -> str:
        from PIL import Image, ImageFilter

        try:
            with Image.open(io.BytesIO(content), formats=("JPEG",)) as stored:
                if max(stored.size) > _LARGEST_EDGE:
                    raise ValueError("it is larger than a thumbnail")
                picture = stored.convert("L")
        except (OSError, ValueError, SyntaxError) as error:
            raise FolderError(self._folder, f"the sealed thumbnail {digest} cannot be shown ({error})") from error
        picture.thumbnail((EDGE, EDGE))
        if not self._clear:
            shown_size = picture.size
            picture.thumbnail((_BLURRED_EDGE, _BLURRED_EDGE))
            picture = picture.filter(ImageFilter.GaussianBlur(_BLUR_RADIUS)).resize(
                shown_size, Image.Resampling.BICUBIC
            )
        target = io.BytesIO()
        picture.save(target, "JPEG", quality=60)
        return "data:image/jpeg;base64," + base64.b64encode(target.getvalue()).decode("ascii")
