"""The desk: what a worker keeps open between the units of one examination."""

from __future__ import annotations

from kaval.folder.sealed import SealingKey
from kaval.media import MediaLimits
from kaval.media.studio import Studio
from kaval.stages.analysis import Analyst
from kaval.stages.matching import Matcher
from kaval.stages.opening import Opener
from kaval.stages.plan import Workplace


class Desk:
    """What a worker keeps between units of one examination."""

    def __init__(self, workplace: Workplace) -> None:
        self.workplace = workplace
        plan = workplace.plan
        self.opener = Opener(workplace.source_path, plan.exhibit, workplace.keyring)
        self.key = SealingKey.load(workplace.key_path) if workplace.key_path else None
        self._studio: Studio | None = None
        self._analyst: Analyst | None = None
        self._matcher: Matcher | None = None

    def matcher(self) -> Matcher:
        """Return the known sets of the plan, opened at the first call."""
        if self._matcher is None:
            plan = self.workplace.plan
            folders = [self.workplace.folder / "work" / f"set-{number}" for number in range(len(plan.sets))]
            self._matcher = Matcher(folders, threshold=plan.near_threshold, quality_floor=plan.quality_floor)
        return self._matcher

    def analyst(self) -> Analyst:
        """Return the analyst, with decoders and known sets made ready at the first call."""
        if self._analyst is None:
            plan = self.workplace.plan
            self._analyst = Analyst(plan, self.opener, self.matcher(), self.studio() if plan.media else None)
        return self._analyst

    def studio(self) -> Studio:
        """Return the studio, its decoder process started at the first call."""
        if self._studio is None:
            limits = MediaLimits(seconds=self.workplace.plan.picture_seconds)
            self._studio = Studio(limits).__enter__()
        return self._studio

    @property
    def confinement(self) -> tuple[str, ...]:
        """The measures in force around the decoders; empty before they are needed."""
        return tuple(self._studio.confinement) if self._studio else ()


_DESKS: dict[str, Desk] = {}


def desk_of(workplace: Workplace) -> Desk:
    """Return this process's desk for an examination."""
    key = str(workplace.folder)
    if key not in _DESKS:
        _DESKS[key] = Desk(workplace)
    return _DESKS[key]
