"""Charts as inline SVG: few, labelled with their numbers, readable in black and white."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from kaval.reports.moments import MONTHS, count_text

MONTHS_SHOWN = 36
YEARS_SHOWN = 40
_WIDTH, _HEIGHT, _BASE, _TOP = 620, 210, 170, 22


def bar(value: int, largest: int) -> Markup:
    """Return a horizontal bar whose length is the share of the largest; its number stands beside it in the table."""
    share = 100 * value / largest if largest > 0 else 0.0
    length = max(share, 0.8) if value > 0 else 0.0
    return Markup(  # noqa: S704
        '<svg class="bar" viewBox="0 0 100 10" width="100%" height="10" preserveAspectRatio="none" aria-hidden="true" '
        'focusable="false">'
        f'<rect x="0" y="0" width="{length:.2f}" height="10" fill="#3b4c63"/></svg>'
    )


@dataclass(frozen=True, kw_only=True)
class TimeChart:
    """Columns over months or years, and what a reader must know with them."""

    svg: Markup
    unit: str
    outside: int
    rows: tuple[tuple[str, int], ...]


def time_chart(months: Sequence[tuple[int, int, int]], last_year: int) -> TimeChart | None:
    """Return files over time: by month where that fits, else by year; None where there is nothing to show.

    Args:
        months: Year, month and number of files, in order.
        last_year: Year of the examination; later ones, and those long before, are counted as outside.
    """
    within = [(y, m, n) for y, m, n in months if last_year - YEARS_SHOWN < y <= last_year]
    outside = sum(n for _, _, n in months) - sum(n for _, _, n in within)
    if not within:
        return None
    first, last = within[0][0] * 12 + within[0][1] - 1, within[-1][0] * 12 + within[-1][1] - 1
    if last - first < MONTHS_SHOWN:
        found = {y * 12 + m - 1: n for y, m, n in within}
        rows = [(f"{MONTHS[at % 12]} {at // 12}", found.get(at, 0)) for at in range(first, last + 1)]
        ticks = [f"{MONTHS[at % 12][:3]} {at // 12 % 100:02d}" for at in range(first, last + 1)]
        unit = "month"
    else:
        years: dict[int, int] = {}
        for y, _, n in within:
            years[y] = years.get(y, 0) + n
        rows = [(str(y), years.get(y, 0)) for y in range(first // 12, last // 12 + 1)]
        ticks = [name for name, _ in rows]
        unit = "year"
    svg = _columns([n for _, n in rows], ticks, f"Files by {unit} of last modification")
    return TimeChart(svg=svg, unit=unit, outside=outside, rows=tuple(row for row in rows if row[1]))


def _columns(values: Sequence[int], ticks: Sequence[str], title: str) -> Markup:
    """Return a column chart; texts are our own, never from the evidence."""
    largest = max(values)
    step = _WIDTH / max(len(values), 8)
    width = min(step * 0.7, 46)
    every = max(1, -(-len(values) // 12))
    numbered = len(values) <= 24
    parts = [
        f'<svg class="columns" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="100%" role="img" aria-label="{title}" '
        f'font-family="Noto Sans, sans-serif" font-size="11"><title>{title}</title>',
        f'<line x1="0" y1="{_BASE}" x2="{_WIDTH}" y2="{_BASE}" stroke="#222" stroke-width="1"/>',
    ]
    for index, (value, tick) in enumerate(zip(values, ticks, strict=True)):
        middle = step * (index + 0.5)
        height = (_BASE - _TOP) * value / largest
        if value:
            top = _BASE - max(height, 1.5)
            parts.append(
                f'<rect x="{middle - width / 2:.1f}" y="{top:.1f}" width="{width:.1f}" '
                f'height="{_BASE - top:.1f}" fill="#3b4c63"/>'
            )
        if value and (numbered or value == largest):
            parts.append(
                f'<text x="{middle:.1f}" y="{_BASE - height - 5:.1f}" text-anchor="middle">{count_text(value)}</text>'
            )
        if index % every == 0:
            parts.append(f'<text x="{middle:.1f}" y="{_BASE + 18}" text-anchor="middle" fill="#333">{tick}</text>')
    parts.append("</svg>")
    return Markup("".join(parts))  # noqa: S704
