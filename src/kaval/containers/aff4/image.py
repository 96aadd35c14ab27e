"""An AFF4 image as a disk: the image its volumes describe, what is said of it, and what was not acquired."""

from __future__ import annotations

from collections.abc import Iterator

from kaval.containers.aff4.streams import MapSource, Streams
from kaval.containers.aff4.turtle import AFF4
from kaval.containers.aff4.volume import Volumes, gather
from kaval.core.contracts import Opened, Siblings
from kaval.core.errors import CorruptStructureError, LockedError, UnsupportedError
from kaval.core.records import Notice, NoticeCode
from kaval.core.sources import ByteSource, SliceSource

MAXIMUM_NOTICES = 200
_LOGICAL = frozenset({"FileImage", "FolderImage", "ZipSegment"})
_DIGESTS = {f"{AFF4}{name}": name.lower() for name in ("MD5", "SHA1", "SHA256", "SHA512")}
_FACTS = {
    "caseName": "case name",
    "caseNumber": "case number",
    "caseDescription": "case description",
    "evidenceNumber": "evidence number",
    "examiner": "examiner",
    "notes": "notes",
    "startTime": "acquisition started",
    "endTime": "acquisition ended",
    "timeSource": "source of these times",
    "acquisitionCompletionState": "acquisition",
    "acquisitionType": "acquisition kind",
    "diskMake": "make",
    "diskModel": "model",
    "diskSerial": "serial number",
    "diskFirmware": "firmware",
    "diskInterfaceType": "interface",
    "diskDeviceName": "device",
    "blockSize": "sector size",
    "compressionMethod": "compression",
    "chunkSize": "chunk size",
}


def open_image(source: ByteSource, name: str, siblings: Siblings) -> Opened:
    """Return the image that a volume, and those beside it, make up.

    Raises:
        UnsupportedError: It holds files (AFF4-L), or no image.
        LockedError: It is encrypted.
    """
    title = f"the AFF4 container {name}"
    volumes = gather(source, name, siblings)
    streams = Streams(volumes)
    image, others = _choose(volumes, streams, title)
    stream_name = streams.one(image, "dataStream") or image
    decoded = streams.open(stream_name)
    size = streams.number(image, "size", 1 << 60)
    if decoded.size < size:
        raise CorruptStructureError(title, f"its image has {size} bytes, the stream of it {decoded.size}")
    notices = [*_other_images(others), *_lost(decoded)]
    facts = dict(_facts(volumes, streams, image, stream_name))
    digests: dict[str, str] = {}
    for value in (*streams.values(image, "hash"), *streams.values(stream_name, "hash")):
        if value.kind in _DIGESTS:
            digests.setdefault(_DIGESTS[value.kind], value.text.lower())
    whole = decoded if decoded.size == size else SliceSource(decoded, 0, size)
    return Opened(source=whole, facts=facts, stored_digests=digests, notices=tuple(notices))


def _choose(volumes: Volumes, streams: Streams, title: str) -> tuple[str, list[str]]:
    """Return the image to be opened, and the others there are."""
    kinds = {name: streams.kinds(name) for name in volumes.graph}
    if any("EncryptedStream" in found or "KeyBag" in found for found in kinds.values()):
        raise LockedError(title, "its streams are encrypted; decrypt it with the tool that made it")
    images = [name for name, found in kinds.items() if "Image" in found and not found & _LOGICAL]
    images = [name for name in images if streams.one(name, "dataStream") or kinds[name] & {"ImageStream", "Map"}]
    if images:
        disks = [name for name in images if kinds[name] & {"DiskImage", "VolumeImage"}]
        chosen = sorted(disks or images)[0]
        return chosen, [name for name in sorted(images) if name != chosen]
    if any(found & _LOGICAL for found in kinds.values()):
        raise UnsupportedError(f"{title}, which holds files (AFF4-L),", "extract them with the tool that made it")
    raise UnsupportedError(f"{title}, which describes no image of a disk,", "see with its tool what it holds")


def _other_images(names: list[str]) -> Iterator[Notice]:
    for name in names:
        message = f"the container holds a further image, {name}; it is not read"
        yield Notice(code=NoticeCode.SKIPPED, message=message, structure="AFF4 image")


def _lost(decoded: ByteSource) -> Iterator[Notice]:
    if not isinstance(decoded, MapSource):
        return
    lost = list(decoded.lost())
    for part in lost[:MAXIMUM_NOTICES]:
        message = f"{part.size} bytes from byte {part.start} cannot be read: {part.reason}"
        yield Notice(code=NoticeCode.UNREADABLE, message=message, offset=part.start, structure="AFF4 map")
    if len(lost) > MAXIMUM_NOTICES:
        rest = lost[MAXIMUM_NOTICES:]
        message = f"{sum(part.size for part in rest)} bytes in {len(rest)} further places cannot be read"
        yield Notice(code=NoticeCode.UNREADABLE, message=message, offset=rest[0].start, structure="AFF4 map")


def _facts(volumes: Volumes, streams: Streams, image: str, stream_name: str) -> Iterator[tuple[str, str]]:
    """Yield what is said of an image, by whatever speaks of it."""
    speaking = [name for name in volumes.graph if streams.one(name, "target") == image]
    found: dict[str, list[str]] = {}
    for name in (
        image,
        stream_name,
        *speaking,
        *(value.text for value in streams.values(stream_name, "dependentStream")),
    ):
        for key, shown in _FACTS.items():
            for value in streams.values(name, key):
                values = found.setdefault(shown, [])
                if value.text not in values:
                    values.append(value.text)
    for shown, values in found.items():
        yield shown, "; ".join(values)
    if volumes.tools:
        yield "acquisition tool version", "; ".join(dict.fromkeys(volumes.tools))
    if len(volumes.names) > 1:
        yield "volumes", str(len(volumes.names))
