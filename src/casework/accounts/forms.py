"""The forms of the way in and of one's own settings."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.password_validation import password_validators_help_text_html, validate_password
from django.utils.functional import lazy
from django.utils.translation import gettext_lazy as _

from casework.accounts import directory
from casework.accounts.models import Account, Unit
from casework.accounts.rules import MAX_TOKEN_DAYS, Rank
from casework.lib.forms import UnitForm

_LONGEST = 128
_advice = lazy(password_validators_help_text_html, str)


def _password(label: Any, autocomplete: str, **options: Any) -> forms.CharField:
    widget = forms.PasswordInput(attrs={"autocomplete": autocomplete})
    return forms.CharField(label=label, max_length=_LONGEST, strip=False, widget=widget, **options)


class SignInForm(UnitForm):
    """Name and password."""

    username = forms.CharField(
        label=_("Log-in name"),
        max_length=64,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autofocus": True}),
    )
    password = _password(_("Password"), "current-password")


class CodeForm(UnitForm):
    """A code of the authenticator app, or a recovery code."""

    code = forms.CharField(
        label=_("Code"),
        max_length=20,
        help_text=_("Six digits of the app; or one of your recovery codes."),
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "class": "form-control code", "autofocus": True}
        ),
    )


class AppCodeForm(CodeForm):
    """The first code of an authenticator app."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].help_text = _("The six digits the app shows now.")


class NewPasswordForm(UnitForm):
    """A new password, twice."""

    password = _password(_("New password"), "new-password", help_text=_advice())
    again = _password(_("The same again"), "new-password")

    def __init__(self, account: Account, *args: Any, **kwargs: Any) -> None:
        self.account = account
        super().__init__(*args, **kwargs)

    def clean_password(self) -> str:
        """Hold it against the policy."""
        password: str = self.cleaned_data["password"]
        validate_password(password, self.account)
        return password

    def clean_again(self) -> str:
        """Hold it against the first."""
        again: str = self.cleaned_data["again"]
        if "password" in self.cleaned_data and again != self.cleaned_data["password"]:
            raise forms.ValidationError(_("This is not the same password."))
        return again


class ChangePasswordForm(NewPasswordForm):
    """A new password, by the one who knows the old one."""

    old = _password(_("Present password"), "current-password")
    field_order = ("old", "password", "again")

    def clean_old(self) -> str:
        """Hold it against the stored one."""
        return _checked(self.account, self.cleaned_data["old"])


class ConfirmForm(UnitForm):
    """The present password, before a factor is added or removed."""

    old = _password(_("Present password"), "current-password")

    def __init__(self, account: Account, *args: Any, **kwargs: Any) -> None:
        self.account = account
        super().__init__(*args, **kwargs)

    def clean_old(self) -> str:
        """Hold it against the stored one."""
        return _checked(self.account, self.cleaned_data["old"])


class DirectoryPasswordForm(ConfirmForm):
    """The password of the directory, when an invitation is taken."""

    old = _password(_("Your password in the directory"), "current-password")

    def clean_old(self) -> str:
        """Hold it against the directory."""
        typed: str = self.cleaned_data["old"]
        if not directory.accepts(self.account, typed):
            raise forms.ValidationError(_("The directory does not take this password for your log-in name."))
        return typed


class OpenAccountForm(UnitForm):
    """A new account."""

    username = forms.SlugField(label=_("Log-in name"), max_length=64, help_text=_("Letters, digits and hyphens."))
    name = forms.CharField(label=_("Name"), max_length=200)
    rank = forms.ChoiceField(label=_("Rank"), choices=[(rank.value, rank.value.replace("-", " ")) for rank in Rank])
    unit = forms.ModelChoiceField(label=_("Unit"), queryset=Unit.objects.order_by("name"))


class TokenForm(UnitForm):
    """A new token."""

    name = forms.CharField(label=_("Which program will use it"), max_length=80)
    days = forms.IntegerField(
        label=_("How many days it holds"),
        min_value=1,
        max_value=MAX_TOKEN_DAYS,
        initial=90,
        help_text=_("At most a year."),
    )
    may_write = forms.BooleanField(
        label=_("It may also change things"),
        required=False,
        help_text=_("Without this it only reads. It never may more than you."),
    )


class ReasonForm(UnitForm):
    """Why."""

    reason = forms.CharField(label=_("Reason"), max_length=500)


def _checked(account: Account, typed: str) -> str:
    if not directory.is_right(account, typed):
        raise forms.ValidationError(_("This is not your present password."))
    return typed
