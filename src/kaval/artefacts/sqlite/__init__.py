"""SQLite databases read from their bytes: live rows, and rows that were deleted, overwritten or changed."""

from kaval.artefacts.sqlite.database import Database, open_bytes
from kaval.artefacts.sqlite.rows import RecoveredRow, RecoverySource, Row, Table, Value
from kaval.artefacts.sqlite.unallocated_pages import UnallocatedPage, UnallocatedPages

__all__ = [
    "Database", "RecoveredRow", "RecoverySource", "Row", "Table", "UnallocatedPage", "UnallocatedPages", "Value",
    "open_bytes",
]  # fmt: skip
