"""Backup: one sealed file with the database, the configuration and a manifest, read back before it counts."""

from __future__ import annotations

import json
import shutil
import tarfile
import tempfile
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from django.conf import settings

from casework.audit import api as audit
from casework.lib import clock
from casework.lib.configuration import CONFIGURATION_FILE, Configuration
from casework.lib.errors import CaseworkError
from casework.unit import databases
from casework.unit.restoring import DATABASE, MANIFEST, sha256_of
from casework.unit.sealing import seal_file, unseal_file


class LedgerBrokenError(CaseworkError):
    """The ledger does not hold, so nothing is built on it."""

    def __init__(self, broken: audit.Break) -> None:
        self.broken = broken
        super().__init__(f"The ledger does not hold at row {broken.seq}: {broken.reason}.")


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A backup that was read back after it was written."""

    path: Path
    rows: int
    head: str


def backup(configuration: Configuration, target: Path) -> Kept:
    """Write a sealed backup of the running unit, and read it back to the last byte."""
    if target.exists():
        raise databases.DatabaseCopyError(str(target), "there is a file already; nothing is overwritten.")
    with tempfile.TemporaryDirectory(dir=configuration.data_dir) as name:
        folder = Path(name)
        kind = databases.dump(folder / DATABASE)
        verdict = audit.verify()
        if verdict.broken is not None:
            raise LedgerBrokenError(verdict.broken)
        manifest = {
            "kind": kind,
            "instance": configuration.instance,
            "made_at": clock.now().isoformat(),
            "sha256": sha256_of(folder / DATABASE),
        }
        (folder / MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")
        shutil.copyfile(configuration.data_dir / CONFIGURATION_FILE, folder / CONFIGURATION_FILE)
        packed = folder / "packed"
        with tarfile.open(packed, "w") as archive:
            for part in (MANIFEST, CONFIGURATION_FILE, DATABASE):
                archive.add(folder / part, arcname=part)
        target.touch(mode=0o600)
        with packed.open("rb") as plain, target.open("wb") as sealed:
            seal_file(settings.KEY_RING, plain, sealed)
        _read_back(target, packed, folder / "again")
    return Kept(path=target, rows=verdict.rows, head=verdict.digest)


def published(text: str) -> audit.Published:
    """Return a head as it is printed, ``DAY:ROW:DIGEST``."""
    try:
        day, seq, digest = text.split(":")
        return audit.Published(day=date.fromisoformat(day), seq=int(seq), digest=digest.strip().lower())
    except ValueError as error:
        raise databases.DatabaseCopyError(
            text, "a head reads DAY:ROW:DIGEST, as `kaval-unit audit head` prints it."
        ) from error


def _read_back(sealed_path: Path, packed: Path, again: Path) -> None:
    with sealed_path.open("rb") as sealed, again.open("wb") as plain:
        unseal_file(settings.KEY_RING, str(sealed_path), sealed, plain)
    if sha256_of(again) != sha256_of(packed):
        raise databases.DatabaseCopyError(
            str(sealed_path), "reading it back gave other bytes; the disk may be failing."
        )
