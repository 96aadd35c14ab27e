"""Decoders that misbehave, each in one way; a studio under test imports them into its decoder process."""

from __future__ import annotations

import ctypes
import mmap
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

from kaval.core.errors import CorruptStructureError
from kaval.media import MEDIA, Frame, MediaFacts, MediaLimits


def _fork() -> None:
    if os.fork() == 0:
        os._exit(0)


def _make_memory_executable() -> None:
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)


def _write_to_the_evidence(content: memoryview) -> None:
    content[0] = 0


def _trace_the_parent() -> None:
    library = ctypes.CDLL(None, use_errno=True)
    attach = 16
    if library.ptrace(attach, os.getppid(), 0, 0) != 0:
        raise PermissionError(ctypes.get_errno(), "ptrace")


def _hang() -> None:
    while True:
        time.sleep(1)


def _compute_for_ever() -> None:
    while True:
        pass


def _swell() -> None:
    kept = []
    while True:
        kept.append(b"x" * (16 << 20))


def _fail_in_a_way_nobody_foresaw() -> None:
    raise ZeroDivisionError("nobody foresaw this")


def _read_nowhere() -> None:
    ctypes.string_at(0)


DEEDS: dict[str, Callable[[], object]] = {
    "open": lambda: Path("/etc/hostname").read_bytes(),
    "create": lambda: Path("/tmp/kaval-rogue").write_bytes(b"x"),
    "list": lambda: os.listdir("/"),
    "stat": Path("/").stat,
    "connect": lambda: socket.socket(socket.AF_INET).connect(("127.0.0.1", 9)),
    "socket": lambda: socket.socket(socket.AF_UNIX),
    "exec": lambda: os.execv(sys.executable, [sys.executable, "-V"]),
    "fork": _fork,
    "run": lambda: subprocess.run([sys.executable, "-V"], check=True),
    "kill": lambda: os.kill(os.getppid(), signal.SIGTERM),
    "trace": _trace_the_parent,
    "execute": _make_memory_executable,
    "hang": _hang,
    "compute": _compute_for_ever,
    "swell": _swell,
    "die": lambda: signal.raise_signal(signal.SIGSEGV),
    "crash": _read_nowhere,
    "exit": lambda: os._exit(7),
    "unforeseen": _fail_in_a_way_nobody_foresaw,
    "thread": lambda: threading.Thread(target=int).start(),
}


@MEDIA.register
class Rogue:
    """Does what the stream says, and then claims to have decoded it."""

    name: ClassVar[str] = "rogue"
    title: ClassVar[str] = "Decoder that misbehaves"
    rank: ClassVar[int] = 99
    requires: ClassVar[tuple[str, ...]] = ()
    media_types: ClassVar[tuple[str, ...]] = ("test/rogue", "test/liar")

    def prepare(self) -> Sequence[tuple[str, bytes]]:
        """Need nothing."""
        return []

    def decode(self, content: memoryview, media_type: str, limits: MediaLimits) -> MediaFacts:
        """Do the deed that the stream names."""
        deed = bytes(content).decode()
        if media_type == "test/liar":
            return _lie(deed)
        if deed == "damage":
            raise CorruptStructureError("test", "it says so")
        if deed == "overwrite":
            _write_to_the_evidence(content)
        else:
            DEEDS[deed]()
        return _facts()


def _facts(*, hashes: int = 8, width: int = 1, latitude: float | None = None, thumbnail: bytes = b"") -> MediaFacts:
    frame = Frame(index=0, at_ms=None, pdq=(bytes(32),) * hashes, quality=0, thumbnail=thumbnail)
    return MediaFacts(
        format="test", width=width, height=1, decoder="test", pdq_method="test", frames=(frame,), latitude=latitude
    )


def _lie(about: str) -> MediaFacts:
    lies: dict[str, Callable[[], MediaFacts]] = {
        "hashes": lambda: _facts(hashes=3),
        "width": lambda: _facts(width=-1),
        "latitude": lambda: _facts(latitude=float("nan")),
        "thumbnail": lambda: _facts(thumbnail=b"<script>"),
        "nothing": _facts,
    }
    return lies[about]()
