"""Containers: image formats that decode to one source, and archives that list a tree."""

from kaval.core.contracts import Container
from kaval.core.registry import Registry

CONTAINERS: Registry[Container] = Registry("kaval.containers")
