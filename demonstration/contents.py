"""Contents: what a file of the demonstration holds, as a recipe that gives the same bytes whenever it is followed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from demonstration import documents, pictures, recordings


class Kind(StrEnum):
    """What a file is to a reader; grammar: one noun."""

    PICTURE = "picture"
    VIDEO = "video"
    DOCUMENT = "document"
    ARCHIVE = "archive"


class Mark(StrEnum):
    """Why a known set should point to a picture or file; grammar: one adjective."""

    EXACT = "exact"
    NEAR = "near"
    GOOD = "known-good"


@dataclass(frozen=True, kw_only=True, slots=True)
class Picture:
    """One picture; ``mark`` says whether it, or the picture it was made from, is known."""

    recipe: pictures.Recipe
    mark: Mark | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Text:
    """Plain invented words."""

    seed: int
    count: int
    mark: Mark | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Pattern:
    """A video of a moving pattern."""

    seed: int
    seconds: int
    extension: str
    mark: None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Still:
    """A video that shows one picture."""

    recipe: pictures.Recipe
    extension: str
    mark: Mark | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Package:
    """An archive or document with pictures in it; ``form`` is zip, tar.gz, docx or pdf."""

    form: str
    seed: int
    members: tuple[tuple[str, Picture], ...]
    mark: None = None


Content = Picture | Text | Pattern | Still | Package


def kind_of(content: Content) -> Kind:
    """Return what a file with this content is."""
    match content:
        case Picture():
            return Kind.PICTURE
        case Pattern() | Still():
            return Kind.VIDEO
        case Package(form="zip" | "tar.gz"):
            return Kind.ARCHIVE
        case Package() | Text():
            return Kind.DOCUMENT


def produce(content: Content) -> bytes:
    """Return the bytes of a file."""
    match content:
        case Picture():
            return pictures.encode(content.recipe)
        case Text():
            return documents.text(content.seed, content.count)
        case Pattern():
            return recordings.pattern(content.seed, content.seconds, content.extension)
        case Still():
            return recordings.still(content.recipe, 3, content.extension)
        case Package():
            return _package(content)


def members_of(content: Content) -> dict[str, tuple[Picture, bytes]]:
    """Return the files inside a file: what each is, and its bytes."""
    if not isinstance(content, Package):
        return {}
    return {name: (picture, _encoded(picture.recipe)) for name, picture in content.members}


@lru_cache(maxsize=128)
def _encoded(recipe: pictures.Recipe) -> bytes:
    return pictures.encode(recipe)


def _package(package: Package) -> bytes:
    members = {name: _encoded(picture.recipe) for name, picture in package.members}
    match package.form:
        case "zip":
            return documents.zip_archive({**members, "inside/notes.txt": documents.text(package.seed, 200)})
        case "tar.gz":
            return documents.tar_archive({**members, "inside/notes.txt": documents.text(package.seed, 200)})
        case "docx":
            return documents.word_document(package.seed, members)
        case _:
            recipe = package.members[0][1].recipe
            return documents.pdf_document(package.seed, next(iter(members.values())), recipe.shown or recipe.size)
