"""Keys and passphrases a person gives for locked volumes; held in memory, never written anywhere."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Keyring:
    """What may be tried on a locked structure, in the order given.

    ``recovery_keys`` are BitLocker recovery passwords; ``key_files`` hold whole key files (BEK, LUKS key file).
    The representation shows counts only, so that a key never reaches a log.
    """

    passphrases: tuple[str, ...] = ()
    recovery_keys: tuple[str, ...] = ()
    key_files: tuple[bytes, ...] = field(default=())

    def __bool__(self) -> bool:
        return bool(self.passphrases or self.recovery_keys or self.key_files)

    def __repr__(self) -> str:
        counts = (len(self.passphrases), len(self.recovery_keys), len(self.key_files))
        return "Keyring({} passphrases, {} recovery keys, {} key files)".format(*counts)
