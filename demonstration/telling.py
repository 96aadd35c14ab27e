"""Telling a person how the examination agrees with the truth, as tables on the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from demonstration.comparison import Comparison, Share
from demonstration.truth import Truth

_FILE_SYSTEMS = {"ntfs": "NTFS", "fat32": "FAT32", "exfat": "exFAT", "ext4": "ext4"}
_MOST_NAMED = 8


def tell(console: Console, comparison: Comparison, truth: Truth) -> None:
    """Print what came back, by volume and kind, the hits, and what is below its floor."""
    deleted = [row for row in truth.files if row.state == "deleted"]
    overwritten = sum(row.content != "whole" for row in deleted)
    console.print(
        f"The disk held {len(truth.files)} files; {len(deleted)} were deleted, {overwritten} of those overwritten, "
        "wholly or in part."
    )
    console.print(_volumes(comparison))
    console.print(_kinds(comparison))
    console.print(_hits(comparison))
    for one in comparison.volumes:
        if one.missing:
            more = f" and {len(one.missing) - _MOST_NAMED} more" if len(one.missing) > _MOST_NAMED else ""
            console.print(f"{one.volume.name}: not found: {', '.join(one.missing[:_MOST_NAMED])}{more}", markup=False)
    for failure in comparison.failures:
        console.print(f"Below its floor: {failure}", style="bold red", markup=False)
    whole = sum((one.deleted for one in comparison.volumes), Share(0, 0))
    if not comparison.failures:
        console.print(f"{whole.ratio:.1%} of the deleted files that could come back did, byte for byte.", style="bold")


def _volumes(comparison: Comparison) -> Table:
    table = Table(
        title="What came back, byte for byte",
        title_justify="left",
        caption_justify="left",
        caption="Live: listed with the right digest. Deleted: of those whose bytes are whole and whose description is "
        "left; without: whole, but the file system used the description again. Intact: deleted files called intact, "
        "and how many of those are not.",
    )
    for title in ("volume", "live", "deleted", "without", "intact", "wrongly"):
        table.add_column(title, no_wrap=True)
    for one in comparison.volumes:
        table.add_row(
            _FILE_SYSTEMS[one.volume.file_system], str(one.live), f"{one.deleted} ({one.deleted.ratio:.0%})",
            str(one.undescribed) if one.undescribed.expected else "-", str(one.called_intact),
            str(len(one.wrongly_intact)),
        )  # fmt: skip
    return table


def _kinds(comparison: Comparison) -> Table:
    table = Table(title="Deleted files that came back, by kind", title_justify="left")
    kinds = sorted({kind for one in comparison.volumes for kind in one.by_kind})
    table.add_column("kind")
    for one in comparison.volumes:
        table.add_column(_FILE_SYSTEMS[one.volume.file_system])
    for kind in kinds:
        table.add_row(kind, *(str(one.by_kind.get(kind, "-")) for one in comparison.volumes))
    return table


def _hits(comparison: Comparison) -> Table:
    table = Table(title="What the known sets point to", title_justify="left")
    for title in ("hits", "found"):
        table.add_column(title)
    names = {"exact": "exact, by digest", "near": "near, by appearance", "known-good": "known as harmless"}
    for how, share in comparison.hits.items():
        table.add_row(names[how], str(share))
    table.add_row("unexpected", str(len(comparison.unexpected)))
    return table
