"""Reports: an examination folder as a document for a person to sign and another to check."""

from __future__ import annotations

from kaval.reports.contract import REPORTS, ReportFormat
from kaval.reports.writing import write_report

__all__ = ["REPORTS", "ReportFormat", "write_report"]
