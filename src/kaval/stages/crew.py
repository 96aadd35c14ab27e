"""The crew: gives units of work to an executor, takes their records, and gives again what lost its worker."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from typing import Protocol, Self

from kaval.core.errors import KavalError
from kaval.folder.segments import UnitRecord
from kaval.stages.plan import Workplace
from kaval.stages.pool import WorkerLostError

MAXIMUM_LOSSES = 64
"""How many workers may be lost before the examination gives up."""

MAXIMUM_REPEATS = 3
"""How many may be lost where no item can be blamed."""


class ExaminationFailedError(KavalError):
    """The examination cannot go on; what was done is kept and can be taken up again."""


class Unit(Protocol):
    """What a worker is asked to do in one go; ``without`` gives the same unit told what cost a worker."""

    @property
    def unit(self) -> str: ...

    def without(self, item: int, reason: str) -> Self: ...


Work = Callable[..., UnitRecord]


class Crew:
    """Runs units; the records of those done in an earlier session come first to hand.

    ``finished`` is told every record once, ``lost`` every worker that was lost.
    """

    def __init__(
        self,
        executor: Executor,
        workplace: Workplace,
        done: dict[str, UnitRecord],
        *,
        in_flight: int,
        finished: Callable[[UnitRecord], None],
        lost: Callable[[int], None],
    ) -> None:
        self._executor = executor
        self._workplace = workplace
        self._done = done
        self._in_flight = in_flight
        self._finished = finished
        self._tell_lost = lost
        self._losses = 0

    def one(self, work: Work, name: str) -> UnitRecord:
        """Return the record of work that is told nothing but its name."""
        if name not in self._done:
            for attempt in range(MAXIMUM_REPEATS + 1):
                try:
                    self._done[name] = self._executor.submit(work, self._workplace, name).result()
                    break
                except WorkerLostError as error:
                    self._count_loss(name, error, blamed=attempt < MAXIMUM_REPEATS)
        self._finished(self._done[name])
        return self._done[name]

    def all(self, work: Work, units: Iterable[Unit]) -> Iterator[UnitRecord]:
        """Yield the record of each unit as it is finished."""
        waiting: dict[Future[UnitRecord], Unit] = {}
        for unit in units:
            if unit.unit in self._done:
                self._finished(self._done[unit.unit])
                yield self._done[unit.unit]
                continue
            while len(waiting) >= self._in_flight:
                yield from self._collect(work, waiting)
            waiting[self._executor.submit(work, self._workplace, unit)] = unit
        while waiting:
            yield from self._collect(work, waiting)

    def _collect(self, work: Work, waiting: dict[Future[UnitRecord], Unit]) -> Iterator[UnitRecord]:
        finished, _ = wait(waiting, return_when=FIRST_COMPLETED)
        for future in finished:
            unit = waiting.pop(future)
            try:
                record = future.result()
            except WorkerLostError as error:
                self._count_loss(unit.unit, error, blamed=error.item >= 0)
                again = unit.without(error.item, error.reason) if error.item >= 0 else unit
                waiting[self._executor.submit(work, self._workplace, again)] = again
                continue
            self._done[record.unit] = record
            self._finished(record)
            yield record

    def _count_loss(self, name: str, error: WorkerLostError, *, blamed: bool) -> None:
        self._losses += 1
        self._tell_lost(self._losses)
        if self._losses > MAXIMUM_LOSSES:
            message = f"too many workers were lost; the last one at unit {name}: {error}"
            raise ExaminationFailedError(message) from error
        if not blamed and self._losses > MAXIMUM_REPEATS:
            raise ExaminationFailedError(f"the unit {name} cannot be done: {error}") from error
