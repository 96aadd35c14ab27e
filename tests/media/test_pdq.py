"""PDQ: the official vectors, and pdqhash as the oracle on the same pixels."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from kaval.media.pdq import Pixels, pdq_of_luma, pdq_of_rgb
from tests.media.oracle import pdqhash
from tests.media.scenes import landscape, shapes
from tests.testdata import shared


def packed(bits: NDArray[np.int64]) -> bytes:
    return np.packbits(bits.astype(np.uint8)).tobytes()


def by_pdqhash(pixels: Pixels) -> tuple[bytes, int]:
    bits, quality = pdqhash().compute(np.ascontiguousarray(pixels))
    return packed(bits), quality


@pytest.mark.parametrize(
    ("width", "height"),
    [
        (5, 5),
        (31, 200),
        (63, 64),
        (64, 64),
        (64, 65),
        (65, 64),
        (97, 131),
        (128, 129),
        (333, 250),
        (640, 481),
        (1203, 799),
    ],
)
def test_the_same_pixels_give_the_bits_and_quality_of_pdqhash(width: int, height: int) -> None:
    for seed in range(3):
        scene = landscape(width, height, seed)
        hashed = pdq_of_rgb(scene)

        assert (hashed.hashes[0], hashed.quality) == by_pdqhash(scene)


@pytest.mark.parametrize(("width", "height"), [(40, 90), (64, 64), (100, 100), (320, 240), (401, 299), (1024, 768)])
def test_regular_pictures_give_the_bits_of_pdqhash_though_rounding_decides_them(width: int, height: int) -> None:
    for name, pixels in shapes(width, height).items():
        hashed = pdq_of_rgb(pixels)

        assert (hashed.hashes[0], hashed.quality) == by_pdqhash(pixels), name


def test_the_eight_orientations_are_those_of_pdqhash() -> None:
    scene = landscape(500, 300)
    expected, _ = pdqhash().compute_dihedral(scene)

    assert pdq_of_rgb(scene).hashes == tuple(packed(bits) for bits in expected)


def test_grey_pixels_give_the_same_hash_as_one_plane_and_as_three() -> None:
    grey = landscape(400, 300)[:, :, 0]

    assert pdq_of_luma(grey) == pdq_of_rgb(np.repeat(grey[:, :, np.newaxis], 3, axis=2))


def test_a_plane_that_is_a_view_is_hashed_like_its_copy() -> None:
    scene = landscape(300, 200)
    turned = scene[:, :, 1].T

    assert pdq_of_luma(turned) == pdq_of_luma(np.ascontiguousarray(turned))


def test_blank_and_tiny_pictures_have_quality_0() -> None:
    assert pdq_of_luma(np.full((600, 800), 255, dtype=np.uint8)).quality == 0
    assert pdq_of_luma(np.zeros((4, 4000), dtype=np.uint8)) == pdq_of_luma(np.zeros((4000, 4), dtype=np.uint8))
    assert pdq_of_luma(np.zeros((4, 4000), dtype=np.uint8)).hashes == (bytes(32),) * 8


def test_the_official_vectors_come_out_exactly() -> None:
    folder = shared("formats/pdq")
    with (folder / "pdq_expected.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["file"].startswith("bridge-mods/")]
    assert len(rows) == 12
    for row in rows:
        with Image.open(folder / row["file"]) as picture:
            hashed = pdq_of_rgb(np.asarray(picture.convert("RGB")))

        assert hashed.hashes[0].hex() == row["official_python_threatexchange"]
        assert hashed.quality == int(row["quality"])
