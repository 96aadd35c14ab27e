"""The tables of accounts.

`Account` is open or closed (``is_active``), never removed. `RoleGrant` and `Membership` run until ``ended_at``.
`Conflict` stands. `Invitation`: open until ``expires_at``, used, or replaced by a newer one.
`Totp`: being enrolled until ``confirmed_at``. `RecoveryCode`: unused, then used. `Passkey`: there, or removed.
`Failure` rows count for a quarter of an hour. `Token`: holds until ``expires_at`` or ``ended_at``. `Pace` is one row an
account, about the minute that runs.
"""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import models
from django.db.models import Q

from casework.accounts.rules import Capacity, Rank, Role
from casework.lib import clock
from casework.lib.records import Record
from casework.lib.sealed import SealedTextField


def _choices(vocabulary: Any) -> list[tuple[str, str]]:
    return [(word.value, word.value.replace("-", " ").capitalize()) for word in vocabulary]


class Unit(Record):
    """A station, cell, laboratory or office.

    .. no_pii:
    """

    name = models.CharField(max_length=200, unique=True)

    def __str__(self) -> str:
        return self.name


class Accounts(models.Manager["Account"]):
    """All accounts, open and closed."""

    def get_by_natural_key(self, username: str) -> Account:
        """Return the account of that log-in name, as Django's log-in asks for it."""
        return self.get(username=username)


class Account(Record, AbstractBaseUser):
    """One person who works here.

    .. pii: name, rank and log-in name of a colleague
    """

    username = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=200)
    rank = models.CharField(max_length=40, choices=_choices(Rank), default=Rank.NONE)
    unit = models.ForeignKey(Unit, on_delete=models.PROTECT, related_name="accounts")
    is_active = models.BooleanField(default=True)
    session_key = models.CharField(max_length=40, blank=True)
    password_set_at = models.DateTimeField(null=True, blank=True)
    language = models.CharField(max_length=8, blank=True)

    objects: ClassVar[Accounts] = Accounts()

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    def __str__(self) -> str:
        return self.name


class RoleGrant(Record):
    """A role, from when until when.

    .. no_pii:
    """

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="role_grants")
    role = models.CharField(max_length=40, choices=_choices(Role))
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("account", "role"), condition=Q(ended_at=None), name="one_running_grant_a_role"
            ),
        )


class Membership(Record):
    """That an account needs to know a case, and what for.

    .. no_pii:
    """

    case = models.UUIDField()
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="memberships")
    capacity = models.CharField(max_length=20, choices=_choices(Capacity))
    purpose = models.CharField(max_length=500)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=("case", "account"), condition=Q(ended_at=None), name="one_running_membership"
            ),
        )
        indexes = (models.Index(fields=("account", "ended_at"), name="memberships_of_account"),)


class Conflict(Record):
    """That an account is excluded from a case; the excluded person is not told, since they may be the suspect.

    .. pii: the reason, sealed
    """

    case = models.UUIDField()
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="conflicts")
    reason = SealedTextField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("case", "account"), name="excluded_once"),)


class Invitation(Record):
    """A link, good once, with which a person sets a password and enrols a factor.

    .. no_pii:
    """

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="invitations")
    token_digest = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)


class Totp(Record):
    """An authenticator app (RFC 6238); ``last_step`` is the newest time step a code was taken for.

    .. no_pii:
    """

    account = models.OneToOneField(Account, on_delete=models.PROTECT, related_name="totp")
    secret = SealedTextField()
    confirmed_at = models.DateTimeField(null=True)
    last_step = models.BigIntegerField(default=0)


class Passkey(Record):
    """A security key or a device's own (WebAuthn).

    .. no_pii:
    """

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="passkeys")
    name = models.CharField(max_length=80)
    credential_id = models.BinaryField(unique=True, max_length=1024)
    credential = models.BinaryField()
    sign_count = models.BigIntegerField(default=0)
    last_used_at = models.DateTimeField(null=True)


class RecoveryCode(Record):
    """One of ten codes for the day the other factor is lost; only its digest is kept.

    .. no_pii:
    """

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="recovery_codes")
    digest = models.CharField(max_length=64)
    used_at = models.DateTimeField(null=True)


class Failure(models.Model):
    """A wrong password or code; what was typed is kept as a keyed digest only.

    People type passwords into the wrong field.

    .. no_pii:
    """

    username_mark = models.CharField(max_length=64)
    address_mark = models.CharField(max_length=64)
    at = models.DateTimeField(default=clock.now)

    class Meta:
        indexes = (
            models.Index(fields=("username_mark", "at"), name="failures_of_name"),
            models.Index(fields=("address_mark", "at"), name="failures_of_address"),
        )


class Token(Record):
    """What a program shows in place of a person; only its digest is kept, and it never may more than the account.

    .. no_pii:
    """

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="tokens")
    name = models.CharField(max_length=80)
    digest = models.CharField(max_length=64, unique=True)
    may_write = models.BooleanField(default=False)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)


class Pace(models.Model):
    """How often the programs of an account have asked in the running minute.

    .. no_pii:
    """

    account = models.OneToOneField(Account, on_delete=models.PROTECT, primary_key=True, related_name="pace")
    minute = models.BigIntegerField(default=0)
    used = models.IntegerField(default=0)
