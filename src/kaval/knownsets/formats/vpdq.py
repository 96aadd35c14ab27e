"""vPDQ: the PDQ hashes of the frames of one video, as lines ``frame,quality,hash,seconds`` or as a JSON list.

The JSON list is the signal of python-threatexchange: texts ``hash,quality,seconds``. One file is one video. Frames
below the quality floor are never matched: they are counted and left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import ClassVar

from kaval.core.errors import CorruptStructureError
from kaval.knownsets.batches import Batch, Gathering
from kaval.knownsets.formats import SET_FORMATS, Reading, Sample
from kaval.knownsets.sources import open_source
from kaval.knownsets.statements import Statement
from kaval.knownsets.video import QUALITY_FLOOR

_LINE = re.compile(r"(\d{1,9}),(\d{1,3}),([0-9a-fA-F]{64}),(\d{1,9}(?:\.\d{1,9})?)\Z")
_SIGNAL = re.compile(r"([0-9a-fA-F]{64}),(\d{1,3}),(\d{1,9}(?:\.\d{1,9})?)\Z")
_LARGEST = 1 << 28


@SET_FORMATS.register
class Vpdq:
    """The frames of one video."""

    name: ClassVar[str] = "vpdq"
    title: ClassVar[str] = "vPDQ hashes of one video (text lines or JSON list)"
    rank: ClassVar[int] = 65
    requires: ClassVar[tuple[str, ...]] = ()
    says: ClassVar[bool] = True
    joint: ClassVar[bool] = False
    verbatim: ClassVar[bool] = False

    def probe(self, sample: Sample) -> bool:
        """Say yes where the first lines are frames."""
        text = sample.head.lstrip()
        if text[:2] == b'["':
            return _SIGNAL.match(text[2:].split(b'"', 1)[0].decode("ascii", "replace")) is not None
        lines = [line.strip() for line in sample.lines if line.strip()][:100]
        return bool(lines) and all(_LINE.match(line) for line in lines)

    def read(self, reading: Reading) -> Iterator[Batch]:
        """Yield one entry: the video with its usable frames."""
        with open_source(reading.path) as file:
            content = file.read(_LARGEST + 1)
        if len(content) > _LARGEST:
            raise CorruptStructureError(f"vPDQ file {reading.path.name}", "it is too large for one video", _LARGEST)
        frames = list(_frames(reading, content))
        usable = {value for value, quality in frames if quality >= QUALITY_FLOOR}
        found = Gathering()
        found.skip("frame of low quality", sum(quality < QUALITY_FLOOR for _, quality in frames))
        said = {"video": reading.path.name, "frames": len(frames), "usable": len(usable)}
        found.add((("pdq", value) for value in sorted(usable)), json.dumps(said).encode())
        yield found.batch(len(content))

    def statement(self, detail: bytes) -> Statement:
        """Return which video a frame is of."""
        said = json.loads(detail)
        notes = {"frames": str(said["frames"]), "usable frames": str(said["usable"])}
        return Statement(identity=str(said["video"]), notes={"video": str(said["video"]), **notes})


def _frames(reading: Reading, content: bytes) -> Iterator[tuple[bytes, int]]:
    """Yield hash and quality of each frame."""
    structure = f"vPDQ file {reading.path.name}"
    text = content.decode("utf-8", "replace").removeprefix("\ufeff")
    if text.lstrip().startswith("["):
        try:
            signal = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise CorruptStructureError(structure, f"its list is not whole ({error})", len(content)) from error
        for place, part in enumerate(signal):
            match = _SIGNAL.match(part) if isinstance(part, str) else None
            if match is None:
                raise CorruptStructureError(structure, f"frame {place} is none")
            yield bytes.fromhex(match[1]), int(match[2])
        return
    for number, line in enumerate(text.splitlines(), 1):
        match = _LINE.match(line.strip())
        if match is not None:
            yield bytes.fromhex(match[3]), int(match[2])
        elif line.strip():
            raise CorruptStructureError(structure, f"line {number} is no frame")
