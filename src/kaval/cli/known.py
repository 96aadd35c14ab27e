"""``kaval known``: the known sets of this unit: import, show, check, drop."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from kaval.cli.display import count_text, safe_text, size_text
from kaval.cli.exits import Exit
from kaval.cli.known_progress import Speaker
from kaval.core.errors import UsageError
from kaval.knownsets import Role, SetInfo
from kaval.knownsets.store import Store, default_store, expired

COMMANDS = {
    "confirm": "kaval.cli.known_judging:confirm",
    "dispute": "kaval.cli.known_judging:dispute",
    "drop": "kaval.cli.known:drop",
    "export": "kaval.cli.known_passing:export",
    "import": "kaval.cli.known:import_command",
    "list": "kaval.cli.known:list_command",
    "lookup": "kaval.cli.known_asking:lookup",
    "make": "kaval.cli.known_passing:make",
    "show": "kaval.cli.known:show",
    "verify": "kaval.cli.known:verify",
}


class _Group(click.Group):
    """Finds its commands when they are asked for."""

    def list_commands(self, context: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        import importlib

        if name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[name].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command


@click.group("known", cls=_Group)
@click.option(
    "--store",
    type=click.Path(path_type=Path, file_okay=False),
    default=None,
    help="Folder of the known sets; KAVAL_SETS, or a folder of the person, unless given.",
)
@click.pass_context
def known(context: click.Context, store: Path | None) -> None:
    """Known sets: lists of digests shared between agencies.

    \b
    kaval known import list.json --name partner --role alert --owner "Partner" --legal-basis "Order 7/2026"
    kaval known lookup picture.jpg d41d8cd98f00b204e9800998ecf84271
    kaval examine disk.E01 --known partner ...
    """
    context.obj = Store(store or default_store())


@click.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--name", help="Name of the set; that of the file unless given. The same name makes a new version.")
@click.option(
    "--role", required=True, type=click.Choice([role.value for role in Role]), help="What a hit in it means here."
)
@click.option("--owner", help="The body the set belongs to.")
@click.option("--legal-basis", help="On which basis this unit holds it.")
@click.option("--received-on", metavar="DATE", help="When it was received; today unless given.")
@click.option("--handling", help="Code under which it was received (H0 to H3, TLP ...).")
@click.option("--expires-on", metavar="DATE", help="Until when it may be used.")
@click.option("--scheme", help="Scheme its categories belong to.")
@click.option("--country", help="Country whose law gives its categories a meaning.")
@click.option(
    "--values",
    "hex64",
    type=click.Choice(["auto", "sha256", "pdq"]),
    default="auto",
    show_default=True,
    help="What 64 hexadecimal digits without a name are; auto asks where they look like PDQ hashes.",
)
@click.option(
    "--column", "columns", multiple=True, metavar="ALGORITHM=TITLE", help="A column of a table, by title or number."
)
@click.option("--format", "form", help="Name of the format, where it is not to be recognised (kaval capabilities).")
@click.option(
    "--delta",
    "deltas",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="A delta of the NSRL, in order.",
)
@click.option("--photodna", is_flag=True, help="Make PhotoDNA values comparable; they are never computed.")
@click.option("--json", "as_json", is_flag=True, help="Progress and result as JSON lines.")
@click.pass_obj
def import_command(
    store: Store,
    files: tuple[Path, ...],
    name: str | None,
    role: str,
    owner: str | None,
    legal_basis: str | None,
    received_on: str | None,
    handling: str | None,
    expires_on: str | None,
    scheme: str | None,
    country: str | None,
    hex64: str,
    columns: tuple[str, ...],
    form: str | None,
    deltas: tuple[Path, ...],
    photodna: bool,
    as_json: bool,
) -> int:
    """Import FILES (or all files of a folder) as the next version of a known set.

    Killed in the middle, the same command goes on where it was. Nothing is used before it is whole.
    """
    from kaval.knownsets.importing import Order
    from kaval.knownsets.store import Description

    paths = tuple(path for given in files for path in (_inside(given) if given.is_dir() else [given]))
    order = Order(
        paths=paths,
        role=Role(role),
        format=form,
        hex64=hex64,
        columns=_columns(columns),
        photodna=photodna,
        deltas=deltas,
    )
    description = Description(
        name=name or files[0].name,
        role=Role(role),
        owner=owner,
        legal_basis=legal_basis,
        received_on=received_on,
        handling=handling,
        expires_on=expires_on,
        scheme=scheme,
        country=country,
    )
    with Speaker(as_json=as_json) as speaker:
        info = store.import_set(order, description, report=speaker)
    if as_json:
        click.echo(json.dumps(asdict(info), ensure_ascii=True))
        return Exit.DONE
    record = store.record(info.name, info.number)
    click.echo(f"{safe_text(info.name)}, version {info.number}, role {info.role}: {counts_text(info)}")
    for reason, count in info.dropped.items():
        click.echo(f"  left out: {count_text(count)} × {safe_text(reason)}")
    for remark in record["remarks"]:
        click.echo(f"  {safe_text(remark)}")
    if owner is None or legal_basis is None:
        click.echo("  owner or legal basis are not recorded (--owner, --legal-basis)", err=True)
    return Exit.DONE


def _inside(folder: Path) -> list[Path]:
    """Return the files of a folder in order of name; hidden ones are none of a set, nor are answers without entries."""
    from kaval.knownsets.formats.ncmec import answers_otherwise

    found = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    others = [path for path in found if answers_otherwise(path)] if len(found) > 1 else []
    for path in others:
        click.echo(f"  left out: {safe_text(path.name)} is an answer of NCMEC that holds no entries", err=True)
    return [path for path in found if path not in others]


def _columns(given: tuple[str, ...]) -> dict[str, str]:
    from kaval.knownsets.algorithms import WIDTHS

    columns = {}
    for text in given:
        algorithm, separator, title = text.partition("=")
        if not separator or algorithm not in WIDTHS:
            raise UsageError(f"--column {text!r}: write ALGORITHM=TITLE, ALGORITHM being one of {', '.join(WIDTHS)}")
        columns[algorithm] = title
    return columns


def counts_text(info: SetInfo) -> str:
    """Return what a set holds, in a line."""
    values = ", ".join(f"{count_text(count)} {algorithm}" for algorithm, count in info.counts.items())
    return f"{count_text(info.entries)} entries with {values or 'nothing to match'}"


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@click.pass_obj
def list_command(store: Store, as_json: bool) -> int:
    """List the sets, their roles and versions, and imports that were cut off."""
    for name in store.names():
        info = store.info(name)
        if as_json:
            click.echo(json.dumps(asdict(info), ensure_ascii=True))
            continue
        versions = store.numbers(name)
        beside = f" (and {len(versions) - 1} earlier)" if len(versions) > 1 else ""
        click.echo(f"{safe_text(name)}: {info.role}, version {info.number}{beside}, {counts_text(info)}")
        late = "  EXPIRED" if expired(info) else ""
        click.echo(
            f"  from {safe_text(info.owner or 'an owner not recorded')}, received {info.received_on or '-'}{late}"
        )
    for _, asked in store.interrupted():
        if not as_json:
            click.echo(
                f"interrupted: {safe_text(asked['name'])} from {safe_text(', '.join(asked['paths']))}; "
                "give the same command again to go on, or kaval known drop --interrupted"
            )
    return Exit.DONE


@click.command("show")
@click.argument("name")
@click.option("--number", type=int, help="A version; the one that answers unless given.")
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
@click.pass_obj
def show(store: Store, name: str, number: int | None, as_json: bool) -> int:
    """Show what a set is, how it was imported, and what this unit said of its values."""
    info, record = store.info(name, number), store.record(name, number)
    judgements = list(store.judgements(name))
    if as_json:
        said = [asdict(judgement) for judgement in judgements]
        click.echo(json.dumps({"set": asdict(info), "import": record, "judgements": said}, ensure_ascii=True))
        return Exit.DONE
    rows: list[tuple[str, Any]] = [
        ("name", info.name),
        ("role here", info.role),
        ("version", f"{info.number} of {', '.join(map(str, store.numbers(name)))}; SHA-256 {info.version}"),
        ("holds", counts_text(info)),
        ("owner", info.owner or "not recorded"),
        ("legal basis", info.legal_basis or "not recorded"),
        ("received on", info.received_on or "not recorded"),
        ("handling", info.handling or "not recorded"),
        ("expires on", (info.expires_on or "no date recorded") + ("  EXPIRED" if expired(info) else "")),
        ("categories", f"scheme {info.scheme or 'not recorded'}, country {info.country or 'not recorded'}"),
        ("format", info.format),
        ("imported", f"{record['started_at']} to {record['finished_at']}"),
    ]
    rows += [("source", f"{one['name']}, {size_text(one['size'])}, SHA-256 {one['sha256']}") for one in info.sources]
    rows += [("left out", f"{count_text(count)} × {reason}") for reason, count in info.dropped.items()]
    rows += [("counted", f"{count_text(count)} × {what}") for what, count in record["tallies"].items()]
    rows += [("remark", remark) for remark in record["remarks"]]
    rows += [
        ("judgement", f"{said.at} {said.by}: {said.verdict} {said.algorithm} {said.value}: {said.reason}")
        for said in judgements
    ]
    for title, text in rows:
        click.echo(f"{title:<12}  {safe_text(str(text))}")
    return Exit.DONE


@click.command("verify")
@click.argument("names", nargs=-1)
@click.option("--number", type=int, help="A version; the one that answers unless given.")
@click.pass_obj
def verify(store: Store, names: tuple[str, ...], number: int | None) -> int:
    """Check that the files of sets are what their manifests say; all sets unless NAMES are given."""
    from kaval.knownsets.checking import check_version

    failed = 0
    for name in names or store.names():
        wanted = store.current(name) if number is None else number
        checked = 0
        for what, wrong in check_version(store.version_folder(name, wanted)):
            checked += 1
            if wrong is not None:
                failed += 1
                click.echo(f"{safe_text(name)}, version {wanted}: {what}: {wrong}", err=True)
        click.echo(f"{safe_text(name)}, version {wanted}: {checked} checks")
    return Exit.NOT_VERIFIED if failed else Exit.DONE


@click.command("drop")
@click.argument("name", required=False)
@click.option("--number", type=int, help="Only this version.")
@click.option("--interrupted", is_flag=True, help="Clear away imports that were cut off.")
@click.pass_obj
def drop(store: Store, name: str | None, number: int | None, interrupted: bool) -> int:
    """Remove a set, or one version of it; what is open in an examination stays. Judgements are kept."""
    if name is None and not interrupted:
        raise UsageError("name a set to drop, or give --interrupted")
    if interrupted:
        store.clean(everything=True)
    if name is not None:
        store.drop(name, number)
    return Exit.DONE
