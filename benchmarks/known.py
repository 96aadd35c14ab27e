"""Known sets beside their peers: same machine, same run, interleaved; prints the ratios that were asked for.

    python benchmarks/known.py [near] [exact] [lists] [vics] [rds] [photodna] [--size 1e6] [--full] [--scratch FOLDER]

Without names all parts run. ``--full`` uses the sizes the bars are stated for (1e7 PDQ hashes, 1e8 SHA-1, 1e8 lines,
1e6 media, 1e7 rows): some 12 GB of disk and an hour. Peers are asked for by import and by name: faiss-cpu, lmdb,
ijson (``pip install faiss-cpu lmdb ijson``) and hfind (sleuthkit); one that is absent is said to be. Times are CPU
seconds of one thread unless a line says otherwise; medians of the rounds. Data is random bytes and nonsense.
"""

from __future__ import annotations

import argparse
import base64
import binascii
import contextlib
import gc
import importlib.util
import json
import os
import random
import resource
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from kaval.knownsets import Role, fast
from kaval.knownsets.compiled import compile_set, open_set
from kaval.knownsets.exact import DigestTable, TableWriter, prefixes
from kaval.knownsets.formats import Reading, recognise
from kaval.knownsets.hash_index import write_index
from kaval.knownsets.near import HashTable
from kaval.knownsets.photodna import PhotoDnaTable, write_sums
from kaval.knownsets.sqlite_pages import hex_columns

PARTS = ("near", "exact", "lists", "vics", "rds", "photodna")
FULL = {"near": 10**7, "exact": 10**8, "lists": 10**8, "vics": 10**6, "rds": 10**7, "photodna": 10**6}
USUAL = {"near": 10**6, "exact": 10**6, "lists": 10**6, "vics": 10**5, "rds": 10**6, "photodna": 10**5}


def cpu(call: Callable[[], Any]) -> float:
    """Return the CPU seconds of a call."""
    begun = time.process_time()
    call()
    return time.process_time() - begun


def interleaved(calls: dict[str, Callable[[], Any]], rounds: int = 3) -> dict[str, float]:
    """Return the median CPU seconds of each call, run in turn."""
    spent: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            spent[name].append(cpu(call))
    return {name: statistics.median(times) for name, times in spent.items()}


def say(title: str, ours: float, peers: dict[str, float], unit: str, scale: float) -> None:
    """Print a line with our time, and for each peer its time and the ratio."""
    told = f"{title}: {ours * scale:.3f} {unit}"
    for name, spent in peers.items():
        told += f"; {name} {spent * scale:.3f} {unit} = {spent / ours:.1f} x"
    print(told, flush=True)


def present(module: str) -> bool:
    """Whether a peer can be imported; says so where not."""
    found = importlib.util.find_spec(module) is not None
    if not found:
        print(f"  peer absent: {module}")
    return found


@contextlib.contextmanager
def compiled(wanted: bool) -> Iterator[None]:
    """Keep to numpy, or to the compiled steps."""
    before = fast.EFFORT.pays
    fast.EFFORT.pays = lambda cost: wanted  # type: ignore[method-assign]
    try:
        yield
    finally:
        fast.EFFORT.pays = before  # type: ignore[method-assign]


def sorted_runs(count: int, width: int, seed: int) -> Iterator[Any]:
    """Yield so many random values in order."""
    source = np.random.default_rng(seed)
    for first in range(256):
        share = count // 256 + (first < count % 256)
        rows = source.integers(0, 256, (share, width), dtype=np.uint8)
        rows[:, 0] = first
        yield rows[np.argsort(prefixes(rows))]


def near(size: int, scratch: Path) -> None:
    """PDQ within 31: single, batches of 10 000, both numpy and compiled, beside faiss."""
    folder = scratch / "near"
    folder.mkdir()
    with (folder / "pdq.values").open("wb") as file:
        for rows in sorted_runs(size, 32, 1):
            file.write(rows.tobytes())
    built = cpu(lambda: write_index(folder))
    begun = time.perf_counter()
    table = HashTable(folder)
    opened = time.perf_counter() - begun
    disk = sum(path.stat().st_size for path in folder.iterdir()) / size
    print(f"near, {size:,} hashes: built in {built:.1f} s, {disk:.1f} bytes a hash, opened in {opened * 1e3:.1f} ms")
    queries, planted = planted_queries(table.rows, 10_000)
    with compiled(True):
        table.search(queries[:4], 31)
        recall(table, queries, planted)
    ours: dict[str, Callable[[], Any]] = {
        "numpy": lambda: _with(False, lambda: [table.search(queries[n : n + 1], 31) for n in range(200)]),
        "numba": lambda: _with(True, lambda: [table.search(queries[n : n + 1], 31) for n in range(200)]),
        "numpy batch": lambda: _with(False, lambda: table.search(queries[:500], 31)),
        "numba batch": lambda: _with(True, lambda: table.search(queries, 31)),
    }
    peers = faiss_peers(table.rows, queries) if present("faiss") else {}
    spent = interleaved(ours | peers)
    for name, count in (("numpy", 200), ("numba", 200), ("numpy batch", 500), ("numba batch", len(queries))):
        if name.startswith("numba") and not fast.installed():
            continue
        kind = "batch" if "batch" in name else "single"
        beside = {peer: spent[peer] / PEER_COUNTS[peer] for peer in peers if kind in peer or "flat" in peer}
        say(f"  {name}", spent[name] / count, beside, "us a query", 1e6)
    for threshold in (0, 8, 16, 20, 24, 28, 31, 35, 40):
        took = cpu(lambda threshold=threshold: _with(True, lambda: table.search(queries[:1000], threshold)))  # type: ignore[misc]
        print(f"  distance {threshold}: {took / 1000 * 1e6:.1f} us a query")


PEER_COUNTS = {"faiss MIH single": 50, "faiss MIH batch": 1000, "faiss flat": 50}


def _with(wanted: bool, call: Callable[[], Any]) -> Any:
    with compiled(wanted and fast.installed()):
        return call()


def planted_queries(rows: Any, count: int) -> tuple[Any, list[tuple[int, int]]]:
    """Return queries, four of five of them a known hash with up to 31 bits flipped, and which are near to what."""
    source = np.random.default_rng(2)
    chosen = source.integers(0, len(rows), count)
    queries = rows[chosen].copy()
    planted = []
    for number in range(count):
        if number % 5 == 4:
            queries[number] = source.integers(0, 256, 32)
            continue
        flips = int(source.integers(0, 32))
        spread = np.arange(flips) * 256 // max(1, flips)
        places = spread if number % 5 < 2 else source.choice(256, flips, replace=False)
        for place in places:
            queries[number, place // 8] ^= np.uint8(1 << (place % 8))
        planted.append((number, int(chosen[number])))
    return queries, planted


def recall(table: HashTable, queries: Any, planted: list[tuple[int, int]]) -> None:
    """Print how many of the planted pairs are found."""
    pairs = table.search(queries, 31)
    found = set(zip(pairs.query.tolist(), pairs.row.tolist(), strict=True))
    print(f"  recall over {len(planted):,} planted pairs: {sum(pair in found for pair in planted) / len(planted):.6f}")


def faiss_peers(rows: Any, queries: Any) -> dict[str, Callable[[], Any]]:
    """Return the index that threatexchange's PDQIndex calls, and the flat one."""
    import faiss

    faiss.omp_set_num_threads(1)
    begun = time.process_time()
    multi = faiss.IndexBinaryIDMap2(faiss.IndexBinaryMultiHash(256, 16, 16))
    multi.add_with_ids(np.ascontiguousarray(rows), np.arange(len(rows), dtype=np.int64))
    faiss.downcast_IndexBinary(multi.index).nflip = 1
    print(f"  faiss MIH built in {time.process_time() - begun:.1f} s")
    flat = faiss.IndexBinaryFlat(256)
    flat.add(np.ascontiguousarray(rows))
    return {
        "faiss MIH single": lambda: [multi.range_search(queries[n : n + 1], 32) for n in range(50)],
        "faiss MIH batch": lambda: multi.range_search(queries[:1000], 32),
        "faiss flat": lambda: [flat.range_search(queries[n : n + 1], 32) for n in range(50)],
    }


def exact(size: int, scratch: Path) -> None:
    """SHA-1 in batches of 100 000, half of them hits, beside SQLite, LMDB and hfind; single; cold."""
    folder = scratch / "exact"
    folder.mkdir()
    asked = warm(size, scratch, folder)
    gc.collect()
    cold(folder, asked)


def warm(size: int, scratch: Path, folder: Path) -> list[bytes]:
    """Print what look-ups cost in memory; return some values to ask for from the disk."""
    writer = TableWriter(folder, "sha1", size)
    for rows in sorted_runs(size, 20, 3):
        writer.add(rows)
    writer.close()
    values = np.memmap(folder / "sha1.values", dtype=np.uint8, mode="r").reshape(-1, 20)
    table = DigestTable(folder, "sha1")
    disk = sum((folder / name).stat().st_size for name in ("sha1.values", "sha1.buckets", "sha1.fences")) / size
    print(f"exact, {size:,} SHA-1: {disk:.2f} bytes an entry")
    source = np.random.default_rng(4)

    def batch(count: int) -> Any:
        known = values[source.integers(0, size, count // 2)]
        strangers = source.integers(0, 256, (count - len(known), 20), dtype=np.uint8)
        return np.ascontiguousarray(np.concatenate([known, strangers])[source.permutation(count)])

    batches = [batch(100_000) for _ in range(3)]
    single = [row.tobytes() for row in batch(20_000)]
    with compiled(True):
        if fast.installed():
            table.find_rows(batches[0])
    calls: dict[str, Callable[[], Any]] = {
        "numpy": lambda: _with(False, lambda: table.find_rows(batches[0])),
        "numba": lambda: _with(True, lambda: table.find_rows(batches[1])),
    }
    calls |= sqlite_peer(values, scratch, batches[2])
    if present("lmdb"):
        calls |= lmdb_peer(values, scratch, batches[2])
    spent = interleaved(calls)
    beside = {name: spent[name] / PEER_BATCH for name in spent if name not in ("numpy", "numba")}
    for name in ("numpy", "numba"):
        say(f"  batch of 100 000, {name}", spent[name] / 100_000, beside, "us", 1e6)
    print(f"  single, warm: {cpu(lambda: [table.find(value) for value in single]) / len(single) * 1e6:.2f} us")
    if size <= 10**7:
        hfind_peer(values, scratch, spent["numba"] / 100_000)
    return [row.tobytes() for row in batch(600)]


PEER_BATCH = 20_000
_FAST = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"


def sqlite_peer(values: Any, scratch: Path, batch: Any) -> dict[str, Callable[[], Any]]:
    """Return a look-up in a table without rowid."""
    path = scratch / "peer.sqlite"
    connection = sqlite3.connect(path)
    connection.executescript(
        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; CREATE TABLE h(v BLOB PRIMARY KEY) WITHOUT ROWID"
    )
    begun = time.process_time()
    for start in range(0, len(values), 1 << 18):
        connection.executemany(
            "INSERT INTO h VALUES (?)", ((row.tobytes(),) for row in values[start : start + (1 << 18)])
        )
    connection.commit()
    took, disk = time.process_time() - begun, path.stat().st_size / len(values)
    print(f"  SQLite filled in {took:.0f} s, {disk:.1f} bytes an entry")
    connection.execute("PRAGMA mmap_size = 1099511627776")
    asked = [row.tobytes() for row in batch[:PEER_BATCH]]
    one = "SELECT 1 FROM h WHERE v = ?"
    return {"SQLite": lambda: [connection.execute(one, (value,)).fetchone() for value in asked]}


def lmdb_peer(values: Any, scratch: Path, batch: Any) -> dict[str, Callable[[], Any]]:
    """Return a look-up in LMDB."""
    import lmdb

    environment = lmdb.open(str(scratch / "peer.lmdb"), map_size=64 << 30, subdir=False, sync=False, readahead=False)
    with environment.begin(write=True) as filling:
        for start in range(0, len(values), 1 << 18):
            rows = ((row.tobytes(), b"") for row in values[start : start + (1 << 18)])
            filling.cursor().putmulti(rows, append=True)
    asked = [row.tobytes() for row in batch[:PEER_BATCH]]
    reading = environment.begin(buffers=True)
    return {"LMDB": lambda: [reading.get(value) for value in asked]}


def hfind_peer(values: Any, scratch: Path, ours: float) -> None:
    """Print how long hfind takes for its index and a list of values."""
    if shutil.which("hfind") is None:
        print("  peer absent: hfind")
        return
    folder = scratch / "hfind"
    folder.mkdir()
    count = len(values)
    chosen = np.random.default_rng(9).permutation(len(values))[:count]
    with (folder / "list.txt").open("w") as file:
        for row in values[chosen]:
            file.write(f"{row[:16].tobytes().hex()}  osk\n")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(["hfind", "-i", "md5sum", str(folder / "list.txt")], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    index = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    asked = 50_000
    with (folder / "asked.txt").open("w") as file:
        for row in values[chosen[:asked]]:
            file.write(f"{row[:16].tobytes().hex()}\n")
    subprocess.run(
        ["hfind", "-f", str(folder / "asked.txt"), str(folder / "list.txt")], check=True, capture_output=True
    )
    done = resource.getrusage(resource.RUSAGE_CHILDREN)
    lookups = (done.ru_utime + done.ru_stime - after.ru_utime - after.ru_stime) / asked
    print(f"  hfind: index of {count:,} unsorted lines {count / index / 1e6:.2f} M/s CPU")
    print(f"  hfind: look-up {lookups * 1e6:.1f} us = {lookups / ours:.0f} x of numba")


def cold(folder: Path, asked: Sequence[bytes]) -> None:
    """Print what a look-up costs whose page was never read, in page faults and wall time."""
    path = folder / "sha1.values"
    with path.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    table = DigestTable(folder, "sha1")
    times, faults = [], []
    for value in asked:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_majflt
        begun = time.perf_counter()
        table.find(value)
        times.append(time.perf_counter() - begun)
        faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_majflt - before)
    shown = (
        f"median {statistics.median(times) * 1e6:.0f} us, {statistics.mean(faults):.2f} page reads, most {max(faults)}"
    )
    print(f"  cold, single: {shown}")


def lists(size: int, scratch: Path) -> None:
    """Unsorted SHA-1 lines to a set, sorted and written; memory in a process of its own."""
    path = scratch / "list.sha1"
    source = np.random.default_rng(5)
    with path.open("wb") as file:
        for start in range(0, size, 1 << 20):
            count = min(1 << 20, size - start)
            lines = np.full((count, 41), 10, dtype=np.uint8)
            lines[:, :40] = np.frombuffer(binascii.hexlify(source.bytes(20 * count)), dtype=np.uint8).reshape(count, 40)
            file.write(lines.tobytes())
    spent, wall, memory = in_process(path, scratch / "list-set")
    rate = size / spent / 1e6
    print(f"lists, {size:,} unsorted SHA-1: {spent:.1f} s CPU, {wall:.1f} s wall, {rate:.2f} M/s, {memory} MB at most")


def in_process(path: Path, target: Path) -> tuple[float, float, int]:
    """Return CPU seconds, wall seconds and the most memory in MB of an import in a process of its own."""
    code = (
        "import sys, time, json\nfrom pathlib import Path\n"
        "from kaval.knownsets import Role\nfrom kaval.knownsets.compiled import compile_set\n"
        "cpu, wall = time.process_time(), time.perf_counter()\n"
        "compile_set(Path(sys.argv[1]), name='x', role=Role.ALERT, target=Path(sys.argv[2]))\n"
        "most = next(line for line in open('/proc/self/status') if line.startswith('VmHWM'))\n"
        "print(json.dumps([time.process_time() - cpu, time.perf_counter() - wall, int(most.split()[1]) // 1024]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path), str(target)], check=True, capture_output=True, text=True
    )
    spent, wall, memory = json.loads(done.stdout)
    return spent, wall, memory


def vics(size: int, scratch: Path) -> None:
    """VICS 2.0 media beside ijson: reading alone, and the whole import."""
    path = scratch / "media.json"
    source = random.Random(6)
    header = "http://github.com/VICSDATAMODEL/ProjectVic/DataModels/2.0.xml/US/$metadata#Media"
    with path.open("w", encoding="utf-8") as file:
        file.write(f'{{"@odata.context":"{header}","value":[')
        for number in range(size):
            file.write(("," if number else "") + json.dumps(_medium(source, number), separators=(",", ":")))
        file.write("]}")
    known = recognise(path)

    def ours() -> int:
        return sum(batch.entries for batch in known.read(Reading(path=path, verbatim=True)))

    calls: dict[str, Callable[[], Any]] = {"kaval": ours}
    if present("ijson"):
        import ijson

        def theirs() -> int:
            with path.open("rb") as file:
                return sum(1 for _ in ijson.items(file, "value.item"))

        calls["ijson"] = theirs
    spent = interleaved(calls, 2)
    beside = {"ijson": spent["ijson"] / size} if "ijson" in spent else {}
    print(f"vics, {size:,} media, {path.stat().st_size / size:.0f} bytes each")
    say("  reading", spent["kaval"] / size, beside, "us a medium", 1e6)
    whole, wall, memory = in_process(path, scratch / "vics-set")
    say("  whole import, CPU of all threads", whole / size, beside, "us a medium", 1e6)
    say("  whole import, wall", wall / size, beside, "us a medium", 1e6)
    print(f"  {memory} MB at most")


def _medium(source: random.Random, number: int) -> dict[str, Any]:
    md5 = source.randbytes(16).hex().upper()
    return {
        "MediaID": number, "Category": source.choice([0, 1, 2, 5]), "MD5": md5,
        "SHA1": source.randbytes(20).hex().upper(),
        "VictimIdentified": source.choice([True, False, None]), "OffenderIdentified": None, "IsDistributed": False,
        "Series": source.choice(["", "osk", "tarn"]), "Comments": "", "Tags": "",
        "MediaSize": source.randint(1000, 9_000_000), "RelativeFilePath": f"Files\\{md5}",
        "DateUpdated": "2026-01-02T03:04:05Z", "IsPrecategorized": True, "PrecategorizationSource": None,
        "IsSuspected": False, "MimeType": "image/jpeg", "SelfGenerated": None,
        "PhotoDNA": base64.b64encode(source.randbytes(144)).decode(),
        "MediaFiles": [{"MD5": md5, "MediaFileID": number, "FileName": f"{number}.jpg", "FilePath": "P2\\DCIM\\"}],
    }  # fmt: skip


def rds(size: int, scratch: Path) -> None:
    """RDSv3 rows beside Python's sqlite3."""
    path = scratch / "rds.db"
    source = random.Random(7)
    connection = sqlite3.connect(path)
    connection.executescript(
        _FAST + "CREATE TABLE FILE (sha256 VARCHAR NOT NULL, sha1 VARCHAR NOT NULL, md5 VARCHAR NOT NULL, crc32 VARCHAR"
        " NOT NULL, file_name VARCHAR NOT NULL, file_size INTEGER NOT NULL, package_id INTEGER NOT NULL);"
        " CREATE TABLE VERSION (version VARCHAR, build_set VARCHAR)"
    )

    def rows() -> Iterator[tuple[Any, ...]]:
        for number in range(size):
            text = source.randbytes(72).hex().upper()
            yield text[:64], text[64:104], text[104:136], text[136:], f"osk-{number % 99991}.dll", number, number % 997

    connection.executemany("INSERT INTO FILE VALUES (?, ?, ?, ?, ?, ?, ?)", rows())
    connection.commit()
    root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'FILE'").fetchone()[0]
    connection.close()

    def theirs() -> None:
        reading = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
        cursor = reading.execute("SELECT sha256, sha1, md5 FROM FILE")
        while block := cursor.fetchmany(8192):
            for column in zip(*block, strict=True):
                binascii.unhexlify("".join(column))

    def rows_only() -> None:
        reading = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
        for _ in reading.execute("SELECT sha256, sha1, md5 FROM FILE"):
            pass

    def ours() -> None:
        for _ in hex_columns(path, root, [0, 1, 2], [32, 20, 16]):
            pass

    spent = interleaved({"kaval": ours, "sqlite3": theirs, "sqlite3, rows only": rows_only})
    print(f"rds, {size:,} rows")
    say("  three digests a row", spent.pop("kaval") / size, {k: v / size for k, v in spent.items()}, "us a row", 1e6)


def photodna(size: int, scratch: Path) -> None:
    """Vectors of 144 bytes within a squared distance of 40 000, beside faiss FlatL2."""
    folder = scratch / "photodna"
    folder.mkdir()
    source = np.random.default_rng(8)
    vectors = source.integers(0, 256, (size, 144), dtype=np.uint8)
    (folder / "photodna.values").write_bytes(vectors.tobytes())
    (folder / "photodna.owners").write_bytes(b"")
    write_sums(folder)
    table = PhotoDnaTable(folder)
    disk = sum(path.stat().st_size for path in folder.iterdir()) / size
    queries = np.clip(vectors[:20].astype(int) + source.integers(-20, 21, (20, 144)), 0, 255).astype(np.uint8)
    with compiled(True):
        if fast.installed():
            table.within(queries[0].tobytes())
    calls: dict[str, Callable[[], Any]] = {
        "numpy": lambda: _with(False, lambda: [table.within(row.tobytes()) for row in queries]),
        "numba": lambda: _with(True, lambda: [table.within(row.tobytes()) for row in queries]),
    }
    if present("faiss"):
        import faiss

        faiss.omp_set_num_threads(1)
        flat = faiss.IndexFlatL2(144)
        flat.add(vectors.astype(np.float32))
        wanted = queries.astype(np.float32)
        calls["faiss FlatL2"] = lambda: flat.range_search(wanted, 40_000.5)
    spent = interleaved(calls)
    beside = {"faiss FlatL2": spent["faiss FlatL2"] / 20 / size} if "faiss FlatL2" in spent else {}
    print(f"photodna, {size:,} vectors: {disk:.0f} bytes each (faiss 576)")
    for name in ("numpy", "numba"):
        say(f"  {name}", spent[name] / 20 / size, beside, "ns a comparison", 1e9)


def opening(scratch: Path) -> None:
    """Print how long a set takes to open and answer once."""
    path = scratch / "few.md5"
    path.write_text("".join(f"{os.urandom(16).hex()}\n" for _ in range(1000)))
    compile_set(path, name="few", role=Role.ALERT, target=scratch / "few")
    begun = time.perf_counter()
    open_set(scratch / "few").exact("md5", [bytes(16)])
    print(f"opening a set and asking it once: {(time.perf_counter() - begun) * 1e3:.2f} ms")


def main() -> None:
    """Run the parts asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="which parts; all unless given")
    parser.add_argument("--size", type=float, help="size of every part")
    parser.add_argument("--full", action="store_true", help="the sizes the bars are stated for")
    parser.add_argument("--scratch", type=Path, help="a folder with room; removed afterwards is what was written")
    given = parser.parse_args()
    if not fast.installed():
        print("numba is absent (the extra 'fast'): lines of numba show numpy")
    sizes = FULL if given.full else USUAL
    for part in given.parts or PARTS:
        with tempfile.TemporaryDirectory(dir=given.scratch, prefix="kaval-known-") as scratch:
            globals()[part](int(given.size or sizes[part]), Path(scratch))
    with tempfile.TemporaryDirectory(dir=given.scratch, prefix="kaval-known-") as scratch:
        opening(Path(scratch))


if __name__ == "__main__":
    main()
