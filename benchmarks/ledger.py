"""How long the ledger takes to be walked: a million rows, on SQLite or on the PostgreSQL that KAVAL_DATABASE_URL names.

python -m benchmarks.ledger [rows]
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from casework.audit.models import Entry

Answer = TypeVar("Answer")


def main(count: int) -> int:
    """Fill an empty ledger past its triggers, walk it, change one row, walk it again; print the seconds."""
    with tempfile.TemporaryDirectory() as folder:
        _begin(Path(folder))
        from django.db import connection

        from casework.audit import api as audit
        from casework.audit import triggers
        from casework.audit.models import Entry

        _fill(count)
        verdict, seconds, cpu = _timed(audit.verify)
        assert verdict.broken is None
        assert verdict.rows == count
        print(f"{connection.vendor}: {count} rows walked in {seconds:.1f} s ({cpu:.1f} s CPU here)")
        triggers.remove(connection)
        Entry.objects.filter(seq=count - 1).update(purpose="another")
        verdict, seconds, cpu = _timed(audit.verify)
        assert verdict.broken is not None
        assert verdict.broken.seq == count - 1
        print(
            f"{connection.vendor}: row {count - 1} of {count} found changed in {seconds:.1f} s ({cpu:.1f} s CPU here)"
        )
        connection.close()
    return 0


def _begin(folder: Path) -> None:
    from casework.lib.keys import write_new_key_file

    write_new_key_file(folder / "key")
    os.environ |= {"KAVAL_DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "casework.web.settings"}
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


def _fill(count: int) -> None:
    from django.conf import settings

    from casework.audit import rules
    from casework.audit.models import Entry, Head

    key = settings.KEY_RING.current(rules.KEY_PURPOSE)
    last = [rules.NOTHING_BEFORE]
    rows = _rows(count, last)
    while batch := list(islice(rows, 5000)):
        Entry.objects.bulk_create(batch)
    Head.objects.create(pk=1, seq=count, digest=last[0], mark=rules.mark_head(key, count, last[0]))


def _rows(count: int, last: list[str]) -> Iterator[Entry]:
    from django.conf import settings

    from casework.audit import rules
    from casework.audit.models import Entry
    from casework.lib import clock

    key = settings.KEY_RING.current(rules.KEY_PURPOSE)
    for seq in range(1, count + 1):
        row = rules.Row(
            seq=seq, at=clock.now(), actor_id=f"{seq % 70}", actor_name=f"officer {seq % 70} (inspector)",
            act="exhibits.handed_over", subject_kind="exhibit", subject_id=f"{seq % 5000}", case=f"{seq % 2000}",
            purpose="examination", fields=rules.canonical({"from": "a", "to": "b", "seal": seq}), request="0" * 16,
        )  # fmt: skip
        digest = rules.digest_of(row, last[0])
        values = {name: getattr(row, name) for name in row.__dataclass_fields__}
        yield Entry(**values, previous=last[0], digest=digest, mark=rules.mark_entry(key, seq, digest))
        last[0] = digest


def _timed(work: Callable[[], Answer]) -> tuple[Answer, float, float]:
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF).ru_utime
    result = work()
    return result, time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_utime - before


if __name__ == "__main__":
    raise SystemExit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
