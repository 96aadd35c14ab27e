"""A password has to resist guessing; it never expires: forced changes make weak ones (NIST SP 800-63B 5.1.1.2)."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from zxcvbn import zxcvbn

from casework.accounts.models import Account

_ENOUGH = 3
_LONGEST_TO_RATE = 72  # zxcvbn takes quadratic time; what is longer is rated by its beginning.


class GuessingValidator:
    """Refuses what zxcvbn rates below three of four; a person's own names count as known to the guesser."""

    def validate(self, password: str, user: Account | None = None) -> None:
        """Raise ValidationError for a password that is guessed soon."""
        known = [user.username, *user.name.split()] if user else []
        if zxcvbn(password[:_LONGEST_TO_RATE], user_inputs=known)["score"] < _ENOUGH:
            raise ValidationError(_("This would be guessed soon. Four unrelated words are better."), code="guessable")

    def get_help_text(self) -> str:
        """Return the advice."""
        return _("Four unrelated words make a good password.")
