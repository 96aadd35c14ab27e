"""``kaval known lookup``: loose files and values typed in, asked of the known sets."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from kaval.cli.display import safe_text
from kaval.cli.exits import Exit
from kaval.core.errors import UsageError
from kaval.knownsets import Match
from kaval.knownsets.algorithms import EXACT
from kaval.knownsets.asking import Desk
from kaval.knownsets.statements import Statement
from kaval.knownsets.store import Store
from kaval.media.studio import Studio
from kaval.stages.looking_up import Answer, Asked, decoder, look_up_file, look_up_value

_STATEMENTS = 5
_NEAR = 10
_WORDS = {True: "yes", False: "no", None: "not said"}


@click.command("lookup")
@click.argument("what", nargs=-1, required=True)
@click.option("--set", "names", multiple=True, help="Ask this set only; may be repeated. Negative sets always answer.")
@click.option("--threshold", type=click.IntRange(0, 256), default=31, show_default=True, help="Greatest PDQ distance.")
@click.option("--quality", type=click.IntRange(0, 100), default=50, show_default=True, help="Least PDQ quality.")
@click.option(
    "--photodna", type=click.IntRange(0), default=None, help="Compare PhotoDNA values up to this squared distance."
)
@click.option("--no-media", is_flag=True, help="Do not decode pictures and videos; digests only.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each file or value.")
@click.pass_obj
def lookup(
    store: Store,
    what: tuple[str, ...],
    names: tuple[str, ...],
    threshold: int,
    quality: int,
    photodna: int | None,
    no_media: bool,
    as_json: bool,
) -> int:
    """Say whether files or values are in the known sets, and why.

    WHAT is a file, a folder, or an MD5, SHA-1, SHA-256, PDQ hash or PhotoDNA value. Nothing is recorded, and nothing
    leaves this machine.
    """
    desk = store.desk(list(names) or None)
    if not desk.sets:
        raise UsageError(f"there is no known set in {store.root}; import one with kaval known import")
    for name in desk.not_asked:
        click.echo(f"{safe_text(name)}: not asked, the day until which it may be used has passed", err=True)
    asked = Asked(threshold=threshold, quality_floor=quality, photodna=photodna)
    studio = None if no_media else decoder()
    try:
        for text in what:
            answers = _answers(text, desk, asked, studio)
            for answer in answers:
                click.echo(json.dumps(asdict(answer), ensure_ascii=True) if as_json else _told(answer))
    finally:
        if studio is not None:
            studio.close()
    return Exit.DONE


def _answers(text: str, desk: Desk, asked: Asked, studio: Studio | None) -> Iterator[Answer]:
    path = Path(text)
    if path.is_dir():
        for inner in sorted(path.rglob("*")):
            if inner.is_file():
                yield look_up_file(inner, desk, asked, studio)
    elif path.exists():
        yield look_up_file(path, desk, asked, studio)
    elif (answer := look_up_value(text, desk, asked)) is not None:
        yield answer
    else:
        raise UsageError(f"{text!r} is no file, and no MD5, SHA-1, SHA-256, PDQ or PhotoDNA value")


def _told(answer: Answer) -> str:
    lines = [safe_text(answer.what)]
    for name, video in answer.videos:
        lines.append(
            f"  {safe_text(name)}: video {safe_text(video.video)}: "
            f"{video.known_share:.1f} % of the known video's frames are in this one, "
            f"{video.seized_share:.1f} % of this one's are in the known video (distance up to {video.threshold})"
        )
    shown, more = _foremost(answer.matches)
    lines += [f"  {line}" for matches in _together(shown) for line in _why(matches)]
    lines += [
        f"  {safe_text(name)}: and {count} more hashes within the distance (--json)" for name, count in more.items()
    ]
    if not answer.matches and not answer.videos:
        lines.append("  in no set" if not answer.remarks else "  no match among what could be looked at")
    lines += [f"  note: {safe_text(remark)}" for remark in answer.remarks]
    return "\n".join(lines)


def _foremost(matches: Sequence[Match]) -> tuple[list[Match], Counter[str]]:
    """Return matches without all but the nearest few of each set, and how many were left away of each."""
    near: Counter[str] = Counter()
    shown = []
    for match in matches:
        near[match.set_name] += match.algorithm not in EXACT
        if match.algorithm in EXACT or near[match.set_name] <= _NEAR:
            shown.append(match)
    return shown, Counter({name: count - _NEAR for name, count in near.items() if count > _NEAR})


def _together(matches: Sequence[Match]) -> list[list[Match]]:
    """Return matches with those together that differ only in the digest by which they were found."""
    found: dict[Any, list[Match]] = {}
    for number, match in enumerate(matches):
        entries = tuple(statement.identity for statement in match.statements)
        exact = match.algorithm in EXACT and match.statements
        key = (match.set_name, match.category, entries, match.silenced_by) if exact else number
        found.setdefault(key, []).append(match)
    return list(found.values())


def _why(matches: Sequence[Match]) -> Iterator[str]:
    """Yield the lines that say what matched, how, and what is said of it."""
    match = matches[0]
    exact = match.algorithm in EXACT
    how = "equal" if exact else f"distance {match.distance} of at most {match.threshold}"
    turned = f", picture {match.orientation}" if match.orientation else ""
    silenced = f"  SILENCED by {', '.join(map(safe_text, match.silenced_by))}" if match.silenced_by else ""
    category = "no category" if match.category is None else f"category {safe_text(match.category)}"
    what = ", ".join(f"{one.algorithm} {one.value}" for one in matches)
    yield f"{match.role}: {safe_text(match.set_name)}: {category}; {what} ({how}{turned}){silenced}"
    yield f"  version {match.set_version}"
    for statement in match.statements[:_STATEMENTS]:
        told = [f"entry {statement.identity}"] if statement.identity else []
        told += [f"from {statement.source}"] if statement.source else []
        told += [f"{name}: {_WORDS[said]}" for name, said in statement.flags.items()]
        told += [f"{name}: {text}" for name, text in statement.notes.items()]
        if told:
            yield f"  {safe_text('; '.join(told))}"
        yield from _feedback(statement)
    if len(match.statements) > _STATEMENTS:
        yield f"  and {len(match.statements) - _STATEMENTS} more entries"
    for judgement in dict.fromkeys(said for one in matches for said in one.judgements):
        yield f"  this unit: {judgement.verdict}, {safe_text(f'{judgement.by}, {judgement.at}: {judgement.reason}')}"


def _feedback(statement: Statement) -> Iterator[str]:
    if statement.disputing:
        members = ", ".join(map(safe_text, statement.disputing))
        yield f"  {len(statement.disputing)} members dispute this entry: {members}"
    confirming = sorted({said.member for said in statement.feedback if said.affirmative})
    if confirming:
        yield f"  confirmed by {safe_text(', '.join(confirming))}"
