"""The algorithms a known set may carry: how wide a value is, and which values name nothing."""

from __future__ import annotations

WIDTHS = {"md5": 16, "sha1": 20, "sha256": 32, "pdq": 32, "photodna": 144}
"""Bytes of one value, by algorithm."""

EXACT = ("md5", "sha1", "sha256")
"""Algorithms whose values match when they are equal."""

BY_HEX_LENGTH = {32: "md5", 40: "sha1", 64: "sha256"}
"""What a column of hexadecimal digests is, by the length of its values."""

ZERO_LENGTH = {
    "md5": bytes.fromhex("d41d8cd98f00b204e9800998ecf8427e"),
    "sha1": bytes.fromhex("da39a3ee5e6b4b0d3255bfef95601890afd80709"),
    "sha256": bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
}
"""Digests of a file of no bytes: real lists hold them, and a match on one accuses everybody."""

ORIENTATIONS = (
    None, "rotate-90", "rotate-180", "rotate-270", "flip-x", "flip-y", "flip-plus-1", "flip-minus-1",
)  # fmt: skip
"""How a picture was turned, in the order of the eight dihedral hashes; the unturned one has no name."""
