"""The documented views over a folder's segments, asked with DuckDB; stable from version 1 on.

Digests are lower-case hex here. A file without rows of a table still has the view: it is empty.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kaval.core.errors import FolderError, UsageError
from kaval.folder.artefact_views import ARTEFACT_VIEWS
from kaval.folder.segments import Segment
from kaval.folder.tables import COLUMNS, TABLES, schema

if TYPE_CHECKING:
    import duckdb

_HEX = {"digest16", "digest20", "digest32"}

VIEWS: dict[str, str] = {
    "entries": """
        SELECT e.locator, e.path, e.name, e.kind, e.size, e.state, e.content,
               d.md5, d.sha1, d.sha256, d.media_type, d.type_mismatch, d.read_size,
               e.modified_at, e.accessed_at, e.changed_at, e.created_at, e.deleted_at, e.times_zone, e.times_resolution,
               e.mode, e.owner, e."group", e.link_target, e.path_resolved, e.path_raw, e.extents,
               e.assumed_size, e.overlap_size, e.recovered_by, e.depth, e.entry_id
        FROM entries_stored e LEFT JOIN digests_stored d USING (entry_id)
        """,
    "hits": """
        SELECT locator, set_name, set_version, role, algorithm, distance, threshold, state, content, path,
               value, category, orientation, frame, at_ms, entry_id
        FROM hits_stored
        """,
    "notices": 'SELECT locator, code, message, stage, "offset", structure FROM notices_stored',
    "media": """
        SELECT locator, width, height, pdq, pdq_quality, format, frame, at_ms, duration_ms, taken_at, make, model,
               latitude, longitude, pdq_method, decoder, problem, thumbnail,
               lower(hex(pdq_dihedral)) AS pdq_dihedral, entry_id
        FROM media_stored
        """,
    "sources": 'SELECT locator, stage, layer, title, size, "offset", depth, facts FROM sources_stored',
    "unallocated": 'SELECT source, position, "offset", length FROM unallocated_stored',
    "sealed": 'SELECT sha256, pack, "offset", length FROM sealed_stored',
    **ARTEFACT_VIEWS,
}


def load_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a finished examination.

    Raises:
        FolderError: There is none (the examination was interrupted, or this is no such folder), or it is damaged.
    """
    path = folder / "manifest.json"
    if not path.exists():
        if (folder / "plan.json").exists():
            raise FolderError(folder, "the examination was interrupted; finish it with `kaval examine --resume`")
        raise FolderError(folder, "it holds neither a plan nor a manifest")
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FolderError(folder, f"its manifest.json cannot be read ({error})") from error
    if not isinstance(manifest, dict) or "segments" not in manifest:
        raise FolderError(folder, "its manifest.json is no manifest")
    return manifest


def _column(name: str, kind: str) -> str:
    quoted = f'"{name}"'
    return f"lower(hex({quoted})) AS {quoted}" if kind in _HEX else quoted


def connect(folder: Path, segments: Sequence[Segment]) -> duckdb.DuckDBPyConnection:
    """Return a DuckDB connection with the views over these segments; it reads nothing but them.

    Raises:
        FolderError: A segment the manifest names is not there, or is damaged.
    """
    import duckdb

    connection = duckdb.connect(":memory:", config={"autoinstall_known_extensions": "false"})
    connection.execute("SET autoload_known_extensions = false")
    connection.execute("SET threads TO 2")
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET allowed_directories = [?]", [str((folder / "segments").resolve()) + "/"])
    for table in TABLES:
        names = [segment.name for segment in segments if segment.table == table]
        for name in names:
            if not (folder / name).exists():
                raise FolderError(folder, f"the segment {name} is missing")
        _create_stored(connection, table, [str((folder / name).resolve()) for name in names])
    for view, query in VIEWS.items():
        connection.execute(f"CREATE VIEW {view} AS {query}")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def _create_stored(connection: duckdb.DuckDBPyConnection, table: str, paths: list[str]) -> None:
    columns = ", ".join(_column(name, kind) for name, kind, _ in COLUMNS[table])
    if paths:
        import duckdb

        listed = ", ".join("'" + path.replace("'", "''") + "'" for path in paths)
        try:
            connection.execute(f"CREATE VIEW {table}_stored AS SELECT {columns} FROM read_parquet([{listed}])")  # noqa: S608
        except duckdb.Error as error:
            folder = Path(paths[0]).parent.parent
            raise FolderError(folder, f"a segment of the table {table} cannot be read ({error})") from error
    else:
        connection.register(f"{table}_empty", schema(table).empty_table())
        connection.execute(f"CREATE VIEW {table}_stored AS SELECT {columns} FROM {table}_empty")  # noqa: S608


def open_folder(folder: Path) -> tuple[dict[str, Any], duckdb.DuckDBPyConnection]:
    """Return the manifest and a connection with the views of a finished examination."""
    manifest = load_manifest(folder)
    segments = [Segment(**segment) for segment in manifest["segments"]]
    return manifest, connect(folder, segments)


def ask(connection: duckdb.DuckDBPyConnection, question: str) -> tuple[list[str], Iterator[tuple[Any, ...]]]:
    """Return column names and rows of a question in SQL; only the views can be reached.

    Raises:
        UsageError: The question is no valid SQL over the views.
    """
    import duckdb

    try:
        answer = connection.execute(question)
    except duckdb.Error as error:
        raise UsageError(f"the question cannot be answered: {error}") from error
    names = [column[0] for column in answer.description or []]
    return names, _rows(answer)


def _rows(answer: duckdb.DuckDBPyConnection) -> Iterator[tuple[Any, ...]]:
    while rows := answer.fetchmany(4096):
        yield from rows
