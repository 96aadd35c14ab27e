"""Registries: ordered by rank and name, honest about what is unavailable."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import ClassVar

import pytest

from kaval.core.contracts import Capability
from kaval.core.errors import UsageError
from kaval.core.registry import Registry
from kaval.stages.preparation import capability_rows


class _Late:
    name: ClassVar[str] = "late"
    title: ClassVar[str] = "Asked last"
    rank: ClassVar[int] = 90
    requires: ClassVar[tuple[str, ...]] = ()


class _Early:
    name: ClassVar[str] = "early"
    title: ClassVar[str] = "Asked first"
    rank: ClassVar[int] = 10
    requires: ClassVar[tuple[str, ...]] = ()


class _Missing:
    name: ClassVar[str] = "missing"
    title: ClassVar[str] = "Needs what nobody has"
    rank: ClassVar[int] = 50
    requires: ClassVar[tuple[str, ...]] = ("vindra_osk",)


@pytest.fixture(name="registry")
def _registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Registry[Capability]:
    (tmp_path / "quorpackage").mkdir()
    (tmp_path / "quorpackage" / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "quorpackage", raising=False)
    registry: Registry[Capability] = Registry("quorpackage")
    for capability in (_Late, _Missing, _Early):
        registry.register(capability)
    return registry


def test_capabilities_are_in_order_of_rank(registry: Registry[Capability]) -> None:
    assert [capability.name for capability in registry.all()] == ["early", "missing", "late"]
    assert [capability.name for capability in registry.available()] == ["early", "late"]


def test_an_unavailable_capability_says_why_and_never_disappears(registry: Registry[Capability]) -> None:
    row = next(row for row in registry.rows() if row.name == "missing")

    assert row.unavailable_because == "vindra_osk is not installed"
    with pytest.raises(UsageError, match="vindra_osk is not installed"):
        registry.get("missing")


def test_two_capabilities_of_one_name_are_refused(registry: Registry[Capability]) -> None:
    class Other(_Early):
        pass

    with pytest.raises(UsageError, match="early"):
        registry.register(Other)


def test_every_capability_of_the_engine_is_available_where_everything_is_installed() -> None:
    rows = list(capability_rows())

    assert {row.registry for row in rows} >= {"containers", "volumes", "filesystems", "recovery", "digests", "decoders"}
    assert [row.name for row in rows if row.unavailable_because] == []
    names = [(row.registry, row.name) for row in rows]
    assert len(set(names)) == len(names)
