"""Verification: is a folder still what its manifest says, and do its locators lead to the same bytes?"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from kaval.core.contracts import Recovery
from kaval.core.errors import FolderError, KavalError
from kaval.core.keys import Keyring
from kaval.core.locators import Locator
from kaval.core.records import Entry, Extent
from kaval.core.sources import ByteSource, iterate_blocks
from kaval.filesystems import FILESYSTEMS
from kaval.folder.segments import Segment, column_names
from kaval.folder.views import connect, load_manifest, open_folder
from kaval.recovery import RECOVERIES
from kaval.stages.listing import entry_row
from kaval.stages.manifest import facts_digest
from kaval.stages.opening import SLACK, Layout, Opener

SAMPLE = 200
"""Streams that are read again unless everything is asked for, evenly spread."""

A_KIND = 10
"""Recovered streams of each kind that are read again beside them: of each carver, journal and log, and by state."""

_COMPARED = ("locator", "path", "size", "extents")


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """One thing that was checked: ``passed`` is None where it could not be looked at."""

    what: str
    passed: bool | None
    reason: str = ""


def verify_folder(folder: Path) -> Iterator[Check]:
    """Yield a check for every segment and pack, their rows, and the digest over all facts."""
    manifest = load_manifest(folder)
    segments = [Segment(**segment) for segment in manifest["segments"]]
    for part in (*segments, *(Segment(**pack) for pack in manifest["packs"])):
        yield _check_file(folder, part)
    passed = facts_digest(segments) == manifest["facts_digest"]
    yield Check(what="digest over all facts", passed=passed, reason="" if passed else "the manifest was altered")
    yield from _check_rows(folder, segments)
    yield from _check_strangers(folder, segments)


def _check_rows(folder: Path, segments: list[Segment]) -> Iterator[Check]:
    try:
        connection = connect(folder, segments)
    except FolderError as error:
        yield Check(what="rows of the tables", passed=False, reason=error.reason)
        return
    for table, counted in _rows_by_table(segments).items():
        try:
            rows = connection.execute(f"SELECT count(*) FROM {table}_stored").fetchone()  # noqa: S608
        except duckdb.Error as error:
            yield Check(what=f"rows of {table}", passed=False, reason=f"they cannot be read ({error})")
            continue
        found = rows[0] if rows else None
        reason = "" if found == counted else f"{found} rows, the manifest says {counted}"
        yield Check(what=f"rows of {table}", passed=found == counted, reason=reason)


def _check_file(folder: Path, part: Segment) -> Check:
    path = folder / part.name
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        return Check(what=part.name, passed=False, reason="the file is missing")
    except OSError as error:
        return Check(what=part.name, passed=None, reason=f"the file cannot be read: {error.strerror}")
    passed = digest == part.sha256
    return Check(what=part.name, passed=passed, reason="" if passed else "its SHA-256 is another than the manifest's")


def _rows_by_table(segments: list[Segment]) -> dict[str, int]:
    rows: dict[str, int] = {}
    for segment in segments:
        rows[segment.table] = rows.get(segment.table, 0) + segment.rows
    return rows


def _check_strangers(folder: Path, segments: list[Segment]) -> Iterator[Check]:
    known = {segment.name for segment in segments}
    for path in sorted((folder / "segments").glob("*.parquet")):
        name = f"segments/{path.name}"
        if name not in known:
            yield Check(what=name, passed=False, reason="the manifest does not know this file")


def verify_source(folder: Path, source: Path, keyring: Keyring, *, everything: bool) -> Iterator[Check]:
    """Yield a check for the source as a whole, every alert hit and a sample of entries, read again by locator.

    In the sample is something of every kind of recovery. What journals and logs told is asked of them again.
    """
    manifest, connection = open_folder(folder)
    stored = StoredEntries(connection, source, manifest["exhibit"], keyring)
    yield from _check_whole(manifest, stored.opener, source)
    for locator, sha256, size in _sampled(connection, everything):
        yield check_stream(locator, sha256, size, stored.open)
    yield from _check_recoveries(connection, stored.opener)


def _sampled(connection: Any, everything: bool) -> list[tuple[str, str, int]]:
    sample = (
        ""
        if everything
        else f"""WHERE number % greatest(1, total // {SAMPLE}) = 0 OR hit
            OR (kind <> 'allocated' AND place % greatest(1, alike // {A_KIND}) = 0)"""
    )
    rows: list[tuple[str, str, int]] = connection.execute(
        f"""
        WITH read AS (
            SELECT locator, sha256, read_size, entry_id,
                   locator IN (SELECT locator FROM hits WHERE role = 'alert') AS hit,
                   concat_ws(' in ', coalesce(recovered_by, state),
                             CASE WHEN contains(locator, '/{SLACK}:') THEN 'slack' END) AS kind
            FROM entries WHERE sha256 IS NOT NULL
        ), wanted AS (
            SELECT *, row_number() OVER (ORDER BY entry_id) AS number, count(*) OVER () AS total,
                   row_number() OVER (PARTITION BY kind ORDER BY entry_id) AS place,
                   count(*) OVER (PARTITION BY kind) AS alike
            FROM read
        ) SELECT locator, sha256, read_size FROM wanted {sample} ORDER BY locator
        """  # noqa: S608
    ).fetchall()
    return rows


def _check_recoveries(connection: Any, opener: Opener) -> Iterator[Check]:
    """Yield a check for every journal, log or the like that told of entries: does it tell the same of them now?"""
    layers = {recovery.name: recovery for recovery in RECOVERIES.available()}
    rows = connection.execute(
        "SELECT DISTINCT recovered_by, split_part(locator, '/' || recovered_by || ':', 1) FROM entries "
        "WHERE contains(locator, '/' || recovered_by || ':') ORDER BY ALL"
    ).fetchall()
    for name, parent in rows:
        if name not in layers:
            continue
        what = f"what {name} told of {parent}"
        prefix = Locator.parse(parent).to(name)
        stored = connection.execute(
            f"SELECT {', '.join(_COMPARED)} FROM entries WHERE recovered_by = ? AND starts_with(locator, ?)",  # noqa: S608
            [name, f"{prefix}:"],
        ).fetchall()
        try:
            told = Counter(_told(layers[name], str(prefix), opener))
        except (KavalError, OSError) as error:
            yield Check(what=what, passed=None, reason=str(error))
            continue
        missing = (Counter(map(_comparable, stored)) - told).total()
        reason = f"of {len(stored)} entries on record {missing} are not told now" if missing else ""
        yield Check(what=what, passed=not missing, reason=reason)


def _told(recovery: Recovery, prefix: str, opener: Opener) -> Iterator[Hashable]:
    """Yield what is compared of every entry that a recovery finds now."""
    at = Locator.parse(prefix).parent
    source = opener.source(at)
    for file_system in FILESYSTEMS.available():
        if file_system.name in recovery.layers and file_system.probe(source):
            for entry in recovery.recover(source, opener.tree(at.to(file_system.name))):
                if isinstance(entry, Entry):
                    row = dict(zip(column_names("entries"), entry_row(0, prefix, entry, (None,) * 5, 0), strict=True))
                    yield _comparable([row[name] for name in _COMPARED])


def _comparable(values: Sequence[Any]) -> Hashable:
    """Return a row of entries as it can be counted: extents by place, length and kind."""
    *plain, extents = values
    names = ("offset", "length", "sparse", "assumed")
    return (*plain, None if extents is None else tuple(tuple(extent[name] for name in names) for extent in extents))


def check_stream(locator: str, sha256: str, size: int, opening: Callable[[str], ByteSource]) -> Check:
    """Return whether the bytes of a locator still have the digest on record."""
    try:
        digest, read = stream_digest(opening(locator))
    except (KavalError, OSError) as error:
        return Check(what=locator, passed=None, reason=str(error))
    if (digest, read) == (sha256, size):
        return Check(what=locator, passed=True)
    return Check(what=locator, passed=False, reason=f"{read} bytes with SHA-256 {digest}; on record {size}, {sha256}")


def stream_digest(source: ByteSource) -> tuple[str, int]:
    """Return SHA-256 and size of a source, read once."""
    hasher = hashlib.sha256()
    size = 0
    for block in iterate_blocks(source):
        hasher.update(block)
        size += len(block)
    return hasher.hexdigest(), size


def _check_whole(manifest: dict[str, Any], opener: Opener, source: Path) -> Iterator[Check]:
    record = manifest["source"]
    on_record = record["computed_digests"].get("sha256")
    if source.is_dir() or on_record is None:
        yield Check(what="the source as a whole", passed=None, reason="no digest of it is on record")
        return
    at = Locator.parse(record["digested_at"])
    yield check_stream(str(at), on_record, record["decoded_size"], lambda _: opener.source(at))


class StoredEntries:
    """Opens entries of an examination again by their locators, with the layouts that are on record."""

    def __init__(self, connection: Any, source: Path, exhibit: str, keyring: Keyring) -> None:
        self._connection = connection
        self.opener = Opener(source, exhibit, keyring, self.layout, self._locator_of)

    def layout(self, locator: str) -> Layout | None:
        """Return how an entry is laid out, as listed."""
        row = self._connection.execute(
            "SELECT extents, size, path FROM entries WHERE locator = ?", [locator]
        ).fetchone()
        if row is None:
            return None
        extents = None if row[0] is None else tuple(Extent(**extent) for extent in row[0])
        return extents, row[1], row[2]

    def _locator_of(self, tree: str, path: str) -> str | None:
        """Return the locator of the allocated entry that a tree lists under a path."""
        row = self._connection.execute(
            "SELECT locator FROM entries WHERE path = ? AND starts_with(locator, ?) ORDER BY state, entry_id LIMIT 1",
            [path, f"{tree}:"],
        ).fetchone()
        return None if row is None else str(row[0])

    def open(self, locator: str) -> ByteSource:
        """Return the stream of an entry.

        Raises:
            FolderError: The examination lists no such entry.
        """
        layout = self.layout(locator)
        if layout is None:
            raise FolderError("", f"it lists no entry {locator}")
        return self.opener.stream(Locator.parse(locator), layout)
