"""The tree of a ZIP: its members in stored order, read from the central directory as they are asked for.

Nothing is kept of a member: an address is the byte of the source at which its header stands in the central directory
(``17042``), or, for members found without one, its local header (``local-60``). So a tree of a million members takes no
more memory than one of ten, and anybody can follow a locator with a hex viewer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import islice

from kaval.containers.inflate import CheckpointedSource
from kaval.containers.remarks import limited
from kaval.containers.window import Window
from kaval.containers.zip.describing import (
    STRUCTURE,
    cipher_of,
    content_of,
    content_of_walked,
    describe,
    problems,
)
from kaval.containers.zip.layout import Directory, Local, Member, read_central, read_local
from kaval.containers.zip.methods import STORED, codec_for, method_name
from kaval.containers.zip.survey import Survey, members, survey
from kaval.containers.zip.walking import Walked, measure, walk
from kaval.core.errors import CorruptStructureError, KavalError, LocatorError, LockedError, UnsupportedError
from kaval.core.records import ContentState, Entry, EntryKind, Extent, Notice, NoticeCode
from kaval.core.sources import ByteSource, SliceSource

_LONGEST_LINK = 1 << 16


class ZipTree:
    """The members of one ZIP. ``directory`` is ``None`` where it has none: members are then found by walking."""

    def __init__(self, source: ByteSource, directory: Directory | None, facts: Mapping[str, str]) -> None:
        self.facts = facts
        self._source = source
        self._directory = directory
        self._window = Window(source)

    def entries(self) -> Iterator[Entry | Notice]:
        ciphers: Counter[str] = Counter()
        yield from limited(self._records(ciphers))
        if ciphers:
            told = ", ".join(f"{count} with {cipher}" for cipher, count in sorted(ciphers.items()))
            message = f"members are encrypted ({told}); their content needs the passphrase the archive was made with"
            yield Notice(code=NoticeCode.LOCKED, message=message, structure=STRUCTURE)

    def open_stream(self, address: str) -> ByteSource:
        prefix, _, number = address.rpartition("-")
        if prefix not in ("", "local") or not (number.isascii() and number.isdecimal()) or len(number) > 19:
            raise LocatorError(address, "an address in a ZIP is the byte at which a header stands")
        if prefix:
            local = read_local(self._window, int(number))
            if local is None:
                raise LocatorError(address, "no member of the ZIP starts there")
            return self._walked_stream(measure(self._source, local))
        directory = self._directory
        if directory is None or not directory.offset <= int(number) < directory.end:
            raise LocatorError(address, "that byte does not lie in the central directory of the ZIP")
        member, _ = read_central(self._window, int(number), directory.end, directory.shift)
        return self._stream(member, read_local(self._window, member.header_offset))

    def unallocated(self) -> Iterator[Extent]:
        return iter(())

    def _records(self, ciphers: Counter[str]) -> Iterator[Entry | Notice]:
        directory = self._directory
        if directory is None:
            yield from self._walked({}, ciphers)
            return
        seen = survey(self._source, directory)
        for member in islice(members(self._source, directory), seen.count):
            yield from self._member(member, directory, seen, ciphers)
        yield from _remarks_on(directory, seen)
        if seen.damage:
            known = {
                member.header_offset: member.compressed_size
                for member in islice(members(self._source, directory), seen.count)
            }
            yield from self._walked(known, ciphers)

    def _member(
        self, member: Member, directory: Directory, seen: Survey, ciphers: Counter[str]
    ) -> Iterator[Entry | Notice]:
        """Yield the entry of a member of the directory, and what is wrong with it."""
        address = str(member.record_offset)
        local = read_local(self._window, member.header_offset)
        shares = bool(seen.sharing) and seen.shares(member)
        content = content_of(member, local, shares=shares, source_size=self._source.size)
        if content is ContentState.ENCRYPTED:
            ciphers[cipher_of(member)] += 1
        size = member.compressed_size if member.method == STORED else member.size
        entry, notices = describe(address, member, local, content, size=size, source_size=self._source.size)
        if entry.kind is EntryKind.SYMLINK and content is ContentState.INTACT:
            yield from self._link(entry, member, local)
        else:
            yield entry
        yield from problems(member, local, directory, shares=shares)
        yield from notices

    def _link(self, entry: Entry, member: Member, local: Local | None) -> Iterator[Entry | Notice]:
        """Yield a symbolic link with its target, which is what the member holds."""
        if member.size > _LONGEST_LINK:
            yield entry
            message = f"it is a symbolic link of {member.size} bytes; its target was not read"
            yield Notice(code=NoticeCode.ABSURD_SIZE, message=message, address=entry.address)
            return
        try:
            target = self._stream(member, local).read_at(0, member.size)
        except KavalError as error:
            yield entry
            yield Notice(code=NoticeCode.DAMAGED, message=f"its target cannot be read: {error}", address=entry.address)
            return
        yield replace(entry, link_target=target.decode("utf-8", "replace"))

    def _walked(self, known: Mapping[int, int], ciphers: Counter[str]) -> Iterator[Entry | Notice]:
        for found in walk(self._source, known):
            if isinstance(found, Notice):
                yield found
                continue
            member = found.local.member
            address = f"local-{member.header_offset}"
            content = content_of_walked(found)
            if content is ContentState.ENCRYPTED:
                ciphers[cipher_of(member)] += 1
            size = self._source.size
            entry, notices = describe(address, member, found.local, content, size=found.size, source_size=size)
            yield entry
            if not found.is_whole:
                message = f"it is not whole; {found.size} bytes of it can be had"
                yield Notice(code=NoticeCode.TRUNCATED, message=message, address=address, offset=member.header_offset)
            yield from notices

    def _stream(self, member: Member, local: Local | None) -> ByteSource:
        title = f"the member {path_title(member)}"
        if local is None:
            raise CorruptStructureError(title, "there is no local header", member.header_offset)
        _refuse_encrypted(member, title)
        if member.method == STORED:
            return SliceSource(self._source, local.data_offset, member.compressed_size)
        codec = codec_for(member.method)
        if codec is None:
            raise UnsupportedError(title, f"it is compressed by {method_name(member.method)}; unpack it with 7-Zip")
        return CheckpointedSource(
            self._source,
            codec,
            offset=local.data_offset,
            compressed_size=member.compressed_size,
            size=member.size,
            crc=member.crc,
            title=title,
        )

    def _walked_stream(self, found: Walked) -> ByteSource:
        member, offset = found.local.member, found.local.data_offset
        title = f"the member {path_title(member)}"
        _refuse_encrypted(member, title)
        if member.method == STORED:
            return SliceSource(self._source, offset, found.size)
        codec = codec_for(member.method)
        if codec is None:
            raise UnsupportedError(title, f"it is compressed by {method_name(member.method)}; unpack it with 7-Zip")
        if not found.is_whole:
            part = CheckpointedSource(self._source, codec, offset=offset, title=title)
            part.measure()
            return part
        packed = found.compressed_size
        return CheckpointedSource(
            self._source, codec, offset=offset, compressed_size=packed, size=found.size, crc=found.crc, title=title
        )


def path_title(member: Member) -> str:
    """Return the name of a member as it stands in messages."""
    return member.name[-120:].decode("utf-8", "replace")


def _refuse_encrypted(member: Member, title: str) -> None:
    if content_of(member, Local(member, 0), shares=False, source_size=1 << 64) is ContentState.ENCRYPTED:
        raise LockedError(title, "it is encrypted; the passphrase the archive was made with is needed")


def _remarks_on(directory: Directory, seen: Survey) -> Iterator[Notice]:
    """Yield what the survey of the directory found wrong."""
    if seen.damage is not None:
        message = f"{seen.damage} What follows was found by walking from member to member."
        yield Notice(code=NoticeCode.DAMAGED, message=message, offset=seen.damage.offset, structure=STRUCTURE)
    if seen.is_too_long:
        yield Notice(code=NoticeCode.COUNT_LIMIT, message=f"listing stopped after {seen.count} members")
        return
    stored = directory.count if directory.is_zip64 else directory.count & 0xFFFF
    counted = seen.count if directory.is_zip64 else seen.count & 0xFFFF
    if stored != counted:
        message = f"the end record counts {directory.count} members, the directory has {seen.count}"
        yield Notice(code=NoticeCode.DAMAGED, message=message, offset=directory.end, structure=STRUCTURE)
