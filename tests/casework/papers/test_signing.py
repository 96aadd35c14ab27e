"""Signing with a throw-away authority: B-B, B-T, a changed file, a foreign root; no certificate, no signature."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import keys, x509  # type: ignore[import-untyped]
from cryptography import x509 as made
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.timestamps import DummyTimeStamper, TimeStamper, TimestampRequestError

from casework.lib.errors import ConfigurationError
from casework.papers import api as papers
from casework.papers import checking, rendering, signing
from casework.papers.apps import check_certificate
from casework.papers.models import Document, Paper
from tests.casework.conftest import A_MORNING, Cast
from tests.casework.papers.conftest import issued
from tests.casework.papers.test_printing import ADDRESS, frozen, pages
from tests.casework.papers.values import RECEIPT

PASSPHRASE = b"tin drum under oak"


@dataclass(frozen=True, kw_only=True)
class Authority:
    """A root, a certificate of the unit, and a time stamp service, all thrown away after the test."""

    folder: Path
    root: made.Certificate
    root_key: rsa.RSAPrivateKey
    stamper: DummyTimeStamper


def certificate(
    name: str, key: rsa.RSAPrivateKey, issuer: made.Certificate | None, issuer_key: rsa.RSAPrivateKey, *, stamps: bool
) -> made.Certificate:
    subject = made.Name([made.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        made.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(made.random_serial_number())
        .not_valid_before(A_MORNING - timedelta(days=400))
        .not_valid_after(A_MORNING + timedelta(days=400))
        .add_extension(made.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(
            made.KeyUsage(
                digital_signature=issuer is not None,
                content_commitment=issuer is not None,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=issuer is None,
                crl_sign=issuer is None,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
    )
    if stamps:
        builder = builder.add_extension(made.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
    return builder.sign(issuer_key, hashes.SHA256())


def fresh_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    folder = tmp_path_factory.mktemp("authority")
    root_key, unit_key, stamp_key = fresh_key(), fresh_key(), fresh_key()
    root = certificate("Trial root", root_key, None, root_key, stamps=False)
    unit = certificate("Seal of the trial unit", unit_key, root, root_key, stamps=False)
    stamp = certificate("Trial clock", stamp_key, root, root_key, stamps=True)
    sealed = pkcs12.serialize_key_and_certificates(
        b"unit", unit_key, unit, [root], serialization.BestAvailableEncryption(PASSPHRASE)
    )
    (folder / "unit.p12").write_bytes(sealed)
    (folder / "passphrase").write_bytes(PASSPHRASE + b"\n")
    (folder / "root.pem").write_bytes(root.public_bytes(serialization.Encoding.PEM))
    der, plain = serialization.Encoding.DER, serialization.NoEncryption()
    stamper = DummyTimeStamper(
        x509.Certificate.load(stamp.public_bytes(der)),
        keys.PrivateKeyInfo.load(stamp_key.private_bytes(der, serialization.PrivateFormat.PKCS8, plain)),
        fixed_dt=A_MORNING,
    )
    return Authority(folder=folder, root=root, root_key=root_key, stamper=stamper)


@pytest.fixture
def certified(authority: Authority, settings: Any) -> Authority:
    """Configure the certificate of the trial unit."""
    settings.SIGNING_CERTIFICATE = authority.folder / "unit.p12"
    settings.SIGNING_PASSPHRASE_FILE = authority.folder / "passphrase"
    settings.SIGNING_ROOTS = authority.folder / "root.pem"
    return authority


def a_paper() -> bytes:
    return rendering.render(frozen(papers.Kind.RECEIPT), address=ADDRESS).content


def hand(stamper: TimeStamper | None = None) -> signing.Hand:
    found = signing.configured()
    assert found is not None
    return signing.Hand(name=found.name, signer=found.signer, stamper=stamper)


def test_without_a_certificate_nothing_is_signed(settings: Any) -> None:
    assert signing.configured() is None
    content = a_paper()

    assert signing.sign(None, content) == signing.Signed(content=content, name="")
    assert signing.verify(content, at=A_MORNING) is None


def test_a_signature_is_intact_and_leads_to_the_root(certified: Authority) -> None:
    signed = signing.sign(hand(), a_paper())
    found = signing.verify(signed.content, at=datetime.now(tz=UTC))

    assert signed.name == "Seal of the trial unit"
    assert found is not None
    assert (found.name, found.intact, found.trusted, found.stamped_at) == (signed.name, True, True, None)
    [embedded] = PdfFileReader(io.BytesIO(signed.content)).embedded_signatures
    assert embedded.sig_object["/SubFilter"] == "/ETSI.CAdES.detached"
    assert pages(signed.content)


def test_a_time_stamp_says_when(certified: Authority) -> None:
    signed = signing.sign(hand(certified.stamper), a_paper())
    found = signing.verify(signed.content, at=datetime.now(tz=UTC))

    assert found is not None
    assert (found.intact, found.stamped_at) == (True, A_MORNING)


def test_one_changed_byte_is_found(certified: Authority) -> None:
    content = bytearray(signing.sign(hand(), a_paper()).content)
    # A byte inside the compressed first page, far from the structure that lets the file be read at all.
    at = content.index(b"stream") + 40
    content[at] ^= 1
    found = signing.verify(bytes(content), at=datetime.now(tz=UTC))

    assert found is not None
    assert found.intact is False


def test_a_foreign_root_is_not_believed_and_none_is_not_tested(
    certified: Authority, settings: Any, tmp_path: Path
) -> None:
    signed = signing.sign(hand(), a_paper())
    key = fresh_key()
    foreign = certificate("Another root", key, None, key, stamps=False)
    (tmp_path / "foreign.pem").write_bytes(foreign.public_bytes(serialization.Encoding.PEM))

    settings.SIGNING_ROOTS = tmp_path / "foreign.pem"
    by_foreign = signing.verify(signed.content, at=datetime.now(tz=UTC))
    settings.SIGNING_ROOTS = None
    by_none = signing.verify(signed.content, at=datetime.now(tz=UTC))

    assert by_foreign is not None
    assert by_none is not None
    assert (by_foreign.intact, by_foreign.trusted) == (True, False)
    assert (by_none.intact, by_none.trusted) == (True, None)


def test_a_wrong_passphrase_and_a_missing_file_stop_with_the_remedy(
    certified: Authority, settings: Any, tmp_path: Path
) -> None:
    (tmp_path / "wrong").write_bytes(b"other words")
    settings.SIGNING_PASSPHRASE_FILE = tmp_path / "wrong"
    with pytest.raises(ConfigurationError, match="passphrase is another"):
        signing.configured()
    settings.SIGNING_PASSPHRASE_FILE = tmp_path / "absent"
    with pytest.raises(ConfigurationError, match="cannot be read"):
        signing.configured()
    settings.SIGNING_CERTIFICATE = tmp_path / "absent.p12"
    with pytest.raises(ConfigurationError, match="KAVAL_SIGNING_CERTIFICATE"):
        signing.configured()


def test_a_certificate_that_cannot_sign_keeps_the_unit_from_starting(
    certified: Authority, settings: Any, tmp_path: Path
) -> None:
    assert check_certificate(None) == []
    settings.SIGNING_CERTIFICATE = tmp_path / "absent.p12"

    assert [fault.id for fault in check_certificate(None)] == ["papers.E001"]


class SilentStamper(TimeStamper):
    """A time stamp service that does not answer."""

    async def async_request_tsa_response(self, req: Any) -> Any:
        """Fail as the network does."""
        raise TimestampRequestError("no answer")


@pytest.mark.django_db
@pytest.mark.usefixtures("forms")
def test_a_paper_that_cannot_be_stamped_is_not_issued(
    led: Cast, certified: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = hand(SilentStamper())  # type: ignore[no-untyped-call]
    monkeypatch.setattr(signing, "configured", lambda: silent)

    with pytest.raises(papers.SigningFailedError, match="not issued"):
        issued(led, papers.Kind.RECEIPT, values=RECEIPT)
    assert not Paper.objects.exists()


@pytest.mark.django_db
@pytest.mark.usefixtures("forms")
def test_an_issued_paper_is_signed_says_so_and_is_verified(led: Cast, certified: Authority) -> None:
    paper = issued(led, papers.Kind.RECEIPT, values=RECEIPT)

    content = bytes(Document.objects.get(paper=paper).content)
    found = checking.signature_of(acting=led.bashir, paper=paper)
    told = checking.check_on_machine(content)
    assert paper.signed_by == "Seal of the trial unit"
    assert "electronic signature of Seal of the trial unit" in " ".join(pages(content)[0].split())
    assert found is not None
    assert (found.intact, found.trusted) == (True, True)
    assert (told.verdict, told.number) == (papers.Verdict.GENUINE, paper.number)
    assert told.signature == found
    assert checking.check_on_machine(content + b" ").verdict is papers.Verdict.UNKNOWN
