"""Log lines without personal data: the sentence as the programmer wrote it, never the values that were put into it.

An exception is logged by its type and the lines it passed through; its message is left out: databases and parsers
quote the values they refuse. A line is one JSON object.
"""

from __future__ import annotations

import json
import logging
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime

request_id: ContextVar[str] = ContextVar("request_id", default="")

_PLAIN_EXTRAS = ("status_code", "route", "method")


class ValuelessFormatter(logging.Formatter):
    """Formats a record without its arguments and without exception messages."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one JSON line."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, tz=UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "event": record.msg if isinstance(record.msg, str) else type(record.msg).__name__,
        }
        if request_id.get():
            line["request"] = request_id.get()
        line.update(
            {
                name: getattr(record, name)
                for name in _PLAIN_EXTRAS
                if isinstance(getattr(record, name, None), str | int)
            }
        )
        if record.exc_info and record.exc_info[0] is not None:
            line["exception"] = record.exc_info[0].__qualname__
            line["frames"] = [f"{f.filename}:{f.lineno} {f.name}" for f in traceback.extract_tb(record.exc_info[2])]
        return json.dumps(line, ensure_ascii=True)


def logging_settings() -> dict[str, object]:
    """Return Django's LOGGING: everything to standard error, through the valueless formatter."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"valueless": {"()": "casework.lib.logs.ValuelessFormatter"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "valueless"}},
        "root": {"handlers": ["stderr"], "level": "INFO"},
        "loggers": {
            "django": {"handlers": [], "level": "INFO", "propagate": True},
            "django.server": {"handlers": [], "level": "WARNING", "propagate": True},
            # SQL with its parameters would be personal data.
            "django.db.backends": {"level": "WARNING"},
            # It writes names and the directory's answers into its sentences.
            "django_python3_ldap": {"handlers": [], "level": "CRITICAL", "propagate": False},
        },
    }
