"""What dissect and its helpers throw at damaged bytes, as our own errors."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from kaval.core.errors import CorruptStructureError, KavalError


@contextmanager
def translated(structure: str) -> Iterator[None]:
    """Turn the errors of dissect.apfs within into one of ours; ours pass through.

    Raises:
        CorruptStructureError: dissect.apfs could not make sense of the bytes.
    """
    from dissect.apfs.exception import Error

    try:
        yield
    except KavalError:
        raise
    except (
        Error,
        struct.error,
        zlib.error,
        ArithmeticError,
        AttributeError,
        EOFError,
        LookupError,
        NotImplementedError,
        TypeError,
        ValueError,
    ) as error:
        reason = f"{type(error).__name__}: {error}"
        raise CorruptStructureError(structure, f"it cannot be read ({reason})") from error
