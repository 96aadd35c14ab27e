"""Restore: bringing a backup back into an empty place, before there are any settings to load."""

from __future__ import annotations

import hashlib
import json
import shutil
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from casework.lib.configuration import CONFIGURATION_FILE, Configuration, write_configuration
from casework.lib.keys import read_key_file
from casework.unit import databases
from casework.unit.sealing import unseal_file

MANIFEST, DATABASE = "manifest.json", "database"


def unpack(source: Path, key: Path, data_dir: Path, database_url: str) -> None:
    """Bring a backup back into an empty data folder: key, configuration, database.

    Raises:
        WrongKeyError: The key is another unit's, or the backup was changed.
        DatabaseCopyError: There is a unit here already.
    """
    ring = read_key_file(key)
    for name in ("key", CONFIGURATION_FILE):
        if (data_dir / name).exists():
            raise databases.DatabaseCopyError(str(data_dir), "there is a unit here already; nothing is overwritten.")
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=data_dir) as name:
        folder = Path(name)
        with source.open("rb") as sealed, (folder / "packed").open("wb") as plain:
            unseal_file(ring, str(source), sealed, plain)
        with tarfile.open(folder / "packed") as archive:
            archive.extractall(folder, filter="data")
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        if sha256_of(folder / DATABASE) != manifest["sha256"]:
            raise databases.DatabaseCopyError(str(source), "the database in it is not the one its manifest names.")
        described = Configuration(data_dir=data_dir, database_url=database_url).database()
        databases.load(manifest["kind"], folder / DATABASE, described)
        kept = (folder / CONFIGURATION_FILE).read_text(encoding="utf-8").splitlines()
    lines = [line for line in kept if not line.startswith("KAVAL_DATABASE_URL=")]
    (data_dir / "key").touch(mode=0o600)
    shutil.copyfile(key, data_dir / "key")
    write_configuration(data_dir, [*lines, f"KAVAL_DATABASE_URL={database_url}"])


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
