"""What an operator may set, each with its name, type and default; a typing error stops the start, naming every fault.

Read in this order: environment (``KAVAL_...``), then ``unit.env`` in the data folder, which `kaval-unit setup` writes.
The key is a file: ``$CREDENTIALS_DIRECTORY/kaval-key`` (systemd), else ``KAVAL_KEY_FILE``, else ``key`` in the data
folder.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import unquote, urlsplit

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from casework.lib.errors import ConfigurationError
from casework.lib.keys import KeyRing, read_key_file

CONFIGURATION_FILE = "unit.env"


class Configuration(BaseSettings):
    """The settings of one unit."""

    model_config = SettingsConfigDict(env_prefix="KAVAL_", frozen=True, extra="forbid")

    data_dir: Path = Field(description="Folder of the database, the key and the configuration")
    instance: str = Field(default="", description="Id of this unit; the database must carry the same one")
    key_file: Path | None = Field(default=None, description="The key, outside the data folder")
    database_url: str = Field(default="", description="postgresql://... ; empty: SQLite in the data folder")
    hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        default=("localhost", "127.0.0.1"), description="Names under which browsers reach the unit, with commas"
    )
    https: bool = Field(default=True, description="False only for a trial on one machine")
    unit_name: str = Field(default="Kaval", description="Shown on every page")
    idle_minutes: int = Field(default=15, ge=1, le=60, description="A session ends after so much silence")
    api_per_minute: int = Field(default=300, ge=1, description="Questions the programs of one account may ask a minute")
    ldap_url: str = Field(default="", description="ldaps://directory.example ; empty: no directory service")
    ldap_start_tls: bool = Field(default=False, description="Begin TLS on an ldap:// connection")
    ldap_base: str = Field(default="", description="Where people stand in the directory: ou=people,dc=example")
    ldap_name_field: str = Field(default="uid", description="The attribute that holds the log-in name")
    ldap_domain: str = Field(default="", description="The domain, for Active Directory")
    ldap_authorities: Path | None = Field(default=None, description="Certificates the directory is known by (PEM)")
    timestamp_authorities: Path | None = Field(default=None, description="Certificates the service is known by (PEM)")
    session_hours: int = Field(default=12, ge=1, le=24, description="A session ends after so much time, come what may")
    address: str = Field(default="", description="Where browsers reach the unit, as papers print it: https://name:port")
    signing_certificate: Path | None = Field(default=None, description="PKCS#12 file with which papers are signed")
    signing_passphrase_file: Path | None = Field(default=None, description="Its passphrase, in a file")
    signing_roots: Path | None = Field(default=None, description="PEM file of the roots a signature may lead to")
    timestamp_url: str = Field(default="", description="RFC 3161 service that stamps signatures and the ledger's heads")

    @field_validator("hosts", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    def key_path(self) -> Path:
        """Return where the key is looked for."""
        credentials = os.environ.get("CREDENTIALS_DIRECTORY", "")
        if credentials and (Path(credentials) / "kaval-key").exists():
            return Path(credentials) / "kaval-key"
        return self.key_file or self.data_dir / "key"

    def check_address(self) -> str:
        """Return the address printed on papers, where their number and digest are checked."""
        scheme = "https" if self.https else "http"
        return (self.address or f"{scheme}://{self.hosts[0]}").rstrip("/") + "/papers/check/"

    def signing_passphrase_path(self) -> Path | None:
        """Return where the passphrase of the signing certificate is, if there is one."""
        credentials = os.environ.get("CREDENTIALS_DIRECTORY", "")
        if credentials and (Path(credentials) / "kaval-signing-passphrase").exists():
            return Path(credentials) / "kaval-signing-passphrase"
        return self.signing_passphrase_file

    def key_ring(self) -> KeyRing:
        """Return the unit's keys, or refuse."""
        return read_key_file(self.key_path())

    def database(self) -> dict[str, Any]:
        """Return Django's description of the database."""
        return _postgresql(self.database_url) if self.database_url else _sqlite(self.data_dir / "kaval.sqlite3")


def default_data_dir() -> Path:
    """Return the data folder where none is named."""
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(os.environ.get("KAVAL_DATA_DIR") or Path(base) / "kaval-unit")


def read_configuration() -> Configuration:
    """Read the settings of this unit.

    Raises:
        ConfigurationError: A setting is unknown or of the wrong kind; all faults are named.
    """
    data_dir = default_data_dir()
    try:
        return Configuration(data_dir=data_dir, _env_file=data_dir / CONFIGURATION_FILE)  # type: ignore[call-arg]
    except ValidationError as error:
        faults = "; ".join(f"KAVAL_{'.'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors())
        raise ConfigurationError(f"The configuration is not usable: {faults}.") from error


def write_configuration(data_dir: Path, lines: list[str]) -> None:
    """Write ``unit.env``; it may hold the database's password, so only its owner reads it."""
    path = data_dir / CONFIGURATION_FILE
    path.touch(mode=0o600)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _sqlite(path: Path) -> dict[str, Any]:
    # FULL: with NORMAL a power cut may take the last commits, and with them entries of the ledger.
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(path),
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;PRAGMA foreign_keys=ON",
        },
    }


def _postgresql(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    if parts.scheme not in ("postgresql", "postgres") or not parts.path.strip("/"):
        raise ConfigurationError("KAVAL_DATABASE_URL must read postgresql://user:password@host:port/name.")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }
