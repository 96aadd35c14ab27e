"""Opening: follow a locator from the exhibit's source down to a tree or to bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from kaval.containers import CONTAINERS
from kaval.containers.folder import open_folder
from kaval.core.contracts import Opened, Tree, Volume, VolumeSystem
from kaval.core.errors import LocatorError, UnreadableError
from kaval.core.keys import Keyring
from kaval.core.locators import Locator, Step
from kaval.core.records import Entry, Extent, Notice
from kaval.core.sources import ByteSource, ExtentSource, FileSource
from kaval.filesystems import FILESYSTEMS
from kaval.recovery import RECOVERIES
from kaval.volumes import VOLUMES

MAXIMUM_CACHED = 64

CARVED = "carve"
"""The layer of streams found by content; their address is where they lie: ``offset+length``, joined by commas."""

SLACK = "slack"
"""The layer of streams found by content in slack; addressed like those of ``carve``."""

MAXIMUM_PIECES = 16
"""A carved stream in more pieces than this is addressed by the first of them."""

T = TypeVar("T")

Layout = tuple[tuple[Extent, ...] | None, int, str]
"""What reading an entry takes: extents (or None), size, path."""


def layer_kinds() -> dict[str, str]:
    """Return for every layer name of a locator which registry reads it."""
    kinds = {}
    for kind, registry in (
        ("container", CONTAINERS),
        ("volume", VOLUMES),
        ("filesystem", FILESYSTEMS),
        ("recovery", RECOVERIES),
    ):
        for capability in registry.all():
            kinds[capability.name] = kind
    return {**kinds, CARVED: "carved", SLACK: "carved"}


class Opener:
    """Opens what lies on the way of a locator, and keeps it open for the next.

    ``remember`` tells how entries that hold further sources are laid out, so that a chain through them can
    be followed without listing their trees again; ``look_up`` is asked for what was not told, ``look_up_path`` for the
    locator of a path in a tree. ``beside`` collects the files beside the source that were needed, with their sizes.
    """

    def __init__(
        self,
        path: Path,
        exhibit: str,
        keyring: Keyring,
        look_up: Callable[[str], Layout | None] | None = None,
        look_up_path: Callable[[str, str], str | None] | None = None,
    ) -> None:
        self._path = path
        self._exhibit = exhibit
        self._keyring = keyring
        self._look_up = look_up
        self._look_up_path = look_up_path
        self._layouts: dict[str, Layout] = {}
        self._by_path: dict[tuple[str, str], str] = {}
        self.beside: dict[str, int] = {}
        self._sources: dict[str, ByteSource] = {}
        self._trees: dict[str, Tree] = {}
        self._volumes: dict[str, list[Volume]] = {}
        self._kinds = layer_kinds()

    def remember(self, locator: str, layout: Layout) -> None:
        """Tell how an entry is laid out in the source its tree lies in."""
        self._layouts[locator] = layout
        self._by_path[locator[: locator.rfind(":")], layout[2]] = locator

    def root(self) -> ByteSource:
        """Return the source as it lies on the examiner's machine."""
        return self._keep_source(str(Locator(self._exhibit)), lambda: FileSource(self._path))

    def name_of(self, locator: Locator) -> str:
        """Return the file name that goes with the bytes of a locator, for telling formats apart."""
        if not locator.steps:
            return self._path.name
        layout = self._layout(locator)
        return layout[2].rpartition("/")[2] if layout else ""

    def open_container(self, locator: Locator) -> Opened:
        """Return what the container of the last step holds, opened afresh."""
        step = locator.steps[-1]
        if step.layer == "folder" and len(locator.steps) == 1:
            return open_folder(self._path)
        inner = self.source(locator.parent)
        return CONTAINERS.get(step.layer).open(inner, self.name_of(locator.parent), self._siblings(locator))

    def _siblings(self, locator: Locator) -> Callable[[str], ByteSource | None]:
        """Return what finds a file beside the one a container lies in: on this machine, or in the same tree."""
        holder = locator.parent

        def beside(name: str) -> ByteSource | None:
            if "/" in name or name in ("", ".", ".."):
                return None
            return self._beside_in_tree(holder, name) if holder.steps else self._beside_on_disk(name)

        return beside

    def _beside_on_disk(self, name: str) -> ByteSource | None:
        path = self._path.parent / name
        if not path.is_file():
            return None
        source = FileSource(path)
        self.beside[name] = source.size
        return source

    def _beside_in_tree(self, holder: Locator, name: str) -> ByteSource | None:
        layout = self._layout(holder)
        if layout is None:
            return None
        tree = str(holder)[: str(holder).rfind(":")]
        folder = layout[2].rpartition("/")[0]
        path = f"{folder}/{name}" if folder else name
        found = self._by_path.get((tree, path))
        if found is None and self._look_up_path is not None:
            found = self._look_up_path(tree, path)
        return self.source(Locator.parse(found)) if found else None

    def source(self, locator: Locator) -> ByteSource:
        """Return the bytes that a locator names: a decoded container, a volume, the stream of an entry.

        Raises:
            LocatorError: The locator leads nowhere in this source.
        """
        if not locator.steps:
            return self.root()
        return self._keep_source(str(locator), lambda: self._open_source(locator))

    def _open_source(self, locator: Locator) -> ByteSource:
        step = locator.steps[-1]
        kind = self._kinds.get(step.layer)
        if kind == "volume":
            return self._open_volume(locator)
        if step.address:
            return self.stream(locator, self._layout(locator))
        if kind == "container":
            opened = self.open_container(locator)
            if opened.source is not None:
                return opened.source
        raise LocatorError(str(locator), f"{step.layer} gives a tree there, not bytes" if kind else "no such layer")

    def _open_volume(self, locator: Locator) -> ByteSource:
        step = locator.steps[-1]
        for volume in self.volumes(locator.parent.to(step.layer)):
            if volume.address == step.address:
                return volume.source
        raise LocatorError(str(locator), f"there is no volume {step.address} in {step.layer}")

    def volumes(self, locator: Locator) -> list[Volume]:
        """Return the volumes of the volume system that the last step names."""
        text = str(locator)
        if text in self._volumes:
            return _used(self._volumes, text)
        for _ in self.volume_records(locator, VOLUMES.get(locator.steps[-1].layer)):
            pass
        return self._volumes[text]

    def volume_records(self, locator: Locator, system: VolumeSystem) -> Iterator[Volume | Notice]:
        """Yield what a volume system finds, and keep its volumes for the locators that lead through it."""
        text = str(locator)
        self._volumes.pop(text, None)
        kept: list[Volume] = []
        for record in system.open(self.source(locator.parent), self._keyring):
            if isinstance(record, Volume):
                kept.append(record)
                if text not in self._volumes:
                    _trim(self._volumes)
                    self._volumes[text] = kept
            yield record
        self._volumes.setdefault(text, kept)

    def tree(self, locator: Locator) -> Tree:
        """Return the tree that a locator without a last address names."""
        text = str(locator)
        if text in self._trees:
            return _used(self._trees, text)
        _trim(self._trees)
        self._trees[text] = self._open_tree(locator)
        return self._trees[text]

    def _open_tree(self, locator: Locator) -> Tree:
        layer = locator.steps[-1].layer
        kind = self._kinds.get(layer)
        if kind == "container":
            opened = self.open_container(locator)
            if opened.tree is None:
                raise LocatorError(str(locator), f"{layer} gives bytes there, not a tree")
            return opened.tree
        if kind == "filesystem":
            return FILESYSTEMS.get(layer).open(self.source(locator.parent), self._keyring)
        raise LocatorError(str(locator), f"{layer} is no layer with entries")

    def stream(self, locator: Locator, layout: Layout | None) -> ByteSource:
        """Return the stream of an entry, by its extents where it has some, else through its tree."""
        step = locator.steps[-1]
        tree_locator = Locator(locator.exhibit, (*locator.steps[:-1], Step(step.layer)))
        if layout is not None and layout[0] is not None:
            return ExtentSource(self._base(tree_locator), layout[0], layout[1])
        if self._kinds.get(step.layer) == "carved":
            return self._carved_stream(locator)
        if self._kinds.get(step.layer) == "recovery":
            return self._recovered_stream(locator)
        return self.tree(tree_locator).open_stream(step.address)

    def _base(self, tree_locator: Locator) -> ByteSource:
        """Return the source that the extents of a tree's entries count in."""
        return self.source(tree_locator.parent)

    def _carved_stream(self, locator: Locator) -> ByteSource:
        extents = extents_of(locator.steps[-1].address)
        if extents is None:
            raise LocatorError(str(locator), "it names more pieces than it holds; the examination folder lists them")
        return ExtentSource(self.source(locator.parent), extents, sum(extent.length for extent in extents))

    def _recovered_stream(self, locator: Locator) -> ByteSource:
        step = locator.steps[-1]
        recovery = RECOVERIES.get(step.layer)
        source = self.source(locator.parent)
        for file_system in FILESYSTEMS.available():
            if file_system.name in recovery.layers and file_system.probe(source):
                tree = self.tree(locator.parent.to(file_system.name))
                for entry in recovery.recover(source, tree):
                    if isinstance(entry, Entry) and entry.address == step.address and entry.extents is not None:
                        return ExtentSource(source, entry.extents, entry.size)
        raise LocatorError(str(locator), "nothing of that address can be recovered")

    def _layout(self, locator: Locator) -> Layout | None:
        text = str(locator)
        if text not in self._layouts and self._look_up is not None:
            found = self._look_up(text)
            if found is not None:
                self._layouts[text] = found
        return self._layouts.get(text)

    def _keep_source(self, text: str, make: Callable[[], ByteSource]) -> ByteSource:
        if text in self._sources:
            return _used(self._sources, text)
        _trim(self._sources)
        try:
            self._sources[text] = make()
        except FileNotFoundError as error:
            raise UnreadableError(0, 0, f"the source {self._path} is not there") from error
        return self._sources[text]


def address_of(extents: Sequence[Extent]) -> str:
    """Return the address of a carved stream: its extents, as far as an address can hold them."""
    told = ",".join(f"{extent.offset}+{extent.length}" for extent in extents[:MAXIMUM_PIECES])
    return told if len(extents) <= MAXIMUM_PIECES else f"{told},{len(extents) - MAXIMUM_PIECES}more"


def extents_of(address: str) -> tuple[Extent, ...] | None:
    """Return the extents an address names, ``None`` where it names only the first of them."""
    extents = []
    for part in address.split(","):
        offset, plus, length = part.partition("+")
        if not plus or not offset.isdigit() or not length.isdigit():
            return None
        extents.append(Extent(offset=int(offset), length=int(length)))
    return tuple(extents)


def _used(cache: dict[str, T], name: str) -> T:
    """Return what is kept under a name, and keep it longest from now on."""
    kept = cache.pop(name)
    cache[name] = kept
    return kept


def _trim(cache: dict[str, T]) -> None:
    """Make room by letting go of what was not used for longest."""
    while len(cache) >= MAXIMUM_CACHED:
        del cache[next(iter(cache))]
