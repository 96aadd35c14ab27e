"""`kaval-unit`: everything the one who runs the machine needs."""

from __future__ import annotations

import os
import signal
import sys
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from casework.lib.configuration import (
    CONFIGURATION_FILE,
    Configuration,
    default_data_dir,
    read_configuration,
    write_configuration,
)
from casework.lib.errors import CaseworkError, ConfigurationError
from casework.lib.keys import write_new_key_file
from casework.unit.papers import papers as papers_group


@contextmanager
def told() -> Iterator[None]:
    """Show our own errors as one sentence, and end with 1."""
    try:
        yield
    except CaseworkError as error:
        raise click.ClickException(str(error)) from error


def begin() -> Configuration:
    """Load the configuration and Django; without a key this refuses."""
    configuration = read_configuration()
    configuration.key_ring()
    os.environ["DJANGO_SETTINGS_MODULE"] = "casework.web.settings"
    import django

    django.setup()
    return configuration


@click.group(help=__doc__)
def main() -> None:
    """Take one of the commands below."""


@main.command()
@click.option("--administrator", metavar="NAME", help="Log-in name of the first administrator.")
@click.option("--supervisor", metavar="NAME", help="Log-in name of the first supervisor.")
@click.option("--unit", "unit_name", default="Headquarters", show_default=True, help="The unit the two belong to.")
@click.option("--address", default="https://localhost:8443", show_default=True, help="Where browsers will reach it.")
@click.option(
    "--demo", "as_demo", is_flag=True, help="Fill the new unit with invented people and one case, marked DEMO."
)
def setup(administrator: str | None, supervisor: str | None, unit_name: str, address: str, as_demo: bool) -> None:
    """Make the key, the configuration and the database, and invite the first two people. May be run again."""
    with told():
        data_dir = default_data_dir()
        _prepare(data_dir, address)
        configuration = begin()
        migrate(configuration)
        click.echo(f"The unit is set up in {data_dir}.")
        click.echo(f"Its key is {configuration.key_path()}: keep a copy apart from every backup, or no backup opens.")
        for name, role in ((administrator, "administrator"), (supervisor, "supervisor")):
            if name:
                click.echo(f"{role} {name}: {address.rstrip('/')}{_invite(name, role, unit_name)}")
        if as_demo:
            _fill()


def _fill() -> None:
    from casework.accounts import api as accounts
    from casework.unit.demo import make_demo

    made = make_demo()
    click.echo(f"Password of everybody: {made.password}")
    click.echo(f"Authenticator secret of everybody: {made.secret}")
    for account in made.people.all():
        roles = ", ".join(sorted(accounts.standing_of(account).roles))
        click.echo(f"{account.username:<16} {roles}")


def _prepare(data_dir: Path, address: str) -> None:
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    if (data_dir / CONFIGURATION_FILE).exists():
        return
    given = Configuration(data_dir=data_dir)
    if not given.key_path().exists():
        if given.database_url == "" and (data_dir / "kaval.sqlite3").exists():
            raise ConfigurationError(f"There is a database in {data_dir}, and its key is missing: bring the key back.")
        write_new_key_file(given.key_path())
    lines = [f"KAVAL_INSTANCE={uuid.uuid4().hex}", f"KAVAL_DATABASE_URL={given.database_url}"]
    lines += [f"KAVAL_ADDRESS={given.address or address}"]
    lines += [f"KAVAL_HOSTS={','.join(given.hosts)}", f"KAVAL_HTTPS={str(given.https).lower()}"]
    write_configuration(data_dir, lines)


def migrate(configuration: Configuration) -> None:
    """Bring the tables, the packaged law and the packaged forms up to this version."""
    from django.core.management import call_command

    from casework.law import api as law
    from casework.papers import api as papers
    from casework.unit.models import Installation

    call_command("migrate", verbosity=0, interactive=False)
    Installation.objects.get_or_create(pk=1, defaults={"instance": configuration.instance})
    law.seed()
    papers.seed()


def _invite(name: str, role: str, unit_name: str) -> str:
    from django.urls import reverse

    from casework.accounts import api as accounts

    account = accounts.Account.objects.filter(username=name).first()
    if account is None:
        account = accounts.open_first_account(username=name, name=name, unit=unit_name, role=accounts.Role(role))
    return reverse("accounts:invitation", args=[accounts.invite_first(account=account)])


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8443, show_default=True)
@click.option("--workers", default=2, show_default=True)
@click.option("--certificate", type=click.Path(exists=True, dir_okay=False), help="TLS certificate chain (PEM).")
@click.option("--certificate-key", type=click.Path(exists=True, dir_okay=False), help="Its private key (PEM).")
def run(host: str, port: int, workers: int, certificate: str | None, certificate_key: str | None) -> None:
    """Serve the pages; what `check` finds wrong keeps it from starting."""
    with told():
        configuration = begin()
        _refuse_faults()
        if configuration.https and not (certificate and certificate_key):
            raise ConfigurationError(
                "Give --certificate and --certificate-key; for a trial on one machine: KAVAL_HTTPS=false."
            )
    options = ["--interface", "wsgi", "--host", host, "--port", str(port), "--workers", str(workers)]
    # Without it, granian may hang when it is stopped while its workers start.
    options += ["--blocking-threads", "4", "--workers-kill-timeout", "5", "--no-ws"]
    if certificate and certificate_key:
        options += ["--ssl-certificate", certificate, "--ssl-keyfile", certificate_key]
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "granian", *options, "casework.web.wsgi:application"])  # noqa: S606


@main.command()
@click.option("--until-idle", is_flag=True, help="End when nothing is left to do.")
def worker(until_idle: bool) -> None:
    """Do what takes longer than a page, until stopped; several may run, and each may be killed at any moment."""
    with told():
        begin()
        _refuse_faults()
        from casework.jobs import api as jobs

        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_given: stop.set())
        click.echo("The worker is at work.")
        sys.stdout.flush()
        jobs.work(stop=stop, until_idle=until_idle)


@main.command()
def check() -> None:
    """Say what keeps the unit from running; nothing wrong ends with 0."""
    with told():
        begin()
        _refuse_faults()
        click.echo("All is well.")


def _refuse_faults() -> None:
    from casework.unit.checking import faults

    found = list(faults())
    if found:
        raise ConfigurationError("\n".join(found))


@main.command()
@click.argument("target", type=click.Path(path_type=Path))
def backup(target: Path) -> None:
    """Write a sealed backup to TARGET while the unit runs, and read it back."""
    with told():
        configuration = begin()
        from casework.unit.keeping import backup as keep

        kept = keep(configuration, target)
        click.echo(f"{kept.path}: {kept.rows} rows of the ledger, head {kept.head}")


@main.command()
@click.argument("source", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", required=True, type=click.Path(path_type=Path), help="The key of the unit the backup is of.")
@click.option("--database-url", default="", help="An empty PostgreSQL database, where the backup is of one.")
def restore(source: Path, key: Path, database_url: str) -> None:
    """Bring the backup SOURCE back into an empty data folder, and verify its ledger."""
    from casework.unit.restoring import unpack

    with told():
        unpack(source, key, default_data_dir(), database_url)
        begin()
        _verify(())
        click.echo(f"The unit is back in {default_data_dir()}.")


@main.command()
@click.option("--backup", "target", required=True, type=click.Path(path_type=Path), help="Where the backup goes first.")
def upgrade(target: Path) -> None:
    """Verify the ledger, write a backup, then bring the tables up to this version. Stop the pages before."""
    with told():
        configuration = begin()
        from casework.unit.keeping import backup as keep

        kept = keep(configuration, target)
        click.echo(f"Backup: {kept.path}")
        migrate(configuration)
        _refuse_faults()
        _verify(())


@main.group()
def audit() -> None:
    """The ledger."""


@audit.command("verify")
@click.option(
    "--head", "heads", multiple=True, metavar="DAY:ROW:DIGEST", help="A head that was printed; may be repeated."
)
def audit_verify(heads: tuple[str, ...]) -> None:
    """Walk the chain and the time stamps; name the first row or day that is not as it was written."""
    with told():
        begin()
        _verify(heads)
        from casework.unit.stamping import tell_of_stamps

        sentence = tell_of_stamps()
        if sentence:
            click.echo(sentence)


def _verify(heads: tuple[str, ...]) -> None:
    from casework.audit import api as ledger
    from casework.unit.keeping import LedgerBrokenError, published

    verdict = ledger.verify(published(head) for head in heads)
    if verdict.broken is not None:
        raise LedgerBrokenError(verdict.broken)
    click.echo(f"The ledger holds: {verdict.rows} rows, head {verdict.digest}")


@audit.command("head")
def audit_head() -> None:
    """Print the head of today, to be kept on paper and on another machine."""
    with told():
        begin()
        from casework.audit import api as ledger
        from casework.lib import clock

        head = ledger.close_day(clock.now().date())
        click.echo(f"{head.day.isoformat()}:{head.seq}:{head.digest}")


@audit.command("export")
@click.option("--case", "case", metavar="ID", help="All that was done in one case.")
@click.option("--record", metavar="KIND:ID", help="All that was done to one record.")
@click.option("--person", metavar="ID", help="All that one account did.")
def audit_export(case: str | None, record: str | None, person: str | None) -> None:
    """Print entries as JSON lines, with the rule to check them by."""
    if sum(bool(one) for one in (case, record, person)) != 1:
        raise click.UsageError("Name one: --case, --record or --person.")
    with told():
        begin()
        for line in _exported(case, record, person):
            click.echo(line)


def _exported(case: str | None, record: str | None, person: str | None) -> Iterator[str]:
    from casework.audit import api as ledger

    if case:
        return ledger.export(ledger.of_case(case))
    if record:
        kind, _, record_id = record.partition(":")
        return ledger.export(ledger.of_subject(kind, record_id))
    return ledger.export(ledger.by_actor(person or ""))


main.add_command(papers_group)
