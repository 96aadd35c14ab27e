"""Parents: the image that a differencing image or overlay is based on, found beside it by its name."""

from __future__ import annotations

import re

from kaval.containers import CONTAINERS
from kaval.core.contracts import Opened, Siblings
from kaval.core.errors import UnsupportedError
from kaval.core.sources import ByteSource


def base_name(path: str) -> str:
    """Return the last part of a path as Windows or POSIX writes it."""
    return re.split(r"[/\\]", path.rstrip("/\\\0 "))[-1]


def open_parent(path: str, siblings: Siblings, *, child: str, title: str, raw: bool = False) -> Opened:
    """Return the image that ``child`` is based on.

    Only a file beside it is taken, whatever folder the stored path names. An image in a chain is opened once.

    Args:
        path: The path as the child stores it.
        siblings: What lies beside the child.
        child: The child's own name.
        title: What to call the child in errors.
        raw: The child says that its parent is raw bytes, whatever they look like.

    Raises:
        UnsupportedError: The parent is not there, or is no image that is read here.
    """
    name = base_name(path)
    source = siblings(name) if name and name != child else None
    if source is None:
        shown = name or "the image it is based on"
        raise UnsupportedError(f"{title}, which holds only the changes to another image,", f"put {shown} beside it")
    if raw:
        return Opened(source=source)

    def beside(other: str) -> ByteSource | None:
        return None if other in (name, child) else siblings(other)

    for container in CONTAINERS.available():
        if container.probe(source, name):
            opened = container.open(source, name, beside)
            if opened.source is None:
                break
            return opened
    raise UnsupportedError(f"{title}", f"its parent {name} is no disk image")
