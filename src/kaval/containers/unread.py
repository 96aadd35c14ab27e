"""Formats that are known by signature and not read here: they are told by name, never taken for a raw image."""

from __future__ import annotations

from typing import ClassVar

from kaval.containers import CONTAINERS
from kaval.containers.signatures import signature_of
from kaval.core.contracts import Opened, Siblings
from kaval.core.errors import NotRecognisedError, UnsupportedError
from kaval.core.sources import ByteSource


@CONTAINERS.register
class Unread:
    """An image or archive of a known format that no capability asked before took."""

    name: ClassVar[str] = "unread"
    title: ClassVar[str] = "Known format that is not read here"
    rank: ClassVar[int] = 890
    requires: ClassVar[tuple[str, ...]] = ()

    def probe(self, source: ByteSource, name: str) -> bool:
        return signature_of(source) is not None

    def open(self, source: ByteSource, name: str, siblings: Siblings) -> Opened:
        signature = signature_of(source)
        if signature is None:
            raise NotRecognisedError("the bytes carry no signature of a known format")
        raise UnsupportedError(signature.structure, signature.remedy)
