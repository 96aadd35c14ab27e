"""The report as PDF: the same page, laid out for A4 with the exhibit and page numbers on every sheet."""

from __future__ import annotations

import hashlib
from typing import ClassVar

from kaval.reports.contract import REPORTS
from kaval.reports.fonts import font_remark
from kaval.reports.gathering import Facts
from kaval.reports.html import render_page


@REPORTS.register
class PdfReport:
    """Pages to be printed and signed."""

    name: ClassVar[str] = "pdf"
    title: ClassVar[str] = "Report as PDF (A4)"
    rank: ClassVar[int] = 20
    requires: ClassVar[tuple[str, ...]] = ("weasyprint", "jinja2")
    suffix: ClassVar[str] = "pdf"

    def render(self, facts: Facts) -> bytes:
        """Return the document; its dates are those of the examination, its identifier comes from its content."""
        import weasyprint
        from weasyprint.urls import URLFetcher

        page = render_page(facts)
        remark = font_remark(page)
        if remark:
            page = render_page(facts, remark)
        fetcher = URLFetcher(allowed_protocols=("data",), fail_on_errors=True)
        identifier = hashlib.sha256(page.encode("utf-8", "replace")).digest()[:16]
        document = weasyprint.HTML(string=page, url_fetcher=fetcher)
        content: bytes = document.write_pdf(pdf_identifier=identifier, pdf_tags=True)
        return content
