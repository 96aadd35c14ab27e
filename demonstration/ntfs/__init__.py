"""NTFS: a writer of volumes with a history."""

from __future__ import annotations

from demonstration.ntfs.writer import NtfsWriter

__all__ = ["NtfsWriter"]
