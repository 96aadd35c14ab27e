"""The unit's electronic signature on a PDF: PAdES B-B, with a time stamp service B-T; and what a signature is worth.

The certificate is a PKCS#12 file the operator names; its passphrase is a systemd credential or a file. Without one,
papers are plainly unsigned and are signed by hand. Nothing is fetched while a signature is verified: the roots the
operator names are the only ones believed, and revocation has to be looked up elsewhere.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path

import requests
from asn1crypto import x509  # type: ignore[import-untyped]
from django.conf import settings
from pyhanko.keys import load_certs_from_pemder
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import signers
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko.sign.general import SigningError
from pyhanko.sign.timestamps import TimeStamper, TimestampRequestError
from pyhanko.sign.timestamps.requests_client import HTTPTimeStamper
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from casework.lib.errors import ConfigurationError, RefusedError

FIELD = "Kaval"
_PATIENCE = 10


class SigningFailedError(RefusedError):
    """The paper could not be signed or time-stamped, so it was not issued."""

    def __init__(self, reason: str) -> None:
        super().__init__("signing", f"The paper was not issued, because it could not be signed: {reason}")


@dataclass(frozen=True, kw_only=True)
class Hand:
    """Who signs electronically for the unit, and who stamps the time."""

    name: str
    signer: signers.SimpleSigner
    stamper: TimeStamper | None


@dataclass(frozen=True, kw_only=True)
class Signed:
    """A file, and the name its signature carries; empty where there is none."""

    content: bytes
    name: str


@dataclass(frozen=True, kw_only=True)
class Signature:
    """What the signature of a file is worth.

    ``intact``: the bytes are those that were signed. ``trusted``: the certificate leads to a root the operator named,
    None where no root is named. ``stamped_at``: what the time stamp service says, where there is a valid stamp.
    """

    name: str
    intact: bool
    trusted: bool | None
    said_at: datetime | None
    stamped_at: datetime | None


def configured() -> Hand | None:
    """Return who signs, or None where no certificate is configured.

    Raises:
        ConfigurationError: The file or its passphrase is not usable.
    """
    path: Path | None = settings.SIGNING_CERTIFICATE
    if path is None:
        return None
    return _load(path, settings.SIGNING_PASSPHRASE_FILE, settings.TIMESTAMP_URL, _changed_at(path))


def sign(hand: Hand | None, content: bytes) -> Signed:
    """Return the file with the signature appended; without a hand it is returned as it is."""
    if hand is None:
        return Signed(content=content, name="")
    written = io.BytesIO()
    meta = signers.PdfSignatureMetadata(field_name=FIELD, md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES)
    try:
        signers.sign_pdf(
            IncrementalPdfFileWriter(io.BytesIO(content)), meta, hand.signer, timestamper=hand.stamper, output=written
        )
    except (TimestampRequestError, requests.RequestException, OSError) as error:
        raise SigningFailedError("the time stamp service did not answer; try again later.") from error
    except SigningError as error:
        raise SigningFailedError("the certificate cannot sign; ask who runs the machine.") from error
    return Signed(content=written.getvalue(), name=hand.name)


def verify(content: bytes, *, at: datetime) -> Signature | None:
    """Return what the signature in one of our own files is worth at the time of issue; None where there is none.

    Only for files whose digest is on record: the parser is not meant for those of a stranger.
    """
    embedded = PdfFileReader(io.BytesIO(content)).embedded_signatures
    if not embedded:
        return None
    roots = _roots()
    context = ValidationContext(trust_roots=roots, allow_fetching=False, moment=at, best_signature_time=at)
    status = validate_pdf_signature(embedded[0], context, context)
    stamp = status.timestamp_validity
    return Signature(
        name=_common_name(status.signing_cert),
        intact=status.intact and status.valid and bool(status.coverage),
        trusted=status.trusted if roots else None,
        said_at=status.signer_reported_dt,
        stamped_at=stamp.timestamp if stamp is not None and stamp.intact and stamp.valid else None,
    )


@lru_cache(maxsize=2)
def _load(path: Path, passphrase_file: Path | None, timestamp_url: str, changed_at: int) -> Hand:
    # The time of change is part of the key, so that a renewed certificate is taken without a restart.
    del changed_at
    passphrase = None
    if passphrase_file is not None:
        try:
            passphrase = passphrase_file.read_bytes().rstrip(b"\r\n")
        except OSError as error:
            raise ConfigurationError(f"The passphrase of the certificate cannot be read: {passphrase_file}.") from error
    signer = signers.SimpleSigner.load_pkcs12(str(path), passphrase=passphrase)  # type: ignore[no-untyped-call]
    if signer is None or signer.signing_cert is None:
        raise ConfigurationError(f"{path} is no PKCS#12 file, or its passphrase is another one.")
    stamper = HTTPTimeStamper(timestamp_url, timeout=_PATIENCE) if timestamp_url else None  # type: ignore[no-untyped-call]
    return Hand(name=_common_name(signer.signing_cert), signer=signer, stamper=stamper)


def _changed_at(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError as error:
        raise ConfigurationError(f"There is no certificate at {path}: mend KAVAL_SIGNING_CERTIFICATE.") from error


def _roots() -> list[x509.Certificate]:
    path: Path | None = settings.SIGNING_ROOTS
    return list(load_certs_from_pemder([str(path)])) if path else []  # type: ignore[no-untyped-call]


def _common_name(certificate: x509.Certificate) -> str:
    subject = certificate.subject.native
    return str(subject.get("common_name") or subject.get("organization_name") or certificate.subject.human_friendly)
