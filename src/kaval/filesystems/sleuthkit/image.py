"""An image of The Sleuth Kit over one of our sources, with its failures kept."""

from __future__ import annotations

from functools import cache
from typing import Any

from kaval.core.errors import UnreadableError
from kaval.core.sources import ByteSource

MAXIMUM_FAILURES = 64


@cache
def _image_class() -> type:
    import pytsk3

    class SourceImage(pytsk3.Img_Info):  # type: ignore[misc]
        """Reads a source for The Sleuth Kit.

        A range that cannot be read gives no bytes at all: The Sleuth Kit then asks for the few it needs
        instead of its 64 KiB block, and reports an error where those fail too. Zeros never stand in.
        """

        def __init__(self, source: ByteSource) -> None:
            self.source = source
            self.failures: list[UnreadableError] = []
            super().__init__(url="", type=pytsk3.TSK_IMG_TYPE_EXTERNAL)

        def close(self) -> None:
            """The source belongs to whoever opened it."""

        def read(self, offset: int, length: int) -> bytes:
            try:
                return self.source.read_at(offset, length)
            except UnreadableError as error:
                if len(self.failures) < MAXIMUM_FAILURES:
                    self.failures.append(error)
                return b""

        def get_size(self) -> int:
            return self.source.size

    return SourceImage


def image_of(source: ByteSource) -> Any:
    """Return a ``pytsk3.Img_Info`` over a source; its ``failures`` are the reads that could not be done."""
    return _image_class()(source)
