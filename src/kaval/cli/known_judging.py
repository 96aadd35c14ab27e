"""``kaval known dispute`` and ``confirm``: what a person of this unit says of a hit against an entry of a set."""

from __future__ import annotations

import getpass
import tempfile
from pathlib import Path

import click

from kaval.cli.exits import Exit
from kaval.core.errors import UsageError
from kaval.knownsets import Role, Verdict
from kaval.knownsets.algorithms import WIDTHS
from kaval.knownsets.compiled import CompiledSet
from kaval.knownsets.hexadecimal import decode_value
from kaval.knownsets.statements import Statement
from kaval.knownsets.store import Store

_BY_LENGTH = {32: "md5", 40: "sha1", 64: "sha256", 288: "photodna"}


def _algorithm(known: CompiledSet, value: str, given: str | None) -> str:
    """Return what a value is; of 64 digits the set itself tells whether it holds them as SHA-256 or as PDQ.

    Raises:
        UsageError: It is none, or the set does not hold it.
    """
    plain = value.strip().lower()
    kinds = [given] if given else [_BY_LENGTH.get(len(plain)), "pdq" if len(plain) == 64 else None]
    for kind in kinds:
        decoded = decode_value(plain, WIDTHS[kind]) if kind else None
        if kind and decoded is not None and (kind == "photodna" or known.holds(kind, decoded)):
            return kind
    raise UsageError(f"{value!r} is no value of {known.info.name!r}; take the value that kaval known lookup shows")


@click.command("dispute")
@click.argument("name")
@click.argument("value")
@click.option("--reason", required=True, help="What is wrong with the entry.")
@click.option("--by", default=None, help="Who says so; the login name unless given.")
@click.option("--reason-id", help="Identifier of the reason in the list of the set's owner (NCMEC).")
@click.option("--algorithm", type=click.Choice(sorted(WIDTHS)), help="What the value is; its length tells, as a rule.")
@click.option("--withdraw", is_flag=True, help="Take an earlier judgement of the same person back.")
@click.option("--silence", metavar="SET", help="Add the entry to this negative set, which is made if it is not there.")
@click.pass_obj
def dispute(
    store: Store,
    name: str,
    value: str,
    reason: str,
    by: str | None,
    reason_id: str | None,
    algorithm: str | None,
    withdraw: bool,
    silence: str | None,
) -> int:
    """Say that the entry of VALUE in the set NAME is wrong; every later hit on it shows that."""
    known = store.open(name)
    kind = _algorithm(known, value, algorithm)
    person = by or getpass.getuser()
    judgement = store.judgements(name).add(
        Verdict.WITHDRAW if withdraw else Verdict.DISPUTE,
        algorithm=kind,
        value=value,
        by=person,
        reason=reason,
        reason_id=reason_id,
        set_version=known.info.version,
    )
    click.echo(f"{judgement.verdict} {kind} {judgement.value} of {name}, by {judgement.by}, {judgement.at}")
    if silence and not withdraw:
        number = _silence(store, known, kind, judgement.value, silence, person, reason)
        click.echo(f"version {number} of the negative set {silence} holds it: hits on it are silenced from now on")
    return Exit.DONE


@click.command("confirm")
@click.argument("name")
@click.argument("value")
@click.option("--reason", required=True, help="How it was seen that the entry is right.")
@click.option("--by", default=None, help="Who says so; the login name unless given.")
@click.option("--algorithm", type=click.Choice(sorted(WIDTHS)), help="What the value is; its length tells, as a rule.")
@click.pass_obj
def confirm(store: Store, name: str, value: str, reason: str, by: str | None, algorithm: str | None) -> int:
    """Say that the entry of VALUE in the set NAME is right."""
    known = store.open(name)
    kind = _algorithm(known, value, algorithm)
    judgement = store.judgements(name).add(
        Verdict.CONFIRM,
        algorithm=kind,
        value=value,
        by=by or getpass.getuser(),
        reason=reason,
        set_version=known.info.version,
    )
    click.echo(f"confirm {kind} {judgement.value} of {name}, by {judgement.by}, {judgement.at}")
    return Exit.DONE


def _silence(store: Store, known: CompiledSet, algorithm: str, value: str, negative: str, by: str, reason: str) -> int:
    """Make the next version of a negative set, with all values of the entries that hold a value; return its number."""
    from kaval.knownsets.importing import Order
    from kaval.knownsets.making import write_set
    from kaval.knownsets.store import Description

    onto = store.open(negative) if negative in store.names() else None
    if onto is not None and onto.info.role is not Role.NEGATIVE:
        raise UsageError(f"{negative!r} is no negative set but {onto.info.role}; name another")
    row = known.tables[algorithm].find(bytes.fromhex(value)) if algorithm in known.tables else -1
    said = list(known.statements(algorithm, row)) if row >= 0 else []
    entries = said or [Statement(values={algorithm: value})]
    provenance = {"silences": known.info.name, "in version": known.info.version}
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / f"{algorithm}-{value[:32]}.kaval-set"
        kept = [
            Statement(values={name: text for name, text in entry.values.items() if name in WIDTHS}) for entry in entries
        ]
        write_set(path, ((entry, provenance) for entry in kept), by=by, reason=reason, onto=onto)
        description = Description(
            name=negative, role=Role.NEGATIVE, owner="this unit", legal_basis=onto.info.legal_basis if onto else None
        )
        return store.import_set(Order(paths=(path,), role=Role.NEGATIVE), description).number
