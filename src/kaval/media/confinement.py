"""Confinement: what a decoder process gives up before it sees the first byte of evidence.

Every measure works without privileges; one that this kernel or container does not offer is left out of the list
that is returned, and so of the manifest. Linux only, as the whole engine.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import struct
from pathlib import Path

from kaval.media.seccomp import install_filter

_SET_PARENT_DEATH_SIGNAL = 1
_SET_DUMPABLE = 4
_SET_NO_NEW_PRIVILEGES = 38

_NEW_USER = 0x10000000
_NEW_NET = 0x40000000
_NEW_IPC = 0x08000000
_NEW_UTS = 0x04000000

_LANDLOCK_CREATE_RULESET = 444
_LANDLOCK_RESTRICT_SELF = 446
_LANDLOCK_FILE_RIGHTS = (1 << 13) - 1  # the thirteen rights of its first version

_OPEN_FILES = 16


def die_with_parent(parent: int) -> bool:
    """Let the kernel end this process when its parent ends; ``False`` if that is too late already."""
    _libc().prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    return os.getppid() == parent


def confine(memory_size: int) -> tuple[str, ...]:
    """Give up, for good, what decoding does not need; return the measures in force.

    ``memory_size`` bounds what the process may hold from now on, with what it holds already. Needs a process
    with one thread, its libraries loaded.
    """
    library = _libc()
    measures = ["own process"]
    _limit(memory_size)
    measures += ["memory limit", "time limit", "no file writing"]
    library.prctl(_SET_DUMPABLE, 0, 0, 0, 0)
    if _leave_namespaces(library):
        measures.append("namespaces without network")
    if library.prctl(_SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0:
        measures.append("no new privileges")
        if _forbid_files(library):
            measures.append("landlock without any file")
        if install_filter():
            measures.append("seccomp list of system calls")
    return tuple(measures)


def limit_time(seconds: float) -> None:
    """Let the kernel end this process after that many further seconds of computing."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    until = int(used.ru_utime + used.ru_stime + seconds) + 2
    resource.setrlimit(resource.RLIMIT_CPU, (until, resource.RLIM_INFINITY))


def _limit(memory_size: int) -> None:
    address_space, resident = (int(pages) * resource.getpagesize() for pages in _memory_in_pages())
    ceiling = address_space + max(memory_size - resident, 0)
    for limit, value in (
        (resource.RLIMIT_AS, ceiling),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
        (resource.RLIMIT_MEMLOCK, 0),
    ):
        resource.setrlimit(limit, (value, value))


def _memory_in_pages() -> list[str]:
    return Path("/proc/self/statm").read_text().split()[:2]


def _leave_namespaces(library: ctypes.CDLL) -> bool:
    """Move into own namespaces with no interface and no process beside; with a user namespace where allowed."""
    own = _NEW_NET | _NEW_IPC | _NEW_UTS
    refused: int = library.unshare(_NEW_USER | own) and library.unshare(own)
    return refused == 0


def _forbid_files(library: ctypes.CDLL) -> bool:
    """Forbid every file by Landlock (kernel 5.13 on): a rule set that handles all rights and grants none."""
    handled = struct.pack("=Q", _LANDLOCK_FILE_RIGHTS)
    ruleset = library.syscall(_LANDLOCK_CREATE_RULESET, handled, len(handled), 0)
    if ruleset < 0:
        return False
    restricted: int = library.syscall(_LANDLOCK_RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)
    return restricted == 0


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)
