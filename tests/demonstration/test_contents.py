"""The contents: the same recipe gives the same bytes, every form opens, copies look alike and strangers do not."""

from __future__ import annotations

import io
import itertools
import tarfile
import zipfile
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from demonstration.contents import Kind, Mark, Package, Pattern, Picture, Still, kind_of, members_of, produce
from demonstration.corpus import MEDIA_FOLDERS, items_of, originals
from demonstration.pictures import Form, Motif, Recipe, encode, paint
from kaval.media.pdq import pdq_of_rgb


def _opened(content: bytes) -> Image.Image:
    import pillow_heif

    if content[4:8] == b"ftyp":
        return pillow_heif.open_heif(io.BytesIO(content)).to_pillow()
    picture = Image.open(io.BytesIO(content))
    picture.load()
    return picture


def _pdq(picture: Image.Image) -> tuple[tuple[bytes, ...], int]:
    found = pdq_of_rgb(np.asarray(picture.convert("RGB")))
    return found.hashes, found.quality


def _distance(one: bytes, other: bytes) -> int:
    return (int.from_bytes(one) ^ int.from_bytes(other)).bit_count()


@pytest.mark.parametrize("form", list(Form))
def test_every_form_opens_and_comes_out_the_same_twice(form: Form) -> None:
    recipe = Recipe(seed=5, motif=Motif.SHAPES, size=(160, 120), form=form)

    content = encode(recipe)
    assert _opened(content).size == (160, 120)
    assert encode(recipe) == content
    assert encode(replace(recipe, seed=6)) != content


def test_a_camera_picture_tells_when_and_where() -> None:
    exif = Image.open(io.BytesIO(encode(Recipe(seed=1, size=(64, 48), taken_at="2024:10:02 11:12:13")))).getexif()

    assert exif[0x0110] == "N-1"
    assert exif.get_ifd(0x8769)[0x9003] == "2024:10:02 11:12:13"
    assert exif.get_ifd(0x8825)[2] == (9.0, 30.0, 0.0)


def test_changed_copies_look_like_their_original_and_strangers_do_not() -> None:
    known = {recipe.seed: _pdq(paint(recipe))[0][0] for recipe in originals()}
    copies = [
        item.content
        for name in MEDIA_FOLDERS
        for item in items_of(name, 1, 165)
        if isinstance(item.content, Picture) and item.content.mark is Mark.NEAR
    ]
    assert len(copies) >= 20
    for copy in copies:
        hashes, quality = _pdq(_opened(produce(copy)))
        assert quality >= 50
        assert min(_distance(turned, known[copy.recipe.seed]) for turned in hashes) <= 31
    assert min(_distance(one, other) for one, other in itertools.combinations(known.values(), 2)) > 60


def test_archives_and_documents_hold_their_pictures_byte_for_byte() -> None:
    from pypdf import PdfReader

    member = Picture(recipe=Recipe(seed=9, size=(96, 64)), mark=Mark.EXACT)
    packages = {
        form: Package(form=form, seed=3, members=(("image1.jpg", member),)) for form in ("zip", "tar.gz", "docx", "pdf")
    }
    contents = {form: produce(package) for form, package in packages.items()}

    picture = encode(member.recipe)
    assert members_of(packages["zip"]) == {"image1.jpg": (member, picture)}
    assert zipfile.ZipFile(io.BytesIO(contents["zip"])).read("image1.jpg") == picture
    assert zipfile.ZipFile(io.BytesIO(contents["docx"])).read("word/media/image1.jpg") == picture
    with tarfile.open(fileobj=io.BytesIO(contents["tar.gz"])) as archive:
        inside = archive.extractfile("image1.jpg")
        assert inside is not None
        assert inside.read() == picture
    page = PdfReader(io.BytesIO(contents["pdf"])).pages[0]
    assert [image.image.size for image in page.images if image.image] == [(96, 64)]
    assert picture in contents["pdf"]
    assert {form: produce(package) for form, package in packages.items()} == contents


def _frames(content: bytes) -> list[Image.Image]:
    import av

    with av.open(io.BytesIO(content), "r") as container:
        return [Image.fromarray(frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]


@pytest.mark.parametrize("extension", ["mp4", "mov", "mkv", "avi"])
def test_videos_play_and_come_out_the_same_twice(extension: str) -> None:
    content = produce(Pattern(seed=4, seconds=1, extension=extension))
    assert len(_frames(content)) == 12
    assert produce(Pattern(seed=4, seconds=1, extension=extension)) == content


def test_a_still_shows_the_picture_it_was_made_from() -> None:
    recipe = originals()[0]
    frame = _frames(produce(Still(recipe=recipe, extension="mp4")))[0]

    assert _distance(_pdq(frame)[0][0], _pdq(paint(recipe))[0][0]) <= 31


@pytest.mark.parametrize("file_system", list(MEDIA_FOLDERS))
def test_a_volume_has_files_of_every_kind_at_paths_of_their_own(file_system: str) -> None:
    items = items_of(file_system, 1, 165)

    assert len(items) == 165
    assert len({item.path for item in items}) == 165
    assert len({item.content for item in items}) == 165
    assert {kind_of(item.content) for item in items} == set(Kind)
    assert {item.content.mark for item in items} == {None, *Mark}
    assert any(ord(letter) in range(0x0D00, 0x0D80) for item in items for letter in item.path)
    assert any(ord(letter) in range(0x0900, 0x0980) for item in items for letter in item.path)
    assert items == items_of(file_system, 1, 165)
    assert items != items_of(file_system, 2, 165)
