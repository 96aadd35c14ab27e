"""Backups that iTunes and Finder make of iOS devices: the list of files in ``Manifest.db``, and what is in them.

By public descriptions (libimobiledevice, iphone_backup_decrypt). Files lie under the SHA-1 of domain and path; of a
plain backup they are entries like others and are found by their content. Of an encrypted one, opened with the backup's
password, all are handed on decrypted, and those that some parser wants are read.
"""

from __future__ import annotations

import plistlib
from collections.abc import Iterator
from typing import Any, ClassVar

from kaval.artefacts import ARTEFACTS, Wanted
from kaval.artefacts.backup_keys import DecryptedSource, Keybag, key_of
from kaval.artefacts.found import Tables, found, text_of, told, whole
from kaval.artefacts.items import Item
from kaval.artefacts.plists import plist_of
from kaval.artefacts.records import Artefact, ArtefactKind, Attachment, Further, Moment
from kaval.artefacts.sqlite import Database, Row
from kaval.artefacts.times import unix_seconds
from kaval.core.errors import CorruptStructureError, LockedError
from kaval.core.records import Notice, NoticeCode
from kaval.core.sources import ByteSource

APPLICATION = "itunes-backup"
_MOST_PLIST = 4 << 20
_MAGIC = b"SQLite format 3\0"
_FLAGS = {1: "file", 2: "folder", 4: "symbolic link"}


@ARTEFACTS.register
class IosBackup:
    """Reads the list of files; opens an encrypted backup with a passphrase of the keyring."""

    name: ClassVar[str] = "backup-ios"
    title: ClassVar[str] = "iTunes-style backup, encrypted or not"
    rank: ClassVar[int] = 5
    requires: ClassVar[tuple[str, ...]] = ("cryptography",)
    wanted: ClassVar[Wanted] = Wanted(
        columns=(frozenset({"files.fileid", "files.domain", "files.relativepath"}),),
        paths=(r"(^|/)manifest\.db$",),
        beside=("manifest.plist",),
    )

    def parse(self, item: Item) -> Iterator[Artefact | Further | Notice]:
        if item.opened is not None:
            for row in item.tables.rows("files"):
                yield _listed(row, _Described(row))
            return
        manifest = _manifest(item)
        if manifest is None or not manifest.get("IsEncrypted"):
            raise CorruptStructureError("Manifest.db", "it is no database, and no Manifest.plist says it is encrypted")
        yield from _Encrypted(item, manifest).read()


def _manifest(item: Item) -> dict[str, Any] | None:
    source = item.beside("manifest.plist")
    if source is None or source.size > _MOST_PLIST:
        return None
    return plist_of(source.read_at(0, source.size))


class _Encrypted:
    """An encrypted backup, opened."""

    def __init__(self, item: Item, manifest: dict[str, Any]) -> None:
        if not item.keyring.passphrases:
            raise LockedError("iTunes-style backup", "give the backup's password with --passphrase-file")
        bag, wrapped = manifest.get("BackupKeyBag"), manifest.get("ManifestKey")
        if not isinstance(bag, bytes):
            raise CorruptStructureError("Manifest.plist", "it says the backup is encrypted, and holds no keybag")
        self._item = item
        self._classes = Keybag.parse(bag).open(item.keyring.passphrases)
        key = key_of(wrapped, self._classes) if isinstance(wrapped, bytes) else None
        if key is None:
            raise CorruptStructureError("Manifest.plist", "its key of the list of files does not open with the keybag")
        self._tables = Tables(Database.open(DecryptedSource(item.source, key)))
        self._files: dict[tuple[str, str], Row] = {}

    def read(self) -> Iterator[Artefact | Further | Notice]:
        rows = list(self._tables.rows("files"))
        for row in rows:
            self._files.setdefault((text_of(row.get("domain")) or "", text_of(row.get("relativePath")) or ""), row)
        for row in rows:
            described = _Described(row)
            yield _listed(row, described)
            if whole(row.get("flags")) == 1:
                yield from self._further(row, described)

    def _further(self, row: Row, described: _Described) -> Iterator[Further | Notice]:
        domain, path = text_of(row.get("domain")) or "", text_of(row.get("relativePath")) or ""
        source = self._open(row, described)
        if source is None:
            if described.size:
                message = f"{domain}/{path} is listed in the backup, but its content is not there or has no key"
                yield Notice(code=NoticeCode.UNREADABLE, message=message)
            return
        yield Further(
            path=f"{domain}/{path}",
            place=f"{domain}/{path}",
            source=source,
            beside=lambda name: self._beside(domain, path, name),
        )

    def _open(self, row: Row, described: _Described) -> ByteSource | None:
        identifier = text_of(row.get("fileID")) or ""
        content = self._item.below(f"{identifier[:2]}/{identifier}")
        key = key_of(described.key, self._classes, described.protection) if described.key else None
        return None if content is None or key is None else DecryptedSource(content, key, described.size)

    def _beside(self, domain: str, path: str, name: str) -> ByteSource | None:
        folder = path.rpartition("/")[0]
        row = self._files.get((domain, f"{folder}/{name.rpartition('/')[2]}".lstrip("/")))
        return self._open(row, _Described(row)) if row is not None else None


class _Described:
    """What the backup keeps of a file beside its name: an archived ``MBFile``."""

    def __init__(self, row: Row) -> None:
        fields = _archived(row.get("file"))
        self.size = whole(fields.get("Size"))
        self.protection = whole(fields.get("ProtectionClass"))
        self.mode = whole(fields.get("Mode"))
        self.modified = unix_seconds(fields.get("LastModified"))
        self.created = unix_seconds(fields.get("Birth"))
        self.changed = unix_seconds(fields.get("LastStatusChange"))
        key = fields.get("EncryptionKey")
        self.key = key if isinstance(key, bytes) else b""


def _archived(value: Any) -> dict[str, Any]:
    """Return the fields of an ``NSKeyedArchiver`` object, references followed one step; nothing where it is none."""
    if not isinstance(value, bytes):
        return {}
    try:
        archive = plist_of(value)
    except CorruptStructureError:
        return {}
    objects, top = archive.get("$objects"), archive.get("$top")
    root = top.get("root") if isinstance(top, dict) else None
    if not isinstance(objects, list) or not isinstance(root, plistlib.UID) or root.data >= len(objects):
        return {}
    fields = objects[root.data]
    return {key: _followed(part, objects) for key, part in fields.items()} if isinstance(fields, dict) else {}


def _followed(value: Any, objects: list[Any]) -> Any:
    if isinstance(value, plistlib.UID):
        value = objects[value.data] if value.data < len(objects) else None
        if isinstance(value, dict) and "NS.data" in value:
            return value["NS.data"]
    return value


def _listed(row: Row, described: _Described) -> Artefact:
    path = text_of(row.get("relativePath"))
    domain = text_of(row.get("domain"))
    kind = whole(row.get("flags")) or 0
    times = ((described.created, "created"), (described.changed, "metadata changed"))
    whole_path = f"{domain}/{path}" if path else domain
    return Artefact(
        kind=ArtefactKind.FILE,
        application=APPLICATION,
        at=described.modified,
        meaning="modified",
        zone="utc",
        moments=tuple(Moment(at=at, meaning=meaning) for at, meaning in times if at is not None),
        title=whole_path,
        identity=text_of(row.get("fileID")),
        attachments=(
            (Attachment(name=path.rpartition("/")[2] if path else None, path=whole_path, size=described.size),)
            if kind == 1
            else ()
        ),
        details=told({"kind": _FLAGS.get(kind, kind), "mode": f"{described.mode:o}" if described.mode else None}),
        **found(row),
    )
