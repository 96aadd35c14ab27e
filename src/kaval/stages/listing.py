"""Listing: the entries of one tree as rows, with what recovery by metadata adds to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from kaval.core.contracts import Tree
from kaval.core.locators import Locator, encode_part
from kaval.core.records import ContentState, Entry, EntryState, Extent, Notice, NoticeCode
from kaval.folder.segments import RowBuffer
from kaval.recovery import RECOVERIES
from kaval.stages.discovery import Remark
from kaval.stages.fence import fenced_iteration
from kaval.stages.heartbeat import begin
from kaval.stages.opening import Opener

_TIME_LIMITS = (-(2**63) + 1, 2**63 - 1)

RECORD_BITS = 40
RECOVERING = 1 << (RECORD_BITS - 1)
"""The heartbeat's item while listing: number of the tree, then the record in it; recovery counts from here on."""


class Listing:
    """Lists trees into a row buffer, numbering the entries of a unit from ``first_id``.

    ``stop_after`` ends a tree after that many records: a tree at whose next record a worker was lost is
    listed again up to there, so that what was established before is not lost with it.
    """

    def __init__(self, opener: Opener, rows: RowBuffer, *, first_id: int, strict: bool, maximum: int) -> None:
        self._opener = opener
        self._rows = rows
        self._next_id = first_id
        self._strict = strict
        self._maximum = maximum
        self.listed = 0
        self.listed_size = 0

    def list_tree(
        self, locator: Locator, *, number: int, depth: int, holder: tuple[str, str] | None, stop_after: int | None
    ) -> None:
        """Write the rows of one tree.

        Args:
            locator: The tree, without a last address.
            number: The tree's place in its unit.
            depth: How many containers deep it lies.
            holder: State and content of the entry that holds the tree, where it lies in one.
            stop_after: Number of records after which to stop, where its reader was lost before.
        """
        tree = self._opener.tree(locator)
        layer = locator.steps[-1].layer
        item = number << RECORD_BITS
        records = fenced_iteration(layer, tree.entries(), strict=self._strict)
        stop_listing = stop_after if stop_after is not None and stop_after < RECOVERING else None
        self._list(locator, records, item, depth, holder, stop_listing)
        if stop_listing is None:
            self._recover(locator, tree, item | RECOVERING, depth, holder, stop_after)

    def _recover(
        self,
        locator: Locator,
        tree: Tree,
        item: int,
        depth: int,
        holder: tuple[str, str] | None,
        stop_after: int | None,
    ) -> None:
        stop = None if stop_after is None else stop_after - RECOVERING
        for recovery in RECOVERIES.available():
            if locator.steps[-1].layer in recovery.layers:
                source = self._opener.source(locator.parent)
                found = fenced_iteration(recovery.name, recovery.recover(source, tree), strict=self._strict)
                self._list(locator.parent.to(recovery.name), found, item, depth, holder, stop)

    def _list(
        self,
        locator: Locator,
        records: Iterator[Entry | Notice],
        item: int,
        depth: int,
        holder: tuple[str, str] | None,
        stop_after: int | None,
    ) -> None:
        prefix = str(locator)
        begin(item)
        number = -1
        for number, record in enumerate(records):
            if stop_after is not None and number >= stop_after:
                self._remark(locator, _stopped(number))
                return
            if self.listed >= self._maximum:
                self._remark(locator, _too_many(self._maximum))
                return
            if isinstance(record, Notice):
                self._remark(locator, record)
            else:
                self._entry(prefix, record, depth, holder)
            begin(item + number + 1)
        if stop_after is not None:
            self._remark(locator, _stopped(number + 1))

    def _entry(self, prefix: str, entry: Entry, depth: int, holder: tuple[str, str] | None) -> None:
        times, impossible = _times(entry)
        if impossible:
            message = f"the stored {impossible} time lies outside the years 1677 to 2262 and is left empty"
            self._rows.add(
                "notices",
                (
                    f"{prefix}:{encode_part(entry.address)}",
                    str(NoticeCode.TIME_IMPOSSIBLE),
                    message,
                    "listing",
                    None,
                    None,
                ),
            )
        self._rows.add("entries", entry_row(self._next_id, prefix, _as_held(entry, holder), times, depth))
        self._next_id += 1
        self.listed += 1
        self.listed_size += max(0, entry.size)

    def _remark(self, locator: Locator, notice: Notice) -> None:
        self._rows.add("notices", Remark(locator=locator, notice=notice).row("listing"))


def _as_held(entry: Entry, holder: tuple[str, str] | None) -> Entry:
    """Return an entry with the state of what holds it: nothing in a deleted archive is called allocated."""
    if holder is None or holder[0] == EntryState.ALLOCATED:
        return entry
    content = entry.content if holder[1] == ContentState.INTACT else ContentState(holder[1])
    return replace(entry, state=EntryState(holder[0]), content=content)


def _times(entry: Entry) -> tuple[tuple[int | None, ...], str]:
    times = entry.times
    impossible = ""
    kept: list[int | None] = []
    for name in ("modified", "accessed", "changed", "created", "deleted"):
        value = getattr(times, name)
        if value is not None and not _TIME_LIMITS[0] <= value <= _TIME_LIMITS[1]:
            impossible = impossible or name
            value = None
        kept.append(value)
    return tuple(kept), impossible


def _extents(extents: tuple[Extent, ...] | None) -> list[dict[str, Any]] | None:
    if extents is None:
        return None
    return [
        {"offset": extent.offset, "length": extent.length, "sparse": extent.sparse, "assumed": extent.assumed}
        for extent in extents
    ]


def _storable(text: str | None) -> str | None:
    """Return text that UTF-8 can hold; what could not be decoded shows as U+FFFD."""
    if text is None:
        return None
    return text.encode("utf-8", "replace").decode() if not text.isascii() else text


def entry_row(entry_id: int, prefix: str, entry: Entry, times: tuple[int | None, ...], depth: int) -> tuple[Any, ...]:
    """Return the row of the table ``entries``."""
    return (
        entry_id,
        f"{prefix}:{encode_part(entry.address)}",
        _storable(entry.path),
        _storable(entry.name),
        entry.path_raw,
        _storable(entry.path_resolved),
        str(entry.kind),
        entry.size,
        str(entry.state),
        str(entry.content),
        *times,
        entry.times.zone,
        entry.times.resolution,
        entry.mode,
        entry.owner,
        entry.group,
        _storable(entry.link_target),
        _extents(entry.extents),
        entry.assumed_size,
        entry.overlap_size,
        entry.recovered_by,
        depth,
    )


def _stopped(number: int) -> Notice:
    message = f"the reader hung or died after {number} records; those before are kept, those after were not listed"
    return Notice(code=NoticeCode.TIME_LIMIT, message=message)


def _too_many(maximum: int) -> Notice:
    return Notice(code=NoticeCode.COUNT_LIMIT, message=f"listing stopped at the limit of {maximum} entries in a unit")
