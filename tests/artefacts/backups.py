"""iTunes-style backups built in code, plain and encrypted, with few rounds so that tests are quick."""

from __future__ import annotations

import hashlib
import plistlib
import struct
from collections.abc import Mapping
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

from tests.artefacts.reading import database

_ROUNDS = 3
_CLASS = 3


def _encrypt(content: bytes, key: bytes) -> bytes:
    padded = content + bytes([16 - len(content) % 16]) * (16 - len(content) % 16)
    encryptor = Cipher(algorithms.AES(key), modes.CBC(bytes(16))).encryptor()
    return encryptor.update(padded) + encryptor.finalize()


def _value(tag: bytes, content: bytes | int) -> bytes:
    stored = struct.pack(">I", content) if isinstance(content, int) else content
    return tag + struct.pack(">I", len(stored)) + stored


class Backup:
    """A backup of files given by ``domain/path``."""

    def __init__(self, files: Mapping[str, bytes], password: str = "") -> None:
        self._files = {tuple(name.partition("/")[::2]): content for name, content in files.items()}
        self._password = password
        self._class_key = hashlib.sha256(b"class").digest()
        self._manifest_key = hashlib.sha256(b"manifest").digest()

    @staticmethod
    def identifier(domain: str, path: str) -> str:
        """Return the name a file has in the backup."""
        return hashlib.sha1(f"{domain}-{path}".encode()).hexdigest()

    def _key(self, path: str) -> bytes:
        return hashlib.sha256(path.encode()).digest()

    def _described(self, path: str, content: bytes) -> bytes:
        fields: dict[str, object] = {
            "Size": len(content), "LastModified": 1_700_000_000, "Birth": 1_600_000_000, "Mode": 0o100644,
            "ProtectionClass": _CLASS,
        }  # fmt: skip
        objects: list[object] = ["$null", fields]
        if self._password and content:
            fields["EncryptionKey"] = plistlib.UID(2)
            wrapped = struct.pack("<I", _CLASS) + aes_key_wrap(self._class_key, self._key(path))
            objects.append({"NS.data": wrapped})
        archive = {"$version": 100000, "$objects": objects, "$top": {"root": plistlib.UID(1)}}
        return plistlib.dumps(archive, fmt=plistlib.FMT_BINARY)

    def plain_manifest(self, folder: Path) -> bytes:
        """Return the list of files as a database."""
        rows = [
            f"('{self.identifier(domain, path)}', '{domain}', '{path}', 1, x'{self._described(path, content).hex()}')"
            for (domain, path), content in self._files.items()
        ]
        table = (
            "CREATE TABLE Files (fileID TEXT PRIMARY KEY, domain TEXT, relativePath TEXT, flags INTEGER, file BLOB);"
        )
        return database(folder / "Manifest.db", table, f"INSERT INTO Files VALUES {', '.join(rows)};")

    def encrypted_manifest(self, folder: Path) -> bytes:
        """Return the list of files, encrypted."""
        return _encrypt(self.plain_manifest(folder), self._manifest_key)

    def stored(self) -> dict[str, bytes]:
        """Return the files of the backup as they are stored, by their path in it."""
        stored = {}
        for (domain, path), content in self._files.items():
            name = self.identifier(domain, path)
            stored[f"{name[:2]}/{name}"] = _encrypt(content, self._key(path)) if self._password else content
        return stored

    def manifest_plist(self) -> bytes:
        """Return ``Manifest.plist`` with the keybag."""
        salt, double = b"s" * 20, b"d" * 20
        key = hashlib.pbkdf2_hmac("sha256", self._password.encode(), double, _ROUNDS, 32)
        key = hashlib.pbkdf2_hmac("sha1", key, salt, _ROUNDS, 32)
        bag = b"".join(
            [
                _value(b"VERS", 5), _value(b"TYPE", 1), _value(b"UUID", b"u" * 16), _value(b"WRAP", 0),
                _value(b"SALT", salt), _value(b"ITER", _ROUNDS), _value(b"DPSL", double), _value(b"DPIC", _ROUNDS),
                _value(b"UUID", b"c" * 16), _value(b"CLAS", _CLASS), _value(b"WRAP", 2), _value(b"KTYP", 0),
                _value(b"WPKY", aes_key_wrap(key, self._class_key)),
            ]
        )  # fmt: skip
        wrapped = struct.pack("<I", _CLASS) + aes_key_wrap(self._class_key, self._manifest_key)
        return plistlib.dumps({"IsEncrypted": bool(self._password), "BackupKeyBag": bag, "ManifestKey": wrapped})
