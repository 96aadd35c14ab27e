"""Matching: what digests and PDQ hashes are in the known sets of the plan, as rows of the table ``hits``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kaval.core.records import ContentState
from kaval.knownsets import Match, Role
from kaval.knownsets.asking import Silencer
from kaval.knownsets.compiled import CompiledSet, open_set
from kaval.knownsets.video import KNOWN_SHARE
from kaval.media import Frame

PDQ_SIZE = 32


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """The entry that is matched, as far as a hit tells of it."""

    entry_id: int
    locator: str
    path: str
    state: str
    content: str


class Matcher:
    """The known sets of one examination, opened once a worker.

    What matches in a set, and is held by a negative set as well, stays a hit of that set with the role *negative*.
    """

    def __init__(self, folders: Sequence[Path], *, threshold: int, quality_floor: int) -> None:
        self._sets: list[CompiledSet] = [open_set(folder) for folder in folders]
        self._silencer = Silencer(self._sets)
        self._threshold = threshold
        self._quality_floor = quality_floor
        self.has_known_good = any(known.info.role is Role.KNOWN_GOOD for known in self._sets)

    def exact(self, subject: Subject, digests: dict[str, bytes]) -> list[tuple[Any, ...]]:
        """Return the hit rows of a stream's digests; never called for a stream of no bytes."""
        rows = []
        for known in self._sets:
            for algorithm, digest in digests.items():
                for match in known.exact(algorithm, [digest])[0]:
                    rows.append(_row(subject, self._silencer.silenced(match), None))
        return rows

    def near(self, subject: Subject, frames: Sequence[Frame]) -> list[tuple[Any, ...]]:
        """Return the hit rows of the pictures of a stream; low-quality ones are never matched."""
        usable = [frame for frame in frames if frame.quality >= self._quality_floor]
        if not usable:
            return []
        rows: list[tuple[Any, ...]] = []
        for known in self._sets:
            if known.info.format == "vpdq" and all(frame.at_ms is not None for frame in usable):
                rows.extend(self._videos(subject, known, usable))
            elif known.info.counts.get("pdq"):
                for frame, matches in zip(
                    usable, known.near([frame.pdq for frame in usable], self._threshold), strict=True
                ):
                    rows.extend(_row(subject, self._silencer.silenced(match), frame) for match in matches)
        return rows

    def _videos(self, subject: Subject, known: CompiledSet, frames: Sequence[Frame]) -> Iterator[tuple[Any, ...]]:
        """Yield a row for each known video that shares most frames with this one; the algorithm names the side.

        ``vpdq-known``: most of the known video's frames occur here. ``vpdq-seized``: most of the frames looked at here
        occur in the known video. Distance and threshold are percentages: frames of that side missing on the other.
        """
        turned = [frame.pdq for frame in frames]
        told = set()
        for side in ("known", "seized"):
            for video in known.videos(turned, self._threshold, side=side):
                if video.video in told:
                    continue
                told.add(video.video)
                match = Match(
                    set_name=known.info.name,
                    set_version=known.info.version,
                    role=known.info.role,
                    algorithm=f"vpdq-{side}",
                    value=video.video,
                    distance=round(100 - (video.known_share if side == "known" else video.seized_share)),
                    threshold=round(100 - KNOWN_SHARE),
                    category=None,
                )
                yield _row(subject, match, None)


def _row(subject: Subject, match: Match, frame: Frame | None) -> tuple[Any, ...]:
    moving = frame is not None and frame.at_ms is not None
    return (
        subject.entry_id,
        subject.locator,
        subject.path,
        subject.state,
        subject.content,
        match.set_name,
        match.set_version,
        str(Role.NEGATIVE if match.silenced_by else match.role),
        match.algorithm,
        match.value,
        match.distance,
        match.threshold,
        match.category,
        match.orientation,
        frame.index if frame is not None and moving else None,
        frame.at_ms if frame is not None and moving else None,
    )


def reliable(content: str) -> bool:
    """Whether the bytes read can be taken for those of the entry, so that what lies in them is worth listing."""
    return content in (ContentState.INTACT, ContentState.ASSUMED, ContentState.OVERLAPS_DELETED)
