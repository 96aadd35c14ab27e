"""``kaval extract``: streams brought out of the evidence, each with its digest, for a purpose that is recorded."""

from __future__ import annotations

import csv
import getpass
import hashlib
import json
import os
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from kaval.cli.display import count_text, safe_text, size_text
from kaval.cli.examining import keyring_of, keyring_options
from kaval.cli.exits import Exit
from kaval.core.errors import FolderError, KavalError, UsageError
from kaval.core.sources import ByteSource, iterate_blocks

_QUESTION = """
    SELECT locator, entry_id, path, state, content, size, sha256 FROM entries
    WHERE {wanted} ORDER BY entry_id
    """
_RECOVERED = "state <> 'allocated' AND kind IN ('file', 'stream') AND sha256 IS NOT NULL AND size > 0"
_WHOLE = " AND content IN ('intact', 'assumed')"
_LIST = "recovered.csv"
_LIST_COLUMNS = ("file", "locator", "path", "state", "content", "size", "sha256", "problem")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Stream:
    """One entry of the examination that is to be brought out."""

    locator: str
    entry_id: int
    path: str
    state: str
    content: str
    size: int
    sha256: str | None


@click.command("extract")
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("locator", required=False)
@click.option(
    "--all-recovered", is_flag=True, help="Every deleted, orphan or carved file nothing speaks against being whole."
)
@click.option(
    "--with-remains", is_flag=True, help="With --all-recovered: also files that are known to be overwritten in part."
)
@click.option("--source", type=click.Path(path_type=Path), help="The image, if it is not where it was examined.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The file to write; a folder for many.")
@click.option("--purpose", help="Why this has to be brought out. Required; it is recorded.")
@keyring_options
def extract(
    folder: Path,
    locator: str | None,
    all_recovered: bool,
    with_remains: bool,
    source: Path | None,
    out: Path,
    purpose: str | None,
    passphrase_files: tuple[Path, ...],
    recovery_keys: tuple[str, ...],
    key_files: tuple[Path, ...],
) -> int:
    """Bring the stream of LOCATOR out of the evidence, with its digest; or all that was recovered.

    \b
    kaval extract mo-7 "MO-7/raw/gpt:1/ntfs:64-2" --out picture.jpg --purpose "expert opinion, order 12/2026"
    kaval extract mo-7 --all-recovered --out recovered --purpose "review of deleted files, order 12/2026"
    """
    from kaval.folder.views import open_folder
    from kaval.stages.verification import StoredEntries

    if not purpose or not purpose.strip():
        raise UsageError("nothing is brought out without --purpose; say why it is needed")
    if bool(locator) == all_recovered:
        raise UsageError("name one LOCATOR, or say --all-recovered")
    if out.exists() and (not all_recovered or not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} exists; nothing is overwritten")
    manifest, connection = open_folder(folder)
    path = source or Path(manifest["source"]["path"])
    keyring = keyring_of(passphrase_files, recovery_keys, key_files)
    stored = StoredEntries(connection, path, manifest["exhibit"], keyring)
    if all_recovered:
        wanted = _RECOVERED + ("" if with_remains else _WHOLE)
        return _extract_all(folder, list(_streams(connection, wanted, [])), stored, out, purpose.strip())
    found = list(_streams(connection, "locator = ?", [locator]))
    if not found:
        raise FolderError(folder, f"it lists no entry {locator}")
    return _extract_one(folder, found[0], stored.open(found[0].locator), out, purpose.strip())


def _streams(connection: Any, wanted: str, values: list[Any]) -> Iterator[_Stream]:
    for row in connection.execute(_QUESTION.format(wanted=wanted), values).fetchall():
        yield _Stream(**dict(zip(_Stream.__slots__, row, strict=True)))


def _extract_one(folder: Path, stream: _Stream, source: ByteSource, out: Path, purpose: str) -> int:
    digest, size = _copy(source, out)
    with closing(_Record(folder, purpose)) as record:
        record.add(stream.locator, digest, out)
    click.echo(f"{digest}  {out}  ({size_text(size)}, content {stream.content})")
    if stream.sha256 is not None and stream.sha256 != digest:
        click.echo(f"The SHA-256 on record is {stream.sha256}: these are NOT the bytes that were examined.", err=True)
        return Exit.NOT_VERIFIED
    return Exit.DONE


def _extract_all(folder: Path, streams: list[_Stream], stored: Any, out: Path, purpose: str) -> int:
    """Write every stream as a file of its own, and a list that leads each back to its locator."""
    out.mkdir(parents=True, exist_ok=True)
    bringing = _Bringing(stored, out)
    with closing(_Record(folder, purpose)) as record, (out / _LIST).open("w", encoding="utf-8", newline="") as listed:
        writer = csv.writer(listed)
        writer.writerow(_LIST_COLUMNS)
        with click.progressbar(streams, label="bringing out", show_pos=True) as bar:
            for stream in bar:
                name, problem = bringing.bring(stream, record)
                row = (stream.locator, stream.path, stream.state, stream.content, stream.size, stream.sha256, problem)
                writer.writerow((name, *map(_safe, row)))
    written = count_text(len(streams) - bringing.failed)
    click.echo(f"{written} files, {size_text(bringing.size)}, in {out}; {_LIST} leads each to its locator")
    if bringing.failed or bringing.altered:
        told = f"{bringing.failed} could not be read, {bringing.altered} are not the bytes that were examined"
        click.echo(f"{told}: see {_LIST}", err=True)
    return Exit.NOT_VERIFIED if bringing.altered else Exit.WITH_NOTICES if bringing.failed else Exit.DONE


class _Bringing:
    """Brings streams out into one folder and counts what went wrong."""

    def __init__(self, stored: Any, out: Path) -> None:
        self._stored = stored
        self._out = out
        self.altered = self.failed = self.size = 0

    def bring(self, stream: _Stream, record: _Record) -> tuple[str, str]:
        """Write one stream; return the name of its file, empty if there is none, and what is wrong with it."""
        target = self._out / _file_name(stream)
        try:
            digest, size = _copy(self._stored.open(stream.locator), target)
        except (KavalError, OSError) as error:
            self.failed += 1
            return "", str(error)
        self.size += size
        record.add(stream.locator, digest, target)
        if digest == stream.sha256:
            return target.name, ""
        self.altered += 1
        return target.name, f"its SHA-256 is {digest} now: not the bytes that were examined"


def _safe(value: Any) -> Any:
    """Return a value for the list; text is made harmless for whoever opens it as a table."""
    if not isinstance(value, str):
        return value
    text = safe_text(value)
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text


def _file_name(stream: _Stream) -> str:
    """Return a file name that is unique, and harmless whatever the evidence called it."""
    name = re.sub(r"[^\w.\-]+", "_", stream.path.rpartition("/")[2], flags=re.UNICODE).strip("._")
    while len(name.encode()) > 160:
        name = name[1:]
    return f"{stream.entry_id:x}_{name or 'unnamed'}"


def _copy(source: ByteSource, out: Path) -> tuple[str, int]:
    """Write a source as a file that is whole or not there; return its SHA-256 and size."""
    hasher = hashlib.sha256()
    size = 0
    aside = out.with_name(f".{out.name}.part")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            for block in iterate_blocks(source):
                file.write(block)
                hasher.update(block)
                size += len(block)
            file.flush()
            os.fsync(file.fileno())
        aside.rename(out)
    finally:
        aside.unlink(missing_ok=True)
    return hasher.hexdigest(), size


class _Record:
    """The folder's list of what was brought out, when, by whom, why; only ever added to."""

    def __init__(self, folder: Path, purpose: str) -> None:
        self._purpose = purpose
        self._file = (folder / "extractions.jsonl").open("a", encoding="utf-8")

    def add(self, locator: str, digest: str, out: Path) -> None:
        line = {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "operator": getpass.getuser(),
            "locator": locator,
            "purpose": self._purpose,
            "sha256": digest,
            "written_as": out.name,
        }
        self._file.write(json.dumps(line, ensure_ascii=False, sort_keys=True) + "\n")

    def close(self) -> None:
        """Make the list durable."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
