"""Kaval's own form loses nothing on the way, and says where an entry comes from."""

from __future__ import annotations

from pathlib import Path

import pytest

from kaval.core.errors import CorruptStructureError
from kaval.knownsets.formats.own import entry_line, header_line
from kaval.knownsets.statements import Feedback, Statement
from tests.knownsets.making import MD5, SHA256, read, statements_of, values_of

FULL = Statement(
    category="2", identity="7", source="Lopel", values={"md5": MD5["osk.txt"], "sha256": SHA256["osk.txt"]},
    flags={"victim identified": True, "distributed": None}, size=4, updated_at="2026-01-02T03:04:05Z",
    notes={"tags": "തടം"}, feedback=(Feedback(member="Vindra", algorithm="md5", affirmative=False, reason="quor"),),
)  # fmt: skip


def test_an_entry_comes_back_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "set"
    path.write_bytes(header_line({"by": "Inga"}) + entry_line(FULL, {"exhibit": "MO-7"}))
    batches = read(path)
    (statement,) = statements_of(path, batches)

    assert statement.notes == {"tags": "തടം", "provenance: exhibit": "MO-7"}
    assert {name: getattr(statement, name) for name in ("category", "identity", "source", "values", "flags")} == {
        name: getattr(FULL, name) for name in ("category", "identity", "source", "values", "flags")
    }
    assert (statement.size, statement.updated_at, statement.feedback) == (FULL.size, FULL.updated_at, FULL.feedback)
    assert values_of(batches) == {
        "md5": [bytes.fromhex(MD5["osk.txt"])], "sha256": [bytes.fromhex(SHA256["osk.txt"])],
    }  # fmt: skip
    path.write_bytes(header_line({}) + entry_line(statement))
    assert list(statements_of(path, read(path))) == [statement]


@pytest.mark.parametrize(
    "line", [b"{}\n", b"[]\n", b"x\n", b'{"values": 7}\n', b'{"values": {"md5": "x"}, "feedback": 3}\n']
)
def test_a_line_that_is_no_entry_is_damage(line: bytes, tmp_path: Path) -> None:
    path = tmp_path / "set"
    path.write_bytes(header_line({}) + line)

    with pytest.raises(CorruptStructureError) as told:
        read(path)
    assert told.value.offset == len(header_line({}))
