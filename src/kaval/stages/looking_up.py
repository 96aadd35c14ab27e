"""Looking up loose files and typed-in values in the known sets of a store, outside any examination.

Nothing is recorded and nothing leaves the machine. A file is digested once; a picture or video is decoded in the
confined process, as in an examination, and its frames are compared in all orientations.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kaval.core.errors import UsageError
from kaval.core.records import Notice
from kaval.filetypes import HEAD_SIZE
from kaval.filetypes.identify import identify
from kaval.knownsets import Match
from kaval.knownsets.algorithms import ZERO_LENGTH
from kaval.knownsets.asking import Desk
from kaval.knownsets.photodna import photodna_bytes
from kaval.knownsets.video import VideoMatch
from kaval.media import Frame, MediaLimits
from kaval.media.studio import Studio

_BLOCK_SIZE = 1 << 20
_LARGEST_PICTURE = 256 << 20
_BY_LENGTH = {32: ("md5",), 40: ("sha1",), 64: ("sha256", "pdq")}


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """How far near matching goes; ``photodna`` is the squared distance, ``None`` where it is not to be compared."""

    threshold: int = 31
    quality_floor: int = 50
    photodna: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What the sets say of one file or value.

    ``remarks`` tell what could not be looked at; no match with a remark is not the same as no match.
    """

    what: str
    digests: Mapping[str, str] = field(default_factory=dict)
    matches: Sequence[Match] = ()
    videos: Sequence[tuple[str, VideoMatch]] = ()
    remarks: Sequence[str] = ()


def look_up_value(text: str, desk: Desk, asked: Asked) -> Answer | None:
    """Return what the sets say of a value in hexadecimal (or a PhotoDNA value); nothing where the text is none.

    64 digits are looked for as SHA-256 and as a PDQ hash.
    """
    plain = text.strip().lower()
    vector = photodna_bytes(text)
    if vector is not None:
        if asked.photodna is None:
            return Answer(what=text, remarks=("PhotoDNA values are compared only with --photodna",))
        found = [match for known in desk.sets for match in known.near_vectors([vector], asked.photodna)[0]]
        return Answer(what=text, matches=found)
    kinds = _BY_LENGTH.get(len(plain))
    if kinds is None or not set(plain) <= set("0123456789abcdef"):
        return None
    value = bytes.fromhex(plain)
    if value == ZERO_LENGTH[kinds[0]]:
        return Answer(what=plain, remarks=("this is the digest of every file of no bytes; it is never matched",))
    matches = list(desk.exact(kinds[0], [value])[0])
    if "pdq" in kinds:
        matches += desk.near([[value]], asked.threshold)[0]
    return Answer(what=plain, digests=dict.fromkeys(kinds, plain), matches=matches)


def look_up_file(path: Path, desk: Desk, asked: Asked, studio: Studio | None = None) -> Answer:
    """Return what the sets say of a file.

    Raises:
        UsageError: The file cannot be read.
    """
    hashers = {name: hashlib.new(name, usedforsecurity=False) for name in ("md5", "sha1", "sha256")}
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(HEAD_SIZE)
            file.seek(0)
            while block := file.read(_BLOCK_SIZE):
                for hasher in hashers.values():
                    hasher.update(block)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    digests = {name: hasher.hexdigest() for name, hasher in hashers.items()}
    if not size:
        return Answer(what=str(path), digests=digests, remarks=("a file of no bytes is never matched",))
    matches = [match for name, digest in digests.items() for match in desk.exact(name, [bytes.fromhex(digest)])[0]]
    kind = identify(head, size)
    if studio is None or kind is None or not studio.supports(kind.media_type):
        return Answer(what=str(path), digests=digests, matches=matches)
    near, videos, remarks = _pictures(path, kind.media_type, size, desk, asked, studio)
    return Answer(what=str(path), digests=digests, matches=[*matches, *near], videos=videos, remarks=remarks)


def _pictures(
    path: Path, media_type: str, size: int, desk: Desk, asked: Asked, studio: Studio
) -> tuple[list[Match], list[tuple[str, VideoMatch]], list[str]]:
    if size > _LARGEST_PICTURE:
        return [], [], [f"too large to be decoded here ({size} bytes); only its digests were looked up"]
    studio.submit(path.read_bytes(), media_type)
    facts = studio.result()
    if isinstance(facts, Notice):
        return [], [], [f"it was not decoded, only its digests were looked up: {facts.message}"]
    usable = [frame for frame in facts.frames if frame.quality >= asked.quality_floor]
    remarks = []
    if len(usable) < len(facts.frames):
        remarks.append(
            f"{len(facts.frames) - len(usable)} of {len(facts.frames)} pictures are below quality "
            f"{asked.quality_floor} and were not compared"
        )
    return _near(usable, desk, asked), _videos(usable, desk, asked), remarks


def _near(frames: Sequence[Frame], desk: Desk, asked: Asked) -> list[Match]:
    """Return each known hash once, by the frame that comes nearest."""
    best: dict[tuple[str, str, str | None], Match] = {}
    for matches in desk.near([frame.pdq for frame in frames], asked.threshold):
        for match in matches:
            key = (match.set_name, match.value, match.category)
            if key not in best or match.distance < best[key].distance:
                best[key] = match
    return sorted(best.values(), key=lambda match: (match.distance, match.set_name, match.value))


def _videos(frames: Sequence[Frame], desk: Desk, asked: Asked) -> list[tuple[str, VideoMatch]]:
    """Return the known videos that share enough with a seized one, counted of either side: its frames are samples."""
    moving = [frame.pdq for frame in frames if frame.at_ms is not None]
    if not moving:
        return []
    found: list[tuple[str, VideoMatch]] = []
    for known in desk.sets:
        sides = (known.videos(moving, asked.threshold, side=side) for side in ("known", "seized"))
        found += [(known.info.name, match) for match in dict.fromkeys(match for side in sides for match in side)]
    return found


def decoder() -> Studio:
    """Return a confined decoder for pictures and videos, to be used as a context."""
    return Studio(MediaLimits())
