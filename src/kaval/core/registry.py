"""Registries of capabilities: each walks its own folder, so there is no list to edit."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Generic, TypeVar

from kaval.core.contracts import Capability
from kaval.core.errors import UsageError

C = TypeVar("C", bound=Capability)


@dataclass(frozen=True, kw_only=True, slots=True)
class CapabilityRow:
    """One line of the capability list: what it is, with which library, and why it is unavailable if it is."""

    registry: str
    name: str
    title: str
    rank: int
    library: str
    unavailable_because: str | None


_DISTRIBUTIONS = {
    "argon2": "argon2-cffi",
    "PIL": "pillow",
    "pyfvde": "libfvde-python",
    "pymodi": "libmodi-python",
    "pyvshadow": "libvshadow-python",
}


@cache
def _distribution_of(module: str) -> str:
    """Return ``name version`` of the distribution that provides a module."""
    name = _DISTRIBUTIONS.get(module, module)
    try:
        return f"{name} {importlib.metadata.version(name)}"
    except importlib.metadata.PackageNotFoundError:
        return name


class Registry(Generic[C]):
    """The capabilities of one folder, ordered by rank and name, never by import."""

    def __init__(self, package: str) -> None:
        self.package = package
        self._classes: dict[str, type[C]] = {}
        self._walked = False

    def register(self, capability: type[C]) -> type[C]:
        """Add a capability class; used as its decorator."""
        if capability.name in self._classes and self._classes[capability.name] is not capability:
            raise UsageError(f"two capabilities of {self.package} are called {capability.name!r}")
        self._classes[capability.name] = capability
        return capability

    def _walk(self) -> None:
        if self._walked:
            return
        self._walked = True
        package = importlib.import_module(self.package)
        for module in sorted(pkgutil.iter_modules(package.__path__), key=lambda module: module.name):
            importlib.import_module(f"{self.package}.{module.name}")

    def all(self) -> list[type[C]]:
        """Return every capability class, available or not, in order of rank and name."""
        self._walk()
        return sorted(self._classes.values(), key=lambda capability: (capability.rank, capability.name))

    def available(self) -> Iterator[C]:
        """Yield an instance of each capability whose libraries are installed, in order."""
        for capability in self.all():
            if missing_modules(capability) == ():
                yield capability()

    def get(self, name: str) -> C:
        """Return the capability of that name.

        Raises:
            UsageError: There is none, or a library it needs is missing.
        """
        self._walk()
        if name not in self._classes:
            raise UsageError(f"{self.package} has no capability called {name!r}")
        missing = missing_modules(self._classes[name])
        if missing:
            raise UsageError(f"{name} is unavailable, because {' and '.join(missing)} is not installed")
        return self._classes[name]()

    def rows(self) -> Iterator[CapabilityRow]:
        """Yield the capability list of this registry."""
        for capability in self.all():
            missing = missing_modules(capability)
            yield CapabilityRow(
                registry=self.package.rpartition(".")[2],
                name=capability.name,
                title=capability.title,
                rank=capability.rank,
                library=", ".join(map(_distribution_of, capability.requires)) or "kaval",
                unavailable_because=f"{' and '.join(missing)} is not installed" if missing else None,
            )


def missing_modules(capability: type[Capability]) -> tuple[str, ...]:
    """Return the modules a capability needs that cannot be imported here."""
    return tuple(module for module in capability.requires if not _importable(module))


@cache
def _importable(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False
