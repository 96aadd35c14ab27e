"""The platform's errors: one tree, one sentence each."""

from __future__ import annotations


class CaseworkError(Exception):
    """Something the platform could not do; the message names the place and the remedy."""


class ConfigurationError(CaseworkError, ValueError):
    """The unit is not configured so that it may start."""


class MissingKeyError(ConfigurationError):
    """There is no key, and nothing starts without one."""

    def __init__(self, place: str) -> None:
        self.place = place
        super().__init__(
            f"Kaval does not start without its key, and there is none at {place}: "
            "run `kaval-unit setup` once, or point KAVAL_KEY_FILE at the key of this unit."
        )


class WrongKeyError(CaseworkError):
    """What is stored was sealed with a key this unit does not hold, or was changed."""

    def __init__(self, place: str, reason: str) -> None:
        self.place = place
        self.reason = reason
        super().__init__(f"{place} cannot be opened: {reason}")


class RefusedError(CaseworkError):
    """A rule forbids the act; ``rule`` is its short name, the message says why."""

    def __init__(self, rule: str, reason: str) -> None:
        self.rule = rule
        self.reason = reason
        super().__init__(reason)


class AbsentError(CaseworkError, LookupError):
    """To the person who asks, the object does not exist."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        super().__init__(f"There is no such {kind}.")
