"""How well the same person is found on invented lists, beside splink; and how long one look takes among many.

python -m benchmarks.people [records] [seeds]          recall and precision, ours and splink's
python -m benchmarks.people --look persons             one look among so many persons, in the database
"""

from __future__ import annotations

import logging
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from demonstration.persons import RUMOURS, STATEMENTS, Written, pairs, records

Answer = TypeVar("Answer")
Pairs = set[tuple[int, int]]

# The crowd is copied in the database: invented persons are slow to write, and namesakes are what makes a look hard.
COPIES = 5


def main(count: int, seeds: int) -> int:
    """Compare on ``seeds`` lists; end with 1 where ours is below the bar on statements."""
    _begin()
    worst = 1.0
    for seed in range(1, seeds + 1):
        for label, care in (("statements", STATEMENTS), ("rumours", RUMOURS)):
            written = records(count, seed=seed, care=care)
            truth = pairs(written)
            print(f"{label}, seed {seed}: {count} records, {len(truth)} true pairs")
            ours, seconds = _timed(partial(_ours, written))
            recall, precision = _measured("ours", ours, truth, seconds)
            if label == "statements":
                worst = min(worst, recall / 0.93, precision / 0.98)
                for threshold in (0.5, 0.9):
                    theirs, seconds = _timed(partial(_splink, written, threshold))
                    _measured(f"splink at {threshold}", theirs, truth, seconds)
    return 0 if worst >= 1 else 1


def look(count: int) -> int:
    """Fill a database with ``count`` persons, and look for the same person for a hundred of them."""
    with tempfile.TemporaryDirectory() as folder:
        _begin(Path(folder))
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        from casework.accounts import api as accounts
        from casework.people import models, search
        from casework.people.matching import candidates
        from demonstration import crowd

        unit = accounts.Unit.objects.create(name="Crowd")
        account = accounts.Account.objects.create(username="crowd", name="Crowd", unit=unit)
        persons, cases = crowd.fill(count // COPIES, account.pk)
        crowd.multiply(COPIES)
        some = persons[:: max(len(persons) // 100, 1)][:100]
        worst = _told(f"a look among {count}", [partial(candidates.seek, person) for person in some])
        for case in cases[:30]:
            account.memberships.create(case=case, capacity="worker", purpose="measurement")
        account.role_grants.create(role="investigator")
        names = [models.PersonName.objects.filter(person=person)[0].romanised.split()[0] for person in some]
        _told(f"a search for a name among {count}", [partial(search.find, account, name) for name in names])
        _told("a search for its first two letters", [partial(search.find, account, name[:2]) for name in names])
        _told("a search for a number", [partial(search.find, account, f"{part:04}") for part in range(100)])
    return 0 if worst < 1 else 1


def _told(label: str, works: list[Callable[[], object]]) -> float:
    times = []
    for work in works:
        # The processor's time, not the clock's: the machine may be busy with something else.
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    times.sort()
    print(f"{label}: median {statistics.median(times) * 1000:.0f} ms, worst {times[-1] * 1000:.0f} ms CPU", flush=True)
    return times[-1]


def _begin(folder: Path | None = None) -> None:
    from casework.lib.keys import write_new_key_file

    place = folder or Path(tempfile.mkdtemp(prefix="kaval-people-"))
    write_new_key_file(place / "key")
    os.environ |= {"KAVAL_DATA_DIR": str(place), "DJANGO_SETTINGS_MODULE": "casework.web.settings"}
    import django

    django.setup()
    # splink tells its training line by line.
    logging.disable(logging.WARNING)


def _ours(written: list[Written]) -> Pairs:
    from casework.people.matching.linking import candidates_among
    from casework.people.matching.scoring import Profile
    from casework.people.scripts import words_of

    profiles = {
        record.number: Profile(
            names=(tuple(words_of(record.name)),), parents=(tuple(words_of(record.parent)),) if record.parent else (),
            born=_born(record), sex=record.sex, identifiers=frozenset(record.phones),
        )
        for record in written
    }  # fmt: skip
    return set(candidates_among(profiles))


def _born(record: Written) -> tuple[date, date] | None:
    if record.born is None:
        return None
    return (record.born, record.born.replace(month=12, day=31) if record.only_year else record.born)


def _splink(written: list[Written], threshold: float) -> Pairs:
    """Splink by its manual, with our Latin writing and sound key as columns, since it cannot read three scripts."""
    import pyarrow as pa
    import splink.comparison_library as cl
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    table = pa.Table.from_pylist([_row(record) for record in written])
    settings = SettingsCreator(
        link_type="dedupe_only",
        comparisons=[
            cl.JaroWinklerAtThresholds("name", [0.95, 0.88, 0.8]),
            cl.ExactMatch("sound").configure(term_frequency_adjustments=True),
            cl.JaroWinklerAtThresholds("parent", [0.9]),
            cl.LevenshteinAtThresholds("born", [1]),
            cl.ExactMatch("year"),
            cl.ExactMatch("phone"),
            cl.ExactMatch("sex"),
        ],
        blocking_rules_to_generate_predictions=[
            block_on("sound"),
            block_on("phone"),
            block_on("first", "year"),
            block_on("last", "year"),
        ],
    )
    api = DuckDBAPI()
    linker = Linker(_registered(api, table), settings)
    linker.training.estimate_probability_two_random_records_match([block_on("sound", "year")], recall=0.5)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6)
    linker.training.estimate_parameters_using_expectation_maximisation(block_on("sound"))
    linker.training.estimate_parameters_using_expectation_maximisation(block_on("phone"))
    found = linker.inference.predict(threshold_match_probability=threshold).as_record_list()
    sides = [sorted((row["unique_id_l"], row["unique_id_r"])) for row in found]
    return {(one, other) for one, other in sides}


def _registered(api: Any, table: Any) -> Any:
    return api.register(table) if hasattr(api, "register") else table


def _row(record: Written) -> dict[str, Any]:
    from casework.people.scripts import romanise
    from casework.people.sounds import sound_of

    words = sorted(sound_of(record.name).split())
    return {
        "unique_id": record.number,
        "name": " ".join(sorted(romanise(record.name).split())),
        "sound": " ".join(words),
        "first": words[0] if words else None,
        "last": words[-1] if words else None,
        "parent": romanise(record.parent) or None,
        "born": None if record.only_year or not record.born else str(record.born),
        "year": record.born.year if record.born else None,
        "phone": record.phones[0] if record.phones else None,
        "sex": record.sex or None,
    }


def _measured(label: str, found: Pairs, truth: Pairs, seconds: float) -> tuple[float, float]:
    right = len(found & truth)
    recall, precision = right / len(truth), right / max(len(found), 1)
    print(f"  {label:<14} recall {recall:.3f}  precision {precision:.3f}  {len(found)} candidates, {seconds:.0f} s CPU")
    return recall, precision


def _timed(work: Callable[[], Answer]) -> tuple[Answer, float]:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
    return work(), resource.getrusage(resource.RUSAGE_SELF).ru_utime - before


if __name__ == "__main__":
    if "--look" in sys.argv:
        raise SystemExit(look(int(sys.argv[-1])))
    numbers = [int(argument) for argument in sys.argv[1:]]
    raise SystemExit(main(*(numbers + [20_000, 2][len(numbers) :])))
