"""The examination: drives the stages in their order, from a source to a folder of facts.

Only this module knows the order: open the source, list its trees, analyse the entries, open the archives and
images among them as further sources (one wave for each depth), digest the source as a whole beside that,
write the manifest last. Work is cut into units that any ``concurrent.futures.Executor`` can run.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from kaval.core.errors import KavalError
from kaval.core.locators import Locator
from kaval.folder.durable import place_json
from kaval.folder.segments import UnitRecord
from kaval.stages.listing import RECORD_BITS
from kaval.stages.manifest import manifest_of
from kaval.stages.opening import Layout
from kaval.stages.pool import WorkerLostError, WorkerPool
from kaval.stages.preparation import KnownSetSource, Prepared, Request, now, prepare, take_up
from kaval.stages.schedule import Schedule, parent_of
from kaval.stages.units import AnalysisUnit, Holder, ListUnit, analyse, digest_source, list_entries, open_root

__all__ = ["ExaminationFailedError", "KnownSetSource", "Progress", "Request", "examine"]

MAXIMUM_LOSSES = 64
"""How often one unit may cost a worker before the examination gives up on it."""

STORED = ("md5", "sha1", "sha256")
"""The digests an image may carry that are computed again and compared."""

PRELOADED = ("kaval.stages.units", "pyarrow.parquet")
"""What workers load while the folder is still being prepared."""


class ExaminationFailedError(KavalError):
    """The examination cannot go on; what was done is kept and can be taken up again."""


@dataclass(kw_only=True)
class Progress:
    """How far the examination is; handed to ``report`` after every unit of work.

    ``total_size`` covers the entries listed so far; it grows when archives are opened.
    """

    stage: str = "opening"
    wave: int = 0
    entries: int = 0
    files: int = 0
    total_files: int = 0
    read_size: int = 0
    total_size: int = 0
    pictures: int = 0
    notices: int = 0
    hits: dict[str, int] = field(default_factory=dict)
    first_hits: list[tuple[str, str, str]] = field(default_factory=list)
    lost_workers: int = 0


Report = Callable[[Progress], None]
Call = tuple[Callable[..., UnitRecord], tuple[Any, ...]]


def examine(
    request: Request,
    *,
    workers: int = 2,
    resume: bool = False,
    executor: Executor | None = None,
    report: Report = lambda progress: None,
) -> dict[str, Any]:
    """Examine a source into a folder and return the manifest.

    Args:
        request: What to examine, on which authority, into which folder.
        workers: Number of worker processes; the result does not depend on it.
        resume: Take up an interrupted examination in the folder.
        executor: Runs the units in place of the process pool, such as a cluster's.
        report: Is told how far it is after every unit.

    Raises:
        UsageError: The request cannot be started as asked.
        FolderError: The folder to be resumed does not fit.
        ExaminationFailedError: A unit of work failed again and again.
    """
    pool = executor or WorkerPool(workers, request.plan.hang_seconds, PRELOADED)
    try:
        prepared = take_up(request) if resume else prepare(request)
        try:
            return _Run(prepared, pool, 2 * workers, report).run()
        finally:
            prepared.release()
    finally:
        if executor is None:
            pool.shutdown(cancel_futures=True)


class _Run:
    """One session of an examination."""

    def __init__(self, prepared: Prepared, executor: Executor, in_flight: int, report: Report) -> None:
        self._prepared = prepared
        self._workplace = prepared.workplace
        self._executor = executor
        self._in_flight = in_flight
        self._report = report
        self._done = prepared.done
        self._progress = Progress()
        self._whole: Future[UnitRecord] | None = None

    def run(self) -> dict[str, Any]:
        """Do what is not done yet, then write the manifest."""
        finished = self._workplace.folder / "manifest.json"
        self._prepared.sessions.append({"started_at": now(), "finished_at": None})
        self._prepared.place_sessions()
        Schedule.warm_up()
        opened = self._one("open-0000", (open_root, (self._workplace, "open-0000")))
        self._count(opened)
        self._start_whole(opened)
        trees = tuple(opened.facts["trees"])
        listing = [
            ListUnit(unit=f"list-{ordinal:06d}", ordinal=ordinal, trees=(tree,))
            for ordinal, tree in enumerate(trees, 1)
        ]
        self._waves(listing)
        self._end_whole()
        self._prepared.sessions[-1]["finished_at"] = now()
        self._prepared.place_sessions()
        manifest = manifest_of(self._prepared.head, self._prepared.sessions, self._done)
        place_json(manifest, finished)
        shutil.rmtree(self._workplace.folder / "work", ignore_errors=True)
        self._tell("finished")
        return manifest

    def _waves(self, listing: list[ListUnit]) -> None:
        """List and analyse, then do the same with the sources found inside, as deep as the plan goes."""
        chains: dict[str, tuple[tuple[str, Layout], ...]] = {}
        ordinal = len(listing) + 1
        wave = 0
        while listing:
            self._progress.wave = wave
            self._tell("listing")
            calls = {unit.unit: (list_entries, (self._workplace, unit)) for unit in listing}
            listed = dict(self._all(calls.items()))
            for unit in listing:
                for tree in listed[unit.unit].facts["trees"]:
                    if tree["holder"] is not None:
                        chains[parent_of(tree["locator"])] = unit.holders[tree["holder"]].chain()
            listing = self._analyse([listed[unit.unit] for unit in listing], chains, wave, ordinal)
            ordinal += len(listing)
            wave += 1

    def _analyse(
        self,
        listed: list[UnitRecord],
        chains: Mapping[str, tuple[tuple[str, Layout], ...]],
        wave: int,
        ordinal: int,
    ) -> list[ListUnit]:
        """Analyse what was listed and return the listing of the further sources found in it."""
        plan = self._workplace.plan
        schedule = Schedule(self._workplace.folder, plan, listed, chains, wave)
        self._progress.total_files += schedule.files
        self._progress.total_size += schedule.size
        self._tell("analysing")
        calls = ((unit.unit, (analyse, (self._workplace, unit))) for unit in schedule.units())
        nested: set[int] = set()
        by_name: set[int] = set()
        for _, record in self._all(calls):
            nested.update(record.facts["nested"])
            by_name.update(record.facts["nested_by_name"])
        holders = [
            Holder(
                locator=task.locator,
                layout=task.layout(),
                state=task.state,
                content=task.content,
                depth=task.depth,
                by_name=task.entry_id in by_name,
                above=chains.get(parent_of(task.locator), ()),
            )
            for task in schedule.find(sorted(nested | by_name))
        ]
        size = plan.nested_a_unit
        return [
            ListUnit(unit=f"list-{number:06d}", ordinal=number, holders=tuple(holders[start : start + size]))
            for number, start in enumerate(range(0, len(holders), size), ordinal)
        ]

    def _start_whole(self, opened: UnitRecord) -> None:
        """Let the source be digested as a whole, beside everything else."""
        plan = self._workplace.plan
        if not plan.source_digest or self._workplace.source_path.is_dir() or "whole-0000" in self._done:
            return
        container = opened.facts["container"]
        at = str(Locator(plan.exhibit))
        algorithms = {"sha256", *plan.given_digests}
        stored: dict[str, str] = {}
        if container is not None and container["size"] is not None:
            at = container["locator"]
            stored = {name: container["stored_digests"][name] for name in STORED if name in container["stored_digests"]}
        wanted = tuple(sorted(algorithms | stored.keys()))
        self._whole = self._executor.submit(digest_source, self._workplace, "whole-0000", at, wanted, stored)

    def _end_whole(self) -> None:
        if self._whole is None:
            return
        self._tell("verifying")
        try:
            record = self._whole.result()
        except WorkerLostError as error:
            raise ExaminationFailedError(f"the source could not be digested as a whole: {error}") from error
        self._done[record.unit] = record
        self._count(record)

    def _one(self, unit: str, call: Call) -> UnitRecord:
        return next(record for _, record in self._all([(unit, call)]))

    def _all(self, calls: Iterable[tuple[str, Call]]) -> Iterator[tuple[str, UnitRecord]]:
        """Yield the record of each unit as it is finished; units done in an earlier session come first to hand."""
        waiting: dict[Future[UnitRecord], tuple[str, Call]] = {}
        for unit, call in calls:
            if unit in self._done:
                yield unit, self._finish(unit, self._done[unit])
                continue
            while len(waiting) >= self._in_flight:
                yield from self._collect(waiting)
            waiting[self._submit(call)] = (unit, call)
        while waiting:
            yield from self._collect(waiting)

    def _submit(self, call: Call) -> Future[UnitRecord]:
        function, arguments = call
        return self._executor.submit(function, *arguments)

    def _collect(self, waiting: dict[Future[UnitRecord], tuple[str, Call]]) -> Iterator[tuple[str, UnitRecord]]:
        finished, _ = wait(waiting, return_when=FIRST_COMPLETED)
        for future in finished:
            unit, call = waiting.pop(future)
            try:
                record = future.result()
            except WorkerLostError as error:
                self._progress.lost_workers += 1
                again = self._without_culprit(unit, call, error)
                waiting[self._submit(again)] = (unit, again)
                continue
            yield unit, self._finish(unit, record)

    def _without_culprit(self, unit: str, call: Call, error: WorkerLostError) -> Call:
        """Return the call again, told at which item its worker was lost."""
        function, (workplace, *rest) = call
        if self._progress.lost_workers > MAXIMUM_LOSSES:
            raise ExaminationFailedError(f"too many workers were lost; the last one at unit {unit}: {error}") from error
        task = rest[0]
        if isinstance(task, AnalysisUnit) and error.item >= 0:
            task = replace(task, lost={**task.lost, error.item: error.reason})
        elif isinstance(task, ListUnit) and error.item >= 0:
            number, listed = divmod(error.item, 1 << RECORD_BITS)
            lost = {**task.lost, number: error.reason}
            stop_after = dict(task.stop_after)
            if listed or task.trees:
                stop_after[number] = min(listed, stop_after.get(number, listed))
            task = replace(task, lost=lost, stop_after=stop_after)
        elif self._progress.lost_workers > 3:
            raise ExaminationFailedError(f"the unit {unit} cannot be done: {error}") from error
        return function, (workplace, task, *rest[1:])

    def _finish(self, unit: str, record: UnitRecord) -> UnitRecord:
        self._done[unit] = record
        self._count(record)
        self._tell(self._progress.stage)
        return record

    def _count(self, record: UnitRecord) -> None:
        progress = self._progress
        progress.entries += record.counts.get("entries", 0)
        progress.notices += record.counts.get("notices", 0)
        progress.files += record.counts.get("files", 0)
        progress.read_size += record.counts.get("read_size", 0)
        progress.pictures += record.counts.get("pictures", 0)
        for role, number in record.facts.get("hits_by_role", {}).items():
            progress.hits[role] = progress.hits.get(role, 0) + number
        progress.first_hits = [tuple(hit) for hit in record.facts.get("first_hits", ())]

    def _tell(self, stage: str) -> None:
        self._progress.stage = stage
        self._report(self._progress)


def interrupted(folder: Path) -> bool:
    """Whether a folder holds an examination that was begun and not finished."""
    return (folder / "plan.json").exists() and not (folder / "manifest.json").exists()
