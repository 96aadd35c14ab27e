"""Django's settings for a directory service, made from the configuration; nothing where none is configured."""

from __future__ import annotations

import ssl
from typing import Any

from casework.lib.configuration import Configuration

BACKEND = "casework.accounts.directory.DirectoryBackend"


def describe(configuration: Configuration) -> dict[str, Any]:
    """Return what `django_python3_ldap` reads.

    A certificate that does not hold ends the connection: left alone, the library would not look at it.
    """
    if not configuration.ldap_url:
        return {}
    import ldap3

    authorities = str(configuration.ldap_authorities) if configuration.ldap_authorities else None
    tls = {"validate": ssl.CERT_REQUIRED, "ca_certs_file": authorities}
    described = {
        "LDAP_AUTH_URL": configuration.ldap_url,
        "LDAP_AUTH_USE_TLS": configuration.ldap_start_tls,
        "LDAP_AUTH_TLS_ARGS": tls,
        "LDAP_AUTH_CONNECT_ARGS": {} if configuration.ldap_start_tls else {"tls": ldap3.Tls(**tls)},
        "LDAP_AUTH_SEARCH_BASE": configuration.ldap_base,
        "LDAP_AUTH_USER_FIELDS": {"username": configuration.ldap_name_field},
        "LDAP_AUTH_CONNECT_TIMEOUT": 5,
        "LDAP_AUTH_RECEIVE_TIMEOUT": 5,
    }
    if configuration.ldap_domain:
        described["LDAP_AUTH_ACTIVE_DIRECTORY_DOMAIN"] = configuration.ldap_domain
        described["LDAP_AUTH_FORMAT_USERNAME"] = "django_python3_ldap.utils.format_username_active_directory_principal"
    return described


def is_open_to_listeners(url: str, *, start_tls: bool) -> bool:
    """Tell whether passwords would cross the network readable."""
    return bool(url) and not (start_tls or url.lower().startswith(("ldaps://", "ldapi://")))
