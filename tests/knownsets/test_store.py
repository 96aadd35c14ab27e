"""The store: versions are whole or absent, whatever dies and whoever reads."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from kaval.core.errors import CorruptStructureError, UsageError
from kaval.knownsets import Role, SetInfo, building, importing
from kaval.knownsets.building import Builder
from kaval.knownsets.importing import ImportStoppedError, Order, Progress
from kaval.knownsets.store import Description, Store, default_store

LIST = Description(name="tarn list", role=Role.ALERT, owner="Lopel", legal_basis="Order 7", received_on="2026-01-02")


def digests(first: int, count: int) -> list[bytes]:
    return [hashlib.sha1(b"%d" % number).digest() for number in range(first, first + count)]


def listed(path: Path, values: list[bytes]) -> Path:
    path.write_text("".join(f"{value.hex()}\n" for value in values), encoding="utf-8")
    return path


def imported(store: Store, path: Path, description: Description = LIST) -> SetInfo:
    return store.import_set(Order(paths=(path,), role=description.role), description)


def truth(store: Store, values: list[bytes]) -> list[bool]:
    return [bool(matches) for matches in store.open("tarn list").exact("sha1", values)]


def test_what_a_person_says_of_a_set_stands_in_it(tmp_path: Path) -> None:
    store = Store(tmp_path / "sets")
    path = listed(tmp_path / "a.txt", digests(0, 5))
    info = imported(store, path)

    assert store.names() == ["tarn list"]
    assert store.info("tarn list") == info
    assert (info.owner, info.legal_basis, info.received_on, info.number) == ("Lopel", "Order 7", "2026-01-02", 1)
    assert info.version == hashlib.sha256(path.read_bytes()).hexdigest()
    assert store.record("tarn list")["entries"] == 5
    assert truth(store, digests(0, 7)) == [True] * 5 + [False] * 2


def test_the_same_file_is_imported_once_and_another_becomes_the_next_version(tmp_path: Path) -> None:
    store = Store(tmp_path / "sets")
    first = imported(store, listed(tmp_path / "a.txt", digests(0, 5)))
    again = imported(store, tmp_path / "a.txt")
    second = imported(store, listed(tmp_path / "b.txt", digests(2, 5)))

    assert again == first
    assert (second.number, store.numbers("tarn list"), store.current("tarn list")) == (2, [1, 2], 2)
    assert truth(store, digests(0, 7)) == [False] * 2 + [True] * 5
    assert store.open("tarn list", 1).info.version == first.version
    assert imported(store, tmp_path / "a.txt") == first
    assert (store.current("tarn list"), store.numbers("tarn list")) == (1, [1, 2])


def test_an_open_version_is_not_dropped_and_answers_on(tmp_path: Path) -> None:
    store = Store(tmp_path / "sets")
    imported(store, listed(tmp_path / "a.txt", digests(0, 5)))
    held = store.open("tarn list")
    imported(store, listed(tmp_path / "b.txt", digests(9, 5)))

    with pytest.raises(UsageError, match="open"):
        store.drop("tarn list", 1)
    with pytest.raises(UsageError, match="the one that answers"):
        store.drop("tarn list", 2)
    assert held.exact("sha1", digests(0, 1))[0]
    del held
    store.drop("tarn list", 1)
    assert store.numbers("tarn list") == [2]
    store.drop("tarn list")
    assert store.names() == []
    with pytest.raises(UsageError, match="no known set"):
        store.open("tarn list")


@pytest.mark.parametrize("name", ["", ".", "..", "x" * 200, "  "])
def test_a_name_that_is_none_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="name"):
        imported(
            Store(tmp_path / "sets"), listed(tmp_path / "a.txt", digests(0, 2)), Description(name=name, role=Role.ALERT)
        )


@pytest.mark.parametrize("name", ["../../out", "a/b", "തടം ഓസ്ക്", "a b\tc", "-rf"])
def test_any_other_name_stays_inside_the_store(name: str, tmp_path: Path) -> None:
    store = Store(tmp_path / "sets")
    imported(store, listed(tmp_path / "a.txt", digests(0, 2)), Description(name=name, role=Role.ALERT))

    assert store.names() == [name]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "sets"]


def test_a_file_cut_off_leaves_the_store_as_it_was(tmp_path: Path) -> None:
    store = Store(tmp_path / "sets")
    imported(store, listed(tmp_path / "a.txt", digests(0, 5)))
    cut = listed(tmp_path / "b.txt", digests(9, 5)).read_text()[:-20]
    (tmp_path / "b.txt").write_text(cut)

    with pytest.raises(CorruptStructureError) as told:
        imported(store, tmp_path / "b.txt")
    assert told.value.offset == 4 * 41
    assert store.numbers("tarn list") == [1]
    assert list((store.root / "work").iterdir()) == []


def test_progress_is_told(tmp_path: Path) -> None:
    told: list[Progress] = []
    path = listed(tmp_path / "a.txt", digests(0, 50))
    Store(tmp_path / "sets").import_set(Order(paths=(path,), role=Role.ALERT), LIST, report=told.append)

    assert [progress.stage for progress in told] == ["reading", "sorting"]
    assert (told[0].done, told[0].total, told[0].entries) == (50 * 41, 50 * 41, 50)


def test_where_the_store_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KAVAL_SETS", str(tmp_path / "here"))
    assert default_store() == tmp_path / "here"
    monkeypatch.delenv("KAVAL_SETS")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "share"))
    assert default_store() == tmp_path / "share" / "kaval" / "sets"


READER = """
    import hashlib, json, sys, time
    from pathlib import Path
    from kaval.knownsets.store import Store
    store, until = Store(Path(sys.argv[1])), Path(sys.argv[2])
    seen, asked = set(), 0
    values = [hashlib.sha1(b"%d" % number).digest() for number in range(400)]
    print("ready", flush=True)
    while not until.exists():
        known = store.open("tarn list")
        number = known.info.number
        expected = [number <= place < number + 200 for place in range(400)]
        for _ in range(3):
            found = [bool(matches) for matches in known.exact("sha1", values)]
            assert found == expected, (number, found)
        assert [bool(known.exact("sha1", [value])[0]) for value in values[:5]] == expected[:5]
        seen.add(number)
        asked += 1
    print(json.dumps([sorted(seen), asked]))
"""


def test_four_readers_never_get_a_wrong_answer_while_versions_are_swapped_and_dropped(tmp_path: Path) -> None:
    store = Store(tmp_path / "sets")
    imported(store, listed(tmp_path / "list-1.txt", digests(1, 200)))
    done = tmp_path / "done"
    command = [sys.executable, "-c", textwrap.dedent(READER), str(store.root), str(done)]
    readers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    try:
        assert [reader.stdout.readline() for reader in readers if reader.stdout] == ["ready\n"] * 4
        for number in range(2, 14):
            imported(store, listed(tmp_path / f"list-{number}.txt", digests(number, 200)))
            for old in store.numbers("tarn list")[:-2]:
                try:
                    store.drop("tarn list", old)
                except UsageError:
                    continue
    finally:
        done.touch()
        told = [reader.communicate(timeout=60)[0] for reader in readers]
    assert [reader.returncode for reader in readers] == [0] * 4
    seen = {number for text in told for number in json.loads(text)[0]}
    assert len(seen) > 1
    assert store.current("tarn list") == 13


KILLED = """
    import os, signal, sys
    from pathlib import Path
    from kaval.knownsets import Role, building, importing, store, sorting
    from kaval.knownsets.importing import Order
    from kaval.knownsets.store import Description, Store

    root, path, place, count = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4])
    importing._CHECKPOINT_SIZE = 4096
    from kaval.knownsets import sources
    sources.BLOCK_SIZE = 2048
    calls = 0

    def deadly(function, before):
        def call(*args, **kwargs):
            global calls
            calls += 1
            if before and calls == count:
                os.kill(os.getpid(), signal.SIGKILL)
            answer = function(*args, **kwargs)
            if not before and calls == count:
                os.kill(os.getpid(), signal.SIGKILL)
            return answer
        return call

    owner, name, when = place.split(":")
    owners = {"builder": building.Builder, "store": store.Store, "building": building,
              "checkpoint": importing.Checkpoint, "storemodule": store}
    setattr(owners[owner], name, deadly(getattr(owners[owner], name), when == "before"))
    description = Description(name="tarn list", role=Role.ALERT)
    Store(root).import_set(Order(paths=(path,), role=Role.ALERT), description)
"""

PLACES = [
    ("builder:add:before", 1), ("builder:add:after", 9), ("checkpoint:place:after", 1), ("checkpoint:place:before", 2),
    ("builder:finish:before", 1), ("building:write_table:after", 1), ("builder:finish:after", 1),
    ("storemodule:seal:before", 1), ("storemodule:seal:after", 1), ("store:_swap:before", 1),
]  # fmt: skip


@pytest.mark.parametrize(("place", "count"), PLACES)
def test_a_killed_import_leaves_the_old_version_and_is_taken_up_or_cleared_away(
    place: str, count: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(tmp_path / "sets")
    alert = Description(name="tarn list", role=Role.ALERT)
    imported(store, listed(tmp_path / "a.txt", digests(0, 300)), alert)
    path = listed(tmp_path / "b.txt", digests(200, 600))
    ran = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(KILLED), str(store.root), str(path), place, str(count)],
        check=False, capture_output=True,
    )  # fmt: skip

    assert ran.returncode == -signal.SIGKILL, ran.stderr.decode()
    assert store.current("tarn list") == 1
    assert truth(store, digests(0, 301)) == [True] * 300 + [False]
    interrupted = list(store.interrupted())
    assert [asked["name"] for _, asked in interrupted] == ["tarn list"] * len(interrupted)

    begun: list[tuple[int, int]] = []
    taken_up = importing._taken_up

    def noting(*args: Any) -> tuple[Builder, tuple[int, int]]:
        builder, start = taken_up(*args)
        begun.append(start)
        return builder, start

    monkeypatch.setattr(importing, "_taken_up", noting)
    info = imported(store, path, alert)
    assert (info.number, store.numbers("tarn list")) == (2, [1, 2])
    assert truth(store, digests(199, 603)) == [False] + [True] * 600 + [False] * 2
    assert begun[0][1] == (interrupted[0][1]["position"] if interrupted else 0)
    assert list((store.root / "work").iterdir()) == []
    whole = Store(tmp_path / "other")
    undisturbed = imported(whole, path, alert)
    for name in ("sha1.values", "sha1.buckets"):
        one, other = (Path(str(place)) / name for place in (info.stored_in, undisturbed.stored_in))
        assert one.read_bytes() == other.read_bytes()


def test_what_a_killed_import_left_is_cleared_away_at_the_next_start(tmp_path: Path) -> None:
    store = Store(tmp_path / "sets")
    imported(store, listed(tmp_path / "a.txt", digests(0, 30)))
    left = store.root / "work" / "import-xyz"
    left.mkdir(parents=True)
    (left / "sha1.unsorted").write_bytes(b"x")
    half = store.version_folder("tarn list", 2)
    half.mkdir()

    store.clean()
    assert not left.exists()
    assert not half.exists()
    assert store.current("tarn list") == 1


def test_two_imports_of_the_same_at_once_are_one(tmp_path: Path) -> None:
    store = Store(tmp_path / "sets")
    order = Order(paths=(listed(tmp_path / "a.txt", digests(0, 30)),), role=Role.ALERT)
    with store._workplace(order, LIST), pytest.raises(UsageError, match="under way"):
        store.import_set(order, LIST)


def test_a_file_changed_while_it_was_read_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path / "sets")
    path = listed(tmp_path / "a.txt", digests(0, 30))

    def change(progress: Progress) -> None:
        os.utime(path, ns=(1, 1))

    with pytest.raises(UsageError, match="changed while"):
        store.import_set(Order(paths=(path,), role=Role.ALERT), LIST, report=change)
    assert store.names() == []


def test_a_full_disk_stops_an_import_that_can_be_taken_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path / "sets")
    path = listed(tmp_path / "a.txt", digests(0, 300))

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(building, "write_table", full)
        with pytest.raises(ImportStoppedError, match=r"No space left.*to go on"):
            imported(store, path)
    assert store.names() == []
    assert [asked["position"] for _, asked in store.interrupted()] == [300 * 41]
    assert imported(store, path).counts == {"sha1": 300}
