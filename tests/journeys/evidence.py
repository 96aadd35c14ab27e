"""Small neutral evidence for the journeys: generated pictures and texts on an ext4 image, made without root."""

from __future__ import annotations

import hashlib
import io
import random
import shutil
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """An image, what is on it by path (SHA-256), and two lists of known digests made from part of it."""

    image: Path
    files: dict[str, str]
    alert_list: Path
    good_list: Path
    alert_paths: frozenset[str]


def picture(seed: int, size: tuple[int, int] = (320, 240), form: str = "JPEG") -> bytes:
    """Return a generated landscape of smooth noise."""
    source = np.random.default_rng(seed)
    coarse = source.integers(0, 256, (8, 10, 3), dtype=np.uint8)
    image = Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    image.save(buffer, form, quality=85)
    return buffer.getvalue()


def text(seed: int, size: int) -> bytes:
    """Return invented words."""
    source = random.Random(seed)
    words = ("tarn", "lopel", "vindra", "osk", "mirul", "benta", "quor", "silde")
    return " ".join(source.choice(words) for _ in range(size // 5)).encode()[:size]


def archive(*seeds: int) -> bytes:
    """Return a ZIP of generated pictures."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for seed in seeds:
            packed.writestr(zipfile.ZipInfo(f"inside/picture-{seed}.jpg"), picture(seed))
    return buffer.getvalue()


def build(folder: Path, *, pictures: int = 40) -> Evidence:
    """Return fresh evidence in a folder; the test is skipped where e2fsprogs is absent."""
    maker = shutil.which("mke2fs") or shutil.which("mke2fs", path="/usr/sbin:/sbin")
    if maker is None:
        pytest.skip("mke2fs is absent (make system installs it)")
    contents = {f"DCIM/Camera/IMG_{number:04}.jpg": picture(number) for number in range(pictures)}
    contents |= {f"Documents/note-{number}.txt": text(number, 4000 + number) for number in range(30)}
    contents["Download/ചിത്രം-चित्र.png"] = picture(900, form="PNG")
    contents["Download/pictures.zip"] = archive(901, 902, 903)
    contents["Documents/nothing.txt"] = b""
    contents["Documents/not-a-picture.jpg"] = text(77, 900)
    contents["Download/damaged.jpg"] = picture(904)[:3000]
    tree = folder / "tree"
    for path, content in contents.items():
        target = tree / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    image = folder / "disk.dd"
    command = [maker, "-q", "-t", "ext4", "-d", str(tree), str(image), "24M"]
    subprocess.run(command, check=True, capture_output=True)
    shutil.rmtree(tree)
    known = {"DCIM/Camera/IMG_0003.jpg": contents["DCIM/Camera/IMG_0003.jpg"], "inside/picture-902.jpg": picture(902)}
    alert_list = folder / "alert.md5"
    lines = [f"{hashlib.md5(content).hexdigest()}  {path}" for path, content in known.items()]
    alert_list.write_text("\n".join([*lines, "d41d8cd98f00b204e9800998ecf8427e  empty"]) + "\n", encoding="utf-8")
    good_list = folder / "good.sha1"
    good = contents["Documents/note-7.txt"]
    good_list.write_text(f"{hashlib.sha1(good).hexdigest()}  note-7.txt\n", encoding="utf-8")
    digests = {path: hashlib.sha256(content).hexdigest() for path, content in contents.items()}
    return Evidence(
        image=image, files=digests, alert_list=alert_list, good_list=good_list, alert_paths=frozenset(known)
    )
