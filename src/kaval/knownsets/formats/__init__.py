"""The formats in which known sets arrive, one module each.

A format says what a file *is*; it never says what a hit *means*: the role is named by a person.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Protocol

from kaval.core.contracts import Capability
from kaval.core.errors import KavalError, NotRecognisedError, UnsupportedError, UsageError
from kaval.core.registry import Registry
from kaval.knownsets.batches import Batch
from kaval.knownsets.sources import is_wrapped, open_source, other_ending
from kaval.knownsets.statements import Statement

SAMPLE_SIZE = 1 << 16
_SQLITE = b"SQLite format 3\0"


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """What a probe may look at: the name and the first bytes, without a byte order mark.

    ``whole`` says that these are all there are.
    """

    path: Path
    head: bytes
    whole: bool

    @property
    def lines(self) -> list[str]:
        """The whole lines of the sample; one that may be cut off only where it is the only one."""
        ending = other_ending(self.head)
        head = self.head.replace(ending, b"\n") if ending else self.head
        lines = [line.decode("utf-8", "surrogateescape") for line in head.splitlines()]
        return lines if len(lines) == 1 or head.endswith((b"\n", b"\r")) else lines[:-1]


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """What is to be read: a file, from where on, and what a person decided about it.

    ``start`` is the ``position`` of a batch of an earlier reading, 0 for the whole file. ``further`` are more
    files of the same set, for formats that come in pages or with deltas. ``hex64`` is what 64 hexadecimal digits
    without a name are: ``sha256``, ``pdq``, or ``auto``: SHA-256 unless they look like PDQ hashes, then the person is
    asked. ``columns`` names columns of a table by algorithm. ``photodna`` asks
    for PhotoDNA values as values that can be compared. ``scratch`` is a folder for what has to be put aside. With
    ``verbatim``, a format may leave details in the source; the set then keeps the source as it was received.
    """

    path: Path
    start: int = 0
    further: tuple[Path, ...] = ()
    hex64: str = "auto"
    columns: Mapping[str, str] = field(default_factory=dict)
    photodna: bool = False
    scratch: Path | None = None
    verbatim: bool = False


class NotVerbatimError(KavalError):
    """A source holds what a set must not keep; it is read again, and what may be kept is copied."""


class SetFormat(Capability, Protocol):
    """Reads one format of known sets.

    ``says`` is true where the format says something of an entry beside its values. ``joint`` is true where
    several files make one set only together. ``verbatim`` is true where details can stay in the source.
    """

    says: ClassVar[bool]
    joint: ClassVar[bool]
    verbatim: ClassVar[bool]

    def probe(self, sample: Sample) -> bool:
        """Say whether the file is of this format."""
        ...

    def read(self, reading: Reading) -> Iterator[Batch]:
        """Yield the entries in the order of the file.

        Raises:
            CorruptStructureError: The file is cut off or contradicts its format; ``offset`` says where.
        """
        ...

    def statement(self, detail: bytes) -> Statement:
        """Return what a detail of this format says."""
        ...


SET_FORMATS: Registry[SetFormat] = Registry("kaval.knownsets.formats")


def take_sample(path: Path) -> Sample:
    """Return what a probe looks at.

    Raises:
        UsageError: The file is not there or cannot be read.
    """
    try:
        with open_source(path) as file:
            head = file.read(SAMPLE_SIZE)
        whole = len(head) < SAMPLE_SIZE
        if head.startswith(_SQLITE) and is_wrapped(path):
            raise UnsupportedError(f"packed database {path.name}", "unpack it first: a database is read where it lies")
    except OSError as error:
        raise UsageError(f"the known set {path} cannot be read: {error.strerror}") from error
    return Sample(path=path, head=head.removeprefix(b"\xef\xbb\xbf"), whole=whole)


def recognise(path: Path) -> SetFormat:
    """Return the format of a file.

    Raises:
        NotRecognisedError: No format recognises it; nothing is guessed.
    """
    sample = take_sample(path)
    for known in SET_FORMATS.available():
        if known.probe(sample):
            return known
    raise NotRecognisedError(
        f"{path.name} is no known set in a format read here (kaval capabilities lists them); nothing was guessed"
    )
