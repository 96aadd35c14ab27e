"""The entry that a ZIP member amounts to, and what its two headers contradict each other in."""

from __future__ import annotations

from collections.abc import Iterator

from kaval.containers.zip.layout import DESCRIPTOR_FLAG, ENCRYPTED_FLAG, MASKED_FLAG, Directory, Local, Member
from kaval.containers.zip.methods import AES, STORED
from kaval.containers.zip.walking import Walked
from kaval.containers.zip.wording import kind_of, mode_of, owner_of, path_of, times_of
from kaval.core.records import ContentState, Entry, EntryKind, EntryState, Extent, Notice, NoticeCode

STRUCTURE = "the ZIP archive"


def describe(
    address: str, member: Member, local: Local | None, content: ContentState, *, size: int, source_size: int
) -> tuple[Entry, list[Notice]]:
    """Return the entry of a member, and what is wrong with its name and time.

    ``content`` says how far a file's bytes are there, ``size`` how many.
    """
    path = path_of(member)
    mode = mode_of(member)
    kind = kind_of(member, path, mode)
    inner = local.member if local else None
    times, is_impossible = times_of(member, inner)
    owner = owner_of(member, inner)
    is_file = kind is EntryKind.FILE
    extents: tuple[Extent, ...] | None = None
    if is_file and local and member.method == STORED and content not in (ContentState.ENCRYPTED, ContentState.GONE):
        size = max(0, min(size, source_size - local.data_offset))
        extents = (Extent(offset=local.data_offset, length=size),) if size else ()
    entry = Entry(
        address=address,
        path=path.text,
        kind=kind,
        size=size if is_file else 0,
        state=EntryState.ALLOCATED,
        content=content if is_file else ContentState.NONE,
        times=times,
        extents=extents,
        overlap_size=size if content is ContentState.OVERLAPS_ALLOCATED else 0,
        path_raw=path.raw,
        mode=mode,
        owner=owner.user,
        group=owner.group,
    )
    notices = []
    if path.is_directory and is_file:
        message = f"its name is that of a directory, and yet it holds {member.size} bytes; listed as a file"
        notices.append(_notice(NoticeCode.DAMAGED, message, address, member))
    if is_impossible:
        message = f"date {member.date:#06x} and time {member.time:#06x} are none of the calendar"
        notices.append(_notice(NoticeCode.TIME_IMPOSSIBLE, message, address, member))
    return entry, notices


def content_of(member: Member, local: Local | None, *, shares: bool, source_size: int) -> ContentState:
    """Return how far the bytes of a member of the directory can be had."""
    if local is None:
        return ContentState.GONE
    if member.flags & ENCRYPTED_FLAG or member.method == AES:
        return ContentState.ENCRYPTED
    if shares:
        return ContentState.OVERLAPS_ALLOCATED
    if local.data_offset + member.compressed_size > source_size:
        return ContentState.PARTIAL
    return ContentState.INTACT


def content_of_walked(found: Walked) -> ContentState:
    """Return how far the bytes of a member without a directory can be had."""
    if found.local.member.flags & ENCRYPTED_FLAG or found.local.member.method == AES:
        return ContentState.ENCRYPTED
    return ContentState.INTACT if found.is_whole else ContentState.PARTIAL


def cipher_of(member: Member) -> str:
    """Return what a member is encrypted with (APPNOTE 6.1, 7; WinZip AES)."""
    if member.method == AES:
        return "AES"
    return "strong encryption" if member.flags & 1 << 6 else "ZipCrypto"


def problems(member: Member, local: Local | None, directory: Directory, *, shares: bool) -> Iterator[Notice]:
    """Yield what is wrong with a member of the directory."""
    address = str(member.record_offset)
    if local is None:
        message = "its local header is not where the directory says; its bytes cannot be found"
        yield _notice(NoticeCode.DAMAGED, message, address, member)
        return
    for what in _contradictions(member, local.member):
        message = f"the local header gives another {what} than the directory, which was followed"
        yield _notice(NoticeCode.DAMAGED, message, address, member)
    end = local.data_offset + member.compressed_size
    if shares:
        message = "its bytes belong to another member as well, as in an archive made to swell; not read"
        yield _notice(NoticeCode.OVERLAP, message, address, member)
    elif member.header_offset < directory.offset < end:
        yield _notice(NoticeCode.OVERLAP, "its bytes run into the central directory", address, member)
    if member.method == STORED and member.size != member.compressed_size and not member.flags & ENCRYPTED_FLAG:
        message = f"it is stored as it is, in {member.compressed_size} bytes, and yet said to hold {member.size}"
        yield _notice(NoticeCode.DAMAGED, message, address, member)


def _notice(code: NoticeCode, message: str, address: str, member: Member) -> Notice:
    return Notice(code=code, message=message, address=address, offset=member.header_offset, structure=STRUCTURE)


def _contradictions(central: Member, local: Member) -> Iterator[str]:
    if central.name != local.name and not local.flags & MASKED_FLAG:
        yield f"name ({local.name[:200].decode('utf-8', 'replace')!r})"
    if central.method != local.method:
        yield f"compression method ({local.method})"
    if (central.flags ^ local.flags) & ENCRYPTED_FLAG:
        yield "statement whether it is encrypted"
    if (local.flags | central.flags) & (DESCRIPTOR_FLAG | MASKED_FLAG):
        return
    if (central.size, central.compressed_size) != (local.size, local.compressed_size):
        yield f"size ({local.compressed_size} bytes packed, {local.size} unpacked)"
    if central.crc != local.crc:
        yield "CRC-32"
