"""Discovery: what a source holds, from the container over volumes to the file systems in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from kaval.containers import CONTAINERS
from kaval.core.contracts import Container, FileSystem, VolumeSystem
from kaval.core.locators import Locator
from kaval.core.records import Notice, NoticeCode
from kaval.core.sources import ByteSource
from kaval.filesystems import FILESYSTEMS
from kaval.stages.fence import fenced, fenced_iteration
from kaval.stages.heartbeat import beat
from kaval.stages.opening import Opener
from kaval.volumes import VOLUMES

MAXIMUM_VOLUME_DEPTH = 8
MAXIMUM_VOLUMES = 4096
"""Volumes of one source, all levels together: tables that name one another multiply."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Layer:
    """One container, volume or file system that was found; a row of the table ``sources``."""

    locator: Locator
    stage: str
    title: str
    size: int | None = None
    offset: int | None = None
    facts: dict[str, str] = field(default_factory=dict)
    lists: bool = False

    def row(self, depth: int) -> tuple[Any, ...]:
        """Return the row of the table ``sources``."""
        facts = json.dumps(self.facts, ensure_ascii=False, sort_keys=True)
        layer = self.locator.steps[-1].layer
        return (str(self.locator), self.stage, layer, self.title, self.size, self.offset, depth, facts)


@dataclass(frozen=True, kw_only=True, slots=True)
class Remark:
    """A notice and the locator of what it speaks of."""

    locator: Locator
    notice: Notice

    def row(self, stage: str) -> tuple[Any, ...]:
        """Return the row of the table ``notices``."""
        notice = self.notice
        locator = self.locator
        if notice.address:
            last = locator.steps[-1] if locator.steps else None
            locator = locator.parent.to(last.layer, notice.address) if last else locator.to(notice.address)
        return (str(locator), str(notice.code), notice.message, stage, notice.offset, notice.structure)


@dataclass(frozen=True, kw_only=True, slots=True)
class Bare:
    """Bytes without a readable file system: a gap between volumes, or a whole source. Only carving reaches them."""

    locator: Locator


Found = Layer | Remark | Bare


class Discovery:
    """Walks one source; the capabilities found on the way stay open in the opener."""

    def __init__(self, opener: Opener, *, strict: bool) -> None:
        self._opener = opener
        self._strict = strict
        self._volumes_left = MAXIMUM_VOLUMES

    def walk(self, locator: Locator) -> Iterator[Found]:
        """Yield what is found below a locator that names bytes, outermost first."""
        self._volumes_left = MAXIMUM_VOLUMES
        source = fenced("opening", lambda: self._opener.source(locator), strict=self._strict)
        if isinstance(source, Notice):
            yield Remark(locator=locator, notice=source)
            return
        name = self._opener.name_of(locator)
        for container in CONTAINERS.available():
            answer = fenced(
                container.name,
                lambda container=container: container.probe(source, name),  # type: ignore[misc]
                strict=self._strict,
            )
            beat()
            if isinstance(answer, Notice):
                yield Remark(locator=locator, notice=answer)
            elif answer:
                yield from self._container(locator, container)
                return
        yield Remark(locator=locator, notice=_unrecognised("container"))

    def _container(self, locator: Locator, container: Container) -> Iterator[Found]:
        here = locator.to(container.name)
        opened = fenced(container.name, lambda: self._opener.open_container(here), strict=self._strict)
        if isinstance(opened, Notice):
            yield Layer(locator=here, stage="container", title=container.title)
            yield Remark(locator=here, notice=opened)
            return
        facts = {**opened.facts, **{f"stored {name}": value for name, value in opened.stored_digests.items()}}
        size = opened.source.size if opened.source else None
        lists = opened.tree is not None
        yield Layer(locator=here, stage="container", title=container.title, size=size, facts=facts, lists=lists)
        for notice in opened.notices:
            yield Remark(locator=here, notice=notice)
        if not lists:
            yield from self._volumes(here, 0)

    def _volumes(self, locator: Locator, depth: int) -> Iterator[Found]:
        """Yield volumes and file systems of a source, or the notice that nothing is recognised in it."""
        source = fenced("opening", lambda: self._opener.source(locator), strict=self._strict)
        if isinstance(source, Notice):
            yield Remark(locator=locator, notice=source)
            return
        if depth > MAXIMUM_VOLUME_DEPTH:
            yield Remark(locator=locator, notice=Notice(code=NoticeCode.DEPTH_LIMIT, message="volumes too deep"))
            return
        divided = False
        for system in VOLUMES.available():
            answer = fenced(system.name, lambda system=system: system.probe(source), strict=self._strict)  # type: ignore[misc]
            beat()
            if isinstance(answer, Notice):
                yield Remark(locator=locator, notice=answer)
            elif answer and (system.alongside or not divided):
                divided = divided or not system.alongside
                yield from self._system(locator, source, system, depth)
        if not divided:
            yield from self._file_system(locator, source)

    def _system(self, locator: Locator, source: ByteSource, system: VolumeSystem, depth: int) -> Iterator[Found]:
        here = locator.to(system.name)
        volumes = []
        records = self._opener.volume_records(here, system)
        for volume in fenced_iteration(system.name, records, strict=self._strict):
            if isinstance(volume, Notice):
                yield Remark(locator=here, notice=volume)
            else:
                volumes.append(volume)
        for volume in volumes:
            if not self._volumes_left:
                message = f"more than {MAXIMUM_VOLUMES} volumes in one source; the rest was not opened"
                yield Remark(locator=here, notice=Notice(code=NoticeCode.COUNT_LIMIT, message=message))
                return
            self._volumes_left -= 1
            at = locator.to(system.name, volume.address)
            facts = dict(volume.facts)
            size = volume.source.size
            yield Layer(locator=at, stage="volume", title=volume.title, size=size, offset=volume.offset, facts=facts)
            if facts.get("state") == "unallocated":
                yield Bare(locator=at)
            else:
                yield from self._volumes(at, depth + 1)

    def _file_system(self, locator: Locator, source: ByteSource) -> Iterator[Found]:
        for file_system in FILESYSTEMS.available():
            answer = fenced(
                file_system.name,
                lambda file_system=file_system: file_system.probe(source),  # type: ignore[misc]
                strict=self._strict,
            )
            beat()
            if isinstance(answer, Notice):
                yield Remark(locator=locator, notice=answer)
            elif answer:
                yield from self._tree(locator, file_system, source.size)
                return
        yield Remark(locator=locator, notice=_unrecognised("file system"))
        yield Bare(locator=locator)

    def _tree(self, locator: Locator, file_system: FileSystem, size: int) -> Iterator[Found]:
        here = locator.to(file_system.name)
        tree = fenced(file_system.name, lambda: self._opener.tree(here), strict=self._strict)
        if isinstance(tree, Notice):
            yield Layer(locator=here, stage="filesystem", title=file_system.title, size=size)
            yield Remark(locator=here, notice=tree)
            if tree.code is not NoticeCode.LOCKED:
                yield Bare(locator=locator)
            return
        facts = dict(tree.facts)
        yield Layer(locator=here, stage="filesystem", title=file_system.title, size=size, facts=facts, lists=True)


def _unrecognised(what: str) -> Notice:
    message = f"no {what} is recognised here; nothing was guessed. Its bytes were digested, not examined"
    return Notice(code=NoticeCode.UNRECOGNISED, message=message)
