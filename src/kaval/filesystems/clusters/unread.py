"""What FAT and exFAT say alike of clusters that cannot be read where deleted and lost directories are looked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from kaval.core.errors import UnreadableError
from kaval.core.records import Notice, NoticeCode

MAXIMUM_TOLD = 256


def not_searched(unread: list[UnreadableError], structure: str) -> Iterator[Notice]:
    """Yield the notice that some clusters could not be asked whether a directory begins in them."""
    if unread:
        message = f"{len(unread)} clusters no name leads to could not be searched for lost directories, from here on: "
        offset = unread[0].offset
        yield Notice(code=NoticeCode.UNREADABLE, message=message + unread[0].reason, offset=offset, structure=structure)


def unread_directories(unread: Mapping[int, UnreadableError], structure: str) -> Iterator[Notice]:
    """Yield a notice for each cluster in which a deleted directory begins or may go on, and which cannot be read."""
    for number, (cluster, error) in enumerate(unread.items()):
        if number >= MAXIMUM_TOLD:
            message = f"{len(unread) - number} more clusters of deleted directories cannot be read"
            yield Notice(code=NoticeCode.UNREADABLE, message=message, offset=error.offset, structure=structure)
            return
        message = (
            f"what a deleted directory named in cluster {cluster} cannot be read and is not listed: {error.reason}"
        )
        yield Notice(code=NoticeCode.UNREADABLE, message=message, offset=error.offset, structure=structure)
