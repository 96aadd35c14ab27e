"""A file that is only to be recognised is hashed while it comes in, and kept nowhere."""

from __future__ import annotations

import hashlib
import io
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, StopUpload

from casework.papers.rules import LARGEST_UPLOAD


class Digested(UploadedFile):  # type: ignore[type-arg]  # it takes no parameters when run
    """An upload of which nothing is left but its digest and size."""

    def __init__(self, digest: str, size: int) -> None:
        super().__init__(io.BytesIO(), name="upload", size=size)
        self.digest = digest


class DigestingHandler(FileUploadHandler):
    """Digests each upload with SHA-256; one that is larger than any paper ends the connection."""

    is_too_large = False

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Begin."""
        super().new_file(*args, **kwargs)
        self._digest = hashlib.sha256()
        self._size = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Take a part, and pass nothing on."""
        self._digest.update(raw_data)
        self._size += len(raw_data)
        if self._size > LARGEST_UPLOAD:
            self.is_too_large = True
            raise StopUpload(connection_reset=True)

    def file_complete(self, file_size: int) -> Digested:
        """Return what is left."""
        return Digested(self._digest.hexdigest(), self._size)
