"""The tables of an examination folder: their columns, types and meaning.

Digests and hashes are stored as bytes and shown as lower-case hex by the views (``kaval.folder.views``).
Times are nanoseconds of the clock that wrote them; ``times_zone`` says which clock that was.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

TABLES = (
    "sources", "entries", "digests", "media", "hits", "notices", "unallocated", "sealed", "artefacts", "mentions",
    "recovered_rows", "texts", "unallocated_pages",
)  # fmt: skip
"""Every table, in the order the manifest lists them."""

_TEXT, _INT, _TIME, _FLAG = "string", "int64", "time", "bool"

COLUMNS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "sources": (
        ("locator", _TEXT, "where this container, volume or file system is"),
        ("stage", _TEXT, "container, volume or filesystem"),
        ("layer", _TEXT, "name of the capability that reads it"),
        ("title", _TEXT, "what a person calls it"),
        ("size", _INT, "bytes it spans; empty where that has no meaning"),
        ("offset", _INT, "byte of the enclosing source where it starts, where it is a plain range of it"),
        ("depth", _INT, "0 for the source itself, one more for each archive or image inside another"),
        ("facts", _TEXT, "further facts as a JSON object of strings"),
    ),
    "entries": (
        ("entry_id", _INT, "number of the entry in this examination; joins the tables"),
        ("locator", _TEXT, "the chain from the exhibit down to the bytes"),
        ("path", _TEXT, "path as stored, inside its file system or archive"),
        ("name", _TEXT, "last part of the path"),
        ("path_raw", "binary", "the stored bytes of the path where they could not be decoded"),
        ("path_resolved", _TEXT, "path after symbolic links, where it differs"),
        ("kind", _TEXT, "file, directory, symlink, stream, device, fifo, socket, system, unknown"),
        ("size", _INT, "size in bytes as the file system states it"),
        ("state", _TEXT, "allocated, deleted, orphan or carved"),
        ("content", _TEXT, "how far the bytes can be taken for those once stored"),
        ("modified_at", _TIME, "content last modified, as stored"),
        ("accessed_at", _TIME, "last accessed, as stored"),
        ("changed_at", _TIME, "metadata last changed, as stored"),
        ("created_at", _TIME, "created, as stored"),
        ("deleted_at", _TIME, "deleted, as stored"),
        ("times_zone", _TEXT, "utc, an offset, or unknown"),
        ("times_resolution", _TEXT, "smallest step of each stored time"),
        ("mode", _INT, "POSIX mode bits"),
        ("owner", _TEXT, "owner as stored"),
        ("group", _TEXT, "group as stored"),
        ("link_target", _TEXT, "where a symbolic link points, as stored"),
        ("extents", "extents", "runs of bytes in the enclosing source; empty list: none; null: not plain runs"),
        ("assumed_size", _INT, "bytes whose place was concluded, not stored"),
        ("overlap_size", _INT, "bytes that belong to something else by now"),
        ("recovered_by", _TEXT, "capability that brought a deleted entry back, if not the file system itself"),
        ("depth", _INT, "how many containers deep the entry lies"),
    ),
    "digests": (
        ("entry_id", _INT, "joins entries"),
        ("read_size", _INT, "bytes that were read and digested"),
        ("md5", "digest16", "MD5"),
        ("sha1", "digest20", "SHA-1"),
        ("sha256", "digest32", "SHA-256"),
        ("media_type", _TEXT, "type by content, IANA media type; empty where none is recognised"),
        ("type_mismatch", _FLAG, "the name carries the extension of another type"),
        ("priority", _INT, "order class of the plan, 0 first"),
    ),
    "media": (
        ("entry_id", _INT, "joins entries"),
        ("locator", _TEXT, "the entry's locator"),
        ("frame", _INT, "0 for a picture; number of the key frame in a video"),
        ("at_ms", _INT, "place of the key frame in milliseconds"),
        ("format", _TEXT, "format the decoder found"),
        ("width", _INT, "pixels"),
        ("height", _INT, "pixels"),
        ("duration_ms", _INT, "length of a video"),
        ("pdq", "digest32", "PDQ hash"),
        ("pdq_quality", _INT, "PDQ quality 0..100; below 50 is never matched"),
        ("pdq_dihedral", "binary", "the eight PDQ hashes of the turned and mirrored picture, 32 bytes each"),
        ("pdq_method", _TEXT, "how the PDQ was computed"),
        ("decoder", _TEXT, "library and version"),
        ("taken_at", _TEXT, "EXIF time as stored; no zone is attached"),
        ("make", _TEXT, "EXIF make"),
        ("model", _TEXT, "EXIF model"),
        ("latitude", "float64", "EXIF GPS, degrees"),
        ("longitude", "float64", "EXIF GPS, degrees"),
        ("thumbnail", "digest32", "SHA-256 of the thumbnail in the sealed store"),
        ("problem", _TEXT, "how far a damaged picture was decoded"),
    ),
    "hits": (
        ("entry_id", _INT, "joins entries"),
        ("locator", _TEXT, "the entry's locator"),
        ("path", _TEXT, "path as stored"),
        ("state", _TEXT, "allocated, deleted, orphan or carved"),
        ("content", _TEXT, "how far the bytes can be taken for those once stored"),
        ("set_name", _TEXT, "the known set"),
        ("set_version", _TEXT, "SHA-256 of the file the set came from"),
        ("role", _TEXT, "alert, known-good, review or negative, named by a person; negative too where silenced"),
        ("algorithm", _TEXT, "md5, sha1, sha256, pdq; vpdq-known or vpdq-seized: whose frames are counted"),
        ("value", _TEXT, "the set's own value that matched"),
        ("distance", _INT, "differing bits; 0 for a digest; of a video, percent of frames missing on the other side"),
        ("threshold", _INT, "how great the distance may be"),
        ("category", _TEXT, "category as the set supplies it; its meaning depends on the country"),
        ("orientation", _TEXT, "how the picture had to be turned to match"),
        ("frame", _INT, "key frame of a video"),
        ("at_ms", _INT, "place of the key frame in milliseconds"),
    ),
    "notices": (
        ("locator", _TEXT, "where"),
        ("code", _TEXT, "why, as one of the notice codes"),
        ("message", _TEXT, "what could not be established, in a sentence"),
        ("stage", _TEXT, "the stage that says so"),
        ("offset", _INT, "byte of the source it was reading"),
        ("structure", _TEXT, "structure it was reading"),
    ),
    "unallocated": (
        ("source", _TEXT, "locator of the source the bytes lie in; of slack with the layer slack behind it"),
        ("position", _INT, "where the run stands when all runs of the source are laid end to end"),
        ("offset", _INT, "byte of the source"),
        (
            "length",
            _INT,
            "bytes that no allocated entry and no whole recovered one owns; they were searched by content",
        ),
    ),
    "sealed": (
        ("sha256", "digest32", "SHA-256 of the content in clear"),
        ("pack", _TEXT, "file in the sealed folder"),
        ("offset", _INT, "byte in that file"),
        ("length", _INT, "bytes there, encrypted"),
    ),
    "artefacts": (
        ("artefact_id", _INT, "number of the artefact in this examination"),
        ("entry_id", _INT, "the entry it was read from; joins entries"),
        ("locator", _TEXT, "the entry's locator"),
        ("place", _TEXT, "where in the stream: table, page and offset, or a byte"),
        ("read_by", _TEXT, "capability that read it"),
        ("kind", _TEXT, "what was noted, as one of the kinds of artefact"),
        ("application", _TEXT, "application or system that noted it"),
        ("happened_at", _TIME, "main time, as stored"),
        ("meaning", _TEXT, "what the main time tells: sent, received, visited"),
        ("zone", _TEXT, "utc, an offset, or unknown; of all times of the row"),
        ("moments", "moments", "further times, each with what it tells"),
        ("account", _TEXT, "the device owner's account, where the application names it"),
        ("direction", _TEXT, "incoming or outgoing, seen from the device"),
        ("who", _TEXT, "identifier of sender, caller, person or account, as stored"),
        ("who_name", _TEXT, "name stored for that identifier"),
        ("whom", "texts", "identifiers of those it went to, as stored"),
        ("identifiers", "texts", "every number, address or account by which a person can be reached"),
        ("conversation", _TEXT, "identifier of the conversation or group"),
        ("conversation_title", _TEXT, "title of the conversation or group"),
        ("role", _TEXT, "role of a member in a group"),
        ("identity", _TEXT, "the application's own identifier of the thing"),
        ("reply_to", _TEXT, "the application's identifier of the message this one answers"),
        ("forwarded", _FLAG, "passed on, where the application says so"),
        ("title", _TEXT, "subject, title or label"),
        ("text", _TEXT, "text as stored"),
        ("url", _TEXT, "address on the web"),
        ("latitude", "float64", "degrees"),
        ("longitude", "float64", "degrees"),
        ("duration_s", _INT, "seconds a call or recording lasted"),
        ("attachments", "attachments", "files it speaks of, as far as they are described"),
        ("details", _TEXT, "further facts as a JSON object of strings"),
        ("recovered", _FLAG, "read from where a database keeps what it no longer shows"),
        ("certainty", _TEXT, "of a recovered one: certain or inferred to belong to its table"),
        ("complete", _FLAG, "none of its values is lost"),
        (
            "earlier_form",
            _FLAG,
            "of a recovered one: a live record has the same identity; this was an earlier form",
        ),
        ("recovered_from", _TEXT, "of a recovered one: freeblock, unallocated, freelist, wal, journal, ..."),
    ),
    "mentions": (
        ("artefact_id", _INT, "the artefact that names the file; joins artefacts"),
        ("entry_id", _INT, "the entry the artefact was read from"),
        ("locator", _TEXT, "locator of that entry"),
        ("name", _TEXT, "name or path of the file as the artefact gives it"),
        ("algorithm", _TEXT, "md5, sha1 or sha256"),
        ("value", _TEXT, "the digest as the artefact gives it"),
        ("set_name", _TEXT, "the known set that has it"),
        ("set_version", _TEXT, "SHA-256 of the file the set came from"),
        ("role", _TEXT, "alert, known-good, review or negative: named by a person at import"),
        ("category", _TEXT, "category as the set supplies it"),
    ),
    "recovered_rows": (
        ("entry_id", _INT, "the database; joins entries"),
        ("locator", _TEXT, "the entry's locator"),
        ("place", _TEXT, "page and offset in the database or its log, or locator of an unallocated page and offset"),
        ("table_name", _TEXT, "the table the row belongs to"),
        ("certain", _FLAG, "the page is known to have belonged to the table; else the shape of the row speaks for it"),
        ("complete", _FLAG, "every column has its value"),
        ("missing", "texts", "columns whose value is lost"),
        ("row_id", _INT, "the row's number, where it is known"),
        ("stored_values", _TEXT, "column names and values as a JSON object; bytes as {hex, size}"),
        (
            "recovered_from",
            _TEXT,
            "freeblock, unallocated, freelist, overwritten, wal, journal, dropped, carved or unallocated page",
        ),
        ("live_twin", _FLAG, "a live row holds the same values"),
    ),
    "texts": (
        ("entry_id", _INT, "the document; joins entries"),
        ("locator", _TEXT, "the entry's locator"),
        ("read_by", _TEXT, "capability that read it"),
        ("text", _TEXT, "the text, as far as the plan goes"),
        ("complete", _FLAG, "the text is whole; else it goes on in the document"),
    ),
    "unallocated_pages": (
        ("entry_id", _INT, "the database the page was joined to; joins entries"),
        ("locator", _TEXT, "locator of the page"),
        ("source", _TEXT, "locator of the source the bytes lie in"),
        ("extents", "extents", "where the page lies in that source"),
        ("table_name", _TEXT, "the table whose rows the page is taken to hold"),
        ("certain", _FLAG, "the table still holds rows of the page; else their shape speaks for it"),
        ("also_fits", "texts", "what the page fits about as well: locator of the database and name of the table"),
    ),
}

_TYPE_NAMES = {
    "string": "text",
    "int64": "integer",
    "time": "timestamp, nanoseconds, without zone",
    "bool": "true or false",
    "float64": "number",
    "binary": "bytes",
    "digest16": "16 bytes",
    "digest20": "20 bytes",
    "digest32": "32 bytes",
    "extents": "list of {offset, length, sparse, assumed}",
    "texts": "list of texts",
    "moments": "list of {happened_at, meaning}",
    "attachments": "list of {name, path, size, media_type, md5, sha1, sha256}",
}


def type_title(type_name: str) -> str:
    """Return how the reference calls a column type."""
    return _TYPE_NAMES[type_name]


def schema(table: str) -> pa.Schema:
    """Return the Arrow schema of a table."""
    import pyarrow as pa

    extent = pa.struct(
        [("offset", pa.int64()), ("length", pa.int64()), ("sparse", pa.bool_()), ("assumed", pa.bool_())]
    )
    moment = pa.struct([("happened_at", pa.timestamp("ns")), ("meaning", pa.string())])
    attachment = pa.struct(
        [
            ("name", pa.string()), ("path", pa.string()), ("size", pa.int64()), ("media_type", pa.string()),
            ("md5", pa.string()), ("sha1", pa.string()), ("sha256", pa.string()),
        ]
    )  # fmt: skip
    types: dict[str, Any] = {
        "string": pa.string(),
        "int64": pa.int64(),
        "time": pa.timestamp("ns"),
        "bool": pa.bool_(),
        "float64": pa.float64(),
        "binary": pa.binary(),
        "digest16": pa.binary(16),
        "digest20": pa.binary(20),
        "digest32": pa.binary(32),
        "extents": pa.list_(extent),
        "texts": pa.list_(pa.string()),
        "moments": pa.list_(moment),
        "attachments": pa.list_(attachment),
    }
    return pa.schema([(name, types[kind]) for name, kind, _ in COLUMNS[table]])
