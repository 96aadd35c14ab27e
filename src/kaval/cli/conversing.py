"""``kaval show --messages`` and ``kaval graph``: conversations as they were held, and who stands in them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click

from kaval.cli.display import count_text, safe_text, size_text
from kaval.cli.exits import Exit
from kaval.cli.timelines import shown, zone_of
from kaval.core.errors import UsageError
from kaval.folder.graph import build_graph, graphml
from kaval.folder.views import open_folder

_ROWS_AT_ONCE = 2048


def show_messages(connection: Any, conversation: str | None, zone: str) -> None:
    """Print the messages of an examination, conversation by conversation, oldest first.

    Raises:
        UsageError: There is no conversation of that identifier or title.
    """
    shown_in = zone_of(zone)
    wanted = "WHERE conversation = ? OR conversation_title = ? OR who = ?" if conversation else ""
    values = [conversation] * 3 if conversation else []
    number = 0
    before: tuple[Any, ...] = ()
    for row in _messages(connection, wanted, values):
        here = row[:3]
        if here != before:
            _print_head(here)
            before = here
        click.echo(safe_text(_line(row, shown_in)))
        number += 1
    if not number:
        if conversation:
            raise UsageError(f"there is no conversation {conversation!r}; --messages alone lists them all")
        click.echo("There are no messages on record.")


def _messages(connection: Any, wanted: str, values: list[str]) -> Iterator[tuple[Any, ...]]:
    answer = connection.execute(
        f"""
        SELECT application, coalesce(conversation, ''), coalesce(conversation_title, ''), direction,
               coalesce(who_name, who, ''), whom, coalesce(text, title, ''), CAST(happened_at AS TIMESTAMP), zone,
               recovered, certainty, recovered_from, files, details
        FROM messages LEFT JOIN (
            SELECT artefact_id,
                   list({{name: coalesce(name, path, sha256), size: size, present_by: present_by}}) AS files
            FROM attachments GROUP BY artefact_id
        ) USING (artefact_id)
        {wanted}
        ORDER BY 1, 2, 3, happened_at, recovered, locator, place
        """,  # noqa: S608
        values,
    )
    while rows := answer.fetchmany(_ROWS_AT_ONCE):
        yield from rows


def _print_head(head: tuple[Any, ...]) -> None:
    application, conversation, title = head
    named = f"{title} ({conversation})" if title and title != conversation else conversation or "no conversation named"
    click.echo()
    click.echo(safe_text(f"== {application}: {named}"))


def _line(row: tuple[Any, ...], zone: ZoneInfo) -> str:
    *_, direction, who, whom, text, at, at_zone, recovered, certainty, source, files, _details = row
    if at is None:
        moment = "no time stored"
    elif at_zone == "utc":
        moment = shown(at, zone)
    else:
        moment = f"{at.isoformat(timespec='seconds')} ?zone"
    side = f"→ {', '.join(whom or ())}" if direction == "outgoing" else f"← {who}" if direction == "incoming" else who
    told = [text, *(_file(file) for file in files or ())]
    mark = f" [recovered, {certainty}, from {source}]" if recovered else ""
    return f"{moment:<25}  {side.strip()}: {' '.join(filter(None, told))}{mark}"


def _file(file: dict[str, Any]) -> str:
    size = f", {size_text(file['size'])}" if file["size"] else ""
    present = {"digest": "present", "name": "present by name"}.get(file["present_by"], "not present")
    return f"[file {file['name'] or 'without name'}{size}, {present}]"


@click.command("graph")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The GraphML file to write.")
def graph(folder: Path, out: Path) -> int:
    """Write who knows, wrote to and called whom in FOLDER as GraphML: contacts, groups, memberships, counts.

    \b
    kaval graph mo-7 --out mo-7.graphml
    """
    if out.exists():
        raise UsageError(f"{out} exists; nothing is overwritten")
    _, connection = open_folder(folder)
    drawn = build_graph(connection)
    with out.open("x", encoding="utf-8") as file:
        for line in graphml(drawn):
            file.write(line + "\n")
    click.echo(f"{count_text(len(drawn.nodes))} nodes, {count_text(len(drawn.edges))} edges, in {out}")
    return Exit.DONE
