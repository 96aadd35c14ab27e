"""A worked example of reading one file again with public tools, from the first hit that lies in plain runs of bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kaval.core.errors import LocatorError
from kaval.core.locators import Locator
from kaval.reports.questions import Questions

_CANDIDATES = 50
_EXTENTS = 4


@dataclass(frozen=True, kw_only=True)
class Example:
    """How to read one file again: ``parts`` are commands whose outputs, one after the other, are the file."""

    locator: str
    path: str
    sha256: str
    size: int
    container: str
    bases: tuple[tuple[str, int], ...]
    command: str

    @property
    def decoded_first(self) -> bool:
        """Whether the image has to be turned into a raw one before bytes can be counted in it."""
        return self.container != "raw"


def find_example(questions: Questions) -> Example | None:
    """Return the example, a hit of role alert if there is one, else any file; None where nothing is that plain."""
    rows = questions.rows(
        f"""
        SELECT e.locator, e.path, e.sha256, e.size, e.extents FROM entries e
        WHERE e.sha256 IS NOT NULL AND e.content = 'intact' AND e.depth = 0 AND e.read_size = e.size AND e.size > 0
          AND e.extents IS NOT NULL AND len(e.extents) BETWEEN 1 AND {_EXTENTS}
        ORDER BY e.entry_id NOT IN (SELECT entry_id FROM hits WHERE role = 'alert'), e.entry_id LIMIT {_CANDIDATES}
        """  # noqa: S608
    )
    offsets = {
        locator: (stage, offset)
        for locator, stage, offset in questions.rows(
            'SELECT locator, stage, "offset" FROM sources WHERE depth = 0 ORDER BY locator, stage DESC LIMIT 10000'
        )
    }
    for locator, path, sha256, size, extents in rows:
        bases = _bases(locator, offsets)
        if bases is not None:
            container, named = bases
            start = sum(offset for _, offset in named)
            return Example(
                locator=locator,
                path=path,
                sha256=sha256,
                size=size,
                container=container,
                bases=named,
                command=_command(extents, start, size),
            )
    return None


def _bases(text: str, offsets: Mapping[str, tuple[str, int | None]]) -> tuple[str, tuple[tuple[str, int], ...]] | None:
    """Return the container's layer and, for every volume on the way, where it starts in what holds it."""
    try:
        locator = Locator.parse(text)
    except LocatorError:
        return None
    if len(locator.steps) < 2 or locator.steps[0].address:
        return None
    bases: list[tuple[str, int]] = []
    for number in range(2, len(locator.steps)):
        at = str(Locator(locator.exhibit, locator.steps[:number]))
        stage, offset = offsets.get(at, ("", None))
        if stage != "volume" or offset is None:
            return None
        bases.append((at, offset))
    return locator.steps[0].layer, tuple(bases)


def _command(extents: Sequence[Mapping[str, Any]], start: int, size: int) -> str:
    parts = []
    for extent in extents:
        length = extent["length"]
        if extent["sparse"]:
            parts.append(f"head -c {length} /dev/zero")
        else:
            where = f"skip={start + extent['offset']} count={length}"
            parts.append(f"dd if=IMAGE bs=1M iflag=skip_bytes,count_bytes {where} status=none")
    joined = parts[0] if len(parts) == 1 else "{ " + ";\n  ".join(parts) + "; }"
    return f"{joined} \\\n  | head -c {size} | sha256sum"
