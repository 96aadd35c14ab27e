"""How the facts of a single picture are put together, whichever library decoded it."""

from __future__ import annotations

from kaval.media import Frame, MediaFacts
from kaval.media.exif import Taking
from kaval.media.pdq import Pdq


def picture_facts(
    pdq: Pdq,
    thumbnail: bytes,
    taking: Taking,
    *,
    kind: str,
    size: tuple[int, int],
    decoder: str,
    pdq_method: str,
    problem: str | None,
) -> MediaFacts:
    """Return the facts of a picture of one frame."""
    frame = Frame(index=0, at_ms=None, pdq=pdq.hashes, quality=pdq.quality, thumbnail=thumbnail)
    return MediaFacts(
        format=kind,
        width=size[0],
        height=size[1],
        decoder=decoder,
        pdq_method=pdq_method,
        frames=(frame,),
        taken_at=taking.taken_at,
        make=taking.make,
        model=taking.model,
        latitude=taking.latitude,
        longitude=taking.longitude,
        problem=problem,
    )
