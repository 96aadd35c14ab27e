"""File systems: what lists the entries of a volume."""

from kaval.core.contracts import FileSystem
from kaval.core.registry import Registry

FILESYSTEMS: Registry[FileSystem] = Registry("kaval.filesystems")
