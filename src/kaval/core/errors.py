"""The engine's errors: one tree, one sentence each, the place carried as attributes."""

from __future__ import annotations


class KavalError(Exception):
    """Something the engine could not do; the message names the place and the remedy."""


class UsageError(KavalError, ValueError):
    """The person asked for something that cannot be started as asked."""


class LocatorError(KavalError, ValueError):
    """A locator is not written as the grammar demands, or leads nowhere in this source."""

    def __init__(self, text: str, reason: str) -> None:
        self.text = text
        self.reason = reason
        super().__init__(f"The locator {text!r} cannot be followed: {reason}.")


class NotRecognisedError(KavalError):
    """No capability recognises the bytes; nothing is guessed."""


class UnsupportedError(KavalError):
    """The structure is recognised, and no capability here reads it."""

    def __init__(self, structure: str, remedy: str) -> None:
        self.structure = structure
        self.remedy = remedy
        super().__init__(f"{structure} is recognised but not read here: {remedy}")


class UnavailableError(KavalError):
    """A capability exists, but a library it needs is not installed."""

    def __init__(self, capability: str, reason: str) -> None:
        self.capability = capability
        self.reason = reason
        super().__init__(f"{capability} is unavailable, because {reason}")


class LockedError(KavalError):
    """The structure is encrypted and no key given opens it."""

    def __init__(self, structure: str, needed: str) -> None:
        self.structure = structure
        self.needed = needed
        super().__init__(f"{structure} is locked: {needed}")


class CorruptStructureError(KavalError):
    """A structure contradicts its specification, or itself."""

    def __init__(self, structure: str, reason: str, offset: int | None = None) -> None:
        self.structure = structure
        self.reason = reason
        self.offset = offset
        place = "" if offset is None else f" at byte {offset}"
        super().__init__(f"{structure} is damaged{place}: {reason}")


class UnreadableError(KavalError, OSError):
    """Bytes exist but cannot be had: a bad sector, a missing segment, the end of a cut image."""

    def __init__(self, offset: int, length: int, reason: str) -> None:
        self.offset = offset
        self.length = length
        self.reason = reason
        super().__init__(f"{length} bytes at byte {offset} cannot be read: {reason}")


class LimitExceededError(KavalError):
    """Work was stopped because it passed a limit of the plan (ratio, count, depth, time, memory)."""

    def __init__(self, limit: str, allowed: object, reason: str) -> None:
        self.limit = limit
        self.allowed = allowed
        self.reason = reason
        super().__init__(f"The limit {limit} ({allowed}) was reached: {reason}")


class FolderError(KavalError):
    """An examination folder is incomplete, damaged or not one at all."""

    def __init__(self, folder: object, reason: str) -> None:
        self.folder = folder
        self.reason = reason
        super().__init__(f"The examination folder {folder} cannot be used: {reason}")
