"""Pages as they were: what the log, the journal and the file hold beside the last committed state."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kaval.artefacts.sqlite.journal import Journal
from kaval.artefacts.sqlite.pages import Origin, Placed, State
from kaval.artefacts.sqlite.rows import RecoverySource
from kaval.artefacts.sqlite.wal import Frame, Log


@dataclass(frozen=True, slots=True)
class PastPage:
    """One image of a page that the last state has replaced, and the state in which its chains are to be followed."""

    page: int
    placed: Placed
    source: RecoverySource
    state: State


class _FramesUpTo(Mapping[int, Placed]):
    """The pages of a log as a transaction left them: of each the last frame up to the one that committed it."""

    def __init__(self, by_page: Mapping[int, list[Frame]], last: int) -> None:
        self._by_page = by_page
        self._last = last

    def __getitem__(self, page: int) -> Placed:
        frames = self._by_page[page]
        at = bisect_right(frames, self._last, key=lambda frame: frame.number)
        if at == 0:
            raise KeyError(page)
        frame = frames[at - 1]
        return Placed(Origin.WAL, frame.number, frame.offset)

    def __iter__(self) -> Iterator[int]:
        return iter(self._by_page)

    def __len__(self) -> int:
        return len(self._by_page)


class Past:
    """The images of pages that lie beside a state, and the states they belong to."""

    def __init__(self, state: State, log: Log, journal: Journal) -> None:
        self.state = state
        self._log = log
        self._journal = journal
        main = state.files.sources[Origin.MAIN]
        self._main_pages = -(-main.size // state.files.page_size)
        named = max([frame.page for frame in log.frames] + [record.page for record in journal.records], default=0)
        images = len(log.frames) + len(journal.records)
        self._pages = max(state.pages, min(max(named, self._main_pages), self._main_pages + images))

    def states(self) -> Iterator[State]:
        """Yield earlier states whole: the file without its log, each generation of that, the file and its journal."""
        if self._log.frames:
            yield self._file_alone()
            for salt in self._generations():
                yield self._generation(salt)
        if self._journal.records:
            yield self._before_journal()
            if self._journal.hot:
                yield self._file_alone()

    def _file_alone(self) -> State:
        return State(self.state.files, self.state.usable_size, self._main_pages, {})

    def _before_journal(self) -> State:
        laid_over: dict[int, Placed] = {}
        for record in self._journal.records:
            laid_over.setdefault(record.page, Placed(Origin.JOURNAL, record.number, record.offset))
        return self._with(laid_over)

    def _generations(self) -> list[tuple[int, int]]:
        return list(dict.fromkeys(frame.salt for frame in self._log.frames))

    def _generation(self, salt: tuple[int, int]) -> State:
        laid_over = {
            frame.page: Placed(Origin.WAL, frame.number, frame.offset)
            for frame in self._log.frames
            if frame.salt == salt
        }
        return self._with(laid_over)

    def _with(self, laid_over: Mapping[int, Placed]) -> State:
        return State(self.state.files, self.state.usable_size, self._pages, laid_over)

    def pages(self) -> Iterator[PastPage]:
        """Yield every image that the state has replaced: of the log, newest first, then of the file and the journal."""
        yield from self._frames()
        for page in range(1, min(self._main_pages, self.state.pages) + 1):
            if page in self.state.laid_over:
                placed = Placed(Origin.MAIN, page, (page - 1) * self.state.files.page_size)
                yield PastPage(page, placed, RecoverySource.OVERWRITTEN, self._file_alone())
        before = self._before_journal()
        for record in self._journal.records:
            placed = Placed(Origin.JOURNAL, record.number, record.offset)
            if self.state.laid_over.get(record.page) != placed:
                yield PastPage(record.page, placed, RecoverySource.JOURNAL, before)

    def _frames(self) -> Iterator[PastPage]:
        by_salt: dict[tuple[int, int], dict[int, list[Frame]]] = {}
        for frame in self._log.frames:
            by_salt.setdefault(frame.salt, {}).setdefault(frame.page, []).append(frame)
        commit: dict[int, int] = {}
        last = len(self._log.frames) + 1
        for frame in reversed(self._log.frames):
            last = frame.number if frame.commit_pages else last
            commit[frame.number] = last
        for frame in reversed(self._log.frames):
            placed = Placed(Origin.WAL, frame.number, frame.offset)
            if self.state.laid_over.get(frame.page) != placed:
                state = self._with(_FramesUpTo(by_salt[frame.salt], commit[frame.number]))
                yield PastPage(frame.page, placed, RecoverySource.WAL, state)
