"""The people of a demonstration: invented, marked DEMO, each let in with the same password and authenticator secret."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from casework.accounts import factors, people
from casework.accounts.models import Account, Totp, Unit
from casework.accounts.rules import Rank, Role

_PEOPLE = (
    ("demo-lead", "Nirmal Vettoor (DEMO)", Rank.INSPECTOR, Role.INVESTIGATOR),
    ("demo-store", "Sujila Karambil (DEMO)", Rank.SUB_INSPECTOR, Role.DESK_OFFICER),
    ("demo-examiner", "Teresh Poonthura (DEMO)", Rank.NONE, Role.EXAMINER),
    ("demo-legal", "Anvika Thorapuram (DEMO)", Rank.NONE, Role.LEGAL),
    ("demo-support", "Melan Chiravakkal (DEMO)", Rank.SUB_INSPECTOR, Role.VICTIM_SUPPORT),
)


@dataclass(frozen=True, kw_only=True)
class DemoPeople:
    """Who plays in a demonstration."""

    lead: Account
    store: Account
    examiner: Account
    legal: Account
    support: Account
    supervisor: Account
    administrator: Account

    def all(self) -> list[Account]:
        """Return them in the order in which they are shown."""
        named = (self.lead, self.store, self.examiner, self.legal, self.support, self.supervisor, self.administrator)
        return list(named)


@transaction.atomic
def make_demo(*, password: str, secret: str) -> DemoPeople:
    """Return the people of a demonstration, ready to sign in with ``password`` and the codes of ``secret`` (base32)."""
    unit = "Demo cell (DEMO)"
    administrator = people.open_first_account(username="demo-admin", name="Admin", unit=unit, role=Role.ADMINISTRATOR)
    supervisor = people.open_first_account(username="demo-supervisor", name="Head", unit=unit, role=Role.SUPERVISOR)
    for account, name, rank in (
        (administrator, "Pravel Mannathar (DEMO)", Rank.NONE),
        (supervisor, "Hridya Kolazhi (DEMO)", Rank.DEPUTY_SUPERINTENDENT),
    ):
        account.name, account.rank = name, rank
        account.save(update_fields=["name", "rank"])
    made = {}
    for username, name, rank, role in _PEOPLE:
        place = Unit.objects.get(name=unit)
        made[username] = people.open_account(acting=administrator, username=username, name=name, unit=place, rank=rank)
        people.grant_role(acting=supervisor, to=made[username], role=role)
    cast = DemoPeople(
        lead=made["demo-lead"],
        store=made["demo-store"],
        examiner=made["demo-examiner"],
        legal=made["demo-legal"],
        support=made["demo-support"],
        supervisor=supervisor,
        administrator=administrator,
    )
    for account in cast.all():
        _let_in(account, password, secret)
        account.refresh_from_db()
    return cast


def _let_in(account: Account, password: str, secret: str) -> None:
    invited = people.invitation_of(people.invite_first(account=account))
    assert invited is not None
    people.accept_invitation(invitation=invited, password=password)
    Totp.objects.create(account=account, secret=secret)
    # The code before the present one, so that the one which is shown now is not used up.
    assert factors.confirm_totp(account, factors.code_at(secret, factors.present_step() - 1))
    people.use_invitation(invited)
