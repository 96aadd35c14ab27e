"""kaval-unit, as it is typed: every step in a process of its own, on the database of this run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import pytest
from django.conf import settings

pytestmark = pytest.mark.slow


class Machine:
    """A machine with one data folder."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.folder = folder
        self.database_url = database_url

    def type(self, *words: str, ends: int = 0, **environment: str) -> str:
        """Type a command; return what it says on both streams."""
        named = {"KAVAL_DATA_DIR": str(self.folder), "KAVAL_HTTPS": "false", "KAVAL_DATABASE_URL": self.database_url}
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("KAVAL_", "DJANGO_"))}
        run = [sys.executable, "-c", "from casework.unit.command import main; main()", *words]
        ended = subprocess.run(run, env={**clean, **named, **environment}, capture_output=True, text=True, check=False)
        assert ended.returncode == ends, ended.stdout + ended.stderr
        assert "Traceback" not in ended.stderr
        return ended.stdout + ended.stderr


def empty_database() -> str:
    """Return the address of an empty database beside the one of this run; empty for SQLite."""
    given = os.environ.get("KAVAL_DATABASE_URL", "")
    if not given:
        return ""
    parts = urlsplit(given)
    name = f"unit_{uuid4().hex}"
    described = settings.DATABASES["default"]
    host = ["-h", described["HOST"], "-U", described["USER"]]
    subprocess.run(["createdb", *host, name], check=True, capture_output=True)
    return urlunsplit(parts._replace(path=f"/{name}"))


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    if os.environ.get("KAVAL_DATABASE_URL") and shutil.which("pg_dump") is None:
        pytest.skip("pg_dump is not installed")
    return Machine(tmp_path / "unit", empty_database())


def test_a_unit_is_set_up_kept_and_brought_back(machine: Machine, tmp_path: Path) -> None:
    assert "does not start without its key" in machine.type("check", ends=1)
    first = machine.type("setup", "--administrator", "dora", "--supervisor", "esther")
    assert first.count("/accounts/invitation/") == 2
    assert "All is well." in machine.type("check")
    assert (machine.folder / "key").stat().st_mode & 0o777 == 0o600
    head = machine.type("audit", "head").strip()
    assert "holds: 8 rows" in machine.type("audit", "verify", "--head", head)
    wrong = head.rpartition(":")[0] + ":" + "0" * 64
    assert "published" in machine.type("audit", "verify", "--head", wrong, ends=1)
    # Set-up may be run again: it changes neither key nor configuration.
    key = (machine.folder / "key").read_bytes()
    machine.type("setup")
    assert (machine.folder / "key").read_bytes() == key
    assert machine.type("audit", "export", "--record", "law:india-2026-11-24.json").count("\n") == 3

    kept = tmp_path / "kept"
    machine.type("backup", str(kept))
    assert b"esther" not in kept.read_bytes()
    other = Machine(tmp_path / "other", empty_database())
    options = ["--key", str(machine.folder / "key"), "--database-url", other.database_url]
    assert "holds: 8 rows" in other.type("restore", str(kept), *options)
    assert "All is well." in other.type("check")
    assert "nothing is overwritten" in other.type("restore", str(kept), *options, ends=1)
    assert "Backup:" in machine.type("upgrade", "--backup", str(tmp_path / "before"))
    assert "nothing is overwritten" in machine.type("backup", str(kept), ends=1)


def test_a_backup_opens_with_its_key_only_and_a_changed_one_not_at_all(machine: Machine, tmp_path: Path) -> None:
    machine.type("setup")
    kept, stranger = tmp_path / "kept", Machine(tmp_path / "stranger", empty_database())
    machine.type("backup", str(kept))
    stranger.type("setup")
    target = Machine(tmp_path / "target", empty_database())
    keyed = ["--key", str(machine.folder / "key"), "--database-url", target.database_url]

    wrong_key = ["--key", str(stranger.folder / "key"), "--database-url", target.database_url]
    assert "another key" in target.type("restore", str(kept), *wrong_key, ends=1)
    changed = bytearray(kept.read_bytes())
    changed[len(changed) // 2] ^= 1
    (tmp_path / "changed").write_bytes(changed)
    assert "changed or cut off" in target.type("restore", str(tmp_path / "changed"), *keyed, ends=1)
    (tmp_path / "short").write_bytes(kept.read_bytes()[:-100])
    assert "changed or cut off" in target.type("restore", str(tmp_path / "short"), *keyed, ends=1)
    assert not (target.folder / "unit.env").exists()


def test_what_does_not_belong_together_does_not_run(machine: Machine) -> None:
    machine.type("setup")
    text = (machine.folder / "unit.env").read_text(encoding="utf-8")
    (machine.folder / "unit.env").write_text("KAVAL_INSTANCE=other\n" + text.split("\n", 1)[1], encoding="utf-8")

    assert "another unit" in machine.type("check", ends=1)
    assert "another unit" in machine.type("run", ends=1)


def test_https_needs_a_certificate_and_the_deployment_check_is_clean(machine: Machine) -> None:
    machine.type("setup")

    assert "All is well." in machine.type("check", KAVAL_HTTPS="true")
    assert "--certificate" in machine.type("run", ends=1, KAVAL_HTTPS="true")


def test_a_lost_key_is_not_replaced_by_a_new_one(machine: Machine) -> None:
    machine.type("setup")
    (machine.folder / "key").unlink()

    assert "does not start without its key" in machine.type("setup", ends=1)
    assert not (machine.folder / "key").exists()
    if not machine.database_url:
        (machine.folder / "unit.env").unlink()
        assert "bring the key back" in machine.type("setup", ends=1)


def test_the_first_people_are_invited_once(machine: Machine) -> None:
    machine.type("setup", "--administrator", "dora")

    again = machine.type("setup", "--administrator", "dora")
    assert "/accounts/invitation/" in again
    assert "There is somebody" in machine.type("setup", "--administrator", "mallory", ends=1)


def test_the_how_to_names_every_command() -> None:
    from casework.unit.command import main

    page = (Path(__file__).parents[3] / "docs" / "how-to" / "keep-a-unit.md").read_text(encoding="utf-8")
    inner = {group: getattr(main.commands[group], "commands", {}) for group in ("audit", "papers")}
    names = [f"kaval-unit {name}" for name in main.commands if name not in inner]
    names += [f"kaval-unit {group} {name}" for group, commands in inner.items() for name in commands]

    assert len(names) == 12
    assert [name for name in names if name not in page] == []
