"""What is told of an ext volume as a whole."""

from __future__ import annotations

from datetime import UTC, datetime

from kaval.filesystems.ext.volume import Volume

_WRITERS = {0: "Linux", 1: "Hurd", 2: "Masix", 3: "FreeBSD", 4: "Lites"}


def facts_of(volume: Volume) -> dict[str, str]:
    """Return label, kind, sizes and history of a volume, in words."""
    superblock = volume.superblock
    uuid = superblock.uuid.hex()
    facts = {
        "kind": superblock.generation,
        "label": superblock.text(0x78, 16),
        "uuid": "-".join((uuid[:8], uuid[8:12], uuid[12:16], uuid[16:20], uuid[20:])),
        "block size": str(superblock.block_size),
        "blocks": str(superblock.block_count),
        "inodes": str(superblock.inode_count),
        "features": superblock.features(),
        "last mounted on": superblock.text(0x88, 64),
        "created": _moment(superblock.field(0x108, "I")),
        "last mounted": _moment(superblock.field(0x2C, "I")),
        "last written": _moment(superblock.field(0x30, "I")),
        "written by": _WRITERS.get(superblock.field(0x48, "I"), "unknown"),
        "state": "clean" if superblock.field(0x3A, "H") & 1 else "not unmounted cleanly",
    }
    if superblock.field(0x3A, "H") & 2:
        facts["state"] += ", errors were found by the kernel"
    if volume.replayed_transactions:
        count = volume.replayed_transactions
        facts["journal"] = (
            f"{count} committed transactions that were not yet written back are laid over the image in memory"
        )
    return {name: value for name, value in facts.items() if value}


def _moment(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat() if seconds else ""
