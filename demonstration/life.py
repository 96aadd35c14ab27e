"""The life of a volume: files come, some go, later ones take their place, more go; every step at its own time."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

import numpy as np

from demonstration.contents import Content, kind_of, members_of, produce
from demonstration.corpus import Item
from demonstration.space import Placement
from demonstration.truth import FileTruth, MemberTruth
from demonstration.volumes import Placed, VolumeWriter, fragments

BEGAN_AT = datetime(2024, 9, 2, 8, 0, tzinfo=timezone(timedelta(hours=5, minutes=30)))
_FIRST_SHARE = 0.72
_DELETED_BEFORE = 0.14
_DELETED_AFTER = 0.20
_LATER = (Placement.FIRST, Placement.AFTER, Placement.SCATTERED, Placement.FIRST, Placement.AFTER)


@dataclass(slots=True)
class _Stored:
    number: int
    item: Item
    placed: Placed
    size: int
    digests: dict[str, str]
    members: tuple[MemberTruth, ...]
    deleted: bool = False


def live(writer: VolumeWriter, items: Sequence[Item], volume: str, seed: int) -> list[FileTruth]:
    """Let the files come and go on a volume and return what is true at the end.

    Most files are written; about a seventh of all is deleted; the others are written, some into what became free;
    then a fifth of all is deleted and nothing follows.
    """
    chance = np.random.default_rng(seed)
    order = [items[int(index)] for index in chance.permutation(len(items))]
    first = round(len(order) * _FIRST_SHARE)
    clock = _Clock()
    stored = [_write(writer, number, item, clock, Placement.FIRST) for number, item in enumerate(order[:first])]
    _delete(writer, stored, round(len(order) * _DELETED_BEFORE), chance, clock)
    for number, item in enumerate(order[first:], first):
        stored.append(_write(writer, number, item, clock, _LATER[number % len(_LATER)]))
    _delete(writer, stored, round(len(order) * _DELETED_AFTER), chance, clock)
    writer.finish()
    return [_truth(writer, one, volume) for one in sorted(stored, key=lambda one: one.item.path)]


class _Clock:
    """Tells the time of each step; a step takes half a day."""

    def __init__(self) -> None:
        self._now = BEGAN_AT

    def next(self) -> datetime:
        self._now += timedelta(hours=11, minutes=23, seconds=41)
        return self._now


def _write(writer: VolumeWriter, number: int, item: Item, clock: _Clock, placement: Placement) -> _Stored:
    content = produce(item.content)
    placed = writer.write(item.path, content, at=clock.next(), writer=number, placement=placement)
    digests = {name: hashlib.new(name, content).hexdigest() for name in ("md5", "sha1", "sha256")}
    return _Stored(number, item, placed, len(content), digests, _members(item.content))


def _members(content: Content) -> tuple[MemberTruth, ...]:
    return tuple(
        MemberTruth(
            path=name, sha256=hashlib.sha256(stored).hexdigest(), known=str(picture.mark) if picture.mark else None
        )
        for name, (picture, stored) in members_of(content).items()
    )


def _delete(
    writer: VolumeWriter, stored: Sequence[_Stored], count: int, chance: np.random.Generator, clock: _Clock
) -> None:
    there = [one for one in stored if not one.deleted]
    for index in sorted(int(number) for number in chance.choice(len(there), count, replace=False)):
        writer.delete(there[index].item.path, at=clock.next())
        there[index].deleted = True


def _truth(writer: VolumeWriter, one: _Stored, volume: str) -> FileTruth:
    mark = one.item.content.mark
    return FileTruth(
        volume=volume,
        path=one.item.path,
        kind=str(kind_of(one.item.content)),
        size=one.size,
        **one.digests,
        state="deleted" if one.deleted else "live",
        content=str(writer.space.fate(one.placed.runs, one.number)),
        fragments=fragments(one.placed.runs),
        described=not one.deleted or writer.is_described(one.placed),
        known=str(mark) if mark else None,
        members=one.members,
    )
