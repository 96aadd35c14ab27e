"""Progress: how a reader that works long on one record shows that it is alive.

The stages listen; where a reader is used alone nobody does. ``advance`` is called only after work of which there cannot
be endlessly much: a part of a bounded stream was decoded forwards. Never in a loop that a hostile structure can
prolong.
"""

from __future__ import annotations

from collections.abc import Callable


class _Listening:
    listener: Callable[[], None] | None = None


def listen(listener: Callable[[], None] | None) -> None:
    """Have a call made at each sign of progress of this process."""
    _Listening.listener = listener


def advance() -> None:
    """Say that the record in work makes progress."""
    if _Listening.listener is not None:
        _Listening.listener()
