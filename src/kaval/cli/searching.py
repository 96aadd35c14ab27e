"""``kaval search``: words, as typed, in messages, documents, other artefacts and names."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import click

from kaval.cli.display import cell_text, count_text, safe_text
from kaval.cli.exits import Exit
from kaval.folder.searching import Found, search
from kaval.folder.views import open_folder

_KINDS = ("message", "artefact", "document", "name")
_COLUMNS = ("kind", "where", "within", "at", "zone", "recovered", "text", "locator", "place")


@click.command("search")
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("words", nargs=-1, required=True)
@click.option("--in", "kinds", type=click.Choice(_KINDS), multiple=True, help="Where to look; everywhere unless given.")
@click.option("--limit", type=click.IntRange(1), default=1000, show_default=True, help="How many places to print.")
@click.option("--format", "form", type=click.Choice(["table", "csv"]), default="table", show_default=True)
def search_command(folder: Path, words: tuple[str, ...], kinds: tuple[str, ...], limit: int, form: str) -> int:
    """Print where in FOLDER all WORDS stand, in any script.

    Letters are compared after Unicode normalisation and case folding; nothing is stemmed or transliterated. Quote
    words that stand together.

    \b
    kaval search mo-7 "red bus"
    """
    _, connection = open_folder(folder)
    writer = csv.writer(sys.stdout) if form == "csv" else None
    if writer:
        writer.writerow(_COLUMNS)
    number = 0
    for found in search(connection, words, kinds):
        number += 1
        if number > limit:
            click.echo(f"More than {count_text(limit)} places; --limit gives more.", err=True)
            break
        if writer:
            text = found.before + found.word + found.after
            cells = (found.kind, found.where, found.within, found.at, found.zone, found.recovered, text)
            writer.writerow([cell_text(value) for value in (*cells, found.locator, found.place)])
        else:
            click.echo(safe_text(_line(found)))
    if not number:
        click.echo("Nothing in the names, messages and documents on record holds these words.", err=True)
    return Exit.DONE


def _line(found: Found) -> str:
    at = f"{found.at[:19]} ({found.zone})" if found.at else ""
    where = " ".join(filter(None, (found.where, found.within and f"in {found.within}", at)))
    mark = "recovered " if found.recovered else ""
    text = " ".join(f"{found.before}»{found.word}«{found.after}".split())
    return f"{mark}{found.kind}: {where}: …{text}…  {found.locator}{' ' + found.place if found.place else ''}"
