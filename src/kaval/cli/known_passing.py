"""``kaval known export`` and ``make``: a set passed on to others, a set made from what a person found."""

from __future__ import annotations

import getpass
import tempfile
from pathlib import Path

import click

from kaval.cli.display import count_text
from kaval.cli.exits import Exit
from kaval.core.errors import UsageError
from kaval.knownsets import Role
from kaval.knownsets.store import Store

FEEDBACK = "ncmec-feedback"


@click.command("export")
@click.argument("name")
@click.option("--out", "target", type=click.Path(path_type=Path), required=True, help="File (or folder) to write.")
@click.option(
    "--format",
    "form",
    default="vics",
    show_default=True,
    help="vics, csv, kdb, md5sum, sha1sum, sha256sum, kaval-set; ncmec-feedback writes this unit's judgements.",
)
@click.option("--number", type=int, help="A version; the one that answers unless given.")
@click.option("--by", default=None, help="Who passes it on; the login name unless given.")
@click.option("--permission", help="The owner's permission, where the handling code demands one.")
@click.pass_obj
def export(
    store: Store, name: str, target: Path, form: str, number: int | None, by: str | None, permission: str | None
) -> int:
    """Write the set NAME for others, with a note beside it that says what it is."""
    known = store.open(name, number)
    if form == FEEDBACK:
        from kaval.knownsets.feedback import write_feedback

        count = write_feedback(known, store.judgements(name), target)
        click.echo(f"{count} judgements written to {target}")
        return Exit.DONE
    from kaval.knownsets.passing_on import pass_on

    passed = pass_on(known, form, target, by=by or getpass.getuser(), permission=permission)
    click.echo(f"{passed.sha256}  {target}  ({count_text(passed.written.entries)} entries)")
    for reason, count in passed.written.left_out.items():
        click.echo(f"  left out: {count_text(count)} × {reason}", err=True)
    return Exit.WITH_NOTICES if passed.written.left_out else Exit.DONE


@click.command("make")
@click.argument("name")
@click.option("--role", required=True, type=click.Choice([role.value for role in Role]), help="What a hit in it means.")
@click.option(
    "--from", "folder", required=True, type=click.Path(exists=True, path_type=Path), help="The examination folder."
)
@click.option("--locator", "locators", multiple=True, help="An entry to take in; may be repeated.")
@click.option(
    "--locators", "listed", type=click.Path(exists=True, path_type=Path), help="A file with one locator a line."
)
@click.option("--why", required=True, help="What was found in them, by whose review.")
@click.option("--category", help="Category to give them, in the scheme of this unit.")
@click.option("--by", default=None, help="Who takes them in; the login name unless given.")
@click.option("--owner", default="this unit", show_default=True, help="The body the set belongs to.")
@click.option("--legal-basis", help="On which basis this unit holds it.")
@click.option("--scheme", help="Scheme its category belongs to.")
@click.option("--country", help="Country whose law gives its category a meaning.")
@click.pass_obj
def make(
    store: Store,
    name: str,
    role: str,
    folder: Path,
    locators: tuple[str, ...],
    listed: Path | None,
    why: str,
    category: str | None,
    by: str | None,
    owner: str,
    legal_basis: str | None,
    scheme: str | None,
    country: str | None,
) -> int:
    """Make the set NAME, or its next version, from reviewed entries of an examination."""
    from kaval.knownsets.importing import Order
    from kaval.knownsets.making import entries_of_examination, write_set
    from kaval.knownsets.store import Description

    wanted = [*locators, *(listed.read_text(encoding="utf-8").split() if listed else ())]
    if not wanted:
        raise UsageError("name entries with --locator or --locators")
    onto = store.open(name) if name in store.names() else None
    if onto is not None and onto.info.format != "kaval-set":
        raise UsageError(f"{name!r} came from somebody else; give the set made here a name of its own")
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / f"{folder.name}.kaval-set"
        entries = entries_of_examination(folder, wanted, category=category)
        write_set(path, entries, by=by or getpass.getuser(), reason=why, onto=onto)
        description = Description(
            name=name, role=Role(role), owner=owner, legal_basis=legal_basis, scheme=scheme, country=country
        )
        info = store.import_set(Order(paths=(path,), role=Role(role)), description)
    click.echo(f"{name}, version {info.number}: {count_text(info.entries)} entries")
    return Exit.DONE
