"""The tree of a TAR: its members in stored order; an address is the byte of the archive at which its headers start.

In a compressed archive that byte counts in the decoded stream. Where such a stream breaks off inside a member, the
address of that member tells how many bytes of it there are as well (``1536+9000``).
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Mapping

from kaval.containers.inflate import MAXIMUM_RATIO, RATIO_FLOOR, CheckpointedSource
from kaval.containers.remarks import limited
from kaval.containers.tar.describing import describe, extents_of, is_link, kind_of
from kaval.containers.tar.headers import BLOCK, ZEROS, Member, Read, parse_header, read_member
from kaval.containers.window import Window
from kaval.core.errors import CorruptStructureError, KavalError, LimitExceededError, LocatorError, UnreadableError
from kaval.core.progress import advance
from kaval.core.records import ContentState, Entry, EntryKind, Extent, Notice, NoticeCode
from kaval.core.sources import ByteSource, ExtentSource

MAXIMUM_MEMBERS = 50_000_000
"""More members than this are not listed."""

_ADDRESS = re.compile(r"(0|[1-9][0-9]{0,18})(?:\+([0-9]{1,19}))?", re.ASCII)
_STRUCTURE = "the TAR archive"
_NO_MARK = "the archive ends without the mark of its end; more members may have followed"
_SEARCH, _SMALL_SEARCH = 1 << 20, 1 << 12
_FARTHEST_SEARCH = 1 << 34
_FARTHEST_ZEROS = 1 << 24


class TarTree:
    """The members of one TAR; ``packed`` is its decoded stream where it is compressed, else it lies in ``source``."""

    def __init__(self, source: ByteSource, packed: CheckpointedSource | None, facts: Mapping[str, str]) -> None:
        self.facts = facts
        self._packed = packed
        self._stream: ByteSource = packed or source
        self._read: Read = packed.read_at if packed else Window(source).read_at

    def entries(self) -> Iterator[Entry | Notice]:
        return limited(self._records())

    def _records(self) -> Iterator[Entry | Notice]:
        count = 0
        for record in self._members():
            if isinstance(record, Notice):
                yield record
                continue
            count += 1
            if count > MAXIMUM_MEMBERS:
                yield Notice(code=NoticeCode.COUNT_LIMIT, message=f"listing stopped after {count - 1} members")
                return
            is_whole = yield from self._member(record)
            if not is_whole:
                return

    def _members(self) -> Iterator[Member | Notice]:
        """Yield the members one after the other, and what stands between them that is none."""
        offset: int | None = 0
        ended = False
        while offset is not None:
            try:
                if not self._read(offset, 1):
                    if not ended:
                        yield _notice(NoticeCode.TRUNCATED, _NO_MARK, offset)
                    return
                member = read_member(self._read, offset)
            except (CorruptStructureError, UnreadableError, LimitExceededError) as error:
                offset = yield from self._resume(offset, error)
                continue
            if member is None:
                ended = True
                offset = yield from self._behind_the_end(offset)
                continue
            yield member
            offset = member.next_offset

    def open_stream(self, address: str) -> ByteSource:
        found = _ADDRESS.fullmatch(address)
        if found is None or int(found[1]) % BLOCK:
            raise LocatorError(address, "an address in a TAR is the byte at which the headers of a member start")
        member = read_member(self._read, int(found[1]))
        if member is None or is_link(member) or kind_of(member) not in (EntryKind.FILE, EntryKind.SYSTEM):
            raise LocatorError(address, "no member of the TAR with content starts there")
        if member.runs is not None and member.size > max(RATIO_FLOOR, MAXIMUM_RATIO * member.stored_size):
            reason = f"a sparse file of {member.size} bytes, of which {member.stored_size} are stored"
            raise LimitExceededError("ratio", MAXIMUM_RATIO, reason)
        size = min(member.size, int(found[2])) if found[2] else self._size_in_reach(member)
        return ExtentSource(self._stream, extents_of(member), size)

    def unallocated(self) -> Iterator[Extent]:
        return iter(())

    def _size_in_reach(self, member: Member) -> int:
        """Return how many bytes of a member lie inside a source whose end is known."""
        if self._packed is not None or member.runs is not None:
            return member.size
        return max(0, min(member.size, self._stream.size - member.data_offset))

    def _member(self, member: Member) -> Generator[Entry | Notice, None, bool]:
        """Yield the entry of a member and what is wrong with it; return whether all of it is there."""
        address = str(member.offset)
        end = member.data_offset + member.stored_size
        reached, error = self._reach(end)
        missing = end - reached
        extents = extents_of(member)
        size = member.size
        if missing and member.runs is None:
            size = max(0, member.size - missing)
            address = f"{member.offset}+{size}" if self._packed else address
            extents = (Extent(offset=member.data_offset, length=size),) if size else ()
        content = ContentState.PARTIAL if missing or member.header.type == b"M" else ContentState.INTACT
        yield describe(address, member, content, size, None if self._packed else extents)
        if member.header.type == b"M":
            message = "it is the continuation of a member that begins in another part of the archive"
            yield _notice(NoticeCode.TRUNCATED, message, member.offset, address)
        if missing:
            cause = f" ({error})" if error else ""
            message = f"the archive ends {missing} bytes before this member does{cause}; {size} bytes of it can be had"
            yield _notice(NoticeCode.TRUNCATED, message, reached, address)
        return not missing

    def _reach(self, end: int) -> tuple[int, KavalError | None]:
        if self._packed is not None:
            return self._packed.reach(end)
        return min(end, self._stream.size), None

    def _resume(self, offset: int, error: KavalError) -> Generator[Notice, None, int | None]:
        """Yield the notice that an error amounts to; return where the next header stands, ``None`` if there is none."""
        if isinstance(error, UnreadableError):
            yield _notice(NoticeCode.TRUNCATED, str(error), offset)
            return None
        if isinstance(error, LimitExceededError):
            yield _notice(NoticeCode.RATIO_LIMIT, str(error), offset)
            return None
        following = self._find_header(offset + BLOCK)
        rest = "no other member follows" if following is None else f"listing goes on at byte {following}"
        yield _notice(NoticeCode.DAMAGED, f"{error}; {rest}", offset)
        return following

    def _behind_the_end(self, offset: int) -> Generator[Notice, None, int | None]:
        """Look behind the mark of the end: another archive may have been joined on; return where it starts."""
        stop = offset + _FARTHEST_ZEROS
        try:
            while offset < stop:
                block = self._stream.read_at(offset, 1 << 16)
                bare = block.lstrip(b"\0")
                if bare:
                    break
                if len(block) < 1 << 16:
                    return None
                offset += len(block)
            else:
                return None
        except KavalError as error:
            message = f"behind the mark of its end: {error}"
            yield _notice(NoticeCode.DAMAGED, message, offset)
            return None
        offset = (offset + len(block) - len(bare)) // BLOCK * BLOCK
        if parse_header(self._read(offset, BLOCK)) is None:
            message = "behind the mark of its end stand bytes that are no archive; they were not looked at"
            yield _notice(NoticeCode.SKIPPED, message, offset)
            return None
        message = "behind the mark of its end another archive follows; its members are listed as well"
        yield _notice(NoticeCode.ASSUMED, message, offset)
        return offset

    def _find_header(self, offset: int) -> int | None:
        """Return where the next block stands that is a header by its magic and checksum."""
        stop, length = offset + _FARTHEST_SEARCH, _SMALL_SEARCH
        while offset < stop:
            try:
                chunk = self._stream.read_at(offset, length)
            except KavalError:
                return None
            place = chunk.find(b"ustar")
            while place >= 0:
                block = chunk[place - 257 : place + 255] if place >= 257 else b""
                if (place - 257) % BLOCK == 0 and parse_header(block) is not None:
                    return offset + place - 257
                place = chunk.find(b"ustar", place + 1)
            if len(chunk) < length:
                return None
            offset += length
            length = min(4 * length, _SEARCH)
            advance()
        return None


def _notice(code: NoticeCode, message: str, offset: int, address: str = "") -> Notice:
    return Notice(code=code, message=message, address=address, offset=offset, structure=_STRUCTURE)


def looks_like_tar(head: bytes) -> bool:
    """Whether a stream that starts so is a TAR: its first block is a header by its checksum."""
    header = parse_header(head[:BLOCK])
    if header is None or header.size is None or head[:BLOCK] == ZEROS:
        return False
    return header.form != "v7" or (header.mode is not None and header.modified is not None and bool(header.name))
