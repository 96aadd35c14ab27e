"""Kaval: the examination engine. From an exhibit to a report, with a trace to the bytes."""

from importlib.metadata import version

__version__ = version("kaval")
