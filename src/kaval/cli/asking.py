"""``kaval show``, ``kaval query`` and ``kaval capabilities``: what is in a folder, and what this engine can."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from kaval.cli.display import count_text, moment_text, safe_text, size_text
from kaval.cli.exits import Exit

_VERDICTS = {
    "matches": "matches the digest on record: the copy is verified",
    "differs": "DIFFERS from the digest on record: the copy is NOT verified",
    "nothing-to-compare": "computed; there was no earlier digest to compare with",
    "not-computed": "not computed",
}


@click.command("query")
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("question")
@click.option("--format", "form", type=click.Choice(["table", "csv", "json"]), default="table", show_default=True)
def query(folder: Path, question: str, form: str) -> int:
    """Answer an SQL QUESTION over the views entries, hits, notices, media, sources of FOLDER.

    \b
    kaval query mo-7 "SELECT path, sha256 FROM entries WHERE state = 'deleted' LIMIT 20"
    """
    from kaval.folder.views import ask, open_folder

    _, connection = open_folder(folder)
    names, rows = ask(connection, question)
    if form == "json":
        for row in rows:
            click.echo(json.dumps(dict(zip(names, map(_plain, row), strict=True)), ensure_ascii=False))
    elif form == "csv":
        writer = csv.writer(sys.stdout)
        writer.writerow(names)
        writer.writerows([_plain(value) for value in row] for row in rows)
    else:
        _print_table(names, rows)
    return Exit.DONE


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    return str(value)


def _print_table(names: list[str], rows: Iterable[tuple[Any, ...]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(*names, show_edge=False)
    number = 0
    for row in rows:
        number += 1
        if number <= 1000:
            table.add_row(*(Text(safe_text("" if value is None else str(_plain(value)))) for value in row))
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=240)
    console.print(table)
    if number > 1000:
        click.echo(f"{number} rows; the first 1000 are shown. --format csv gives all.", err=True)


@click.command("show")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--messages", is_flag=True, help="Show messages, conversation by conversation, in place of the screen.")
@click.option("--conversation", help="With --messages: only this one, by its identifier, its title or the sender.")
@click.option("--zone", default="Asia/Kolkata", show_default=True, help="Zone in which moments are shown.")
def show(folder: Path, messages: bool, conversation: str | None, zone: str) -> int:
    """Show on one screen what an examination found, and what it could not read."""
    from rich.console import Console

    from kaval.folder.views import open_folder

    manifest, connection = open_folder(folder)
    if messages or conversation:
        from kaval.cli.conversing import show_messages

        show_messages(connection, conversation, zone)
        return Exit.DONE
    console = Console(highlight=False)
    _show_head(console, manifest, zone)
    _show_states(console, connection)
    _show_hits(console, connection)
    _show_artefacts(console, connection)
    _show_notices(console, connection)
    console.print(f"Next: kaval report {folder}    kaval verify {folder} --source IMAGE", markup=False)
    return Exit.DONE


def _show_head(console: Any, manifest: dict[str, Any], zone: str) -> None:
    source = manifest["source"]
    session = manifest["sessions"][0]
    last = manifest["sessions"][-1]
    title = source["title"] or "not recognised"
    size = size_text(source["decoded_size"] or source["size"])
    lines = (
        ("Exhibit", manifest["exhibit"]),
        ("Authority", manifest["authority"]),
        ("Operator", manifest["operator"]),
        ("Begun", moment_text(session["started_at"], zone)),
        ("Finished", moment_text(last["finished_at"], zone)),
        ("Source", f"{source['name']}, {title}, {size}"),
        ("SHA-256", source["computed_digests"].get("sha256", "-")),
        ("Copy", _VERDICTS[source["verification"]]),
    )
    for name, value in lines:
        console.print(f"{name:<10} {safe_text(str(value))}", markup=False, soft_wrap=True)
    console.print()


def _show_states(console: Any, connection: Any) -> None:
    from rich.table import Table

    rows = connection.execute(
        """
        SELECT state, content, count(*), count(sha256), coalesce(sum(size) FILTER (sha256 IS NOT NULL), 0)
        FROM entries WHERE kind IN ('file', 'stream') GROUP BY ALL ORDER BY state, content
        """
    ).fetchall()
    table = Table(show_edge=False, title="Files", title_justify="left")
    table.add_column("state")
    table.add_column("content")
    for name in ("listed", "read", "bytes read"):
        table.add_column(name, justify="right")
    for state, content, listed, read, size in rows:
        table.add_row(state, content, count_text(listed), count_text(read), size_text(int(size)))
    console.print(table)
    console.print()


def _show_hits(console: Any, connection: Any) -> None:
    from rich.table import Table

    rows = connection.execute(
        """
        SELECT role, set_name, algorithm = 'pdq' AS near, count(DISTINCT entry_id),
               count(DISTINCT entry_id) FILTER (state <> 'allocated')
        FROM hits GROUP BY ALL ORDER BY role, set_name, near
        """
    ).fetchall()
    if not rows:
        console.print("Hits       none in the known sets of this examination\n", markup=False)
        return
    table = Table(show_edge=False, title="Hits (a machine's word; a finding is a person's)", title_justify="left")
    for name in ("role", "known set", "match"):
        table.add_column(name)
    for name in ("files", "of these not allocated"):
        table.add_column(name, justify="right")
    for role, name, near, files, hidden in rows:
        table.add_row(role, safe_text(name), "near (PDQ)" if near else "exact", count_text(files), count_text(hidden))
    console.print(table)
    console.print()


def _show_artefacts(console: Any, connection: Any) -> None:
    rows = connection.execute(
        "SELECT kind, count(*), count(*) FILTER (recovered) FROM artefacts GROUP BY kind ORDER BY 2 DESC, 1"
    ).fetchall()
    if rows:
        told = []
        for kind, number, lost in rows:
            aside = f" ({count_text(lost)} recovered)" if lost else ""
            told.append(f"{count_text(number)} × {kind}{aside}")
        console.print(f"Artefacts  {', '.join(told)}\n", markup=False, soft_wrap=True)
    mentioned = connection.execute(
        "SELECT count(DISTINCT artefact_id) FROM mentions WHERE role = 'alert' AND NOT present"
    ).fetchone()
    if mentioned and mentioned[0]:
        told_of = f"{count_text(mentioned[0])} artefacts name a file of an alert set that is not present here"
        console.print(f"Mentioned  {told_of} (view mentions)\n", markup=False, soft_wrap=True)


def _show_notices(console: Any, connection: Any) -> None:
    rows = connection.execute("SELECT code, count(*) FROM notices GROUP BY code ORDER BY 2 DESC, 1").fetchall()
    if not rows:
        console.print("Notices    none: everything that was listed was read\n", markup=False)
        return
    told = ", ".join(f"{count_text(number)} × {code}" for code, number in rows)
    console.print(f"Notices    {told}\n", markup=False)


@click.command("capabilities")
@click.option("--json", "as_json", is_flag=True, help="As JSON lines.")
def capabilities(as_json: bool) -> int:
    """List every container, volume system, file system, file type, digest and decoder, and what is unavailable."""
    from rich.console import Console
    from rich.table import Table

    from kaval.stages.preparation import capability_rows

    rows = list(capability_rows())
    if as_json:
        for row in rows:
            click.echo(json.dumps(asdict(row), ensure_ascii=False))
        return Exit.DONE
    table = Table("kind", "name", "what it is", "read with", "state", show_edge=False)
    for row in rows:
        state = f"unavailable, because {row.unavailable_because}" if row.unavailable_because else "available"
        table.add_row(row.registry.rpartition(".")[2], row.name, row.title, row.library, state)
    Console(highlight=False, soft_wrap=True).print(table)
    return Exit.DONE
