"""The entry that a TAR member amounts to: path, kind, times, owner."""

from __future__ import annotations

import re
import stat

from kaval.containers.tar.headers import Member, number
from kaval.core.records import ContentState, Entry, EntryKind, EntryState, Extent, Times

_KINDS = {
    b"1": EntryKind.FILE,
    b"2": EntryKind.SYMLINK,
    b"3": EntryKind.DEVICE,
    b"4": EntryKind.DEVICE,
    b"5": EntryKind.DIRECTORY,
    b"D": EntryKind.DIRECTORY,
    b"6": EntryKind.FIFO,
    b"V": EntryKind.SYSTEM,
}
_FORMATS = {
    EntryKind.FILE: stat.S_IFREG,
    EntryKind.SYMLINK: stat.S_IFLNK,
    EntryKind.DIRECTORY: stat.S_IFDIR,
    EntryKind.FIFO: stat.S_IFIFO,
}
_DECIMAL = re.compile(rb"(-?)(\d{1,12})(?:\.(\d{1,18}))?\Z")
_STEPS = {0: "1s", 3: "1ms", 6: "1us", 7: "100ns", 9: "1ns"}
_SECOND = 1_000_000_000


def is_link(member: Member) -> bool:
    """Whether the member is another name of one that comes before it."""
    return member.header.type == b"1"


def kind_of(member: Member) -> EntryKind:
    """Return the kind; types that no specification knows are files (POSIX ustar, typeflag)."""
    kind = _KINDS.get(member.header.type, EntryKind.FILE)
    is_old_directory = kind is EntryKind.FILE and member.name.endswith(b"/") and not member.size
    return EntryKind.DIRECTORY if is_old_directory and not is_link(member) else kind


def extents_of(member: Member) -> tuple[Extent, ...]:
    """Return where the bytes of a member lie in the archive; a sparse file's gaps between them are sparse."""
    if member.runs is None:
        return (Extent(offset=member.data_offset, length=member.size),) if member.size else ()
    extents, place, offset = [], 0, member.data_offset
    for start, length in member.runs:
        if start > place:
            extents.append(Extent(offset=0, length=start - place, sparse=True))
        if length:
            extents.append(Extent(offset=offset, length=length))
        place, offset = start + length, offset + length
    if member.size > place:
        extents.append(Extent(offset=0, length=member.size - place, sparse=True))
    return tuple(extents)


def describe(
    address: str, member: Member, content: ContentState, size: int, extents: tuple[Extent, ...] | None
) -> Entry:
    """Return the entry of a member, of whose bytes ``size`` can be had."""
    kind = kind_of(member)
    path, raw = _path(member.name)
    link = member.link if kind is EntryKind.SYMLINK or is_link(member) else b""
    has_content = kind in (EntryKind.FILE, EntryKind.SYSTEM) and not is_link(member)
    mode = member.header.mode
    return Entry(
        address=address,
        path=path,
        kind=kind,
        size=size if has_content else 0,
        state=EntryState.ALLOCATED,
        content=content if has_content else ContentState.NONE,
        times=times_of(member),
        extents=extents if has_content else None,
        path_raw=raw,
        link_target=link.decode("utf-8", "replace") if link else None,
        mode=None if mode is None else mode & 0o7777 | _FORMATS.get(kind, 0),
        owner=_owner(member, "uid", member.header.user, "uname", member.header.user_name),
        group=_owner(member, "gid", member.header.group, "gname", member.header.group_name),
    )


def _path(name: bytes) -> tuple[str, bytes | None]:
    """Return the path of an entry, and the stored bytes where they say more than it."""
    text = name.decode("utf-8", "replace").strip("/")
    while text.startswith("./"):
        text = text[2:].lstrip("/")
    exact = text.encode() == name.rstrip(b"/")
    return text or "_", None if exact and text else name


def _owner(member: Member, keyword: str, stored: int | None, name_keyword: str, stored_name: bytes) -> str | None:
    """Return the number of a user or group, and in brackets the name where one is stored."""
    attribute = member.pax.get(keyword)
    shown = attribute.decode("ascii", "replace") if attribute else None if stored is None else str(stored)
    name = member.pax.get(name_keyword, stored_name).decode("utf-8", "replace")
    return f"{shown} ({name})" if name and shown is not None else name or shown


def times_of(member: Member) -> Times:
    """Return the times of a member: seconds in the header, fractions of them in a pax header; both are UTC."""
    stored: dict[str, tuple[int, str]] = {}
    for letter, keywords in (("m", ("mtime",)), ("a", ("atime",)), ("c", ("ctime",)), ("b", _CREATION)):
        for keyword in keywords:
            moment = _decimal(member.pax.get(keyword, b""))
            if moment is not None:
                stored[letter] = moment
    if "m" not in stored and member.header.modified is not None:
        stored["m"] = (member.header.modified * _SECOND, "1s")
    if member.header.form == "gnu":
        _add_gnu_times(member, stored)
    return Times(
        modified=stored["m"][0] if "m" in stored else None,
        accessed=stored["a"][0] if "a" in stored else None,
        changed=stored["c"][0] if "c" in stored else None,
        created=stored["b"][0] if "b" in stored else None,
        zone="utc" if stored else "unknown",
        resolution=" ".join(f"{letter}={stored[letter][1]}" for letter in "macb" if letter in stored),
    )


_CREATION = ("LIBARCHIVE.creationtime", "SCHILY.crtime")


def _add_gnu_times(member: Member, stored: dict[str, tuple[int, str]]) -> None:
    """Add the times that GNU's form keeps where ustar has its prefix; zero means none."""
    for letter, place in (("a", 345), ("c", 357)):
        seconds = number(member.header.block[place : place + 12])
        if letter not in stored and seconds:
            stored[letter] = (seconds * _SECOND, "1s")


def _decimal(text: bytes) -> tuple[int, str] | None:
    """Return a decimal number of seconds in nanoseconds, and the step that its digits tell."""
    found = _DECIMAL.match(text)
    if found is None:
        return None
    sign, whole, fraction = found[1], int(found[2]), found[3] or b""
    nanoseconds = whole * _SECOND + int((fraction + b"0" * 9)[:9])
    step = _STEPS.get(len(fraction), "1ns" if len(fraction) > 9 else f"1e-{len(fraction)}s")
    return -nanoseconds if sign else nanoseconds, step
