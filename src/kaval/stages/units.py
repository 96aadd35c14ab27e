"""Units of work: what a worker is asked to do, each leaving segments and one record behind.

A unit gives the same segments whenever and wherever it is done; its record is put in place last.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from kaval.core.errors import KavalError
from kaval.core.locators import Locator
from kaval.core.records import Notice, NoticeCode
from kaval.core.sources import ByteSource, FileSource, iterate_blocks
from kaval.folder.sealed import PackWriter
from kaval.folder.segments import RowBuffer, UnitRecord
from kaval.stages.analysis import Task
from kaval.stages.desk import desk_of
from kaval.stages.discovery import Bare, Discovery, Layer, Remark
from kaval.stages.fence import fenced, notice_of
from kaval.stages.heartbeat import beat, begin
from kaval.stages.listing import RECORD_BITS, Listing
from kaval.stages.opening import Layout, Opener
from kaval.stages.plan import Plan, Workplace

ENTRIES_A_UNIT = 1 << 32
"""Entry numbers are unit ordinal times this, plus the place in the unit."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Holder:
    """An entry that holds a further source: how it is laid out, and how its own state colours what lies in it.

    ``by_name``: nothing but its name speaks for it. ``beside`` are the entries that may be further parts of it.
    ``refused`` says why it is not opened after all.
    """

    locator: str
    layout: Layout
    state: str
    content: str
    depth: int
    by_name: bool = False
    above: tuple[tuple[str, Layout], ...] = ()
    beside: tuple[tuple[str, Layout], ...] = ()
    refused: str = ""

    def tell(self, opener: Opener) -> None:
        """Let an opener follow chains through this entry and those above it."""
        for locator, layout in self.chain():
            opener.remember(locator, layout)

    def chain(self) -> tuple[tuple[str, Layout], ...]:
        """Return what an entry inside this one has above it."""
        return (*self.above, (self.locator, self.layout), *self.beside)


@dataclass(frozen=True, kw_only=True, slots=True)
class ListUnit:
    """List trees that were found, or open entries as further sources and list what is in them."""

    unit: str
    ordinal: int
    trees: tuple[str, ...] = ()
    holders: tuple[Holder, ...] = ()
    stop_after: Mapping[int, int] = field(default_factory=dict)
    lost: Mapping[int, str] = field(default_factory=dict)

    def without(self, item: int, reason: str) -> ListUnit:
        """Return the unit told at which record of which tree a worker was lost."""
        number, listed = divmod(item, 1 << RECORD_BITS)
        stop_after = dict(self.stop_after)
        if listed or self.trees:
            stop_after[number] = min(listed, stop_after.get(number, listed))
        return replace(self, lost={**self.lost, number: reason}, stop_after=stop_after)


@dataclass(frozen=True, kw_only=True, slots=True)
class AnalysisUnit:
    """Analyse entries of one tree."""

    unit: str
    tasks: tuple[Task, ...]
    chain: tuple[tuple[str, Layout], ...] = ()
    lost: Mapping[int, str] = field(default_factory=dict)

    def without(self, item: int, reason: str) -> AnalysisUnit:
        """Return the unit told at which task a worker was lost."""
        return replace(self, lost={**self.lost, item: reason})


def open_root(workplace: Workplace, unit: str) -> UnitRecord:
    """Find containers, volumes and file systems of the source itself."""
    desk = desk_of(workplace)
    rows = RowBuffer()
    root = Locator(workplace.plan.exhibit)
    begin(0)
    facts: dict[str, Any] = {"trees": [], "bare": [], "container": None}
    if workplace.source_path.is_dir():
        here = root.to("folder")
        layer = Layer(locator=here, stage="container", title="Folder of files", lists=True)
        found: Any = iter([layer])
    else:
        found = Discovery(desk.opener, strict=workplace.plan.strict).walk(root)
    for record in found:
        if isinstance(record, Remark):
            rows.add("notices", record.row("discovery"))
            continue
        if isinstance(record, Bare):
            facts["bare"].append(str(record.locator))
            continue
        rows.add("sources", record.row(0))
        if record.lists:
            facts["trees"].append(str(record.locator))
        if record.stage == "container" and facts["container"] is None:
            facts["container"] = _container_facts(desk.opener, record)
    facts["beside"] = dict(sorted(desk.opener.beside.items()))
    segments = rows.write(workplace.folder, unit)
    return _placed(workplace, UnitRecord(unit=unit, segments=segments, counts=rows.counts, facts=facts))


def _container_facts(opener: Opener, layer: Layer) -> dict[str, Any]:
    stored = {name.removeprefix("stored "): value for name, value in layer.facts.items() if name.startswith("stored ")}
    facts = {name: value for name, value in layer.facts.items() if not name.startswith("stored ")}
    return {
        "locator": str(layer.locator),
        "layer": layer.locator.steps[-1].layer,
        "title": layer.title,
        "size": layer.size,
        "lists": layer.lists,
        "facts": facts,
        "stored_digests": stored,
    }


def list_entries(workplace: Workplace, unit: ListUnit) -> UnitRecord:
    """List the trees of a unit; one that cannot be read leaves a notice, the others are listed all the same."""
    desk = desk_of(workplace)
    plan = workplace.plan
    rows = RowBuffer()
    listing = Listing(
        desk.opener,
        rows,
        first_id=unit.ordinal * ENTRIES_A_UNIT,
        strict=plan.strict,
        maximum=ENTRIES_A_UNIT - 1,
    )
    trees: list[dict[str, Any]] = []
    number = 0
    for text in unit.trees:
        begin(number)
        _list_one(listing, rows, Locator.parse(text), number, unit, None, plan)
        trees.append({"locator": text, "holder": None})
        number += 1
    for place, holder in enumerate(unit.holders):
        begin(number)
        if holder.refused:
            notice = Notice(code=NoticeCode.RATIO_LIMIT, message=holder.refused)
            rows.add("notices", Remark(locator=Locator.parse(holder.locator), notice=notice).row("discovery"))
        elif number in unit.lost and number not in unit.stop_after:
            rows.add(
                "notices",
                Remark(locator=Locator.parse(holder.locator), notice=_lost(unit.lost[number])).row("discovery"),
            )
        else:
            for tree in _open_holder(desk.opener, rows, holder, plan):
                before = listing.listed_size
                _list_one(listing, rows, tree, number, unit, holder, plan)
                size = listing.listed_size - before
                trees.append({"locator": str(tree), "holder": place, "size": size})
        number += 1
    segments = rows.write(workplace.folder, unit.unit)
    record = UnitRecord(unit=unit.unit, segments=segments, counts=rows.counts, facts={"trees": trees})
    return _placed(workplace, record)


def _list_one(
    listing: Listing,
    rows: RowBuffer,
    tree: Locator,
    number: int,
    unit: ListUnit,
    holder: Holder | None,
    plan: Plan,
) -> None:
    colours = (holder.state, holder.content) if holder else None
    depth = holder.depth + 1 if holder else 0
    stop_after = unit.stop_after.get(number)
    outcome = fenced(
        tree.steps[-1].layer,
        lambda: listing.list_tree(tree, number=number, depth=depth, holder=colours, stop_after=stop_after),
        strict=plan.strict,
    )
    if isinstance(outcome, Notice):
        rows.add("notices", Remark(locator=tree, notice=outcome).row("listing"))


def _open_holder(opener: Opener, rows: RowBuffer, holder: Holder, plan: Plan) -> list[Locator]:
    """Return the trees found in an entry that holds a further source.

    An entry that only its name makes a disk image leaves no trace where nothing is found in it.
    """
    holder.tell(opener)
    trees: list[Locator] = []
    found = list(Discovery(opener, strict=plan.strict).walk(Locator.parse(holder.locator)))
    if holder.by_name and not any(isinstance(record, Layer) and record.stage != "container" for record in found):
        return trees
    for record in found:
        if isinstance(record, Remark):
            rows.add("notices", record.row("discovery"))
        if not isinstance(record, Layer):
            continue
        rows.add("sources", record.row(holder.depth + 1))
        if record.lists:
            trees.append(record.locator)
    return trees


def _lost(reason: str) -> Notice:
    return Notice(code=NoticeCode.CAPABILITY_FAILED, message=f"opening it cost the worker ({reason}); it was left out")


def analyse(workplace: Workplace, unit: AnalysisUnit) -> UnitRecord:
    """Analyse the entries of a unit."""
    desk = desk_of(workplace)
    for locator, layout in unit.chain:
        desk.opener.remember(locator, layout)
    rows = RowBuffer()
    pack = PackWriter(workplace.folder, unit.unit, desk.key) if desk.key else None
    tally = desk.analyst().run(unit.tasks, dict(unit.lost), rows, pack)
    packs = pack.write() if pack else ()
    segments = rows.write(workplace.folder, unit.unit)
    counts = {
        **rows.counts,
        "files": tally.files,
        "read_size": tally.size,
        "pictures": tally.pictures,
        "skipped_known_good": tally.skipped_known_good,
    }
    facts = {
        "nested": [task.entry_id for task in tally.nested],
        "nested_by_name": [task.entry_id for task in tally.nested_by_name],
        "hits_by_role": dict(sorted(tally.hits.items())),
        "first_hits": tally.first_hits,
        "confinement": list(desk.confinement),
    }
    record = UnitRecord(unit=unit.unit, segments=segments, packs=packs, counts=counts, facts=facts)
    return _placed(workplace, record)


def digest_source(
    workplace: Workplace, unit: str, locator: str, algorithms: Sequence[str], stored: Mapping[str, str]
) -> UnitRecord:
    """Digest the whole source as its container decodes it, and compare with what is stored in it or was given."""
    desk = desk_of(workplace)
    begin(0)
    rows = RowBuffer()
    at = Locator.parse(locator)
    source = desk.opener.source(at)
    facts: dict[str, Any] = {"locator": locator, "size": source.size, "computed": {}, "unreadable": 0}
    given = workplace.plan.given_digests
    try:
        facts["computed"] = _digests(source, algorithms)
        if len(at.steps) == 1 and at.steps[0].layer != "raw" and _differs(given, facts["computed"]):
            facts["file_computed"] = _digests(FileSource(workplace.source_path), algorithms)
    except (KavalError, OSError) as error:
        remark = Remark(locator=at, notice=notice_of(error, "digest of the whole source"))
        rows.add("notices", remark.row("verification"))
        facts["unreadable"] = 1
    for notice in _compared(facts, stored, given):
        rows.add("notices", Remark(locator=at, notice=notice).row("verification"))
    segments = rows.write(workplace.folder, unit)
    return _placed(workplace, UnitRecord(unit=unit, segments=segments, counts=rows.counts, facts=facts))


def _compared(facts: Mapping[str, Any], stored: Mapping[str, str], given: Mapping[str, str]) -> Iterator[Notice]:
    """Yield for each earlier digest whether the bytes read still have it."""
    computed, of_file = facts["computed"], facts.get("file_computed", {})
    if not computed:
        return
    for name, value in sorted(stored.items()):
        if name in computed:
            yield _comparison(name, value == computed[name], value, computed[name], "stored in the image")
    for name, value in sorted(given.items()):
        passed = value in (computed.get(name), of_file.get(name))
        yield _comparison(name, passed, value, computed[name], "given at the start")


def _comparison(name: str, passed: bool, earlier: str, found: str, whence: str) -> Notice:
    if passed:
        message = f"the {name.upper()} {whence} is that of the bytes read: {earlier}"
        return Notice(code=NoticeCode.DIGEST_VERIFIED, message=message)
    message = f"the {name.upper()} {whence} is {earlier}; the bytes read have {found}: the copy is not verified"
    return Notice(code=NoticeCode.DIGEST_MISMATCH, message=message)


def _differs(given: Mapping[str, str], computed: Mapping[str, str]) -> bool:
    return any(computed.get(name) != value for name, value in given.items())


def _digests(source: ByteSource, algorithms: Sequence[str]) -> dict[str, str]:
    hashers = {name: hashlib.new(name, usedforsecurity=False) for name in algorithms}
    for block in iterate_blocks(source, 4 << 20):
        for hasher in hashers.values():
            hasher.update(block)
        beat()
    return {name: hasher.hexdigest() for name, hasher in hashers.items()}


def _placed(workplace: Workplace, record: UnitRecord) -> UnitRecord:
    record.place(workplace.folder)
    return record
