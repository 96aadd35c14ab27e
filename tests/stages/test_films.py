"""Films are carved whole whose index lies elsewhere, and told as broken where nothing proves which index is theirs."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from kaval.core.keys import Keyring
from kaval.examination import Request, examine
from kaval.folder.segments import UnitRecord
from kaval.folder.views import open_folder
from kaval.stages.films import FilmUnit, film_units
from kaval.stages.plan import Plan
from kaval.stages.verification import verify_source
from tests.recovery.samples import picture
from tests.recovery.test_films import CLUSTER, film, noise, parted

SPLIT = film(1)
APART = film(2, form="mov")
LONE = film(3)
PLACE = len(parted(SPLIT)[0]) // 3 // CLUSTER * CLUSTER


def _padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % CLUSTER)


@pytest.fixture(name="folder", scope="module")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("films")
    between = picture("PNG", 3, (120, 90))
    data, index = parted(APART)
    parts = [
        noise(2), bytes(700) + index, SPLIT[:PLACE], between, SPLIT[PLACE:], noise(3, 1), data, noise(2, 3),
        parted(LONE)[0], noise(4, 4),
    ]  # fmt: skip
    (place / "disk.dd").write_bytes(b"".join(_padded(part) for part in parts))
    plan = Plan(exhibit="MO-7", source_name="disk.dd", media=False, thumbnails=False, strict=True)
    request = Request(source=place / "disk.dd", folder=place / "out", plan=plan, authority="A", operator="Inga")
    with ThreadPoolExecutor(1) as executor:
        examine(request, executor=executor)
    return place / "out"


def _films(folder: Path) -> dict[bytes, tuple[Any, ...]]:
    _, connection = open_folder(folder)
    rows = connection.execute(
        "SELECT sha256, content, recovered_by, len(extents), name FROM entries "
        "WHERE recovered_by LIKE 'carve-isobmff%' ORDER BY entry_id"
    ).fetchall()
    return {bytes(row[0]) if isinstance(row[0], bytes) else bytes.fromhex(row[0]): row[1:4] for row in rows}


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def test_films_whose_index_lies_elsewhere_come_back_whole(folder: Path) -> None:
    films = _films(folder)

    assert films[_digest(SPLIT)] == ("assumed", "carve-isobmff, pieces joined", 2)
    assert films[_digest(APART)] == ("assumed", "carve-isobmff, pieces joined", 2)
    assert len(films) == 3


def test_a_film_without_any_index_is_told_as_broken(folder: Path) -> None:
    _, connection = open_folder(folder)
    notices = connection.execute("SELECT message FROM notices WHERE code = 'carved-in-part'").fetchall()

    assert _films(folder)[_digest(parted(LONE)[0])][:2] == ("partial", "carve-isobmff")
    assert [message for (message,) in notices if "its index is missing" in message]


def test_joined_films_open_again_from_their_locators(folder: Path) -> None:
    checks = list(verify_source(folder, folder.parent / "disk.dd", Keyring(), everything=True))

    assert [check for check in checks if check.passed is not True] == []
    assert sum("," in check.what for check in checks) == 2


def test_indexes_are_looked_for_only_where_a_film_lacks_one() -> None:
    void = UnitRecord(unit="void-000000", segments=(), counts={}, facts={"source": "MO-7/raw", "layer": "carve"})
    whole = {"position": 0, "carver": "carve-isobmff", "certainty": "complete", "size": 9}
    broken = {**whole, "position": 20, "certainty": "damaged"}

    assert list(film_units(void, [whole], {})) == []
    (unit,) = film_units(void, [broken, whole], {})
    assert isinstance(unit, FilmUnit)
    assert (unit.films, unit.whole) == ((broken,), ((0, 9),))
    assert (
        list(
            film_units(
                UnitRecord(unit="v", segments=(), counts={}, facts={**void.facts, "layer": "slack"}), [broken], {}
            )
        )
        == []
    )
