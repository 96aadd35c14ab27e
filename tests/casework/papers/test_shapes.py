"""What a paper may be told: every field, no other, of its kind; a refusal names the place and never a value."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from casework.lib.errors import RefusedError
from casework.papers.rules import Kind
from casework.papers.shapes import SHAPES, checked
from tests.casework.papers.values import OF_KIND


@pytest.mark.parametrize("kind", list(Kind))
def test_the_values_of_each_kind_are_taken_as_they_are(kind: Kind) -> None:
    assert checked(kind, OF_KIND[kind]) == OF_KIND[kind]


def test_every_kind_has_a_shape() -> None:
    assert set(SHAPES) == set(Kind) == set(OF_KIND)


@pytest.mark.parametrize("kind", list(Kind))
def test_a_missing_and_an_unknown_field_are_refused(kind: Kind) -> None:
    for name in OF_KIND[kind]:
        values = {key: value for key, value in OF_KIND[kind].items() if key != name}
        with pytest.raises(RefusedError, match=name):
            checked(kind, values)
    with pytest.raises(RefusedError, match="nickname"):
        checked(kind, {**OF_KIND[kind], "nickname": "Nila"})


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        (("lines", 0, "imei"), "4901", "lines"),
        (("lines", 0, "found_at"), "2026-11-24 10:00", "found_at"),
        (("lines", 0, "found_at"), "2026-11-24T10:00:00+05:30", "found_at"),
        (("lines", 0, "kind"), "Mobile Phone", "kind"),
        (("seized_at",), None, "seized_at"),
        (("witnesses", 1, "name"), 7, "witnesses"),
        (("day",), "", "day"),
        (("seized_place",), "Nila" * 3000, "seized_place"),
    ],
)
def test_a_fault_is_named_by_its_place_and_not_by_its_value(path: tuple[Any, ...], value: Any, place: str) -> None:
    values = copy.deepcopy(OF_KIND[Kind.SEIZURE_LIST])
    into: Any = values
    for step in path[:-1]:
        into = into[step]
    into[path[-1]] = value

    with pytest.raises(RefusedError) as refused:
        checked(Kind.SEIZURE_LIST, values)

    assert place in refused.value.reason
    assert "Nila" not in refused.value.reason
    assert str(value) not in refused.value.reason or value in (7, None, "")


def test_line_ends_of_a_browser_are_made_one_kind() -> None:
    values = {**OF_KIND[Kind.FORWARDING_NOTE], "history": "one\r\ntwo\tthree\rfour", "questions": ["a\r\nb"]}
    taken = checked(Kind.FORWARDING_NOTE, values)

    assert taken["history"] == "one\ntwo three\nfour"
    assert taken["questions"] == ["a\nb"]
