"""``kaval verify``: is a folder still the same, and do its locators still lead to the same bytes?"""

from __future__ import annotations

from pathlib import Path

import click

from kaval.cli.display import count_text, safe_text
from kaval.cli.examining import keyring_of, keyring_options
from kaval.cli.exits import Exit
from kaval.core.errors import UsageError


@click.command("verify")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--source", type=click.Path(path_type=Path), help="The image, to read hits and a sample again.")
@click.option("--everything", is_flag=True, help="With --source: read every stream again, not a sample.")
@click.option("--quiet", is_flag=True, help="Say only what did not pass.")
@keyring_options
def verify(
    folder: Path,
    source: Path | None,
    everything: bool,
    quiet: bool,
    passphrase_files: tuple[Path, ...],
    recovery_keys: tuple[str, ...],
    key_files: tuple[Path, ...],
) -> int:
    """Check FOLDER against its manifest and, with --source, its locators against the evidence."""
    from kaval.stages.rereading import verify_artefacts
    from kaval.stages.verification import verify_folder, verify_source

    if source is not None and not source.exists():
        raise UsageError(f"the source {source} is not there")
    keyring = keyring_of(passphrase_files, recovery_keys, key_files)
    passed = failed = unseen = 0
    groups = [verify_folder(folder)]
    if source is not None:
        groups.append(verify_source(folder, source, keyring, everything=everything))
        groups.append(verify_artefacts(folder, source, keyring, everything=everything))
    for group in groups:
        for check in group:
            passed += check.passed is True
            failed += check.passed is False
            unseen += check.passed is None
            if check.passed is not True:
                word = "FAILED" if check.passed is False else "not looked at"
                click.echo(f"{word}: {safe_text(check.what)}: {check.reason}", err=True)
    if not quiet:
        click.echo(
            f"{count_text(passed)} checks passed, {count_text(failed)} failed, {count_text(unseen)} could not be made"
        )
    return Exit.NOT_VERIFIED if failed else Exit.WITH_NOTICES if unseen else Exit.DONE
