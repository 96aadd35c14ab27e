"""Video: when the frames of a seized video and of a known one agree (vPDQ).

The default of the 80 % rule is on the side of the known video: at least so many of *its* frames occur in the
seized one. That finds a known clip inside a longer video. The other side is told beside it, and each is named,
because public implementations take opposite ones (facts 3.1).
"""

from __future__ import annotations

from dataclasses import dataclass

QUALITY_FLOOR = 50
"""Frames of less quality are not compared: dark and empty pictures have hashes made of noise."""

KNOWN_SHARE = 80.0
"""Percent of the known video's distinct usable frames that must occur in the seized video."""


@dataclass(frozen=True, kw_only=True, slots=True)
class VideoMatch:
    """Why a video matched: shares in percent, of distinct usable frames, each of the side it is named after."""

    video: str
    known_share: float
    seized_share: float
    known_frames: int
    seized_frames: int
    threshold: int
