"""The contract of a report format, and the registry of them."""

from __future__ import annotations

from typing import ClassVar, Protocol

from kaval.core.contracts import Capability
from kaval.core.registry import Registry
from kaval.reports.gathering import Facts


class ReportFormat(Capability, Protocol):
    """Turns the facts of one examination into one file called ``report.SUFFIX``."""

    suffix: ClassVar[str]

    def render(self, facts: Facts) -> bytes:
        """Return the whole file; the same facts give the same bytes."""
        ...


REPORTS: Registry[ReportFormat] = Registry("kaval.reports")
