"""Checking what somebody holds: a sheet by number and digest, a file by its bytes, a signature by its certificate.

To one who may not see the paper the answer is the same as for one that was never issued.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from casework.accounts import api as accounts
from casework.lib.errors import AbsentError, WrongKeyError
from casework.papers import rules, signing
from casework.papers.issuing import state_of
from casework.papers.models import Document, Paper
from casework.papers.reading import check_may_see
from casework.papers.rules import Verdict


@dataclass(frozen=True, kw_only=True)
class Check:
    """What a check says; ``paper`` is None where the verdict is unknown."""

    verdict: Verdict
    paper: Paper | None


@dataclass(frozen=True, kw_only=True)
class FileCheck:
    """What the command line of the machine says of a file; it names no case and no person."""

    verdict: Verdict
    number: str
    signature: signing.Signature | None


def check(*, acting: accounts.Account, number: str, digest: str) -> Check:
    """Return what the number and the digest at the foot of a sheet are worth.

    Raises:
        RefusedError: They do not read like a number and a digest.
    """
    number, digest = rules.read_check(number, digest)
    paper = _seen(acting, Paper.objects.filter(number=number).first())
    if paper is None:
        return Check(verdict=Verdict.UNKNOWN, paper=None)
    if not paper.digest.startswith(digest):
        return Check(verdict=Verdict.OTHER_DIGEST, paper=paper)
    return Check(verdict=Verdict(state_of(paper)), paper=paper)


def check_file(*, acting: accounts.Account, file_digest: str) -> Check:
    """Return whether a file with that SHA-256 is, byte for byte, one that was issued."""
    paper = _seen(acting, Paper.objects.filter(file_digest=file_digest).first())
    return Check(verdict=Verdict(state_of(paper)) if paper else Verdict.UNKNOWN, paper=paper)


def check_on_machine(content: bytes) -> FileCheck:
    """Return the same for who runs the machine, with what the file's signature is worth."""
    paper = Paper.objects.filter(file_digest=sha256(content).hexdigest()).first()
    if paper is None:
        return FileCheck(verdict=Verdict.UNKNOWN, number="", signature=None)
    signature = signing.verify(content, at=paper.issued_at)
    return FileCheck(verdict=Verdict(state_of(paper)), number=paper.number, signature=signature)


def signature_of(*, acting: accounts.Account, paper: Paper) -> signing.Signature | None:
    """Return what the signature in the file of a paper is worth; None where it carries none."""
    check_may_see(acting, paper)
    if not paper.signed_by:
        return None
    return signing.verify(bytes(Document.objects.get(paper=paper).content), at=paper.issued_at)


def verify_all() -> tuple[int, list[str]]:
    """Return how many papers were read, and the numbers of those whose file or text is not what was issued.

    A text or a file that the unit's key does not open is broken as well.
    """
    count, broken = 0, []
    for pk, number in Paper.objects.order_by("issued_at", "pk").values_list("pk", "number").iterator(chunk_size=500):
        count += 1
        if not _is_whole(pk):
            broken.append(number)
    return count, broken


def _is_whole(pk: UUID) -> bool:
    try:
        paper = Paper.objects.get(pk=pk)
        content = bytes(Document.objects.get(paper=paper).content)
    except (WrongKeyError, Document.DoesNotExist):
        return False
    return sha256(content).hexdigest() == paper.file_digest and rules.digest_of(paper.frozen) == paper.digest


def _seen(acting: accounts.Account, paper: Paper | None) -> Paper | None:
    if paper is None:
        return None
    try:
        check_may_see(acting, paper)
    except AbsentError:
        return None
    return paper
