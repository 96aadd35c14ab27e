"""The comparison: what an examination found, beside what is true."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from demonstration.truth import FileTruth, Truth, VolumeTruth
from kaval.folder.views import open_folder

FLOORS: Mapping[str, float] = {"ntfs": 0.97, "fat32": 0.9, "exfat": 0.9, "ext4": 0.97}
"""Which share of the deleted files that are whole and described has to come back, byte for byte."""

NEAR_FLOOR = 0.95
FALSE_CLAIMS = 0.01


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    found: int
    expected: int

    @property
    def ratio(self) -> float:
        """The share; all of nothing is 1."""
        return self.found / self.expected if self.expected else 1.0

    def __add__(self, other: Share) -> Share:
        return Share(self.found + other.found, self.expected + other.expected)

    def __str__(self) -> str:
        return f"{self.found} of {self.expected}"


@dataclass(frozen=True, kw_only=True, slots=True)
class VolumeComparison:
    """What came back of one volume.

    ``live`` are files listed as existing with the right digest; ``deleted`` those that came back byte for byte of the
    ones that are whole and described, ``by_kind`` the same by kind; ``undescribed`` of those that are whole but
    described no more. ``intact`` counts deleted entries that are called intact, and how many are not.
    """

    volume: VolumeTruth
    live: Share
    deleted: Share
    by_kind: Mapping[str, Share]
    undescribed: Share
    called_intact: int
    wrongly_intact: tuple[str, ...]
    live_called_deleted: tuple[str, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """All of it; ``hits`` is by how a hit comes about, ``unexpected`` are alert hits on files no set knows."""

    volumes: tuple[VolumeComparison, ...]
    hits: Mapping[str, Share]
    unexpected: tuple[str, ...]
    failures: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class _Found:
    """One entry of the examination."""

    locator: str
    path: str
    state: str
    content: str
    sha256: str | None
    size: int
    depth: int


def compare(folder: Path, truth: Truth) -> Comparison:
    """Return how an examination folder agrees with the truth.

    Raises:
        FolderError: The folder is none, or unfinished.
    """
    _, connection = open_folder(folder)
    try:
        places = dict(
            connection.execute(
                """SELECT "offset", min(locator) FROM sources WHERE stage = 'volume' AND depth = 0 GROUP BY ALL"""
            ).fetchall()
        )
        entries = [
            _Found(*row)
            for row in connection.execute(
                "SELECT locator, path, state, content, sha256, coalesce(read_size, 0), depth FROM entries "
                "WHERE kind IN ('file', 'stream', 'unknown') ORDER BY entry_id"
            ).fetchall()
        ]
        hits = connection.execute(
            "SELECT DISTINCT h.locator, h.role, h.algorithm, e.sha256 FROM hits h JOIN entries e USING (entry_id)"
        ).fetchall()
    finally:
        connection.close()
    by_volume = {
        volume.name: [one for one in entries if _lies_in(one.locator, places.get(volume.offset))]
        for volume in truth.volumes
    }
    volumes = tuple(_compare_volume(volume, truth.files, by_volume[volume.name]) for volume in truth.volumes)
    shares, unexpected = _compare_hits(truth, by_volume, hits)
    return Comparison(
        volumes=volumes, hits=shares, unexpected=unexpected, failures=tuple(_failures(volumes, shares, unexpected))
    )


def _lies_in(locator: str, volume: str | None) -> bool:
    return volume is not None and locator.startswith(volume + "/")


def _compare_volume(volume: VolumeTruth, files: Sequence[FileTruth], entries: Sequence[_Found]) -> VolumeComparison:
    mine = [row for row in files if row.volume == volume.name]
    own = [one for one in entries if one.depth == 0]
    allocated = {(one.path, one.sha256) for one in own if one.state == "allocated"}
    gone = [one for one in own if one.state != "allocated" and one.sha256 and one.size]
    brought_back = {one.sha256 for one in gone}
    live = [row for row in mine if row.state == "live"]
    whole = [row for row in mine if row.comes_back]
    lost = [row for row in mine if row.state == "deleted" and row.content == "whole" and not row.described and row.size]
    ever = {row.sha256 for row in mine}
    living = {row.sha256: row.path for row in live}
    intact = [one for one in gone if one.content == "intact"]
    return VolumeComparison(
        volume=volume,
        live=Share(sum((row.path, row.sha256) in allocated for row in live), len(live)),
        deleted=_share(whole, brought_back),
        by_kind={kind: _share([row for row in whole if row.kind == kind], brought_back) for kind in _kinds(whole)},
        undescribed=_share(lost, brought_back),
        called_intact=len(intact),
        wrongly_intact=tuple(one.locator for one in intact if one.sha256 not in ever and not _is_stream(one)),
        live_called_deleted=tuple(one.locator for one in gone if living.get(one.sha256 or "") == one.path),
        missing=tuple(
            [row.path for row in live if (row.path, row.sha256) not in allocated]
            + [row.path for row in whole if row.sha256 not in brought_back]
        ),
    )


def _is_stream(one: _Found) -> bool:
    """Whether an entry is a second stream of a file, which the truth does not list."""
    return one.path.endswith(":Zone.Identifier")


def _kinds(rows: Sequence[FileTruth]) -> list[str]:
    return sorted({row.kind for row in rows})


def _share(rows: Sequence[FileTruth], found: set[str | None]) -> Share:
    return Share(sum(row.sha256 in found for row in rows), len(rows))


def _expected(truth: Truth) -> Iterator[tuple[str, str, str]]:
    """Yield volume, how, and digest of everything a set should point to and that can be read."""
    for row in truth.files:
        if row.state == "live" or row.comes_back:
            if row.known:
                yield row.volume, row.known, row.sha256
            for member in row.members:
                if member.known:
                    yield row.volume, member.known, member.sha256


def _compare_hits(
    truth: Truth, by_volume: Mapping[str, Sequence[_Found]], hits: Sequence[tuple[str, str, str, str]]
) -> tuple[dict[str, Share], tuple[str, ...]]:
    volume_of = {one.locator: name for name, entries in by_volume.items() for one in entries}
    found = {(volume_of.get(locator), _how(role, algorithm), sha256) for locator, role, algorithm, sha256 in hits}
    expected = sorted(set(_expected(truth)))
    shares = {
        how: Share(sum(one in found for one in expected if one[1] == how), sum(1 for one in expected if one[1] == how))
        for how in ("exact", "near", "known-good")
    }
    marked = {row.sha256 for row in truth.files if row.known in ("exact", "near")}
    marked |= {member.sha256 for row in truth.files for member in row.members if member.known}
    unexpected = {locator for locator, role, _, sha256 in hits if role == "alert" and sha256 not in marked}
    return shares, tuple(sorted(unexpected))


def _how(role: str, algorithm: str) -> str:
    if role == "known-good":
        return role
    return "near" if algorithm == "pdq" else "exact"


def _failures(
    volumes: Sequence[VolumeComparison], hits: Mapping[str, Share], unexpected: Sequence[str]
) -> Iterator[str]:
    """Yield what is below its floor, in words."""
    for one in volumes:
        name = one.volume.name
        if one.live.ratio < 1:
            yield f"{name}: {one.live} live files are listed with their digest"
        floor = FLOORS[one.volume.file_system]
        if one.deleted.ratio < floor:
            yield f"{name}: {one.deleted} whole deleted files came back; the floor is {floor:.0%}"
        if len(one.wrongly_intact) > FALSE_CLAIMS * one.called_intact:
            yield f"{name}: {len(one.wrongly_intact)} deleted files are called intact and are not"
        if one.live_called_deleted:
            yield f"{name}: {len(one.live_called_deleted)} live files are reported as deleted"
    for how, floor in (("exact", 1.0), ("known-good", 1.0), ("near", NEAR_FLOOR)):
        if hits[how].ratio < floor:
            yield f"hits: {hits[how]} {how} ones were found; the floor is {floor:.0%}"
    if unexpected:
        yield f"hits: {len(unexpected)} files are pointed to that no set knows"
