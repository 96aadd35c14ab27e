"""The report as one HTML file: no script, nothing loaded from elsewhere, made to be printed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from markupsafe import Markup

from kaval.core.locators import encode_part
from kaval.reports import charts, moments, names, noted, summary, wording
from kaval.reports.contract import REPORTS
from kaval.reports.gathering import Facts
from kaval.reports.hits import HitRow

_TEMPLATES = Path(__file__).parent / "templates"


@REPORTS.register
class HtmlReport:
    """One self-contained page."""

    name: ClassVar[str] = "html"
    title: ClassVar[str] = "Report as one HTML file"
    rank: ClassVar[int] = 10
    requires: ClassVar[tuple[str, ...]] = ("jinja2",)
    suffix: ClassVar[str] = "html"

    def render(self, facts: Facts) -> bytes:
        """Return the page."""
        return render_page(facts).encode("utf-8", "replace")


def render_page(facts: Facts, remark: str = "") -> str:
    """Return the page as text; ``remark`` is said under the title block."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES, encoding="utf-8"),
        autoescape=True,
        finalize=_finalize,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        number=moments.count_text,
        size=moments.size_text,
        path=names.breakable,
        short=names.shortened,
        lines=names.lines,
        moment=lambda nanoseconds, zone: moments.stored_moment(nanoseconds, zone, facts.zone),
        session=lambda text: moments.session_moment(text, facts.zone),
    )
    style = (_TEMPLATES / "report.css").read_text(encoding="utf-8")
    return environment.get_template("report.html.j2").render(_context(facts, remark), style=Markup(style))  # noqa: S704


def _finalize(value: Any) -> Any:
    """Return what may be printed: stored text never without its hidden characters made visible."""
    return names.visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _context(facts: Facts, remark: str) -> dict[str, Any]:
    manifest = facts.manifest
    sessions = manifest.get("sessions") or [{}]
    finished = sessions[-1].get("finished_at")
    last_year = int(finished[:4]) if finished and finished[:4].isdigit() else 2100
    read_by_state = _read_by_state(facts)
    return {
        "facts": facts,
        "manifest": manifest,
        "source": manifest.get("source", {}),
        "plan": manifest.get("plan", {}),
        "sessions": sessions,
        "started_at": sessions[0].get("started_at"),
        "finished_at": finished,
        "remark": remark,
        "in_short": summary.in_short(facts),
        "verdict": wording.VERDICTS.get(
            str(manifest.get("source", {}).get("verification")), wording.VERDICTS["not-computed"]
        ),
        "digests": _digest_rows(manifest.get("source", {})),
        "exhibit_part": encode_part(str(manifest.get("exhibit", ""))),
        "alert_sets": [known for known in facts.known_sets if known.role == "alert"],
        "other_sets": [known for known in facts.known_sets if known.role != "alert"],
        "read_by_state": read_by_state,
        "largest_state": max((size for _, _, size in read_by_state), default=0),
        "largest_family": max((row.total for row in facts.families), default=0),
        "time_chart": charts.time_chart(facts.months, last_year),
        "bar": charts.bar,
        "states": _states_in_use(facts),
        "gaps": [group for group in facts.notices if not group.remark_only],
        "remarks": [group for group in facts.notices if group.remark_only],
        "capabilities": _capabilities(manifest),
        "words": wording,
        "noted_questions": {
            "kinds": noted.KINDS_QUESTION,
            "accounts": noted.ACCOUNTS_QUESTION,
            "conversations": noted.CONVERSATIONS_QUESTION,
            "missing": noted.MISSING_QUESTION,
            "mentions": noted.MENTIONS_QUESTION,
            "remains": noted.REMAINS_QUESTION,
        },
        "agreement": agreement,
        "reliability": reliability,
        "algorithms": _algorithm_names(manifest),
        "has_appearance": any(row.get("registry") in ("decoders", "media") for row in manifest.get("capabilities", ())),
    }


def _read_by_state(facts: Facts) -> list[tuple[str, int, int]]:
    return [
        (
            state,
            sum(row.files for row in facts.states if row.state == state),
            sum(row.read_size for row in facts.states if row.state == state),
        )
        for state in _states_in_use(facts)
    ]


def _states_in_use(facts: Facts) -> list[str]:
    found = {row.state for row in facts.states}
    known = [str(state) for state in wording.STATES if state in found]
    return known + sorted(found - set(known))


def _digest_rows(source: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return one row an algorithm: what was stored, given and computed, and whether they agree."""
    stored, given = source.get("stored_digests") or {}, source.get("given_digests") or {}
    computed, of_file = source.get("computed_digests") or {}, source.get("file_digests") or {}
    rows = []
    for name in sorted({*stored, *given, *computed, *of_file}):
        mine = {str(value).lower() for value in (computed.get(name), of_file.get(name)) if value}
        verdicts = []
        if name in stored and computed.get(name):
            verdicts.append(str(stored[name]).lower() == str(computed[name]).lower())
        if name in given and mine:
            verdicts.append(str(given[name]).lower() in mine)
        verdict = "nothing to compare" if not verdicts else ("agrees" if all(verdicts) else "DIFFERS")
        rows.append(
            {
                "name": _spelled(name),
                "stored": stored.get(name),
                "given": given.get(name),
                "computed": computed.get(name),
                "of_file": of_file.get(name) if of_file.get(name) != computed.get(name) else None,
                "verdict": verdict,
            }
        )
    return rows


def _capabilities(manifest: Mapping[str, Any]) -> list[tuple[str, list[Mapping[str, Any]]]]:
    """Return the capability list by registry, in the order of the manifest."""
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for row in manifest.get("capabilities", ()):
        groups.setdefault(str(row.get("registry")), []).append(row)
    return [(wording.REGISTRIES.get(registry, registry), rows) for registry, rows in groups.items()]


def _algorithm_names(manifest: Mapping[str, Any]) -> str:
    found = [str(row["title"]) for row in manifest.get("capabilities", ()) if row.get("registry") == "digests"]
    return ", ".join(found) or "MD5, SHA-1 and SHA-256"


def agreement(row: HitRow) -> str:
    """Return in words what agreed between a file and the set."""
    if row.algorithms != ("pdq",):
        same = _joined([_spelled(name) for name in row.algorithms if name != "pdq"])
        if "sha256" in row.algorithms:
            return f"Same {same}: the content is the same, byte for byte."
        return f"Same {same}: the same content, unless two files were made on purpose to share it."
    place = "" if row.at_ms is None else f" at {row.at_ms // 60000}:{row.at_ms // 1000 % 60:02d} min of the video"
    plain = (row.orientation or "") in wording.ORIENTATIONS_PLAIN
    turned = "" if plain else f"; turned or mirrored ({row.orientation})"
    more = f"; {row.count:,} agreements in all, this is the nearest" if row.count > 1 else ""
    bits = "bit differs" if row.distance == 1 else "bits differ"
    return f"PDQ{place}: {row.distance} of 256 {bits}, up to {row.threshold} were allowed{turned}{more}."


def _spelled(algorithm: str) -> str:
    return algorithm.upper().replace("SHA1", "SHA-1").replace("SHA256", "SHA-256")


def _joined(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def reliability(row: HitRow) -> str:
    """Return in words how far the bytes read can be taken for those once stored."""
    sentence = wording.CONTENT_SENTENCES.get(row.content, row.content)
    numbers = []
    if row.assumed_size:
        numbers.append(f"{moments.size_text(row.assumed_size)} at an assumed place")
    if row.overlap_size:
        numbers.append(f"{moments.size_text(row.overlap_size)} in use by something else")
    return f"{sentence} ({'; '.join(numbers)})" if numbers else sentence
