"""The SQLite Forensic Corpus (Nemetz, Schmitt, Freiling; CC0) and its answer keys, where they lie beside us."""

from __future__ import annotations

from pathlib import Path

from tests.testdata import shared

CORPUS = "engine/sqlite-forensic-corpus"


def databases(category: str) -> list[Path]:
    """Return the databases of a category, or skip the test."""
    return sorted(path for path in shared(f"{CORPUS}/{category}").iterdir() if path.suffix == ".db")
