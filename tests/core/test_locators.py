"""Locators survive the round trip, whatever the exhibit and the addresses hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kaval.core.errors import LocatorError
from kaval.core.locators import Locator


@given(st.text(min_size=1), st.lists(st.tuples(st.sampled_from(["raw", "gpt", "ntfs", "zip"]), st.text()), max_size=5))
def test_a_locator_reads_back_as_it_was_written(exhibit: str, steps: list[tuple[str, str]]) -> None:
    locator = Locator(exhibit)
    for layer, address in steps:
        locator = locator.to(layer, address)

    assert Locator.parse(str(locator)) == locator
    assert not set(str(locator)) & set(" '\"\\;&|<>$`*?!()[]{}#\n\t")


def test_malayalam_letters_stay_readable() -> None:
    assert str(Locator("മഹ 12/2026").to("folder", "ചിത്രം.jpg")) == "മഹ%2012%2F2026/folder:ചിത്രം.jpg"


@pytest.mark.parametrize("text", ["", "/raw", "EX-1//raw", "EX-1/ra w"])
def test_a_text_that_is_no_locator_is_refused(text: str) -> None:
    with pytest.raises(LocatorError):
        Locator.parse(text)
