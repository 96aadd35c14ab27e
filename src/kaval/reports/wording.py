"""The words of the report: what each value of a vocabulary means, for a reader who is no engineer."""

from __future__ import annotations

from kaval.core.records import ContentState, EntryState, NoticeCode

STATES: dict[str, str] = {
    EntryState.ALLOCATED: "allocated",
    EntryState.DELETED: "deleted",
    EntryState.ORPHAN: "deleted, its folder unknown",
    EntryState.CARVED: "found by its content",
}

STATE_SENTENCES: dict[str, str] = {
    EntryState.ALLOCATED: "The file system listed it as an existing file.",
    EntryState.DELETED: "It had been deleted; the file system still held its description.",
    EntryState.ORPHAN: "It had been deleted; its description was found without the folder it once lay in.",
    EntryState.CARVED: "No description of it was found; it was recognised by its content alone.",
}

CONTENTS: dict[str, str] = {
    ContentState.INTACT: "nothing speaks against it",
    ContentState.ASSUMED: "place of the bytes assumed",
    ContentState.OVERLAPS_ALLOCATED: "partly overwritten",
    ContentState.OVERLAPS_DELETED: "shared with another deleted file",
    ContentState.PARTIAL: "a part is missing",
    ContentState.GONE: "content gone",
    ContentState.ENCRYPTED: "encrypted",
    ContentState.NONE: "has no content",
}

CONTENT_SENTENCES: dict[str, str] = {
    ContentState.INTACT: "Nothing speaks against these being the bytes once stored.",
    ContentState.ASSUMED: "Where its bytes lie was concluded, not stored; an exact match of a digest confirms it.",
    ContentState.OVERLAPS_ALLOCATED: "Some of its bytes belong to an existing file; the content may not be its own.",
    ContentState.OVERLAPS_DELETED: "Some of its bytes are also claimed by another deleted file.",
    ContentState.PARTIAL: "A part of its bytes could not be had.",
    ContentState.GONE: "Its bytes are no longer there.",
    ContentState.ENCRYPTED: "Its content is encrypted and was read only in that form.",
    ContentState.NONE: "It has no content of its own.",
}

ROLES: dict[str, str] = {
    "alert": "files a person of the unit has named as the ones to be pointed out",
    "review": "files a person should look at",
    "negative": "files that were looked at before and found to be of no interest",
    "known-good": "ordinary files of software and the like, of no interest",
}

VERDICTS: dict[str, str] = {
    "matches": (
        "The copy was verified. The digest computed in this examination agrees with every digest it could be "
        "compared with, so the bytes examined are the bytes those digests were taken of."
    ),
    "differs": (
        "THE COPY WAS NOT CONFIRMED. At least one digest computed in this examination differs from the one it was "
        "compared with. Until the reason is known, the results below speak of the file that was examined, and not "
        "of the exhibit."
    ),
    "nothing-to-compare": (
        "The copy could not be verified. No digest taken at the acquisition was stored in the image or given to the "
        "examiner, so there was nothing to compare with. The digest computed now is set down below, so that the "
        "copy can be recognised from now on."
    ),
    "not-computed": (
        "The copy was not verified as a whole. No digest of the whole source was computed, because the source is not "
        "one run of bytes (a folder, for example) or could not be read to its end. The digests of single files stand."
    ),
}

VERDICTS_SHORT: dict[str, str] = {
    "matches": "Verified: the digests agree",
    "differs": "Not confirmed: the digests differ",
    "nothing-to-compare": "Not verified: nothing to compare with",
    "not-computed": "Not verified: no digest of the whole",
}

NOTICES: dict[str, tuple[str, str]] = {
    NoticeCode.LOCKED: (
        "Locked",
        "It is encrypted and no key given opened it. Nothing inside was examined.",
    ),
    NoticeCode.UNRECOGNISED: (
        "Not recognised",
        "No known structure was found there. It may be empty, encrypted, or of a kind this software does not know.",
    ),
    NoticeCode.UNSUPPORTED: (
        "Recognised, but not read here",
        "Its kind is known, but this software does not read it. Nothing inside was examined.",
    ),
    NoticeCode.UNAVAILABLE: (
        "A library was missing",
        "This software could read it with a library that was not installed at the time.",
    ),
    NoticeCode.DAMAGED: (
        "Damaged",
        "A structure contradicts itself or its specification. What lies behind it may be missing from the lists.",
    ),
    NoticeCode.TRUNCATED: (
        "Cut off",
        "It ends before the place where it should end. What lay beyond was not there to be read.",
    ),
    NoticeCode.UNREADABLE: (
        "Not readable",
        "The bytes exist but could not be had, for instance because of bad sectors or a missing part of the image.",
    ),
    NoticeCode.DIGEST_MISMATCH: (
        "A stored digest does not agree",
        "The bytes read do not give the digest that is stored with them.",
    ),
    NoticeCode.DIGEST_VERIFIED: (
        "A stored digest agrees",
        "The bytes read give the digest that is stored with them. This is a confirmation, not a fault.",
    ),
    NoticeCode.CAPABILITY_FAILED: (
        "A part of this software failed",
        "Reading was given up at that place by an unforeseen fault of the software; the rest went on.",
    ),
    NoticeCode.TIME_LIMIT: ("Stopped by the time limit", "Reading took longer than the plan allowed and was stopped."),
    NoticeCode.MEMORY_LIMIT: ("Stopped by the memory limit", "Reading needed more memory than the plan allowed."),
    NoticeCode.DEPTH_LIMIT: (
        "Stopped by the depth limit",
        "Archives lay inside archives deeper than the plan goes. What lies deeper was not examined.",
    ),
    NoticeCode.RATIO_LIMIT: (
        "Stopped by the ratio limit",
        "It unpacks to far more than its own size, as things made to choke software do. It was not unpacked in full.",
    ),
    NoticeCode.COUNT_LIMIT: ("Stopped by the count limit", "There were more parts than the plan allows."),
    NoticeCode.DECODER_DIED: (
        "The decoder stopped",
        "Decoding the picture or video ended the decoder. Its digests were compared; its appearance was not.",
    ),
    NoticeCode.DECODER_REFUSED: (
        "Not decodable",
        "The picture or video could not be decoded. Its digests were compared; its appearance was not.",
    ),
    NoticeCode.NAME_UNDECODABLE: (
        "A name could not be decoded",
        "The stored name is no valid text. The characters concerned are shown as a replacement sign.",
    ),
    NoticeCode.TIME_IMPOSSIBLE: ("An impossible time", "A stored time cannot be a time, and is left empty."),
    NoticeCode.LOOP: (
        "A loop",
        "A chain or folder leads back to itself. It was followed once and then left.",
    ),
    NoticeCode.ABSURD_SIZE: (
        "An absurd size",
        "The stored size cannot be true. The content was not read in full, or not at all.",
    ),
    NoticeCode.OVERLAP: (
        "Shared bytes",
        "Bytes of a deleted file belong to something else by now; the content may not be its own.",
    ),
    NoticeCode.ASSUMED: ("Assumed place", "Where the bytes lie was concluded and not stored."),
    NoticeCode.TYPE_MISMATCH: ("Name and content differ", "The name carries the extension of another kind of file."),
    NoticeCode.CARVED_IN_PART: (
        "Found by content, and not whole",
        "A file was found by its content, but something speaks against its being whole; the notice says where.",
    ),
    NoticeCode.ZERO_LENGTH_DROPPED: (
        "Empty entries of a set left out",
        "A known set held the digest of an empty file; empty files are never matched.",
    ),
    NoticeCode.SKIPPED: ("Left out", "It was left out on purpose, for the reason each notice gives."),
}

REMARK_ONLY = frozenset(
    {
        NoticeCode.DIGEST_VERIFIED,
        NoticeCode.NAME_UNDECODABLE,
        NoticeCode.TIME_IMPOSSIBLE,
        NoticeCode.OVERLAP,
        NoticeCode.ASSUMED,
        NoticeCode.CARVED_IN_PART,
        NoticeCode.TYPE_MISMATCH,
        NoticeCode.ZERO_LENGTH_DROPPED,
    }
)
"""Notices that say something about what was read, not that something was not read."""

GAPS: tuple[tuple[tuple[str, ...], str, str], ...] = (
    ((NoticeCode.LOCKED,), "one part is locked and was not examined", "{} parts are locked and were not examined"),
    (
        (NoticeCode.UNRECOGNISED, NoticeCode.UNSUPPORTED, NoticeCode.UNAVAILABLE),
        "one part is of a kind that was not read",
        "{} parts are of a kind that was not read",
    ),
    (
        (NoticeCode.DAMAGED, NoticeCode.TRUNCATED, NoticeCode.UNREADABLE, NoticeCode.LOOP, NoticeCode.DIGEST_MISMATCH),
        "damaged or unreadable bytes were met at one place",
        "damaged or unreadable bytes were met at {} places",
    ),
    (
        (NoticeCode.DECODER_DIED, NoticeCode.DECODER_REFUSED),
        "one picture or video could not be decoded, so that only its digests were compared",
        "{} pictures or videos could not be decoded, so that only their digests were compared",
    ),
    (
        (
            NoticeCode.TIME_LIMIT, NoticeCode.MEMORY_LIMIT, NoticeCode.DEPTH_LIMIT, NoticeCode.RATIO_LIMIT,
            NoticeCode.COUNT_LIMIT, NoticeCode.ABSURD_SIZE,
        ),
        "work was stopped at one place by a limit of the plan",
        "work was stopped at {} places by a limit of the plan",
    ),
    (
        (NoticeCode.CAPABILITY_FAILED,),
        "the software itself failed at one place",
        "the software itself failed at {} places",
    ),
    ((NoticeCode.SKIPPED,), "one thing was left out on purpose", "{} things were left out on purpose"),
)  # fmt: skip

REGISTRIES: dict[str, str] = {
    "containers": "Image formats and archives",
    "volumes": "Partitions and volumes",
    "filesystems": "File systems",
    "recovery": "Recovery of deleted files by metadata",
    "carvers": "Recovery by content",
    "filetypes": "Types of files",
    "digests": "Digests",
    "decoders": "Pictures and videos",
    "media": "Pictures and videos",
    "knownsets": "Known sets",
    "formats": "Formats of known sets",
    "artefacts": "What applications noted",
    "texts": "Words of documents",
    "reports": "Reports",
}

ARTEFACT_KINDS: dict[str, str] = {
    "account": "Accounts",
    "contact": "Contacts",
    "conversation": "Conversations and groups",
    "member": "Members of groups",
    "message": "Messages",
    "call": "Calls",
    "voicemail": "Voice messages left",
    "note": "Notes",
    "visit": "Pages visited",
    "bookmark": "Bookmarks",
    "download": "Downloads",
    "search": "Searches",
    "application": "Applications installed",
    "network": "Networks",
    "place": "Places",
    "identifier": "Identifiers of the device",
    "discarded": "Files in a bin",
    "shortcut": "Shortcuts to files",
    "file": "Files of a backup",
}
"""Kinds of artefact and what a reader calls several of them."""

RECOVERED_FROM: dict[str, str] = {
    "freeblock": "a gap left in a page in use",
    "unallocated": "the unused part of a page in use",
    "freelist": "a page that is free",
    "overwritten": "a row or page of which a later one has taken a part",
    "wal": "the write-ahead log beside the database",
    "journal": "the rollback journal beside the database",
    "dropped": "a table that was dropped",
    "carved": "a page of the file that nothing names",
    "unallocated page": "a page outside the file, in unallocated space",
}
"""Where in a database a row was read that it no longer shows."""

STAGES: dict[str, str] = {"container": "image or archive", "volume": "volume", "filesystem": "file system"}

FAMILIES: tuple[tuple[str, str], ...] = (
    ("image/%", "Pictures"),
    ("video/%", "Videos"),
    ("audio/%", "Sound"),
    ("text/%", "Text and documents"),
    ("application/pdf", "Text and documents"),
    ("application/vnd.openxmlformats%", "Text and documents"),
    ("application/vnd.oasis%", "Text and documents"),
    ("application/ms%", "Text and documents"),
    ("application/rtf", "Text and documents"),
    ("application/zip", "Archives and disk images"),
    ("application/gzip", "Archives and disk images"),
    ("application/zstd", "Archives and disk images"),
    ("application/x-tar", "Archives and disk images"),
    ("application/x-7z%", "Archives and disk images"),
    ("application/x-bzip2", "Archives and disk images"),
    ("application/x-xz", "Archives and disk images"),
    ("application/%rar%", "Archives and disk images"),
    ("application/%disk-image%", "Archives and disk images"),
    ("application/x-iso9660-image", "Archives and disk images"),
    ("application/%sqlite%", "Databases"),
)
"""Patterns of media types (as in SQL) and the family a reader knows them by; the first that fits counts."""

OTHER_FAMILY = "Other recognised types"
NO_TYPE = "Type not recognised"
NOT_READ = "Not read"
EMPTY = "Empty files"
FAMILY_ORDER = (
    "Pictures", "Videos", "Sound", "Text and documents", "Archives and disk images", "Databases",
    OTHER_FAMILY, NO_TYPE, EMPTY, NOT_READ,
)  # fmt: skip

ORIENTATIONS_PLAIN = frozenset({"", "original"})

GLOSSARY: tuple[tuple[str, str], ...] = (
    ("Acquisition", "The act of copying an exhibit. Its result is called the image."),
    ("Artefact", "A record that an application or a system made of what went on: a message, a call, a page looked at."),
    ("Allocated", "Said of a file that the file system lists as existing, as a user of the device would see it."),
    (
        "Alert, review, negative, known-good",
        "The roles of a known set. A person names the role when the set is brought in; no software does.",
    ),
    ("Carve", "To find a file by its content alone, where no description of it is left."),
    (
        "Container",
        "A file that holds other files or a whole disk: an image format, or an archive such as ZIP.",
    ),
    (
        "Deleted",
        "Said of a file the file system no longer lists, although its description was still found. Its bytes may be "
        "whole, in part overwritten, or gone; the report says which. A user may have deleted it, or a program.",
    ),
    (
        "Digest",
        "A short number computed from all the bytes of a file (MD5, SHA-1, SHA-256). Two different files with the "
        "same SHA-256 are not known to exist, so that equal digests mean equal content.",
    ),
    (
        "Distance",
        "How many of the 256 bits of two PDQ hashes differ. 0 means the same hash; the greater it is, the less alike.",
    ),
    ("Entry", "One thing a file system or archive lists: a file, a folder, a link."),
    ("Exhibit", "The numbered thing held in custody, such as a telephone or a hard disk."),
    ("Extent", "A run of bytes on the disk that belongs to one file."),
    ("File system", "The order in which a volume keeps its files and folders, such as NTFS or ext4."),
    (
        "Finding",
        "What a person states after looking at facts. This report holds no findings.",
    ),
    (
        "Hit",
        "The statement of a machine that a file agrees with an entry of a known set. It is a pointer to a place, and "
        "not a finding.",
    ),
    ("Image", "The copy of an exhibit that was examined. The exhibit itself was not written to."),
    ("Known set", "A list of digests or picture hashes of files that are known already, with a name and a version."),
    (
        "Locator",
        "The address of a file in this examination: the chain from the exhibit over volume and file system down to "
        "the bytes. With it anybody can find the same bytes again.",
    ),
    ("Metadata", "What a file system keeps about a file beside its content: name, times, size, place."),
    ("Notice", "A record of what could not be established, where, and why."),
    ("Orphan", "A deleted file whose description was found without the folder it once lay in."),
    (
        "PDQ hash",
        "A number computed from the appearance of a picture. Pictures that look alike have hashes that differ little, "
        "even when they were made smaller or saved again. It can err.",
    ),
    ("Sealed store", "An encrypted place in the examination folder for small pictures; its key is kept elsewhere."),
    ("Slack", "The rest of a cluster behind the end of a file; it may hold bytes of an earlier file."),
    (
        "Threshold",
        "The greatest distance at which two pictures were still called a near match in this examination.",
    ),
    ("Unallocated", "Said of space on a volume that belongs to no listed file. Deleted content often lies there."),
    ("Volume", "One part of a disk that is used on its own, such as a partition."),
)
