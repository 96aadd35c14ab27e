"""Volume systems: what divides a source into volumes, or unlocks it."""

from kaval.core.contracts import VolumeSystem
from kaval.core.registry import Registry

VOLUMES: Registry[VolumeSystem] = Registry("kaval.volumes")
