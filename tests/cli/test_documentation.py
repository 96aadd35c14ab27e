"""The reference says what the code says."""

from __future__ import annotations

from pathlib import Path

import pytest

from kaval.cli.documentation import PAGES

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_up_to_date(name: str) -> None:
    page = (REFERENCE / name).read_text(encoding="utf-8")

    assert page == PAGES[name](), "run: python -m kaval.cli.documentation docs/reference"
