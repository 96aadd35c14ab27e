"""Recovery by metadata: entries the file system itself no longer shows."""

from kaval.core.contracts import Recovery
from kaval.core.registry import Registry

RECOVERIES: Registry[Recovery] = Registry("kaval.recovery")
