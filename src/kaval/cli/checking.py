"""``kaval verify`` and ``kaval extract``: is it still the same, and one stream brought out with a purpose."""

from __future__ import annotations

import getpass
import hashlib
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import click

from kaval.cli.display import count_text, safe_text, size_text
from kaval.cli.examining import keyring_of, keyring_options
from kaval.cli.exits import Exit
from kaval.core.errors import FolderError, UsageError
from kaval.core.sources import ByteSource, iterate_blocks


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
    from kaval.stages.verification import verify_folder, verify_source

    if source is not None and not source.exists():
        raise UsageError(f"the source {source} is not there")
    keyring = keyring_of(passphrase_files, recovery_keys, key_files)
    passed = failed = unseen = 0
    groups = [verify_folder(folder)]
    if source is not None:
        groups.append(verify_source(folder, source, keyring, everything=everything))
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


@click.command("extract")
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("locator")
@click.option("--source", type=click.Path(path_type=Path), help="The image, if it is not where it was examined.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The file to write.")
@click.option("--purpose", help="Why this stream has to be brought out. Required; it is recorded.")
@keyring_options
def extract(
    folder: Path,
    locator: str,
    source: Path | None,
    out: Path,
    purpose: str | None,
    passphrase_files: tuple[Path, ...],
    recovery_keys: tuple[str, ...],
    key_files: tuple[Path, ...],
) -> int:
    """Bring the stream of LOCATOR out of the evidence, with its digest."""
    from kaval.folder.views import open_folder
    from kaval.stages.verification import StoredEntries

    if not purpose or not purpose.strip():
        raise UsageError("nothing is brought out without --purpose; say why this stream is needed")
    if out.exists():
        raise UsageError(f"{out} exists; nothing is overwritten")
    manifest, connection = open_folder(folder)
    path = source or Path(manifest["source"]["path"])
    keyring = keyring_of(passphrase_files, recovery_keys, key_files)
    stored = StoredEntries(connection, path, manifest["exhibit"], keyring)
    row = connection.execute("SELECT sha256, size, content FROM entries WHERE locator = ?", [locator]).fetchone()
    if row is None:
        raise FolderError(folder, f"it lists no entry {locator}")
    digest, size = _copy(stored.open(locator), out)
    _record(folder, locator, purpose.strip(), digest, out)
    click.echo(f"{digest}  {out}  ({size_text(size)}, content {row[2]})")
    if row[0] is not None and row[0] != digest:
        click.echo(f"The SHA-256 on record is {row[0]}: these are NOT the bytes that were examined.", err=True)
        return Exit.NOT_VERIFIED
    return Exit.DONE


def _copy(source: ByteSource, out: Path) -> tuple[str, int]:
    hasher = hashlib.sha256()
    size = 0
    aside = out.with_name(f".{out.name}.part")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        for block in iterate_blocks(source):
            file.write(block)
            hasher.update(block)
            size += len(block)
        file.flush()
        os.fsync(file.fileno())
    aside.rename(out)
    return hasher.hexdigest(), size


def _record(folder: Path, locator: str, purpose: str, digest: str, out: Path) -> None:
    """Append to the folder's list of what was brought out, by whom, why."""
    line = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "operator": getpass.getuser(),
        "locator": locator,
        "purpose": purpose,
        "sha256": digest,
        "written_as": out.name,
    }
    with (folder / "extractions.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, ensure_ascii=False, sort_keys=True) + "\n")
        file.flush()
        os.fsync(file.fileno())
