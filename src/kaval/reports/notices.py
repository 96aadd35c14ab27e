"""Notices for the report: by reason, then by place, then some in full."""

from __future__ import annotations

from dataclasses import dataclass

from kaval.core.records import NoticeCode
from kaval.reports import wording
from kaval.reports.questions import Questions, literal, query_command

PLACES_LISTED = 12
NOTICES_LISTED = 12


@dataclass(frozen=True, kw_only=True)
class NoticeRow:
    """One notice as it was written."""

    locator: str
    message: str
    offset: int | None
    structure: str | None


@dataclass(frozen=True, kw_only=True)
class NoticeGroup:
    """All notices of one code: their number, the places with most of them, the first in full."""

    code: str
    title: str
    explanation: str
    count: int
    places: tuple[tuple[str, int], ...]
    places_total: int
    rows: tuple[NoticeRow, ...]
    question: str

    @property
    def remark_only(self) -> bool:
        """Whether it speaks of something that was read, and not of something that was not."""
        return self.code in wording.REMARK_ONLY


def gather_notices(questions: Questions) -> tuple[NoticeGroup, ...]:
    """Return every code that occurs, in the order of the vocabulary."""
    counted = {code: int(count) for code, count in questions.rows("SELECT code, count(*) FROM notices GROUP BY ALL")}
    order = [str(code) for code in NoticeCode]
    codes = sorted(counted, key=lambda code: (order.index(code) if code in order else len(order), code))
    return tuple(_group(questions, code, counted[code]) for code in codes)


def _group(questions: Questions, code: str, count: int) -> NoticeGroup:
    title, explanation = wording.NOTICES.get(code, (code, "This report has no explanation for this kind of notice."))
    place = "regexp_replace(locator, '/[^/]*$', '')"
    places = questions.rows(
        f"SELECT {place} AS place, count(*) AS n FROM notices WHERE code = ? GROUP BY ALL "  # noqa: S608
        f"ORDER BY n DESC, place LIMIT {PLACES_LISTED}",
        [code],
    )
    total = questions.number(f"SELECT count(DISTINCT {place}) FROM notices WHERE code = ?", [code])  # noqa: S608
    rows = questions.rows(
        'SELECT locator, message, "offset", structure FROM notices WHERE code = ? '  # noqa: S608
        f'ORDER BY locator, "offset" NULLS FIRST, message, structure LIMIT {NOTICES_LISTED}',
        [code],
    )
    return NoticeGroup(
        code=code,
        title=title,
        explanation=explanation,
        count=count,
        places=tuple((where, int(number)) for where, number in places),
        places_total=total,
        rows=tuple(
            NoticeRow(locator=locator, message=message, offset=offset, structure=structure)
            for locator, message, offset, structure in rows
        ),
        question=query_command(f"SELECT * FROM notices WHERE code = {literal(code)}"),  # noqa: S608
    )
