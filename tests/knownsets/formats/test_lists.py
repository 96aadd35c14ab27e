"""Lists and tables: every line is a value, a remark, or counted as neither."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kaval.core.errors import (
    CorruptStructureError,
    LimitExceededError,
    NotRecognisedError,
    UnsupportedError,
    UsageError,
)
from kaval.knownsets import sources
from kaval.knownsets.formats import Reading, recognise
from tests.knownsets.making import MD5, SHA1, read, skipped_of, statements_of, values_of

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=12)
WIDTHS = {"md5": 16, "sha1": 20, "sha256": 32}


@settings(max_examples=80, deadline=None)
@given(
    lines=st.lists(
        st.tuples(
            st.sampled_from(["md5", "sha1", "sha256"]),
            st.integers(0, 1 << 20),
            st.sampled_from(["bare", "upper", "text", "binary", "escaped", "bsd", "tab"]),
            NAMES,
        ),
        min_size=1,
        max_size=40,
    ),
    end=st.sampled_from(["\n", "\r\n"]),
    block=st.sampled_from([70, 1 << 20]),
)
def test_every_shape_of_line_is_read(
    lines: list[tuple[str, int, str, str]], end: str, block: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("list") / "x"
    truth: dict[str, list[bytes]] = {}
    text = "\ufeff# remark" + end + end
    for algorithm, seed, shape, name in lines:
        value = hashlib.shake_128(b"%d" % seed).digest(WIDTHS[algorithm])
        truth.setdefault(algorithm, []).append(value)
        digits = value.hex().upper() if shape == "upper" else value.hex()
        text += {
            "bare": digits, "upper": digits, "text": f"{digits}  {name}", "binary": f"{digits} *{name}",
            "escaped": f"\\{digits}  a\\nb", "bsd": f"{algorithm.upper()} ({name}) = {digits}",
            "tab": f"{digits}\t{name}",
        }[shape] + end  # fmt: skip
    path.write_text(text, encoding="utf-8", newline="")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sources, "BLOCK_SIZE", block)
        known = recognise(path)
        assert known.name == "digest-list"
        found = values_of(list(known.read(Reading(path=path, hex64="sha256"))))
    assert {name: sorted(values) for name, values in found.items()} == {
        name: sorted(values) for name, values in truth.items()
    }


def test_a_line_that_is_none_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("".join(f"{value}\n" for value in list(MD5.values()) * 10) + "tarn\n", encoding="utf-8")

    assert skipped_of(read(path)) == {"line without a digest": 1}


def test_hashes_that_look_like_pdq_are_not_taken_for_digests(tmp_path: Path) -> None:
    source = np.random.default_rng(1)
    rows = [np.packbits(source.permutation(256) < 128).tobytes().hex() for _ in range(20)]
    path = tmp_path / "x"
    for text in ("".join(f"{row}\n" for row in rows), "name,hash\n" + "".join(f"a,{row}\n" for row in rows)):
        path.write_text(text)
        with pytest.raises(UsageError, match="--values pdq"):
            read(path)
        assert len(values_of(read(path, hex64="pdq"))["pdq"]) == 20
        assert len(values_of(read(path, hex64="sha256"))["sha256"]) == 20
    path.write_text("".join(f"{hashlib.sha256(b'%d' % number).hexdigest()}\n" for number in range(20)))
    assert len(values_of(read(path))["sha256"]) == 20


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_columns_of_a_table_are_known_by_what_is_in_them(separator: str, tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    rows = [["File", "Weight", "Digest", "Also", "Category", "Series"]]
    rows += [[name, "7", MD5[name].upper(), SHA1[name], "2", 'o"sk'] for name in MD5]
    rows += [["empty", "0", "", "", "", ""]]
    lines = [separator.join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows]
    path.write_text("\ufeff" + "\r\n".join(lines) + "\r\n", encoding="utf-8", newline="")
    batches = read(path)

    assert {name: len(values) for name, values in values_of(batches).items()} == {"md5": 3, "sha1": 3}
    first = next(statements_of(path, batches))
    assert (first.category, first.notes, first.values["sha1"]) == ("2", {"series": 'o"sk'}, SHA1["tarn.txt"])
    assert skipped_of(batches) == {"row without a digest": 1}
    assert batches[0].remarks == ("columns read: Digest as md5, Also as sha1",)


def test_a_row_over_several_lines_is_one_and_open_quotes_are_damage(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    body = "".join(f'"two\nlines",{value}\n' for value in MD5.values())
    path.write_text("comment,md5\n" + body)
    assert len(values_of(read(path))["md5"]) == 3

    path.write_text("comment,md5\n" + body + f'"open,{MD5["osk.txt"]}')
    with pytest.raises((CorruptStructureError, NotRecognisedError)):
        read(path)


def test_an_archive_with_one_list_is_read_and_others_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("folder/", "")
        archive.writestr("folder/list.md5", "".join(f"{value}\n" for value in MD5.values()))
    assert len(values_of(read(path))["md5"]) == 3

    monkeypatch.setattr(sources, "LARGEST_RATIO", 0)
    with pytest.raises(LimitExceededError):
        read(path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("second", "x")
    with pytest.raises(UnsupportedError, match="2 files"):
        read(path)
