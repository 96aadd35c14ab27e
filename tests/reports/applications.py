"""Synthetic records of applications for a report: conversations in three scripts, recovered ones, mentioned files."""

from __future__ import annotations

from typing import Any

from kaval.folder.segments import RowBuffer, column_names

SECRET = "words of a message that no report prints"
GROUPS = (
    ("whatsapp", "120-7@g.us", "കുടുംബം ൨൦൨൪ ഗ്രൂപ്പ്", 60, 9),
    ("telegram", "-100771", "परिवार की बातें और छुट्टियाँ", 25, 0),
    ("android-sms", "+91 90000 00001", "", 7, 2),
    ("whatsapp", "strange\u202etitle@g.us", "<script>alert('x')</script> \u202egpj.exe", 1, 0),
)
DIGEST = "ab" * 32
FIRST = 1_700_000_000_000_000_000


def write_applications(rows: RowBuffer, locator: str, present: str, *, more: int = 0) -> None:
    """Add records; ``present`` is the SHA-256 of a file that was examined, ``more`` conversations stand beside ours."""
    writer = _Writer(rows, locator)
    groups = (*GROUPS, *(("whatsapp", f"{number}@g.us", f"Tarn {number}", 1, 0) for number in range(more)))
    for application, identifier, title, messages, recovered in groups:
        for who in ("a", "b", "c") if identifier.endswith("g.us") else ():
            writer.add(kind="member", application=application, conversation=identifier, who=who)
        for number in range(messages):
            gone = number < recovered
            writer.add(
                kind="message", application=application, conversation=identifier, conversation_title=title or None,
                who="+91 90000 00002", who_name="परीक्षण നാമം", direction="incoming", text=SECRET,
                happened_at=FIRST + number * 10**13, zone="utc", recovered=gone,
                certainty=("certain" if number % 2 else "inferred") if gone else None,
                earlier_form=gone and number == 0, recovered_from="freeblock" if gone else None,
            )  # fmt: skip
    attachments = [
        _file("IMG-1.jpg", sha256=present),
        _file("IMG-2.jpg", sha256=DIGEST),
        _file("ഇല്ലാത്ത ചിത്രം.jpg", size=77),
    ]
    told = writer.add(
        kind="message", application="whatsapp", conversation="120-7@g.us", who="+91 90000 00002", direction="incoming",
        happened_at=FIRST, zone="utc", attachments=attachments, text=SECRET,
    )  # fmt: skip
    for name, value, role in (("IMG-1.jpg", present, "alert"), ("IMG-2.jpg", DIGEST, "alert"), ("b", DIGEST, "review")):
        rows.add("mentions", (told, 0, locator, name, "sha256", value, f"Set {role}", "0" * 64, role, "2"))
    writer.add(
        kind="account", application="whatsapp", who="+91 90000 00009", who_name="ഉപയോക്താവ്",
        identifiers=["+91 90000 00009", "osk@example.invalid"],
    )  # fmt: skip
    writer.add(kind="call", application="android-calls", who="+91 90000 00003", recovered=True, certainty="certain")
    for source, number in (("freeblock", 6), ("wal", 3), ("unallocated page", 2)):
        for place in range(number):
            rows.add(
                "recovered_rows",
                (
                    0,
                    locator,
                    f"page {place}",
                    "message",
                    place % 2 == 0,
                    place > 0,
                    None,
                    place,
                    "{}",
                    source,
                    place == 1,
                ),
            )


class _Writer:
    """Adds artefacts under rising numbers."""

    def __init__(self, rows: RowBuffer, locator: str) -> None:
        self._rows = rows
        self._locator = locator
        self._number = 0

    def add(self, **told: Any) -> int:
        """Add a record and return its number; what is not told is empty."""
        self._number += 1
        common = {
            "artefact_id": self._number, "entry_id": 0, "locator": self._locator, "place": f"row {self._number}",
            "read_by": "synthetic", "moments": [], "recovered": False, "complete": True, "earlier_form": False,
            "zone": "unknown", "whom": [], "identifiers": [], "attachments": [],
        }  # fmt: skip
        row = common | told
        self._rows.add("artefacts", tuple(row.get(name) for name in column_names("artefacts")))
        return self._number


def _file(name: str, *, size: int | None = None, sha256: str | None = None) -> dict[str, Any]:
    return {
        "name": name, "path": None, "size": size, "media_type": None, "md5": None, "sha1": None, "sha256": sha256
    }  # fmt: skip
