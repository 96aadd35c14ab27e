"""`kaval-unit papers`, as it is typed on the machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.casework.unit.test_command import Machine, empty_database


@pytest.mark.slow
def test_papers_are_read_again_and_a_strange_file_is_none_of_ours(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "unit", empty_database())
    machine.type("setup", "--administrator", "dora", "--supervisor", "esther", "--address", "https://kaval.example")
    (tmp_path / "strange.pdf").write_bytes(b"%PDF-1.7 from elsewhere")

    assert "0 papers read, 0 broken" in machine.type("papers", "audit")
    assert "no paper of this unit" in machine.type("papers", "verify", str(tmp_path / "strange.pdf"), ends=1)
    assert "KAVAL_ADDRESS=https://kaval.example" in (tmp_path / "unit" / "unit.env").read_text(encoding="utf-8")
    absent = str(tmp_path / "absent.p12")
    assert "KAVAL_SIGNING_CERTIFICATE" in machine.type("check", ends=1, KAVAL_SIGNING_CERTIFICATE=absent)
