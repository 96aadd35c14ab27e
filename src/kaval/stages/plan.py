"""The plan: everything that decides the result of an examination, fixed before the first byte is examined."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from kaval.core.keys import Keyring
from kaval.knownsets import SetInfo

LIKELY_PLACES = (
    "dcim", "camera", "100andro", "100apple", "pictures", "images", "photos", "videos", "movies", "screenshots",
    "download", "downloads", "desktop", "whatsapp", "telegram", "signal", "messenger", "viber", "snapchat",
    "instagram", "wechat", "media", "sent", "received", "$recycle.bin", "recycler", ".trash", ".trashes", "trash",
)  # fmt: skip
"""Folder names (lower case) whose files are examined first: cameras, messengers, downloads, bins."""

MEDIA_EXTENSIONS = (
    "jpg", "jpeg", "jpe", "png", "gif", "webp", "heic", "heif", "avif", "bmp", "tif", "tiff", "mp4", "mov", "m4v",
    "3gp", "3g2", "avi", "mkv", "webm", "wmv", "flv", "mpg", "mpeg", "mts", "ts", "dng", "cr2", "nef", "arw",
)  # fmt: skip
"""Extensions (lower case) of files that are examined before others of their place."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is examined, how far, in which order; sizes in bytes.

    What lies inside one entry, all levels together, is opened further only while it is smaller than ``nested_size``
    or than ``nested_ratio`` times the entry. ``strict`` lets unforeseen errors of a capability stop the run instead of
    becoming notices (tests).
    """

    exhibit: str
    source_name: str
    depth: int = 4
    archives: bool = True
    media: bool = True
    thumbnails: bool = True
    source_digest: bool = True
    carve: bool = True
    carve_size: int = 64 << 20
    slack: bool = False
    artefacts: bool = True
    texts: bool = True
    artefact_files: int = 64
    artefact_size: int = 64 << 20
    near_threshold: int = 31
    quality_floor: int = 50
    unit_files: int = 512
    unit_size: int = 48 << 20
    media_size: int = 256 << 20
    sparse_size: int = 1 << 30
    picture_seconds: float = 30.0
    hang_seconds: float = 60.0
    nested_a_unit: int = 32
    nested_ratio: int = 200
    nested_size: int = 2 << 30
    strict: bool = False
    given_digests: Mapping[str, str] = field(default_factory=dict)
    sets: tuple[SetInfo, ...] = ()
    likely_places: tuple[str, ...] = LIKELY_PLACES
    media_extensions: tuple[str, ...] = MEDIA_EXTENSIONS

    def to_json(self) -> dict[str, Any]:
        """Return the plan as a JSON object."""
        return asdict(self)

    @classmethod
    def from_json(cls, record: Mapping[str, Any]) -> Plan:
        """Return the plan that a JSON object stands for."""
        fields = dict(record)
        fields["sets"] = tuple(SetInfo(**known) for known in fields["sets"])
        fields["likely_places"] = tuple(fields["likely_places"])
        fields["media_extensions"] = tuple(fields["media_extensions"])
        return cls(**fields)


@dataclass(frozen=True, kw_only=True)
class Workplace:
    """What every worker is told: plan, folder, source, keys. Keys travel over the private connection only."""

    plan: Plan
    folder: Path
    source_path: Path
    key_path: Path | None
    keyring: Keyring = field(default_factory=Keyring)
