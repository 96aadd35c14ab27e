"""The one normal form of each kind of identifier; what does not fit it is refused with the remedy, never bent.

Phone: E.164, region IN where none is written (libphonenumber). IMEI: 15 digits with a right check digit (3GPP TS 23.003
Annex B), the check digit added where 14 were given; the IMEISV's version is left out. IMSI: 14 or 15 digits (ITU-T
E.212). IP: RFC 5952. E-mail: the domain in lower case and ASCII (RFC 5890), the local part in lower case: no provider
told apart by case has been met. UPI: handle@bank in lower case. Vehicle: the State series or the BH series of the
Central Motor Vehicles Rules, without blanks.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from collections.abc import Callable

import phonenumbers
import regex

from casework.lib.errors import RefusedError
from casework.people.rules import IdentifierKind

_LONGEST = 300
# Small letters may compose anew, which may bring out a letter that has another small one; then it is at rest.
_ROUNDS = 4
_BLANKS = regex.compile(r"[\s\p{Cf}]+")
_EMAIL = re.compile(r"([^@\s\"(),:;<>\[\\\]]{1,64})@([^@\s]{1,253})\Z")
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}\Z")
_UPI = re.compile(r"[a-z0-9._-]{2,256}@[a-z][a-z0-9]{1,63}\Z")
_STATE_SERIES = re.compile(r"([A-Z]{2})(\d{1,2})([A-Z]{0,3})(\d{1,4})\Z")
_BHARAT_SERIES = re.compile(r"(\d{2})BH(\d{1,4})([A-Z]{1,2})\Z")


def normalise(kind: IdentifierKind, given: str) -> str:
    """Return the normal form of what was given.

    Raises:
        RefusedError: It is not an identifier of that kind.
    """
    tidy = unicodedata.normalize("NFKC", given).strip()
    if not tidy or len(tidy) > _LONGEST:
        raise _refusal("It is empty or too long.")
    for _round in range(_ROUNDS):
        before, tidy = tidy, unicodedata.normalize("NFKC", _FORMS[kind](tidy))
        if tidy == before:
            break
    return tidy


def check_digit(digits: str) -> str:
    """Return the Luhn check digit of ``digits`` (ISO/IEC 7812-1 Annex B)."""
    doubled = [int(digit) * (2 - place % 2) for place, digit in enumerate(reversed(digits))]
    return str(-sum(value - 9 if value > 9 else value for value in doubled) % 10)


def _phone(given: str) -> str:
    try:
        number = phonenumbers.parse(given, "IN")
    except phonenumbers.NumberParseException as error:
        raise _refusal("This is not a phone number: write it with its country code.") from error
    if not phonenumbers.is_valid_number(number):
        raise _refusal("There is no such phone number: count its digits, and look at the country code.")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _email(given: str) -> str:
    match = _EMAIL.match(given)
    if match is None:
        raise _refusal("This is not an e-mail address: expected name@domain.")
    try:
        domain = match[2].rstrip(".").encode("idna").decode("ascii").lower()
    except UnicodeError as error:
        raise _refusal("The domain of this e-mail address cannot exist.") from error
    if not _DOMAIN.match(domain):
        raise _refusal("The domain of this e-mail address cannot exist.")
    return f"{match[1].lower()}@{domain}"


def _account(given: str) -> str:
    return str(_BLANKS.sub("", given)).lstrip("@").casefold() or _fail("The name of the account is empty.")


def _ip(given: str) -> str:
    try:
        address = ipaddress.ip_address(given.strip("[]"))
    except ValueError as error:
        raise _refusal("This is not an IP address; the port stands in its own field.") from error
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)


def _imei(given: str) -> str:
    digits = re.sub(r"[\s/.-]", "", given)
    if not re.fullmatch(r"[0-9]{14,16}", digits):
        raise _refusal("An IMEI has 15 digits; 14 without the check digit, 16 with the software version.")
    body = digits[:14]
    if len(digits) == 15 and digits[14] != check_digit(body):
        raise _refusal("The check digit of this IMEI is wrong: read it from the device again (*#06#).")
    return body + check_digit(body)


def _imsi(given: str) -> str:
    digits = re.sub(r"[\s-]", "", given)
    if not re.fullmatch(r"[0-9]{14,15}", digits):
        raise _refusal("An IMSI has 14 or 15 digits.")
    return digits


def _serial(given: str) -> str:
    return str(_BLANKS.sub("", given)).upper() or _fail("The serial number is empty.")


def _upi(given: str) -> str:
    tidy = str(_BLANKS.sub("", given)).lower()
    if not _UPI.match(tidy):
        raise _refusal("This is not a UPI id: expected name@bank.")
    return tidy


def _wallet(given: str) -> str:
    tidy = str(_BLANKS.sub("", given))
    # Base58 tells letters by case; the other forms in use do not.
    return tidy.lower() if re.match(r"(?i)(0x|bc1|ltc1|addr1)", tidy) else tidy


def _vehicle(given: str) -> str:
    tidy = re.sub(r"[\s.-]", "", given.upper())
    state, bharat = _STATE_SERIES.match(tidy), _BHARAT_SERIES.match(tidy)
    if state:
        return f"{state[1]}{int(state[2]):02}{state[3]}{int(state[4]):04}"
    if bharat:
        return f"{bharat[1]}BH{int(bharat[2]):04}{bharat[3]}"
    raise _refusal("This is not a registration mark: expected KL 07 AB 1234, or 22 BH 1234 AA.")


def _address(given: str) -> str:
    words = regex.findall(r"[\p{L}\p{M}\p{N}]+", given.casefold())
    return " ".join(words) or _fail("The address is empty.")


def _refusal(remedy: str) -> RefusedError:
    return RefusedError("identifier", remedy)


def _fail(remedy: str) -> str:
    raise _refusal(remedy)


_FORMS: dict[IdentifierKind, Callable[[str], str]] = {
    IdentifierKind.PHONE: _phone,
    IdentifierKind.EMAIL: _email,
    IdentifierKind.ACCOUNT: _account,
    IdentifierKind.IP: _ip,
    IdentifierKind.IMEI: _imei,
    IdentifierKind.IMSI: _imsi,
    IdentifierKind.SERIAL: _serial,
    IdentifierKind.UPI: _upi,
    IdentifierKind.WALLET: _wallet,
    IdentifierKind.VEHICLE: _vehicle,
    IdentifierKind.ADDRESS: _address,
}
