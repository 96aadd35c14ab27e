"""What the dissect libraries and their helpers throw at damaged bytes, as our own errors."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from lzma import LZMAError

from kaval.core.errors import CorruptStructureError, KavalError

_FOREIGN = (
    struct.error,
    zlib.error,
    ArithmeticError,
    AttributeError,
    EOFError,
    LZMAError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)


@contextmanager
def translated(structure: str, *errors: type[Exception]) -> Iterator[None]:
    """Turn what a dissect library throws within into one of our errors; ours pass through.

    Args:
        structure: What is being read.
        errors: The library's own classes of error.

    Raises:
        CorruptStructureError: The library could not make sense of the bytes.
    """
    from dissect.util.exceptions import Error

    foreign: tuple[type[Exception], ...] = (*_FOREIGN, Error, *errors)
    try:
        yield
    except KavalError:
        raise
    except foreign as error:
        reason = f"{type(error).__name__}: {error}"
        raise CorruptStructureError(structure, f"it cannot be read ({reason})") from error
