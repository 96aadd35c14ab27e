"""Tables of which no declaration is left: told apart by how many values their records hold."""

from __future__ import annotations

from kaval.artefacts.sqlite.rows import Table
from kaval.artefacts.sqlite.templates import Template

LEAST_COLUMNS, MOST_COLUMNS = 2, 200


class Inferred:
    """The tables inferred so far, one for each number of columns."""

    def __init__(self) -> None:
        self._templates: dict[int, Template] = {}

    def template(self, width: int) -> Template | None:
        """Return the template of records of that many values; ``None`` where so few say nothing."""
        if not LEAST_COLUMNS <= width <= MOST_COLUMNS:
            return None
        if width not in self._templates:
            table = Table(
                name=f"unknown table of {width} columns",
                columns=tuple(f"col{at}" for at in range(width)),
                affinities=("BLOB",) * width,
                root_page=0,
                sql="",
                stored=tuple(range(width)),
                defaults=(None,) * width,
                dropped=True,
                inferred=True,
            )
            self._templates[width] = Template(table)
        return self._templates[width]
