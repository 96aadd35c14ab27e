"""Analysis: read each stream once; digest it, tell its type, decode its pictures, match it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from kaval.core.locators import Locator
from kaval.core.records import Extent, Notice, NoticeCode
from kaval.core.sources import BLOCK_SIZE, ByteSource
from kaval.digests import DIGESTS, Hasher
from kaval.filetypes import HEAD_SIZE, FileType
from kaval.filetypes.identify import identify, mismatch
from kaval.folder.sealed import PackWriter
from kaval.folder.segments import RowBuffer
from kaval.media import MediaFacts
from kaval.media.studio import Studio
from kaval.stages.discovery import Remark
from kaval.stages.fence import fenced
from kaval.stages.heartbeat import beat, begin
from kaval.stages.matching import Matcher, Subject, reliable
from kaval.stages.opening import Layout, Opener
from kaval.stages.plan import Plan

NESTED_TYPES = frozenset(
    {
        "application/zip", "application/x-tar", "application/gzip", "application/x-bzip2", "application/x-xz",
        "application/zstd", "application/x-7z-compressed", "application/pdf", "application/java-archive",
        "application/vnd.android.package-archive", "application/epub+zip",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "application/vnd.oasis.opendocument.text", "application/vnd.oasis.opendocument.spreadsheet",
        "application/vnd.oasis.opendocument.presentation", "application/x-thumbcache",
        "application/x-iso9660-image", "application/x-apple-diskimage", "application/x-luks", "application/x-bitlocker",
        "application/vnd.rar", "application/vnd.ms-cab-compressed", "application/x-lz4",
    }
)  # fmt: skip
"""Types that are opened as further sources, beside every type whose name says disk image."""

IMAGE_EXTENSIONS = (
    ".dd", ".img", ".raw", ".000", ".001", ".iso", ".dmg", ".vmdk", ".vhd", ".vhdx", ".vdi", ".qcow2", ".e01", ".ex01",
    ".s01", ".aff4",
)  # fmt: skip
MINIMUM_IMAGE_SIZE = 64 << 10

THUMBNAIL_STORES = re.compile(r"(^|/)((eh)?thumbs(_vista)?\.db|\.thumbdata3(-[^/]*)?)$")
"""Names (lower case) of files that hold many thumbnails and have no signature of their own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """One entry to be analysed, with all that reading it takes.

    One that ``repeats`` is a further name of the stream of the entry before it.
    """

    entry_id: int
    locator: str
    path: str
    size: int
    state: str
    content: str
    priority: int
    depth: int
    extents: tuple[tuple[int, int, bool], ...] | None
    repeats: bool = False

    def layout(self) -> Layout:
        """Return how the stream is laid out in its source."""
        if self.extents is None:
            return None, self.size, self.path
        extents = tuple(Extent(offset=offset, length=length, sparse=sparse) for offset, length, sparse in self.extents)
        return extents, self.size, self.path


@dataclass(slots=True)
class _Reading:
    """One stream between its digests and the decoder's answer; a known-good picture is ``passed_over``."""

    task: Task
    digests: dict[str, bytes]
    kind: FileType | None
    submitted: bool
    answer: MediaFacts | Notice | None = None
    passed_over: bool = False

    @property
    def waits(self) -> bool:
        """Whether the decoder still has it."""
        return self.submitted and self.answer is None


class Analyst:
    """Analyses tasks one after the other into a row buffer; keeps one decoder process beside it.

    While the decoder works on a picture, the next stream is read and digested.
    """

    def __init__(self, plan: Plan, opener: Opener, matcher: Matcher, studio: Studio | None) -> None:
        self._plan = plan
        self._opener = opener
        self._matcher = matcher
        self._studio = studio
        self._in_decoder = False
        self._algorithms = [(capability.name, capability) for capability in DIGESTS.available()]

    def run(self, tasks: Sequence[Task], lost: dict[int, str], rows: RowBuffer, pack: PackWriter | None) -> Tally:
        """Analyse the tasks; ``lost`` names those (by number) at which a worker was lost before, and why."""
        work = _Work(rows, pack, Tally())
        pending: _Reading | None = None
        first: _Reading | None = None
        for number, task in enumerate(tasks):
            begin(number)
            first = first if task.repeats else None
            if number in lost:
                code = NoticeCode.TIME_LIMIT if "sign of life" in lost[number] else NoticeCode.CAPABILITY_FAILED
                message = f"reading it cost the worker ({lost[number]}); it was left out, the rest was done again"
                work.remark(task, Notice(code=code, message=message))
                continue
            reading = self._read(task, work, pending, first)
            if reading is None:
                continue
            first = first or reading
            if pending is not None:
                self._finish(pending, work)
            pending = reading
        if pending is not None:
            self._finish(pending, work)
        return work.tally

    def _read(self, task: Task, work: _Work, pending: _Reading | None, first: _Reading | None) -> _Reading | None:
        """Read and digest one stream, unless it was read under its first name; a picture goes to the decoder before."""

        def reading() -> _Reading | None:
            return self._digest(task, work, pending) if first is None else self._repeat(task, work, first)

        outcome = fenced("reading", reading, strict=self._plan.strict)
        if isinstance(outcome, Notice):
            self._drain(pending)
            work.remark(task, outcome)
            return None
        return outcome

    def _drain(self, pending: _Reading | None) -> None:
        """Take away the decoder's answer on a stream that failed behind its back."""
        if self._studio is not None and self._in_decoder and not (pending and pending.waits):
            self._studio.result()
            self._in_decoder = False

    def _digest(self, task: Task, work: _Work, pending: _Reading | None) -> _Reading | None:
        if task.size > self._plan.sparse_size and self._mostly_sparse(task):
            raise_size = f"{task.size} bytes, of which hardly any are stored, were not digested"
            work.remark(task, Notice(code=NoticeCode.ABSURD_SIZE, message=raise_size))
            return None
        source = self._opener.stream(Locator.parse(task.locator), task.layout())
        head = source.read_at(0, min(BLOCK_SIZE, task.size)) if task.size else b""
        kind = identify(head[:HEAD_SIZE], task.size) if head else None
        media_type = kind.media_type if kind else None
        submitted = passed_over = False
        if media_type and self._decodable(task, media_type, work):
            digests, submitted = self._digest_picture(task, source, head, media_type, pending, work)
            passed_over = not submitted
        else:
            digests = self._digest_stream(source, head)
        reading = _Reading(task, digests, kind, submitted, passed_over=passed_over)
        self._tell(reading, work)
        return reading

    def _repeat(self, task: Task, work: _Work, first: _Reading) -> _Reading:
        """Give what was established of a stream to a further name of it."""
        if first.waits:
            self._settle(first)
        if first.kind is not None:
            self._decodable(task, first.kind.media_type, work)
        work.tally.skipped_known_good += first.passed_over
        decoded = first.answer is not None
        reading = _Reading(task, first.digests, first.kind, decoded, first.answer, first.passed_over)
        self._tell(reading, work)
        return reading

    def _tell(self, reading: _Reading, work: _Work) -> None:
        """Write down what was established of a stream before it is decoded."""
        task, kind = reading.task, reading.kind
        work.tally.read(task.size)
        media_type = kind.media_type if kind else None
        wrong_name = mismatch(kind, task.path.rpartition("/")[2]) if kind else False
        digests = [reading.digests[name] for name, _ in self._algorithms]
        work.rows.add("digests", (task.entry_id, task.size, *digests, media_type, wrong_name, task.priority))
        if task.size:
            self._match(reading, work)
            self._note_nested(task, media_type, work)

    def _mostly_sparse(self, task: Task) -> bool:
        stored = sum(length for _, length, sparse in task.extents or () if not sparse)
        return task.extents is not None and stored < task.size // 16

    def _decodable(self, task: Task, media_type: str, work: _Work) -> bool:
        if self._studio is None or not self._studio.supports(media_type):
            return False
        if task.size > self._plan.media_size:
            message = f"{task.size} bytes are more than the plan lets a decoder have; digested, not decoded"
            work.remark(task, Notice(code=NoticeCode.SKIPPED, message=message))
            return False
        return True

    def _digest_stream(self, source: ByteSource, head: bytes) -> dict[str, bytes]:
        hashers: list[tuple[str, Hasher]] = [(name, algorithm.new()) for name, algorithm in self._algorithms]
        offset, block = 0, head
        while block:
            for _, hasher in hashers:
                hasher.update(block)
            offset += len(block)
            beat()
            block = source.read_at(offset, BLOCK_SIZE) if offset < source.size else b""
        return {name: hasher.digest() for name, hasher in hashers}

    def _digest_picture(
        self, task: Task, source: ByteSource, head: bytes, media_type: str, pending: _Reading | None, work: _Work
    ) -> tuple[dict[str, bytes], bool]:
        """Digest a picture while it is decoded; one that is known-good is not decoded at all."""
        content = head if task.size <= len(head) else head + source.read_at(len(head), task.size - len(head))
        if not self._matcher.has_known_good:
            self._settle(pending)
            self._submit(content, media_type)
            return self._digest_bytes(content), True
        digests = self._digest_bytes(content)
        subject = _subject(task)
        if any(row[7] == "known-good" for row in self._matcher.exact(subject, digests)):
            work.tally.skipped_known_good += 1
            return digests, False
        self._settle(pending)
        self._submit(content, media_type)
        return digests, True

    def _settle(self, pending: _Reading | None) -> None:
        """Take the answer on the picture before, so that the decoder is free; what it says is written down later."""
        if pending is not None and pending.waits:
            assert self._studio is not None
            pending.answer = self._studio.result()
            self._in_decoder = False
            beat()

    def _submit(self, content: bytes, media_type: str) -> None:
        assert self._studio is not None
        self._studio.submit(content, media_type)
        self._in_decoder = True

    def _digest_bytes(self, content: bytes) -> dict[str, bytes]:
        digests = {}
        for name, algorithm in self._algorithms:
            hasher = algorithm.new()
            hasher.update(content)
            digests[name] = hasher.digest()
        return digests

    def _match(self, reading: _Reading, work: _Work) -> None:
        for row in self._matcher.exact(_subject(reading.task), reading.digests):
            work.hit(row)

    def _finish(self, reading: _Reading, work: _Work) -> None:
        """Take the decoder's answer on a picture, once."""
        if not reading.submitted:
            return
        self._settle(reading)
        answer, reading.submitted = reading.answer, False
        assert answer is not None
        if isinstance(answer, Notice):
            work.remark(reading.task, answer)
            return
        work.media(reading.task, answer)
        if answer.problem and reliable(reading.task.content):
            message = f"the {answer.format} was decoded as far as it goes: {answer.problem}"
            work.remark(reading.task, Notice(code=NoticeCode.DAMAGED, message=message))
        for row in self._matcher.near(_subject(reading.task), answer.frames):
            work.hit(row)

    def _note_nested(self, task: Task, media_type: str | None, work: _Work) -> None:
        if not self._plan.archives or not reliable(task.content):
            return
        is_image = task.path.lower().endswith(IMAGE_EXTENSIONS) and task.size >= MINIMUM_IMAGE_SIZE
        thumbnails = THUMBNAIL_STORES.search(task.path.lower()) is not None
        if media_type is None and not is_image and not thumbnails:
            return
        by_type = media_type in NESTED_TYPES or "disk-image" in (media_type or "") or thumbnails
        if by_type or (is_image and media_type is None):
            if task.depth >= self._plan.depth:
                message = f"it holds further sources, and lies {task.depth} deep already; not opened"
                work.remark(task, Notice(code=NoticeCode.DEPTH_LIMIT, message=message))
            else:
                (work.tally.nested if by_type else work.tally.nested_by_name).append(task)


def _subject(task: Task) -> Subject:
    return Subject(entry_id=task.entry_id, locator=task.locator, path=task.path, state=task.state, content=task.content)


@dataclass
class Tally:
    """What a unit of analysis adds up to; ``nested`` are the entries to be opened as further sources.

    ``nested_by_name`` are those that nothing but their name makes a disk image.
    """

    files: int = 0
    size: int = 0
    pictures: int = 0
    skipped_known_good: int = 0
    nested: list[Task] = field(default_factory=list)
    nested_by_name: list[Task] = field(default_factory=list)
    hits: dict[str, int] = field(default_factory=dict)
    first_hits: list[tuple[str, str, str]] = field(default_factory=list)

    def read(self, size: int) -> None:
        """Count one stream that was read."""
        self.files += 1
        self.size += size


class _Work:
    """The rows of one unit while it is analysed."""

    def __init__(self, rows: RowBuffer, pack: PackWriter | None, tally: Tally) -> None:
        self.rows = rows
        self.pack = pack
        self.tally = tally

    def remark(self, task: Task, notice: Notice) -> None:
        row = Remark(locator=Locator.parse(task.locator), notice=notice).row("analysis")
        self.rows.add("notices", row)

    def hit(self, row: tuple[Any, ...]) -> None:
        self.rows.add("hits", row)
        role = row[7]
        self.tally.hits[role] = self.tally.hits.get(role, 0) + 1
        if role == "alert" and len(self.tally.first_hits) < 5:
            self.tally.first_hits.append((row[1], row[2], row[5]))

    def media(self, task: Task, facts: MediaFacts) -> None:
        for frame in facts.frames:
            thumbnail = self.pack.add(frame.thumbnail, self.rows) if self.pack and frame.thumbnail else None
            self.rows.add(
                "media",
                (
                    task.entry_id,
                    task.locator,
                    frame.index,
                    frame.at_ms,
                    facts.format,
                    facts.width,
                    facts.height,
                    facts.duration_ms,
                    frame.pdq[0],
                    frame.quality,
                    b"".join(frame.pdq),
                    facts.pdq_method,
                    facts.decoder,
                    facts.taken_at,
                    facts.make,
                    facts.model,
                    facts.latitude,
                    facts.longitude,
                    thumbnail,
                    facts.problem,
                ),
            )
        self.tally.pictures += 1
