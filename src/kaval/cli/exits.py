"""Exit codes: what a calling program may rely on."""

from __future__ import annotations

from enum import IntEnum

from kaval.core.errors import (
    FolderError,
    KavalError,
    LockedError,
    NotRecognisedError,
    UnreadableError,
    UnsupportedError,
    UsageError,
)


class Exit(IntEnum):
    """The codes, each with one meaning."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    WITH_NOTICES = 3
    NOT_OPENED = 4
    NOT_VERIFIED = 5
    FOLDER = 6
    INTERRUPTED = 130


MEANINGS = {
    Exit.DONE: "Done; everything that was to be read was read.",
    Exit.FAILED: "Kaval itself failed; what was done is kept.",
    Exit.USAGE: "The command was not given as it must be; nothing was begun.",
    Exit.WITH_NOTICES: "Done, but something could not be read; the notices say what and where.",
    Exit.NOT_OPENED: "The source could not be opened: not recognised, locked, or not readable.",
    Exit.NOT_VERIFIED: "A check failed: a digest differs, or a file is not what the manifest says.",
    Exit.FOLDER: "The examination folder is incomplete, damaged, in use, or none at all.",
    Exit.INTERRUPTED: "Interrupted by the person at the keyboard; can be resumed.",
}


def exit_for(error: KavalError) -> Exit:
    """Return the code an error ends with."""
    if isinstance(error, FolderError):
        return Exit.FOLDER
    if isinstance(error, UsageError):
        return Exit.USAGE
    if isinstance(error, LockedError | NotRecognisedError | UnreadableError | UnsupportedError):
        return Exit.NOT_OPENED
    return Exit.FAILED
