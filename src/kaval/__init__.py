"""Kaval: the examination engine. From an exhibit to a report, with a trace to the bytes.

What stands here is the front door for the platform; it is loaded when it is asked for.
"""

from __future__ import annotations

from typing import Any

_DOOR = {"reencode": "kaval.pictures", "Picture": "kaval.pictures", "PictureRefusedError": "kaval.pictures"}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("kaval")
    if name in _DOOR:
        from importlib import import_module

        return getattr(import_module(_DOOR[name]), name)
    raise AttributeError(name)
