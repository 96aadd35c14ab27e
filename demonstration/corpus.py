"""The corpus: which files lie in which folders of each volume, chosen from a seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from demonstration.contents import Content, Mark, Package, Pattern, Picture, Still, Text
from demonstration.pictures import Form, Motif, Recipe

ORIGINALS = 24
"""Pictures that are known but lie on the disk in changed copies only."""

_ORIGINAL_SEED = 900_000
_COPIES = (
    {"shown": (640, 480), "quality": 70},
    {"quality": 45},
    {"shown": (480, 360), "form": Form.PNG},
    {"shown": (800, 600), "form": Form.WEBP, "quality": 60},
    {"shown": (320, 240), "form": Form.GIF},
    {"mirrored": True, "quality": 75},
    {"shown": (512, 384), "form": Form.BMP},
    {"shown": (320, 240), "form": Form.HEIC, "quality": 50},
)
_SIZES = ((640, 480), (1024, 768), (1024, 768), (800, 600), (1600, 1200), (320, 240))
_FORMS = (
    *[Form.JPEG] * 15, Form.PNG, Form.PNG, Form.WEBP, Form.WEBP, Form.GIF, Form.BMP, Form.TIFF, Form.HEIC,
)  # fmt: skip
_MALAYALAM = ("മഴ", "പുഴ", "കടൽത്തീരം", "മലനിരകൾ", "സന്ധ്യ", "നിലാവ്")
_HINDI = ("पहाड़", "नदी", "बारिश", "समुद्र", "क्षितिज", "चाँदनी")

MEDIA_FOLDERS = {
    "ntfs": (
        ("Users/User/Pictures/Camera Roll", "WIN_{stamp}_Pro"), ("Users/User/Desktop", "{word} {n}"),
        ("Users/User/Downloads", "{word}-{n}"), ("Users/User/Pictures/Saved Pictures", "{word} ({n})"),
        ("Users/User/AppData/Roaming/Telegram Desktop/Downloads", "photo_{n}_{stamp}"),
        ("$Recycle.Bin/S-1-5-21-1004336348-1177238915-682003330-1001", "$R{code}"),
    ),
    "fat32": (
        ("DCIM/Camera", "IMG_{stamp}"), ("DCIM/Camera", "IMG_{stamp}"), ("DCIM/100MEDIA", "IMAG{n:04}"),
        ("WhatsApp/Media/WhatsApp Images", "IMG-{day}-WA{n:04}"),
        ("WhatsApp/Media/WhatsApp Images/Sent", "IMG-{day}-WA{n:04}"),
        ("Download", "{word}_{n}"), ("Pictures/Screenshots", "Screenshot_{stamp}"),
    ),
    "exfat": (
        ("DCIM/101NILAV", "_MG_{n:04}"), ("മഴക്കാലം", "{word} {n}"), ("यात्रा/तस्वीरें", "{word} {n}"),
        ("Backup/Phone/DCIM/Camera", "IMG_{stamp}"), ("Backup/Signal", "signal-{stamp}"),
    ),
    "ext4": (
        ("media/0/DCIM/Camera", "PXL_{stamp}"), ("media/0/Telegram/Telegram Images", "{n}_{stamp}"),
        ("media/0/Download", "{word}-{n}"), ("home/user/Pictures", "{word} {n}"), ("home/user/Desktop", "{word} {n}"),
    ),
}  # fmt: skip
_DOCUMENT_FOLDERS = {
    "ntfs": ("Users/User/Documents", "Users/User/Desktop"),
    "fat32": ("Documents", "Download"),
    "exfat": ("Documents", "Backup"),
    "ext4": ("home/user/Documents", "media/0/Download"),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """One file of a volume."""

    path: str
    content: Content


def originals() -> list[Recipe]:
    """Return the pictures that are known by their appearance and are not on the disk themselves."""
    return [Recipe(seed=_ORIGINAL_SEED + number, size=(1024, 768)) for number in range(ORIGINALS)]


def items_of(file_system: str, seed: int, count: int) -> list[Item]:
    """Return the files of one volume; every path occurs once and every content is its own."""
    base = (seed * 100 + list(MEDIA_FOLDERS).index(file_system)) * 10_000
    chance = np.random.default_rng(base)
    contents = list(_contents(chance, file_system, base, count))
    found = []
    for number, content in enumerate(contents):
        folder, pattern = _place(chance, file_system, content)
        name = pattern.format(
            n=number, word=_word(chance), code=f"{number:06X}", day=_stamp(chance)[:8], stamp=_stamp(chance)
        )
        found.append(Item(path=f"{folder}/{name}.{_extension(content)}", content=content))
    return found


def _contents(chance: np.random.Generator, file_system: str, base: int, count: int) -> Iterator[Content]:
    """Yield marked pictures first, then documents, videos and archives, then pictures for the rest."""
    yield from _known(file_system, base, max(2, count // 25))
    for number in range(count // 12):
        yield Text(seed=base + 2000 + number, count=40 + 60 * number, mark=Mark.GOOD if number < 3 else None)
    for number in range(max(1, count // 40)):
        yield Pattern(seed=base + 3000 + number, seconds=3, extension=("mp4", "mov", "mkv", "avi")[number % 4])
    for number in range(max(4, count // 20)):
        form = ("zip", "docx", "pdf", "tar.gz")[number % 4]
        yield Package(form=form, seed=base + 4000 + number, members=tuple(_members(base, number, form)))
    done = 2 * max(2, count // 25) + 1 + count // 12 + max(1, count // 40) + max(4, count // 20)
    for number in range(max(0, count - done)):
        yield Picture(recipe=_recipe(chance, base + 5000 + number))


def _known(file_system: str, base: int, each: int) -> Iterator[Content]:
    """Yield pictures that are known exactly, then changed copies of known ones, then a video of one."""
    for number in range(each):
        yield Picture(recipe=Recipe(seed=base + 1000 + number, size=_SIZES[number % 4]), mark=Mark.EXACT)
    share = originals()[list(MEDIA_FOLDERS).index(file_system) :: len(MEDIA_FOLDERS)]
    for number in range(each):
        change = _COPIES[(number + base // 10_000) % len(_COPIES)]
        yield Picture(recipe=replace(share[number % len(share)], **change), mark=Mark.NEAR)
    yield Still(recipe=share[-1], extension="mp4", mark=Mark.NEAR)


def _members(base: int, number: int, form: str) -> Iterator[tuple[str, Picture]]:
    """Yield the pictures inside one archive or document; the first is a known one."""
    folder = {"zip": "pictures/", "tar.gz": "album/"}.get(form, "")
    for part in range(1 if form == "pdf" else 3):
        recipe = Recipe(seed=base + 6000 + 10 * number + part, size=(480, 360))
        yield f"{folder}image{part + 1}.jpg", Picture(recipe=recipe, mark=None if part else Mark.EXACT)


def _recipe(chance: np.random.Generator, seed: int) -> Recipe:
    form = _FORMS[int(chance.integers(len(_FORMS)))]
    size = _SIZES[int(chance.integers(len(_SIZES)))]
    motif = (Motif.LANDSCAPE, Motif.LANDSCAPE, Motif.LANDSCAPE, Motif.SHAPES, Motif.GRADIENT)[int(chance.integers(5))]
    if form is Form.HEIC:
        size, motif = (320, 240), Motif.SHAPES
    elif form in (Form.BMP, Form.TIFF, Form.PNG):
        size = (640, 480)
    taken = f"2024:10:{1 + seed % 27:02} {8 + seed % 11:02}:{seed % 60:02}:{seed * 7 % 60:02}" if seed % 3 else None
    return Recipe(seed=seed, motif=motif, size=size, form=form, quality=80 + seed % 15, taken_at=taken)


def _place(chance: np.random.Generator, file_system: str, content: Content) -> tuple[str, str]:
    if isinstance(content, Picture | Still | Pattern):
        folders = MEDIA_FOLDERS[file_system]
        return folders[int(chance.integers(len(folders)))]
    documents = _DOCUMENT_FOLDERS[file_system]
    return documents[int(chance.integers(len(documents)))], "{word} {n}"


def _word(chance: np.random.Generator) -> str:
    words = (*_MALAYALAM, *_HINDI, "talovin", "mirul", "bentaosk", "sildek", "nireshgol", "pauquo")
    return words[int(chance.integers(len(words)))]


def _stamp(chance: np.random.Generator) -> str:
    ends = ((9, 13), (1, 29), (7, 21), (0, 60), (0, 60))
    month, day, hour, minute, second = (int(chance.integers(low, high)) for low, high in ends)
    return f"2024{month:02}{day:02}_{hour:02}{minute:02}{second:02}"


def _extension(content: Content) -> str:
    match content:
        case Picture():
            return str(content.recipe.form)
        case Text():
            return "txt"
        case Package():
            return content.form
        case Pattern() | Still():
            return content.extension
