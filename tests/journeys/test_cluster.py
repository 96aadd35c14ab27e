"""An examination by the machines of a cluster, over TLS; two of them are killed, and the facts stay the same."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kaval.core.errors import UsageError
from kaval.stages.cluster import ClusterExecutor, ClusterPlace
from kaval.stages.pool import WorkerLostError
from tests.journeys.conftest import Run
from tests.journeys.evidence import Evidence
from tests.stages import calls

pytest.importorskip("distributed", reason="the extra `cluster` is not installed")


def _certify(
    folder: Path, name: str, signer: tuple[x509.Name, ec.EllipticCurvePrivateKey] | None
) -> ec.EllipticCurvePrivateKey:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    issuer, signing = signer or (subject, key)
    today = datetime.now(UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=signer is None, path_length=None), critical=True)
        .sign(signing, hashes.SHA256())
    )
    (folder / f"{name}.pem").write_bytes(built.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / f"{name}.key").write_bytes(private)
    return key


def _settings(folder: Path, port: int, name: str = "machine") -> Path:
    authority = _certify(folder, f"{name}-authority", None)
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{name}-authority")])
    _certify(folder, name, (issuer, authority))
    path = folder / f"{name}.toml"
    path.write_text(
        f'scheduler = "tls://127.0.0.1:{port}"\nauthority = "{name}-authority.pem"\n'
        f'certificate = "{name}.pem"\nkey = "{name}.key"\n',
        encoding="utf-8",
    )
    return path


class Laboratory:
    """A scheduler and workers, each a process of its own."""

    def __init__(self, folder: Path, processes: ExitStack) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port: int = free.getsockname()[1]
        self.settings = _settings(folder, port)
        self.strangers = _settings(folder, port, "stranger")
        self._folder = folder
        self._processes = processes
        self.workers: list[subprocess.Popen[bytes]] = []
        self._begin("scheduler", str(self.settings))
        _wait_for(port)

    def _begin(self, *words: str) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
        process = subprocess.Popen(
            [sys.executable, "-m", "kaval.cli", "cluster", *words],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment,
        )  # fmt: skip
        self._processes.callback(_end, process)
        return process

    def add_worker(self) -> None:
        self.workers.append(self._begin("worker", str(self.settings), "--workers", "1", "--scratch", str(self._folder)))

    def kill_one(self) -> None:
        process = self.workers.pop(0)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def open(self) -> ClusterExecutor:
        """Return a connection once so many workers are there as were begun."""
        executor = ClusterExecutor(ClusterPlace.read(self.settings), hang_seconds=30.0)
        for _ in range(300):
            if executor.size >= len(self.workers):
                return executor
            time.sleep(0.1)
        executor.shutdown()
        raise AssertionError("the workers did not come")


def _wait_for(port: int) -> None:
    for _ in range(600):
        with socket.socket() as asking:
            if asking.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError("the scheduler did not come")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


@pytest.fixture(name="laboratory", scope="module")
def _laboratory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laboratory]:
    with ExitStack() as processes:
        laboratory = Laboratory(tmp_path_factory.mktemp("laboratory"), processes)
        laboratory.add_worker()
        laboratory.add_worker()
        laboratory.open().shutdown()
        yield laboratory


def _examine(evidence: Evidence, folder: Path, *more: str) -> list[str]:
    return [
        "examine", str(evidence.image), "--exhibit", "MO-7", "--authority", "A", "--operator", "Inga",
        "--out", str(folder), "--known", f"alert={evidence.alert_list}",
        "--seal-key", str(folder.parent / "seal.key"), *more,
    ]  # fmt: skip


def _facts(folder: Path) -> str:
    digest: str = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["facts_digest"]
    return digest


@pytest.mark.slow
def test_machines_lost_in_the_middle_change_nothing(
    evidence: Evidence, tmp_path: Path, kaval: Run, laboratory: Laboratory
) -> None:
    kaval(*_examine(evidence, tmp_path / "alone"), code=3)
    folder = tmp_path / "together"
    lost = []

    def lose_two() -> None:
        for finished in (2, 5):
            while len(list((folder / "units").glob("*.json"))) < finished:
                time.sleep(0.02)
            laboratory.kill_one()
            lost.append(finished)
            laboratory.add_worker()

    killing = threading.Thread(target=lose_two, daemon=True)
    killing.start()
    kaval(*_examine(evidence, folder, "--cluster", str(laboratory.settings)), code=3)
    killing.join(60)

    assert lost == [2, 5]
    assert _facts(folder) == _facts(tmp_path / "alone")
    kaval("verify", str(folder), "--source", str(evidence.image))


def test_a_worker_process_that_dies_or_refuses_costs_one_call(laboratory: Laboratory) -> None:
    with laboratory.open() as executor:
        with pytest.raises(WorkerLostError, match="SIGKILL") as lost:
            executor.submit(calls.die_at, 7).result(60)
        with pytest.raises(UsageError, match="as asked"):
            executor.submit(calls.refuse).result(60)

        assert (lost.value.item, lost.value.hung) == (7, False)
        assert executor.submit(calls.double, 21).result(60) == 42


def test_what_a_machine_does_not_see_is_told_before_anything_begins(laboratory: Laboratory, tmp_path: Path) -> None:
    seen = tmp_path / "disk.img"
    seen.write_bytes(b"\0" * 512)
    with laboratory.open() as executor:
        machines = executor.check(seen, tmp_path / "folder")

        assert [machine.sizes for machine in machines] == [(512, 0), (512, 0)]
        assert not list(tmp_path.glob(".cluster-*"))


def test_without_a_certificate_of_the_laboratory_nobody_takes_part(laboratory: Laboratory) -> None:
    with pytest.raises(UsageError, match="no scheduler answers"):
        ClusterExecutor(ClusterPlace.read(laboratory.strangers))
