"""Writing a report into the examination folder it speaks of."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kaval.core.errors import UsageError
from kaval.folder.durable import place
from kaval.folder.sealed import SealingKey
from kaval.reports.contract import REPORTS
from kaval.reports.gathering import Showing, gather


def write_report(
    folder: Path,
    *,
    formats: Sequence[str] = ("html", "pdf"),
    thumbnails: bool = False,
    key: SealingKey | None = None,
    clear_thumbnails: bool = False,
    zone: str = "Asia/Kolkata",
) -> list[Path]:
    """Write the report of a finished examination and return the paths of its files.

    The files are ``FOLDER/report/report.html`` and ``report.pdf``; a report that is there already is replaced
    as a whole. No clock is asked: the same folder and the same choices give the same bytes.

    Args:
        folder: The examination folder.
        formats: Names of the registry ``REPORTS``.
        thumbnails: Show small grey pictures of the files listed as hits, blurred.
        key: The key of the sealed store, needed for thumbnails.
        clear_thumbnails: With ``thumbnails``, do not blur them.
        zone: The zone in which moments are written.

    Raises:
        FolderError: The folder is not one, is unfinished, or its sealed store does not fit the key.
        UsageError: A format or the zone is unknown, or thumbnails are wanted without a key.
    """
    if thumbnails and key is None:
        raise UsageError("thumbnails lie in the sealed store; give its key, or leave them out")
    writers = [REPORTS.get(name) for name in formats]
    showing = Showing(zone=zone, key=key if thumbnails else None, clear=clear_thumbnails)
    facts = gather(folder, showing)
    target = folder / "report"
    target.mkdir(exist_ok=True)
    written = []
    for writer in writers:
        path = target / f"report.{writer.suffix}"
        place(writer.render(facts), path)
        written.append(path)
    return written
