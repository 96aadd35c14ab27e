"""Second factors: authenticator apps (RFC 6238), passkeys (WebAuthn level 2), recovery codes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import struct
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from django.db import transaction
from fido2.server import Fido2Server
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialRpEntity,
    PublicKeyCredentialUserEntity,
    UserVerificationRequirement,
)

from casework.accounts.models import Account, Passkey, RecoveryCode, Totp
from casework.accounts.standing import actor, subject
from casework.audit import api as audit
from casework.lib import clock
from casework.lib.errors import AbsentError, RefusedError

_STEP_SECONDS = 30
_RECOVERY_CODES = 10


def has_factor(account: Account) -> bool:
    """Tell whether the account has a factor that is in use."""
    return Totp.objects.filter(account=account).exclude(confirmed_at=None).exists() or has_passkey(account)


def has_passkey(account: Account) -> bool:
    """Tell whether the account has a passkey."""
    return Passkey.objects.filter(account=account).exists()


# ---- authenticator apps ---------------------------------------------------------------------------------------------


def code_at(secret: str, step: int) -> str:
    """Return the six digits of RFC 6238 (HMAC-SHA-1, as the apps expect) for a time step."""
    mac = hmac.new(base64.b32decode(secret), struct.pack(">Q", step), hashlib.sha1).digest()
    offset = mac[-1] & 0x0F
    return f"{(struct.unpack('>I', mac[offset : offset + 4])[0] & 0x7FFFFFFF) % 1_000_000:06d}"


def present_step() -> int:
    """Return the time step of this moment."""
    return int(clock.now().timestamp()) // _STEP_SECONDS


def begin_totp(account: Account) -> Totp:
    """Return an authenticator to be confirmed; one not confirmed yet is shown again."""
    pending = Totp.objects.filter(account=account).first()
    if pending is not None:
        if pending.confirmed_at is not None:
            raise RefusedError("has-totp", "An authenticator app is enrolled; remove it first.")
        return pending
    return Totp.objects.create(account=account, secret=base64.b32encode(secrets.token_bytes(20)).decode())


def totp_address(totp: Totp, issuer: str) -> str:
    """Return what the QR code says."""
    label = quote(f"{issuer}:{totp.account.username}")
    return f"otpauth://totp/{label}?secret={totp.secret}&issuer={quote(issuer)}"


@transaction.atomic
def confirm_totp(account: Account, code: str) -> bool:
    """Put the authenticator into use if the code is right; that code is then used up."""
    totp = Totp.objects.filter(account=account, confirmed_at=None).first()
    if totp is None or not _take_code(totp, code):
        return False
    Totp.objects.filter(pk=totp.pk).update(confirmed_at=clock.now())
    audit.append(actor=actor(account), act="accounts.factor_added", subject=subject(account), fields={"factor": "totp"})
    return True


def check_totp(account: Account, code: str) -> bool:
    """Tell whether the code is right and unused, and use it up."""
    totp = Totp.objects.filter(account=account).exclude(confirmed_at=None).first()
    return totp is not None and _take_code(totp, code)


def _take_code(totp: Totp, code: str) -> bool:
    typed = "".join(code.split())
    present = present_step()
    for step in (present, present - 1, present + 1):
        if hmac.compare_digest(code_at(totp.secret, step).encode(), typed.encode()):
            # Conditional, so that of two workers with the same code only one succeeds.
            return bool(Totp.objects.filter(pk=totp.pk, last_step__lt=step).update(last_step=step))
    return False


@transaction.atomic
def remove_totp(*, acting: Account) -> None:
    """Take the authenticator app out of use; a factor has to remain."""
    if not has_passkey(acting):
        raise RefusedError("last-factor", "This is your only second factor; add a passkey first.")
    Totp.objects.filter(account=acting).delete()
    audit.append(actor=actor(acting), act="accounts.factor_removed", subject=subject(acting), fields={"factor": "totp"})


# ---- passkeys -------------------------------------------------------------------------------------------------------


def passkey_registration(account: Account, host: str, title: str) -> tuple[dict[str, Any], Any]:
    """Return what the browser is asked for a new passkey, and the state to keep in the session."""
    user = PublicKeyCredentialUserEntity(id=account.pk.bytes, name=account.username, display_name=account.name)
    options, state = _server(host, title).register_begin(
        user, _credentials(account), user_verification=UserVerificationRequirement.PREFERRED
    )
    return dict(options), state


@transaction.atomic
def add_passkey(account: Account, host: str, title: str, state: Any, answer: Mapping[str, Any], name: str) -> None:
    """Keep the passkey the browser made."""
    try:
        data = _server(host, title).register_complete(state, answer).credential_data
    except (ValueError, KeyError, TypeError) as error:
        raise RefusedError("passkey", "The passkey was not accepted; try again.") from error
    if data is None:
        raise RefusedError("passkey", "The passkey was not accepted: it carried no key.")
    Passkey.objects.create(account=account, name=name, credential_id=data.credential_id, credential=bytes(data))
    fields: audit.Fields = {"factor": "passkey", "name": name}
    audit.append(actor=actor(account), act="accounts.factor_added", subject=subject(account), fields=fields)


def passkey_question(account: Account, host: str, title: str) -> tuple[dict[str, Any], Any]:
    """Return what the browser is asked to prove a passkey, and the state to keep in the session."""
    options, state = _server(host, title).authenticate_begin(
        _credentials(account), user_verification=UserVerificationRequirement.PREFERRED
    )
    return dict(options), state


def check_passkey(account: Account, host: str, title: str, state: Any, answer: Mapping[str, Any]) -> bool:
    """Tell whether the browser proved a passkey of this account; a counter that runs backwards is a copied key."""
    try:
        used = _server(host, title).authenticate_complete(state, _credentials(account), answer)
        count = AuthenticationResponse.from_dict(answer).response.authenticator_data.counter
    except (ValueError, KeyError, TypeError):
        return False
    stored = Passkey.objects.get(account=account, credential_id=used.credential_id)
    if count and count <= stored.sign_count:
        return False
    Passkey.objects.filter(pk=stored.pk).update(sign_count=count, last_used_at=clock.now())
    return True


@transaction.atomic
def remove_passkey(*, acting: Account, passkey: str) -> None:
    """Take a passkey out of use; a factor has to remain."""
    mine = Passkey.objects.filter(account=acting)
    found = mine.filter(pk=passkey).first()
    if found is None:
        raise AbsentError("passkey")
    if mine.count() == 1 and not Totp.objects.filter(account=acting).exclude(confirmed_at=None).exists():
        raise RefusedError("last-factor", "This is your only second factor; add another first.")
    found.delete()
    fields: audit.Fields = {"factor": "passkey", "name": found.name}
    audit.append(actor=actor(acting), act="accounts.factor_removed", subject=subject(acting), fields=fields)


def _server(host: str, title: str) -> Fido2Server:
    return Fido2Server(PublicKeyCredentialRpEntity(id=host, name=title))


def _credentials(account: Account) -> list[AttestedCredentialData]:
    return [AttestedCredentialData(bytes(key.credential)) for key in Passkey.objects.filter(account=account)]


# ---- recovery codes -------------------------------------------------------------------------------------------------


@transaction.atomic
def renew_recovery_codes(account: Account) -> list[str]:
    """Return ten fresh codes, to be shown once; older ones end."""
    RecoveryCode.objects.filter(account=account).delete()
    codes = [f"{secrets.token_hex(3)}-{secrets.token_hex(3)}" for _ in range(_RECOVERY_CODES)]
    RecoveryCode.objects.bulk_create(RecoveryCode(account=account, digest=_digest(account, code)) for code in codes)
    audit.append(actor=actor(account), act="accounts.recovery_codes_made", subject=subject(account))
    return codes


@transaction.atomic
def check_recovery_code(account: Account, code: str) -> bool:
    """Tell whether the code is one of the account's unused ones, and use it up."""
    unused = RecoveryCode.objects.filter(account=account, digest=_digest(account, code.strip().lower()), used_at=None)
    if not unused.update(used_at=clock.now()):
        return False
    audit.append(actor=actor(account), act="accounts.recovery_code_used", subject=subject(account))
    return True


def _digest(account: Account, code: str) -> str:
    return hashlib.sha256(account.pk.bytes + code.encode()).hexdigest()
