"""``kaval examine``: begin an examination or take one up again, and say how it goes."""

from __future__ import annotations

import getpass
import json
import sys
import time
from pathlib import Path
from typing import Any

import click

import kaval.cli.threads  # noqa: F401 - first: what is loaded below starts threads unless told not to
from kaval.cli.display import count_text, duration_text, safe_text, size_text
from kaval.cli.exits import Exit
from kaval.core.errors import UsageError
from kaval.core.keys import Keyring
from kaval.examination import KnownSetSource, Progress, Request, examine
from kaval.knownsets import Role
from kaval.knownsets.store import Store, default_store
from kaval.stages.cluster import ClusterExecutor, ClusterPlace
from kaval.stages.plan import Plan

HARMLESS = frozenset(
    {"digest-verified", "assumed", "type-mismatch", "zero-length-dropped", "overlap", "skipped", "carved-in-part"}
)
"""Notices that do not mean something could not be read."""

_DIGEST_WIDTHS = {32: "md5", 40: "sha1", 64: "sha256"}


def keyring_options(command: Any) -> Any:
    """Add the options by which keys for locked volumes are given."""
    existing = click.Path(exists=True, dir_okay=False, path_type=Path)
    told = {
        "passphrase": "A file with one passphrase a line for locked volumes.",
        "recovery": "A BitLocker recovery key (48 digits).",
        "file": "A key file for a locked volume (BitLocker BEK, LUKS key file).",
    }
    for option in (
        click.option("--key-file", "key_files", type=existing, multiple=True, help=told["file"]),
        click.option("--recovery-key", "recovery_keys", multiple=True, help=told["recovery"]),
        click.option("--passphrase-file", "passphrase_files", type=existing, multiple=True, help=told["passphrase"]),
    ):
        command = option(command)
    return command


def keyring_of(
    passphrase_files: tuple[Path, ...], recovery_keys: tuple[str, ...], key_files: tuple[Path, ...]
) -> Keyring:
    """Return the keys a person gave."""
    passphrases = tuple(
        line for path in passphrase_files for line in path.read_text(encoding="utf-8").splitlines() if line
    )
    files = tuple(path.read_bytes() for path in key_files)
    return Keyring(passphrases=passphrases, recovery_keys=recovery_keys, key_files=files)


def _known_sets(values: tuple[str, ...]) -> tuple[KnownSetSource, ...]:
    """Return the sets a person names: ``ROLE=FILE``, or ``NAME`` or ``NAME@VERSION`` of the unit's store.

    With a set of the store, its negative sets are used too.
    """
    store = Store(default_store())
    sets = []
    for value in values:
        role, separator, path = value.partition("=")
        if separator and role in list(Role):
            if not Path(path).is_file():
                raise UsageError(f"the known set {path} is not there")
            sets.append(KnownSetSource(path=Path(path), role=Role(role), name=Path(path).name))
        else:
            sets.append(_of_store(value, store))
    names = {known.name for known in sets if known.store is not None}
    if names:
        missing = [name for name in store.negatives() if name not in names]
        sets += [KnownSetSource(name=name, store=store.root, number=store.current(name)) for name in missing]
    return tuple(sets)


def _of_store(value: str, store: Store) -> KnownSetSource:
    names = store.names()
    name, separator, number = value.rpartition("@")
    if value in names:
        return KnownSetSource(name=value, store=store.root, number=store.current(value))
    if separator and name in names and number.isdecimal() and int(number) in store.numbers(name):
        return KnownSetSource(name=name, store=store.root, number=int(number))
    there = ", ".join(names) or "none"
    raise UsageError(
        f"--known {value!r}: write ROLE=FILE, where ROLE is one of {', '.join(Role)}, or the name of a set of "
        f"{store.root} (there: {there})"
    )


def _given_digests(values: tuple[str, ...]) -> dict[str, str]:
    digests = {}
    for value in values:
        text = value.strip().lower().rpartition(":")[2]
        algorithm = _DIGEST_WIDTHS.get(len(text))
        if algorithm is None or not all(character in "0123456789abcdef" for character in text):
            raise UsageError(f"--acquisition-hash {value!r} is no MD5, SHA-1 or SHA-256 in hexadecimal")
        digests[algorithm] = text
    return digests


@click.command("examine")
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--out", "folder", type=click.Path(path_type=Path), required=True, help="The examination folder to make.")
@click.option("--exhibit", help="Number of the exhibit. Required.")
@click.option("--authority", help="The legal authority: order, warrant, consent; free text or reference. Required.")
@click.option("--operator", default=None, help="Who examines; the login name unless given.")
@click.option("--remark", default="", help="A remark for page one.")
@click.option(
    "--known",
    multiple=True,
    metavar="ROLE=FILE|NAME",
    help="A known set: a file with its role (alert, known-good, review or negative), or a set of the store by name, "
    "NAME@VERSION for an earlier one. May be repeated.",
)
@click.option("--acquisition-hash", "given", multiple=True, metavar="HEX", help="Digest taken at acquisition.")
@click.option("--resume", is_flag=True, help="Take up an interrupted examination in --out.")
@click.option("--workers", type=click.IntRange(1, 256), default=2, show_default=True, help="Worker processes.")
@click.option(
    "--cluster",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Let the machines of a cluster work; a file of settings, see the how-to on several machines.",
)
@click.option(
    "--depth",
    type=click.IntRange(0, 16),
    default=4,
    show_default=True,
    help="How deep archives and images inside others are opened.",
)
@click.option(
    "--threshold",
    type=click.IntRange(0, 64),
    default=31,
    show_default=True,
    help="Greatest PDQ distance of a near match.",
)
@click.option("--no-media", is_flag=True, help="Do not decode pictures and videos.")
@click.option("--no-archives", is_flag=True, help="Do not open archives, documents and images inside the source.")
@click.option("--no-carving", is_flag=True, help="Do not search unallocated space for files by their content.")
@click.option(
    "--slack",
    is_flag=True,
    help="Search slack as well: from the end of a file to the end of its clusters, behind a file system's end, and on "
    "NTFS what was given to a file and not written.",
)
@click.option("--no-artefacts", is_flag=True, help="Do not read messages, calls, browser history and the like.")
@click.option("--no-texts", is_flag=True, help="Do not keep the words of documents for searching.")
@click.option("--no-thumbnails", is_flag=True, help="Keep no thumbnails; no sealing key is made.")
@click.option(
    "--no-source-digest",
    is_flag=True,
    help="Do not digest the source as a whole; the report then says that the copy was not verified.",
)
@click.option(
    "--seal-key",
    type=click.Path(path_type=Path),
    default=None,
    help="File of the key of the sealed store; made if absent. Kept away from the folder unless given.",
)
@click.option("--json", "as_json", is_flag=True, help="Progress as JSON lines on standard output.")
@keyring_options
def examine_command(
    source: Path,
    folder: Path,
    exhibit: str | None,
    authority: str | None,
    operator: str | None,
    remark: str,
    known: tuple[str, ...],
    given: tuple[str, ...],
    resume: bool,
    workers: int,
    cluster: Path | None,
    depth: int,
    threshold: int,
    no_media: bool,
    no_archives: bool,
    no_carving: bool,
    slack: bool,
    no_artefacts: bool,
    no_texts: bool,
    no_thumbnails: bool,
    no_source_digest: bool,
    seal_key: Path | None,
    as_json: bool,
    passphrase_files: tuple[Path, ...],
    recovery_keys: tuple[str, ...],
    key_files: tuple[Path, ...],
) -> int:
    """Examine SOURCE: an image, a split image, an archive or a folder.

    Nothing is written beside the evidence. No examination starts without exhibit and authority.
    """
    if not resume and not (exhibit and exhibit.strip() and authority and authority.strip()):
        raise UsageError("no examination starts without --exhibit and --authority; they stand on page one")
    if slack and no_carving:
        raise UsageError("--slack asks for what --no-carving leaves out; give one of them")
    plan = Plan(
        exhibit=(exhibit or "").strip(),
        source_name=source.name,
        depth=depth,
        archives=not no_archives,
        carve=not no_carving,
        slack=slack,
        artefacts=not no_artefacts,
        texts=not no_texts,
        media=not no_media,
        thumbnails=not no_thumbnails,
        source_digest=not no_source_digest,
        near_threshold=threshold,
        given_digests=_given_digests(given),
    )
    request = Request(
        source=source if cluster is None else source.resolve(),
        folder=folder if cluster is None else folder.resolve(),
        plan=plan,
        authority=(authority or "").strip(),
        operator=operator or getpass.getuser(),
        remark=remark,
        known_sets=_known_sets(known),
        keyring=keyring_of(passphrase_files, recovery_keys, key_files),
        key_path=seal_key,
    )
    speaker = JsonSpeaker() if as_json else TerminalSpeaker() if sys.stderr.isatty() else PlainSpeaker()
    if isinstance(speaker, TerminalSpeaker) and request.known_sets:
        speaker.show()
    with speaker:
        if cluster is None:
            manifest = examine(request, workers=workers, resume=resume, report=speaker)
        else:
            with ClusterExecutor(ClusterPlace.read(cluster), plan.hang_seconds) as machines:
                machines.check(request.source, request.folder, *_also_read(request))
                workers = machines.size
                manifest = examine(request, workers=workers, resume=resume, executor=machines, report=speaker)
    return _close(manifest, folder, as_json)


def _also_read(request: Request) -> list[Path]:
    """Return what workers read beside source and folder, as far as it exists before the examination begins."""
    paths = [known.store for known in request.known_sets if known.store is not None]
    if request.key_path is not None:
        paths.append(request.key_path if request.key_path.exists() else request.key_path.parent)
    return [path.resolve() for path in paths]


def _close(manifest: dict[str, Any], folder: Path, as_json: bool) -> int:
    codes = {name.removeprefix("notice "): number for name, number in manifest["counts"].items() if " " in name}
    unread = sorted(
        ((code, number) for code, number in codes.items() if code not in HARMLESS), key=lambda pair: -pair[1]
    )
    differs = manifest["source"]["verification"] == "differs"
    if not as_json:
        click.echo(f"The facts are in {folder}. Next: kaval show {folder}")
        if differs:
            click.echo("The digest of the source DIFFERS from the one on record: the copy is not verified.", err=True)
        if unread:
            told = ", ".join(f"{number} × {code}" for code, number in unread[:6])
            click.echo(f"Not everything could be read ({told}); the report lists what and where.", err=True)
    if differs:
        return Exit.NOT_VERIFIED
    nothing = manifest["counts"]["entries"] == 0
    if nothing and unread:
        return Exit.NOT_OPENED
    return Exit.WITH_NOTICES if unread else Exit.DONE


class JsonSpeaker:
    """Says how far the examination is as one JSON object a line."""

    def __init__(self) -> None:
        self._begun = time.monotonic()

    def __enter__(self) -> JsonSpeaker:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing stays open."""

    def __call__(self, progress: Progress) -> None:
        line = {
            "stage": progress.stage,
            "depth": progress.wave,
            "entries": progress.entries,
            "files": progress.files,
            "total_files": progress.total_files,
            "read_size": progress.read_size,
            "total_size": progress.total_size,
            "pictures": progress.pictures,
            "notices": progress.notices,
            "hits": progress.hits,
            "first_hits": [{"locator": hit[0], "path": hit[1], "set": hit[2]} for hit in progress.first_hits],
            "seconds": round(time.monotonic() - self._begun, 3),
        }
        sys.stdout.write(json.dumps(line, ensure_ascii=True) + "\n")
        sys.stdout.flush()


class PlainSpeaker:
    """Says the same where standard error is no terminal: a line now and then, every first hit at once."""

    SECONDS_BETWEEN = 10.0

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._last = 0.0
        self._shown = 0

    def __enter__(self) -> PlainSpeaker:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing stays open."""

    def __call__(self, progress: Progress) -> None:
        spent = max(0.001, time.monotonic() - self._begun)
        for locator, path, name in progress.first_hits:
            if self._shown < TerminalSpeaker.SHOWN_HITS:
                self._shown += 1
                click.echo(hit_text(spent, locator, path, name), err=True)
        if progress.stage == "finished" or spent - self._last >= self.SECONDS_BETWEEN:
            self._last = spent
            click.echo(f"{progress.stage}: {progress_text(progress, spent)}", err=True)


def hit_text(spent: float, locator: str, path: str, name: str) -> str:
    """Return the line that tells one of the first hits."""
    return f"hit after {duration_text(spent)}: {safe_text(path)}  ({safe_text(name)})  {locator}"


def progress_text(progress: Progress, spent: float) -> str:
    """Return counts, rate, hits and remaining time in one line."""
    told = (
        f"{count_text(progress.files)} of {count_text(progress.total_files)} streams, "
        f"{size_text(progress.read_size)} of {size_text(progress.total_size)}, "
        f"{size_text(int(progress.read_size / spent))}/s, "
        f"{count_text(sum(progress.hits.values()))} hits"
    )
    left = progress.total_size - progress.read_size
    if progress.read_size and left > 0:
        told += f", about {duration_text(left * spent / progress.read_size)} left"
    return told


class TerminalSpeaker:
    """Shows a bar with rate, counts, hits and remaining time; tells the first hits as they come.

    The bar moves by a thread of its own, so it is shown when there is something to wait for, not before: workers are
    begun the quick way in a process without other threads.
    """

    SHOWN_HITS = 12

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as Bar

        self._console = Console(stderr=True, highlight=False)
        self._bar = Bar(
            TextColumn("{task.description:<10}"),
            BarColumn(28),
            TextColumn("{task.fields[told]}"),
            console=self._console,
        )
        self._task = self._bar.add_task("opening", total=None, told="")
        self._begun = time.monotonic()
        self._shown = 0

    def __enter__(self) -> TerminalSpeaker:
        return self

    def show(self) -> None:
        """Show the bar from now on."""
        self._bar.start()

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def __call__(self, progress: Progress) -> None:
        self.show()
        spent = max(0.001, time.monotonic() - self._begun)
        for locator, path, name in progress.first_hits:
            if self._shown < self.SHOWN_HITS:
                self._shown += 1
                self._console.print(hit_text(spent, locator, path, name), markup=False, soft_wrap=True)
        self._bar.update(
            self._task,
            description=progress.stage,
            completed=progress.read_size,
            total=progress.total_size or None,
            told=progress_text(progress, spent),
        )
