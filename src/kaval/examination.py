"""The examination: drives the stages in their order, from a source to a folder of facts.

Only this module knows the order: open the source, list its trees, analyse the entries, open the archives and
images among them as further sources (one wave for each depth), carve what no entry owns and analyse that too,
join pages of databases that stand alone in unallocated space to their tables, read what applications noted, digest the
source as a whole beside it, write the manifest last. Work is cut into units that any ``concurrent.futures.Executor``
can run.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kaval.core.locators import Locator
from kaval.filesystems import FILESYSTEMS
from kaval.folder.durable import place_json
from kaval.folder.segments import UnitRecord
from kaval.stages.analysis import Task
from kaval.stages.artefacts import read_artefacts
from kaval.stages.carving import Chain, VoidUnit, measure_void, scan, scan_units, settle, settle_unit
from kaval.stages.crew import Crew, ExaminationFailedError
from kaval.stages.films import film_units, join_films
from kaval.stages.joining import join, join_units
from kaval.stages.listed_sets import KnownSetSource
from kaval.stages.manifest import manifest_of
from kaval.stages.mending import mend, mend_units
from kaval.stages.plan import Plan
from kaval.stages.pool import WorkerLostError, WorkerPool
from kaval.stages.preparation import Prepared, Request, now, prepare, take_up
from kaval.stages.schedule import Schedule, parent_of
from kaval.stages.selection import artefact_units
from kaval.stages.slack import SlackUnit, measure_slack
from kaval.stages.units import Holder, ListUnit, analyse, digest_source, list_entries, open_root

__all__ = ["ExaminationFailedError", "KnownSetSource", "Progress", "Request", "examine"]

STORED = ("md5", "sha1", "sha256")
"""The digests an image may carry that are computed again and compared."""

PRELOADED = ("kaval.stages.units", "pyarrow.parquet")
"""What workers load while the folder is still being prepared."""


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
        if isinstance(pool, WorkerPool):
            pool.start()
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
        self._report = report
        self._done = prepared.done
        self._progress = Progress()
        self._whole: Future[UnitRecord] | None = None
        self._chains: dict[str, Chain] = {}
        self._depths: dict[str, int] = {}
        self._inside: dict[str, int] = {}
        self._ordinal = 0
        self._wave = 0
        self._crew = Crew(
            executor, prepared.workplace, prepared.done, in_flight=in_flight, finished=self._finish, lost=self._lose
        )

    def run(self) -> dict[str, Any]:
        """Do what is not done yet, then write the manifest."""
        self._prepared.sessions.append({"started_at": now(), "finished_at": None})
        self._prepared.place_sessions()
        Schedule.warm_up()
        opened = self._crew.one(open_root, "open-0000")
        self._start_whole(opened)
        trees = self._waves([self._list_unit(trees=(tree,)) for tree in opened.facts["trees"]])
        if self._workplace.plan.carve:
            self._carve(opened.facts["bare"], trees)
        if self._workplace.plan.artefacts:
            self._read_artefacts()
        self._end_whole()
        self._prepared.sessions[-1]["finished_at"] = now()
        self._prepared.place_sessions()
        manifest = manifest_of(self._prepared.head, self._prepared.sessions, self._done)
        place_json(manifest, self._workplace.folder / "manifest.json")
        shutil.rmtree(self._workplace.folder / "work", ignore_errors=True)
        self._tell("finished")
        return manifest

    def _list_unit(self, *, trees: tuple[str, ...] = (), holders: tuple[Holder, ...] = ()) -> ListUnit:
        ordinal = self._next_ordinal()
        return ListUnit(unit=f"list-{ordinal:06d}", ordinal=ordinal, trees=trees, holders=holders)

    def _next_ordinal(self) -> int:
        """Return the next number of a unit that lists entries; it depends on the facts alone."""
        self._ordinal += 1
        return self._ordinal

    def _waves(self, listing: list[ListUnit]) -> list[tuple[str, str]]:
        """List and analyse, then do the same with the sources found inside, as deep as the plan goes.

        Returns:
            Every tree that was listed, with the name of the unit that listed it.
        """
        found: list[tuple[str, str]] = []
        while listing:
            self._tell("listing")
            listed = {record.unit: record for record in self._crew.all(list_entries, listing)}
            for unit in listing:
                for tree in listed[unit.unit].facts["trees"]:
                    found.append((tree["locator"], unit.unit))
                    if tree["holder"] is not None:
                        self._take_in(tree, unit.holders[tree["holder"]])
            listing = self._analyse([listed[unit.unit] for unit in listing])
        return found

    def _analyse(self, listed: list[UnitRecord]) -> list[ListUnit]:
        """Analyse what was listed and return the listing of the further sources found in it."""
        plan = self._workplace.plan
        self._progress.wave = self._wave
        schedule = Schedule(self._workplace.folder, plan, listed, self._chains, self._wave)
        self._wave += 1
        self._progress.total_files += schedule.files
        self._progress.total_size += schedule.size
        self._tell("analysing")
        nested: set[int] = set()
        by_name: set[int] = set()
        for record in self._crew.all(analyse, schedule.units()):
            nested.update(record.facts["nested"])
            by_name.update(record.facts["nested_by_name"])
        found = schedule.find(sorted(nested | by_name))
        holders = [self._holder(task, task.entry_id in by_name, schedule.beside(task)) for task in found]
        size = plan.nested_a_unit
        parts = [tuple(holders[start : start + size]) for start in range(0, len(holders), size)]
        return [self._list_unit(holders=part) for part in parts]

    def _take_in(self, tree: Mapping[str, Any], holder: Holder) -> None:
        """Remember how a tree inside an entry is reached, and how much the outermost entry holds by now."""
        chain = holder.chain()
        self._chains[parent_of(tree["locator"])] = chain
        self._depths[parent_of(tree["locator"])] = holder.depth + 1
        outermost = chain[0][0]
        self._inside[outermost] = self._inside.get(outermost, 0) + tree["size"]

    def _refusal(self, task: Task) -> str:
        """Return why an entry inside another one is not opened further, empty where it is."""
        chain = self._chains.get(parent_of(task.locator), ())
        if not chain:
            return ""
        outermost, layout = chain[0]
        plan = self._workplace.plan
        inside, allowed = self._inside.get(outermost, 0), max(plan.nested_size, plan.nested_ratio * layout[1])
        if inside <= allowed:
            return ""
        return f"{outermost} of {layout[1]} bytes holds {inside} already, all levels together; not opened any further"

    def _holder(self, task: Task, by_name: bool, beside: Chain) -> Holder:
        return Holder(
            locator=task.locator,
            layout=task.layout(),
            state=task.state,
            content=task.content,
            depth=task.depth,
            by_name=by_name,
            above=self._chains.get(parent_of(task.locator), ()),
            beside=beside,
            refused=self._refusal(task),
        )

    def _carve(self, bare: Sequence[str], trees: Sequence[tuple[str, str]]) -> None:
        """Carve what no allocated entry owns, then analyse what was carved and what lies inside that."""
        self._tell("carving")
        voids = list(self._crew.all(measure_void, self._void_units(bare, trees)))
        if self._workplace.plan.slack:
            voids += self._crew.all(measure_slack, self._slack_units(trees))
        voids.sort(key=lambda record: record.unit)
        self._progress.total_size += sum(int(record.facts["size"]) for record in voids)
        found: dict[str, list[dict[str, Any]]] = {record.unit: [] for record in voids}
        units = (unit for record in voids for unit in scan_units(self._workplace.plan, record, self._chains))
        for record in self._crew.all(scan, units):
            found[record.facts["void"]].extend(record.facts["found"])
        mended: dict[str, list[dict[str, Any]]] = {record.unit: [] for record in voids}
        mending = (unit for record in voids for unit in mend_units(record, found[record.unit], self._chains))
        for record in self._crew.all(mend, mending):
            mended[record.facts["void"]].extend(record.facts["mended"])
        films = (unit for record in voids for unit in film_units(record, found[record.unit], self._chains))
        for record in self._crew.all(join_films, films):
            mended[record.facts["void"]].extend(record.facts["mended"])
        settling = [
            settle_unit(self._next_ordinal(), record, found[record.unit], mended[record.unit], self._depths)
            for record in voids
        ]
        settled = sorted(self._crew.all(settle, settling), key=lambda record: record.unit)
        self._waves(self._analyse(settled))

    def _read_artefacts(self) -> None:
        """Read what applications noted, once every entry is listed and its type is known."""
        self._tell("artefacts")
        for _ in self._crew.all(join, join_units(*self._all_done())):
            pass
        for _ in self._crew.all(read_artefacts, artefact_units(*self._all_done())):
            pass

    def _all_done(self) -> tuple[Path, Plan, list[UnitRecord], dict[str, Chain]]:
        """Return what the units that come last are made of."""
        done = [self._done[unit] for unit in sorted(self._done)]
        return self._workplace.folder, self._workplace.plan, done, self._chains

    def _void_units(self, bare: Sequence[str], trees: Sequence[tuple[str, str]]) -> list[VoidUnit]:
        file_systems = {capability.name for capability in FILESYSTEMS.all()}
        units = [VoidUnit(unit=f"void-{number:06d}", source=source) for number, source in enumerate(bare)]
        for tree, listed_by in trees:
            locator = Locator.parse(tree)
            if locator.steps[-1].layer in file_systems:
                source = parent_of(tree)
                chain = self._chains.get(source, ())
                name = f"void-{len(units):06d}"
                units.append(VoidUnit(unit=name, source=source, tree=tree, listed_by=listed_by, chain=chain))
        return units

    def _slack_units(self, trees: Sequence[tuple[str, str]]) -> list[SlackUnit]:
        file_systems = {capability.name for capability in FILESYSTEMS.all()}
        units: list[SlackUnit] = []
        for tree, listed_by in trees:
            if Locator.parse(tree).steps[-1].layer in file_systems:
                source = parent_of(tree)
                name = f"void-slack-{len(units):06d}"
                chain = self._chains.get(source, ())
                units.append(SlackUnit(unit=name, source=source, tree=tree, listed_by=listed_by, chain=chain))
        return units

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

    def _finish(self, record: UnitRecord) -> None:
        self._count(record)
        self._tell(self._progress.stage)

    def _lose(self, losses: int) -> None:
        self._progress.lost_workers = losses

    def _count(self, record: UnitRecord) -> None:
        progress = self._progress
        progress.entries += record.counts.get("entries", 0)
        progress.notices += record.counts.get("notices", 0)
        progress.files += record.counts.get("files", 0)
        progress.read_size += record.counts.get("read_size", 0) + record.counts.get("searched_size", 0)
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
