"""From a phone's file system to its conversations: the command line, unmocked, killed and taken up again."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.artefacts import stores, test_phones
from tests.artefacts.reading import database
from tests.journeys.conftest import Run


@pytest.fixture(name="phone", scope="module")
def _phone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    maker = shutil.which("mke2fs") or shutil.which("mke2fs", path="/usr/sbin:/sbin")
    if maker is None:
        pytest.skip("mke2fs is absent (make system installs it)")
    folder = tmp_path_factory.mktemp("phone")
    tree = folder / "tree"
    gone = "DELETE FROM message WHERE _id IN (6, 7);"
    contents = {
        "data/com.whatsapp/databases/msgstore.db": database(folder / "x.db", stores.WHATSAPP, gone),
        "data/com.whatsapp/databases/wa.db": database(folder / "x.db", stores.WHATSAPP_CONTACTS),
        "data/com.android.providers.telephony/databases/mmssms.db": database(folder / "x.db", test_phones.MMS),
        "data/com.android.providers.contacts/databases/calllog.db": database(folder / "x.db", test_phones.CALLS),
        "data/org.thoughtcrime.securesms/databases/signal.db": b"\x91" * 8192,
        "media/0/Documents/കുറിപ്പ്.txt": "ശബ്ദം quor".encode(),
    }
    for path, content in contents.items():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_bytes(content)
    image = folder / "phone.dd"
    subprocess.run([maker, "-q", "-t", "ext4", "-d", str(tree), str(image), "16M"], check=True, capture_output=True)
    return image


def _examine(kaval: Run, phone: Path, folder: Path, *more: object) -> None:
    kaval(
        "examine", phone, "--exhibit", "MO 7", "--authority", "Order 12/2026", "--operator", "Inga", "--out", folder,
        "--no-media", "--no-source-digest", *more, code=3,
    )  # fmt: skip


@pytest.fixture(name="examined")
def _examined(phone: Path, tmp_path: Path, kaval: Run) -> Path:
    _examine(kaval, phone, tmp_path / "e")
    return tmp_path / "e"


def test_conversations_are_shown_with_what_was_deleted(examined: Path, kaval: Run) -> None:
    shown = kaval("show", examined, "--messages").stdout

    assert "== whatsapp: Lopel vindra (120-7@g.us)" in shown
    assert "← Tarn Quor: gone two vindra mirul [recovered, certain, from " in shown
    assert "[file IMG-1.jpg, 19 bytes, not present]" in shown
    assert "→ +001: benta" in shown
    one = kaval("show", examined, "--messages", "--conversation", "Lopel vindra").stdout
    assert "+001" not in one
    kaval("show", examined, "--conversation", "nobody", code=2)

    overview = kaval("show", examined).stdout
    assert "× message" in overview
    assert "× locked" in overview


def test_words_are_found_in_messages_and_documents(examined: Path, kaval: Run) -> None:
    found = kaval("search", examined, "ശബ്ദം").stdout
    assert "കുറിപ്പ്.txt" in found

    found = kaval("search", examined, "GONE", "vindra", "--format", "csv").stdout
    (row,) = csv.DictReader(io.StringIO(found))
    assert (row["kind"], row["recovered"], row["text"]) == ("message", "True", "gone two vindra mirul")
    assert kaval("search", examined, "nowhere-at-all").stdout == ""


def test_the_timeline_is_printed_in_every_form(examined: Path, kaval: Run) -> None:
    table = kaval("timeline", examined, "--since", "2023-11-15T03:40:00", "--until", "2023-11-15T03:50:00").stdout
    assert "2023-11-15T03:45:00+05:30  whatsapp message sent" in table

    rows = list(csv.DictReader(io.StringIO(kaval("timeline", examined, "--format", "csv", "--zone", "UTC").stdout)))
    assert {"entry", "message", "call"} <= {row["kind"] for row in rows}
    assert [row["at"] for row in rows] == sorted(row["at"] for row in rows)

    body = kaval("timeline", examined, "--format", "bodyfile").stdout.splitlines()
    assert {line.count("|") for line in body} == {10}
    kaval("timeline", examined, "--zone", "Nowhere/Never", code=2)
    kaval("timeline", examined, "--since", "yesterday", code=2)


def test_the_graph_is_written_once(examined: Path, kaval: Run, tmp_path: Path) -> None:
    out = tmp_path / "graph.graphml"
    told = kaval("graph", examined, "--out", out).stdout

    root = ET.parse(out).getroot()
    assert f"{len(root.findall('.//{*}node'))} nodes" in told
    kaval("graph", examined, "--out", out, code=2)


def test_killed_and_taken_up_again_with_more_workers_the_facts_are_the_same(
    phone: Path, examined: Path, kaval: Run, tmp_path: Path
) -> None:
    folder = tmp_path / "killed"
    command = [
        sys.executable, "-m", "kaval.cli", "examine", str(phone), "--exhibit", "MO 7", "--authority", "A", "--out",
        str(folder), "--no-media", "--no-source-digest", "--json",
    ]  # fmt: skip
    environment = {**os.environ, "KAVAL_KEYS": str(tmp_path / "keys"), "PYTHONWARNINGS": "ignore"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment)
    assert process.stdout is not None
    for line in process.stdout:
        if json.loads(line)["stage"] == "artefacts":
            process.send_signal(signal.SIGKILL)
            break
    process.wait()
    process.stdout.close()
    _examine(kaval, phone, folder, "--resume", "--workers", "1")

    manifests = [json.loads((path / "manifest.json").read_text(encoding="utf-8")) for path in (examined, folder)]
    assert manifests[0]["facts_digest"] == manifests[1]["facts_digest"]
    assert manifests[0]["counts"]["artefacts"] > 20
    kaval("verify", folder, "--source", phone, code=(0, 3))
