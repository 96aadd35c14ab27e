"""Kaval: the examination engine. From an exhibit to a report, with a trace to the bytes."""

from __future__ import annotations


def __getattr__(name: str) -> str:
    if name == "__version__":
        from importlib.metadata import version

        return version("kaval")
    raise AttributeError(name)
