"""A seccomp filter: the few system calls a decoder needs once its libraries are loaded; every other one is refused.

By the kernel's ``Documentation/userspace-api/seccomp_filter.rst`` and ``linux/{seccomp,filter,audit}.h``. Knows the
system call numbers of x86-64 and AArch64; elsewhere there is no filter, and the list of measures shows it.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
from dataclasses import dataclass

_ALLOW = 0x7FFF0000
_KILL_PROCESS = 0x80000000
_ERRNO = 0x00050000

_LOAD_WORD = 0x20  # BPF_LD | BPF_W | BPF_ABS
_JUMP_EQUAL = 0x15  # BPF_JMP | BPF_JEQ | BPF_K
_JUMP_ANY_BIT = 0x45  # BPF_JMP | BPF_JSET | BPF_K
_JUMP_AT_LEAST = 0x35  # BPF_JMP | BPF_JGE | BPF_K
_RETURN = 0x06  # BPF_RET | BPF_K

_NUMBER_OFFSET = 0  # struct seccomp_data: int nr; __u32 arch; __u64 instruction_pointer; __u64 args[6]
_ARCHITECTURE_OFFSET = 4
_ARGUMENTS_OFFSET = 16
_PROT_EXEC = 4
_CLONE_THREAD = 0x00010000
_X32_BIT = 0x40000000


@dataclass(frozen=True, slots=True)
class _Architecture:
    """The audit number of a machine, its number of ``seccomp`` and of the system calls told apart here."""

    audit: int
    seccomp: int
    clone3: int
    clone: int
    plain: tuple[int, ...]
    mapping: tuple[int, ...]
    on_itself: tuple[int, ...]
    limits: int


_X86_64 = _Architecture(
    audit=0xC000003E,
    seccomp=317,
    clone3=435,
    clone=56,
    # read write munmap brk futex madvise mremap close fstat lseek pread64 readv writev poll ppoll
    # rt_sigaction rt_sigprocmask rt_sigreturn sigaltstack sched_yield nanosleep getpid exit uname fcntl
    # gettimeofday getrusage sysinfo times gettid sched_getaffinity restart_syscall clock_gettime
    # clock_getres clock_nanosleep exit_group set_robust_list getcpu getrandom membarrier rseq
    plain=(
        0, 1, 11, 12, 202, 28, 25, 3, 5, 8, 17, 19, 20, 7, 271, 13, 14, 15, 131, 24, 35, 39, 60, 63, 72,
        96, 98, 99, 100, 186, 204, 219, 228, 229, 230, 231, 273, 309, 318, 324, 334,
    ),
    mapping=(9, 10),  # mmap mprotect
    on_itself=(234,),  # tgkill
    limits=302,  # prlimit64
)  # fmt: skip

_AARCH64 = _Architecture(
    audit=0xC00000B7,
    seccomp=277,
    clone3=435,
    clone=220,
    plain=(
        63, 64, 215, 214, 98, 233, 216, 57, 80, 62, 67, 65, 66, 73, 134, 135, 139, 132, 124, 101, 172, 93,
        160, 25, 169, 165, 179, 153, 178, 123, 128, 113, 114, 115, 94, 99, 168, 278, 283, 293,
    ),
    mapping=(222, 226),
    on_itself=(131,),
    limits=261,
)  # fmt: skip

_ARCHITECTURES = {"x86_64": _X86_64, "aarch64": _AARCH64}


def install_filter() -> bool:
    """Refuse this process, and all threads it has, every system call that is not on the list.

    Refused calls fail with ``EPERM``. No new program can be started, no file opened, no connection made, no
    memory made executable, no other process reached. ``False``: the kernel or the machine knows no such filter.
    """
    architecture = _ARCHITECTURES.get(platform.machine())
    if architecture is None or ctypes.sizeof(ctypes.c_void_p) != 8:
        return False
    program = _program(architecture, os.getpid())
    code = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("@HxxxxxxQ", len(program) // 8, ctypes.addressof(code))
    library = ctypes.CDLL(None, use_errno=True)
    set_mode_filter, synchronise_threads = 1, 1
    result: int = library.syscall(architecture.seccomp, set_mode_filter, synchronise_threads, header)
    return result == 0


def _program(architecture: _Architecture, own_process: int) -> bytes:
    refuse = _instruction(_RETURN, _ERRNO | errno.EPERM)
    allow = _instruction(_RETURN, _ALLOW)
    parts = [
        _instruction(_LOAD_WORD, _ARCHITECTURE_OFFSET),
        _instruction(_JUMP_EQUAL, architecture.audit, 1, 0),
        _instruction(_RETURN, _KILL_PROCESS),
        _instruction(_LOAD_WORD, _NUMBER_OFFSET),
        _instruction(_JUMP_AT_LEAST, _X32_BIT, 0, 1),
        _instruction(_RETURN, _KILL_PROCESS),
    ]
    for number in architecture.plain:
        parts += [_instruction(_JUMP_EQUAL, number, 0, 1), allow]
    # clone3 hides its flags in memory: saying that it is unknown makes the C library use clone, refused but for threads
    parts += [
        _instruction(_JUMP_EQUAL, architecture.clone3, 0, 1),
        _instruction(_RETURN, _ERRNO | errno.ENOSYS),
    ]
    parts += _checked(architecture.clone, 0, _instruction(_JUMP_ANY_BIT, _CLONE_THREAD, 0, 1), allow, refuse)
    for number in architecture.mapping:
        parts += _checked(number, 2, _instruction(_JUMP_ANY_BIT, _PROT_EXEC, 0, 1), refuse, allow)
    for number in architecture.on_itself:
        parts += _checked(number, 0, _instruction(_JUMP_EQUAL, own_process, 0, 1), allow, refuse)
    parts += _checked(architecture.limits, 0, _instruction(_JUMP_EQUAL, 0, 0, 1), allow, refuse)
    return b"".join([*parts, refuse])


def _checked(number: int, argument: int, test: bytes, met: bytes, unmet: bytes) -> list[bytes]:
    """Return the instructions that decide a system call by the lower half of one argument."""
    return [
        _instruction(_JUMP_EQUAL, number, 0, 4),
        _instruction(_LOAD_WORD, _ARGUMENTS_OFFSET + 8 * argument),
        test,
        met,
        unmet,
    ]


def _instruction(code: int, operand: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, operand)
