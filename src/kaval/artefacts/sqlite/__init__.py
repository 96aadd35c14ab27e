"""SQLite databases read from their bytes: live rows, and rows that were deleted, overwritten or changed."""

from kaval.artefacts.sqlite.database import Database, open_bytes
from kaval.artefacts.sqlite.rows import RecoveredRow, RecoverySource, Row, Table, Value

__all__ = ["Database", "RecoveredRow", "RecoverySource", "Row", "Table", "Value", "open_bytes"]
