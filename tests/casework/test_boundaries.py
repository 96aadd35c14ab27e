"""Between contexts there is one door: another context is imported through its api, and lib through its modules."""

from __future__ import annotations

import ast
from pathlib import Path

import casework

HOUSE = Path(casework.__file__).parent
# The doors of Django itself: addresses are included by name, settings name applications.
CONTEXTS = sorted(path.name for path in HOUSE.iterdir() if (path / "__init__.py").exists() and path.name != "lib")


def imported(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return {name for name in names if name.startswith("casework.")}


def test_contexts_know_one_another_by_their_api_only() -> None:
    wrong = []
    for context in CONTEXTS:
        for path in (HOUSE / context).rglob("*.py"):
            for name in imported(path):
                _, other, door, *_ = [*name.split("."), ""]
                if other not in ("lib", context) and door != "api":
                    wrong.append(f"{path.relative_to(HOUSE)} imports {name}")

    assert CONTEXTS
    assert wrong == []


def test_every_context_with_tables_says_what_it_is_and_has_its_rules_apart() -> None:
    for context in CONTEXTS:
        folder = HOUSE / context
        assert (folder / "README.md").exists(), context
        if (folder / "api.py").exists():
            assert (folder / "rules.py").exists(), context
            assert "__all__" in (folder / "api.py").read_text(encoding="utf-8"), context


def test_rules_need_no_database() -> None:
    for path in HOUSE.rglob("rules.py"):
        text = path.read_text(encoding="utf-8")
        assert "django" not in text, path


def test_every_table_says_whether_it_holds_personal_data() -> None:
    silent = []
    for path in HOUSE.rglob("models.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            is_table = isinstance(node, ast.ClassDef) and any(
                "Record" in ast.dump(b) or "LawRow" in ast.dump(b) or "Model" in ast.dump(b) for b in node.bases
            )
            if is_table and isinstance(node, ast.ClassDef) and "abstract = True" not in ast.unparse(node):
                doc = ast.get_docstring(node) or ""
                if ".. pii:" not in doc and ".. no_pii:" not in doc:
                    silent.append(f"{path.parent.name}.{node.name}")

    assert silent == []
