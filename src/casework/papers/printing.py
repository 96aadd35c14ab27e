"""The press: a process of its own that reads a sheet as JSON and answers with a PDF, within limits.

It knows no database and no Django. Memory and time are limited by the kernel, so that no values, however large or
strange, take the pages of the house down; what typst keeps in its caches ends with the process. There is no network:
no package is imported by a layout, and only the fonts of this folder are seen.
"""

from __future__ import annotations

import io
import json
import os
import resource
import subprocess
import sys
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from casework.lib.errors import CaseworkError

HERE = Path(__file__).parent
MEMORY = 3 * 1024**3
SECONDS = 120
# A large paper takes most of a gigabyte while it is printed; so many at once in each process of the pages.
_PRESSES = threading.BoundedSemaphore(2)


class PrintingError(CaseworkError):
    """The press could not print a paper; ``reason`` comes from the layout and may quote values, so it is not logged."""

    def __init__(self, layout: str, reason: str) -> None:
        self.layout = layout
        self.reason = reason
        super().__init__(f"The paper could not be printed with the layout {layout}; nothing was issued.")


@dataclass(frozen=True, kw_only=True)
class Printed:
    """A PDF and its number of pages."""

    content: bytes
    pages: int


def press(layout: str, sheet: dict[str, Any]) -> Printed:
    """Return the PDF of ``sheet`` in ``layout``; the same sheet gives the same bytes.

    Raises:
        PrintingError: The layout failed, or took more memory or time than it may.
    """
    order = json.dumps({"layout": layout, "sheet": sheet}).encode()
    command = [sys.executable, "-I", "-m", "casework.papers.printing"]
    # No environment, so that neither a proxy nor a locale has a say.
    env = {"PATH": os.defpath, "LANG": "C.UTF-8"}
    try:
        with _PRESSES:
            done = subprocess.run(command, input=order, capture_output=True, timeout=SECONDS, env=env, check=False)  # noqa: S603
    except subprocess.TimeoutExpired as error:
        raise PrintingError(layout, "it took too long") from error
    if done.returncode:
        raise PrintingError(layout, done.stderr.decode(errors="replace"))
    pages, _, content = done.stdout.partition(b"\n")
    return Printed(content=content, pages=int(pages))


def _main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    import pypdf
    import typst

    order = json.loads(sys.stdin.buffer.read())
    sheet = order["sheet"]
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(HERE / "fonts")])
    content = typst.compile(
        str(HERE / "layouts" / f"{order['layout']}.typ"),
        root=str(HERE / "layouts"),
        font_paths=fonts,
        format="pdf",
        sys_inputs={"sheet": json.dumps(sheet, ensure_ascii=False)},
        # PDF/A-2a: archivable, tagged, every letter mapped to Unicode; UA-1: readable by a screen reader.
        pdf_standards=["a-2a", "ua-1"],
        timestamp=datetime.fromisoformat(sheet["day"]).replace(tzinfo=UTC),
    )
    pages = len(pypdf.PdfReader(io.BytesIO(content)).pages)
    sys.stdout.buffer.write(f"{pages}\n".encode() + content)


if __name__ == "__main__":
    _main()
