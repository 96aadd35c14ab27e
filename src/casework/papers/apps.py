"""The Django application of papers, and its check: a certificate that is configured has to be usable."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.core import checks

from casework.lib.errors import ConfigurationError


class PapersConfig(AppConfig):
    """Forms of papers, and the papers issued from them."""

    name = "casework.papers"
    label = "papers"

    def ready(self) -> None:
        """Have `kaval-unit check` try the certificate, so that it does not fail when the first paper is issued."""
        checks.register(check_certificate)


def check_certificate(app_configs: Any, **options: Any) -> list[checks.CheckMessage]:
    """Return what keeps the configured certificate from signing."""
    from casework.papers import signing

    try:
        signing.configured()
    except ConfigurationError as error:
        return [checks.Error(str(error), id="papers.E001")]
    return []
