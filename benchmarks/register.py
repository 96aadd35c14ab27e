"""How fast the register's lists and searches answer when it is full, with the pages people open, over HTTP.

    tests/casework/postgres .venv/bin/python -m benchmarks.register [--scale 1] [--users 20] [--seconds 40] [--think 1]

Fills the PostgreSQL that KAVAL_DATABASE_URL names, by SQL and past the triggers: 500,000 persons, 1,000,000
identifiers, 200,000 cases, 500,000 exhibits with 3,000,000 events of custody. Each of 70 officers is a member of 300
cases; memberships in older ones have ended. Then granian serves it with two workers, as `kaval-unit run` does, and
plain threads are the users: each opens a page, reads for about ``--think`` seconds, and opens another. A second round
is without reading, which shows how much two cores can do.

The bar: every list and search page answers 95 of 100 within 150 ms. The load and the database share the two cores.
"""

from __future__ import annotations

import argparse
import base64
import http.client
import os
import random
import resource
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

BAR = 0.150
OFFICERS = 70
PERSONS, IDENTIFIERS, CASES, EXHIBITS, EVENTS_EACH = 500_000, 1_000_000, 200_000, 500_000, 6
CSRF = "a" * 32
_FIRST = "Amba Benna Chiru Dova Elam Falku Gosra Hirel Ikna Jolu Keru Lamo Mirva Nolek Ostu Pelin Quru Rasko Silma Tovi"
_LAST = "Adiparo Belimu Cunadel Dorvani Estrum Feldigo Garanu Hopelvi Istarom Jandulo Kermisu Lovandi Mustrael Norvigu"


@dataclass
class Told:
    """What the users measured."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, name: str, seconds: float, status: int, length: int) -> None:
        """Keep one answer."""
        with self.lock:
            self.seconds.setdefault(name, []).append(seconds)
            if status != 200 or length < 500:
                self.wrong.append(f"{name}: {status}, {length} bytes")


@dataclass(frozen=True)
class User:
    """One officer with a session, and what is theirs to open."""

    session: str
    cases: list[UUID]
    exhibits: list[UUID]
    numbers: list[str]


def main() -> int:
    """Fill, serve, load, tell; 1 where a page misses the bar."""
    asked = _arguments()
    if not os.environ.get("KAVAL_DATABASE_URL"):
        print("Run it through tests/casework/postgres: it fills the database it is given.")
        return 2
    with tempfile.TemporaryDirectory() as folder:
        _begin(Path(folder))
        began = time.perf_counter()
        if not asked.filled:
            print(f"filling at scale {asked.scale}", flush=True)
            fill(asked.scale)
        _tell_sizes(time.perf_counter() - began)
        users = [_user(number) for number in range(asked.users)]
        with serving(Path(folder)) as (port, worker_cpu):
            _warm(port, users)
            missed = _round(
                port, users, asked.seconds, asked.think, worker_cpu, f"reading {asked.think} s between pages"
            )
            _round(port, users, asked.seconds / 2, 0, worker_cpu, "without reading: the most two cores do")
    if missed:
        print(f"\nmissed the bar of {BAR * 1000:.0f} ms: {', '.join(missed)}")
    return 1 if missed else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--users", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=40.0)
    parser.add_argument("--think", type=float, default=1.0)
    parser.add_argument("--filled", action="store_true", help="the database was filled before")
    return parser.parse_args()


def _begin(folder: Path) -> None:
    # Always the same key, so that a database that was filled before can be served again.
    key = folder / "key"
    key.touch(mode=0o600)
    key.write_text(f"k1 {base64.b64encode(b'b' * 32).decode()}\n", encoding="ascii")
    os.environ |= {
        "KAVAL_DATA_DIR": str(folder),
        "KAVAL_HTTPS": "false",
        "DJANGO_SETTINGS_MODULE": "casework.web.settings",
    }
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)


# ---- filling ------------------------------------------------------------------------------------------------------


def fill(scale: float) -> None:
    """Fill the database; every row is as the verbs would have written it, but no verb and no trigger wrote it."""
    from django.db import connection

    _officers()
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SET synchronous_commit = off")
        sizes: dict[str, Any] = {
            "persons": int(PERSONS * scale),
            "identifiers": int(IDENTIFIERS * scale),
            "cases": int(CASES * scale),
            "exhibits": int(EXHIBITS * scale),
            "officers": OFFICERS,
            "events": EVENTS_EACH,
            "now": datetime(2026, 11, 24, 6, 0, tzinfo=UTC),
            "empty": _sealed_nothing(),
        }
        _syllables(cursor)
        for statement in STATEMENTS:
            began = time.perf_counter()
            cursor.execute(statement, sizes)
            print(f"  {cursor.rowcount:>9} {statement.split()[2]:<24} {time.perf_counter() - began:6.1f} s", flush=True)
        cursor.execute("SET session_replication_role = origin")
        cursor.execute("VACUUM ANALYZE")


def _officers() -> None:
    from casework.accounts import api as accounts
    from casework.accounts.models import RoleGrant
    from casework.exhibits.models import Party, StoragePlace

    unit = accounts.Unit.objects.create(name="Cell of the north")
    StoragePlace.objects.create(unit=unit, room="Store 1")
    for number in range(OFFICERS):
        account = accounts.Account.objects.create(username=f"officer{number}", name=f"Officer {number}", unit=unit)
        RoleGrant.objects.create(account=account, role=accounts.Role.INVESTIGATOR)
        Party.objects.create(account=account)


def _sealed_nothing() -> bytes:
    from django.conf import settings

    from casework.lib.sealed import seal

    return seal(settings.KEY_RING, "cases.case.summary", "")


def _syllables(cursor: Any) -> None:
    from casework.people.search import words_from

    words = [f"{one}{other.lower()}" for one in _FIRST.split() for other in _LAST.split()]
    words += [word[::-1].title() for word in words]
    cursor.execute("CREATE TEMP TABLE syllable (n int PRIMARY KEY, word text, words text)")
    cursor.executemany(
        "INSERT INTO syllable VALUES (%s, %s, %s)",
        [(place, word, " ".join(words_from([(word, word)]))) for place, word in enumerate(words)],
    )
    cursor.execute(
        "CREATE TEMP TABLE officer AS SELECT row_number() OVER (ORDER BY a.username) - 1 AS n, a.id,"
        " a.unit_id, a.name, p.id AS party FROM accounts_account a JOIN exhibits_party p ON p.account_id = a.id"
    )
    cursor.execute("CREATE UNIQUE INDEX ON officer (n)")
    cursor.execute("ANALYZE officer")


STATEMENTS = (
    """INSERT INTO cases_case (id, created_at, unit_id, year, number, register_no, title, summary, classification,
    state,
    opened_by_id, begun_on)
    SELECT gen_random_uuid(), %(now)s - g * interval '40 minutes', o.unit_id, 2010 + g %% 17, g / 17 + 1,
    (g / 17 + 1) || '/' || (2010 + g %% 17), 'The house of ' || s.word || ' ' || g, %(empty)s, 'material',
    'investigation',
    o.id, (%(now)s - g * interval '40 minutes')::date
    FROM generate_series(0, %(cases)s - 1) g JOIN officer o ON o.n = g %% %(officers)s
    JOIN syllable s ON s.n = g %% 560""",
    """CREATE TEMP TABLE matter AS SELECT row_number() OVER (ORDER BY created_at DESC, id) - 1 AS n, id, opened_by_id,
    created_at FROM cases_case""",
    "CREATE UNIQUE INDEX ON matter (n)",
    """INSERT INTO accounts_membership (id, created_at, "case", account_id, capacity, purpose, ended_at)
    SELECT gen_random_uuid(), created_at, id, opened_by_id, 'lead', 'investigation',
    CASE WHEN n >= %(officers)s * 300 THEN created_at + interval '1 year' END FROM matter""",
    """INSERT INTO cases_fir (id, created_at, case_id, state, district, station, number, year, is_zero, registered_at,
    diary_entry, follows_id, entered_by_id)
    SELECT gen_random_uuid(), created_at, id, 'State', 'District', 'Station ' || n %% 400, (n %% 3000)::text,
    extract(year FROM created_at)::int, false, created_at, '', NULL, opened_by_id FROM matter""",
    """CREATE TEMP TABLE human AS SELECT g AS n, gen_random_uuid() AS id, a.word || ' ' || b.word AS name,
    a.words || ' ' || b.words AS words FROM generate_series(0, %(persons)s - 1) g
    JOIN syllable a ON a.n = (g * 7 + g / 560) %% 560 JOIN syllable b ON b.n = (g * 13) %% 560""",
    "CREATE UNIQUE INDEX ON human (n)",
    """INSERT INTO people_person (id, created_at, code, sex, alive, access, cluster, sought_at, entered_by_id)
    SELECT h.id, %(now)s - h.n * interval '10 minutes', 'P-' || lpad(h.n::text, 5, '0') || '-' || lpad(h.n::text, 6,
    '0'),
    '', 'unknown', 'ordinary', h.id, %(now)s, o.id FROM human h JOIN officer o ON o.n = h.n %% %(officers)s""",
    """INSERT INTO people_personname (id, created_at, person_id, text, script, romanised, kind, sound, entered_by_id,
    withdrawn_at, withdrawn_reason)
    SELECT gen_random_uuid(), %(now)s, h.id, h.name, 'latin', h.name, 'full', lower(h.name), o.id, NULL, ''
    FROM human h JOIN officer o ON o.n = h.n %% %(officers)s""",
    "INSERT INTO people_persontext (person_id, words) SELECT id, words FROM human",
    """INSERT INTO people_personrole (id, created_at, person_id, "case", role, access, since, until, ended_reason,
    entered_by_id)
    SELECT gen_random_uuid(), %(now)s - h.n * interval '10 minutes', h.id, m.id, 'suspect', 'ordinary', NULL, NULL, '',
    m.opened_by_id FROM human h JOIN matter m ON m.n = h.n %% %(cases)s""",
    """CREATE TEMP TABLE trace AS SELECT g AS n, gen_random_uuid() AS id, '+91' || (9000000000 + g * 613) AS value
    FROM generate_series(0, %(identifiers)s - 1) g""",
    """INSERT INTO people_identifier (id, created_at, kind, platform, value)
    SELECT id, %(now)s, 'phone', '', value FROM trace""",
    "INSERT INTO people_identifiertext (identifier_id, text) SELECT id, value FROM trace",
    """INSERT INTO people_sighting (id, created_at, identifier_id, "case", as_given, port, at, time_as_given, zone,
    source,
    entered_by_id)
    SELECT gen_random_uuid(), %(now)s - t.n * interval '5 minutes', t.id, m.id, t.value, NULL, NULL, '', '', 'answer',
    m.opened_by_id FROM trace t JOIN matter m ON m.n = t.n %% %(cases)s""",
    """INSERT INTO people_attribution (id, created_at, identifier_id, person_id, "case", basis, confidence,
    contested_reason, withdrawn_reason, entered_by_id)
    SELECT gen_random_uuid(), %(now)s, t.id, h.id, m.id, 'device', 'possible', '', '', m.opened_by_id
    FROM trace t JOIN human h ON h.n = t.n JOIN matter m ON m.n = t.n %% %(cases)s""",
    """CREATE TEMP TABLE thing AS SELECT g AS n, gen_random_uuid() AS id, gen_random_uuid() AS seal,
    (SELECT id FROM exhibits_storageplace LIMIT 1) AS place FROM generate_series(0, %(exhibits)s - 1) g""",
    "CREATE UNIQUE INDEX ON thing (n)",
    """INSERT INTO exhibits_exhibit (id, created_at, case_id, unit_id, year, register_no, part_no, case_no, kind,
    description, make, model, colour, serial, imei_1, imei_2, imei_as_read, mac, other_mark, found_state, isolation,
    clock_note, passcode_state, place_found, owner, court_number, is_material, withdrawn_reason, holder_id, place_id,
    custody_sequence)
    SELECT t.id, m.created_at + (t.n / %(cases)s) * interval '1 minute', m.id, o.unit_id, 2010 + t.n %% 17, t.n / 17 +
    1,
    0, t.n / %(cases)s + 1, 'mobile-phone', '', 'Quillmark', 'Nine', 'grey', 'QM' || t.n, '', '', false, '', '', 'off',
    'faraday-bag', '', 'not-asked', 'desk', '', '', false, '', o.party, t.place, %(events)s
    FROM thing t JOIN matter m ON m.n = t.n %% %(cases)s
    JOIN officer o ON o.n = (t.n %% %(cases)s + %(events)s * (t.n %% 3)) %% %(officers)s""",
    """INSERT INTO exhibits_seal (id, created_at, exhibit_id, unit_id, number, kind, mark, applied_at, applied_by_id,
    reason, broken_reason)
    SELECT t.seal, %(now)s, t.id, o.unit_id, t.n + 1, 'tamper-bag', 'B' || t.n, %(now)s - interval '9 years', o.id,
    'store',
    '' FROM thing t JOIN officer o ON o.n = t.n %% %(officers)s""",
    """INSERT INTO exhibits_custodyevent (id, created_at, exhibit_id, sequence, from_party_id, to_party_id, giver_name,
    giver_rank, giver_unit, receiver_name, receiver_rank, receiver_unit, receiver_outside, place_id, place_note,
    purpose,
    purpose_note, condition, condition_note, seal_before_id, seal_after_id, hash_check, hash_note, offered_at,
    received_at,
    giver_document, receiver_document, recorded_by_id, final)
    SELECT gen_random_uuid(), %(now)s, t.id, e, CASE WHEN e > 1 THEN f.party END, o.party, f.name, 'inspector',
    'Cell of the north', o.name, 'inspector', 'Cell of the north', false, t.place, '', 'storage', '', 'as-before', '',
    t.seal, t.seal, 'no-image', '', %(now)s - (20 - e) * interval '30 days', %(now)s - (20 - e) * interval '30 days',
    '', '',
    o.id, false
    FROM thing t CROSS JOIN generate_series(1, %(events)s) e
    JOIN officer o ON o.n = (t.n %% %(cases)s + e * (t.n %% 3)) %% %(officers)s
    JOIN officer f ON f.n = (t.n %% %(cases)s + (e - 1) * (t.n %% 3)) %% %(officers)s""",
    """INSERT INTO exhibits_mark (exhibit_id, kind, value) SELECT t.id, k.kind, CASE k.kind WHEN 'serial' THEN 'QM' ||
    t.n
    WHEN 'seal' THEN 'B' || t.n ELSE lpad((t.n / 17 + 1)::text, 4, '0') || (2010 + t.n %% 17) END
    FROM thing t CROSS JOIN (VALUES ('serial'), ('seal'), ('number')) k (kind)""",
    """INSERT INTO exhibits_handover (id, created_at, exhibit_id, batch, after_sequence, giver_id, receiver_id,
    offered_by_id, offered_at, purpose, purpose_note, condition, condition_note, seal_id, giver_document, state,
    closed_reason)
    SELECT gen_random_uuid(), %(now)s, t.id, gen_random_uuid(), %(events)s, o.party, m.opened_by_id, o.id,
    %(now)s - t.n * interval '1 second', 'storage', '', 'as-before', '', t.seal, '', CASE WHEN t.n < 1400 THEN 'open'
    ELSE 'declined' END, '' FROM thing t JOIN matter m ON m.n = t.n %% %(cases)s
    JOIN officer o ON o.n = (t.n %% %(cases)s + %(events)s * (t.n %% 3)) %% %(officers)s""",
)


def _tell_sizes(seconds: float) -> None:
    from django.db import connection

    tables = ("people_person", "people_identifier", "cases_case", "exhibits_exhibit", "exhibits_custodyevent")
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(
                "SELECT reltuples::bigint, pg_size_pretty(pg_total_relation_size(%s)) FROM pg_class"
                " WHERE oid = %s::regclass",
                [table, table],
            )
            rows, size = cursor.fetchone()
            print(f"  {table}: {rows} rows, {size}")
        cursor.execute("SELECT pg_size_pretty(pg_database_size(current_database()))")
        print(f"ready after {seconds:.0f} s; the database is {cursor.fetchone()[0]}", flush=True)


# ---- serving and loading ------------------------------------------------------------------------------------------


def _user(number: int) -> User:
    from importlib import import_module

    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

    from casework.accounts import api as accounts
    from casework.exhibits.models import Exhibit
    from casework.lib import clock

    account = accounts.Account.objects.get(username=f"officer{number % OFFICERS}")
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(account.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = account.get_session_auth_hash()
    session["began"] = session["seen"] = clock.now().isoformat()
    session.save()
    accounts.Account.objects.filter(pk=account.pk).update(session_key=session.session_key)
    cases = accounts.case_ids_open_to(account)
    chance = random.Random(number)
    own = chance.sample(cases, min(40, len(cases)))
    exhibits = list(Exhibit.objects.filter(case_id__in=own).values_list("pk", flat=True))
    numbers = [f"QM{number + OFFICERS * chance.randrange(1000)}" for _ in range(20)]
    return User(session=str(session.session_key), cases=own, exhibits=exhibits, numbers=numbers)


@contextmanager
def serving(folder: Path) -> Iterator[tuple[int, Callable[[], float]]]:
    """Serve as `kaval-unit run` does; give the port, and a way to ask for the CPU seconds of the workers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    options = ["--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--workers", "2"]
    options += ["--blocking-threads", "4", "--workers-kill-timeout", "5", "--no-ws", "--log-level", "error"]
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "granian", *options, "casework.web.wsgi:application"], stdout=log, stderr=log
        )
        try:
            _wait_for(port, server)
            yield port, lambda: _cpu_of(server.pid)
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(20)


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    for _attempt in range(300):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if server.poll() is not None:
                raise
            time.sleep(0.2)
    raise TimeoutError("The server did not start within a minute.")


def _cpu_of(parent: int) -> float:
    ticks = os.sysconf("SC_CLK_TCK")
    total = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == parent:
            total += int(fields[11]) + int(fields[12])
    return total / ticks


def _pages(user: User, chance: random.Random) -> Iterator[tuple[str, str, str, dict[str, str]]]:
    words = _FIRST.split()
    searches = {
        "search: name": lambda: chance.choice(words) + chance.choice(_LAST.split()).lower(),
        "search: phone": lambda: str(9000000000 + 613 * chance.randrange(int(IDENTIFIERS)))[2:],
        "search: exhibit": lambda: chance.choice(user.numbers),
        "search: case": lambda: f"{chance.randrange(1, 11000)}/{chance.randrange(2010, 2027)}",
    }
    lists = {
        "first page": "/",
        "exhibits": "/exhibits/",
        "exhibits: what I hold": "/exhibits/?which=mine",
        "hand-overs": "/exhibits/waiting/",
        "cases": "/cases/",
        "persons": "/people/",
        "identifiers": "/people/identifiers/",
        "clocks": "/cases/clocks/",
    }
    while True:
        for name in chance.sample(sorted(lists), len(lists)):
            yield name, "GET", lists[name], {}
        for name in chance.sample(sorted(searches), len(searches)):
            yield name, "POST", "/search/", {"words": searches[name](), "purpose": "benchmark"}
        yield "exhibits of a case", "GET", f"/exhibits/case/{chance.choice(user.cases)}/", {}
        yield "one case", "GET", f"/cases/{chance.choice(user.cases)}/", {}
        for _ in range(2):
            yield "one exhibit", "GET", f"/exhibits/{chance.choice(user.exhibits)}/", {}


def _open(port: int, user: User, told: Told, page: tuple[str, str, str, dict[str, str]], link: Any) -> Any:
    name, method, path, given = page
    headers = {
        "Cookie": f"sessionid={user.session}; csrftoken={CSRF}",
        "X-CSRFToken": CSRF,
        "Content-Type": "application/x-www-form-urlencoded",
    }
    began = time.perf_counter()
    link.request(method, path, urlencode(given) if given else None, headers)
    answer = link.getresponse()
    content = answer.read()
    told.add(name, time.perf_counter() - began, answer.status, len(content))
    return link


def _warm(port: int, users: list[User]) -> None:
    told = Told()
    for number, user in enumerate(users[:8]):
        link = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        pages = _pages(user, random.Random(number))
        for _ in range(16):
            _open(port, user, told, next(pages), link)
        link.close()
    if told.wrong:
        raise SystemExit(f"Pages do not answer: {sorted(set(told.wrong))}")


def _round(
    port: int, users: list[User], seconds: float, think: float, worker_cpu: Callable[[], float], title: str
) -> list[str]:
    told, until, cpu = Told(), time.monotonic() + seconds, worker_cpu()
    load_cpu = resource.getrusage(resource.RUSAGE_SELF)

    def work(number: int, user: User) -> None:
        chance = random.Random(1000 + number)
        link = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        time.sleep(chance.uniform(0, think))
        for page in _pages(user, chance):
            if time.monotonic() > until:
                break
            _open(port, user, told, page, link)
            time.sleep(chance.uniform(0.5, 1.5) * think)
        link.close()

    threads = [threading.Thread(target=work, args=(number, user)) for number, user in enumerate(users)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    own = resource.getrusage(resource.RUSAGE_SELF)
    spent = own.ru_utime + own.ru_stime - load_cpu.ru_utime - load_cpu.ru_stime
    return _tell(told, seconds, worker_cpu() - cpu, spent, f"{len(users)} users, {title}")


def _tell(told: Told, seconds: float, cpu: float, load_cpu: float, title: str) -> list[str]:
    every = [one for times in told.seconds.values() for one in times]
    print(
        f"\n{title}: {len(every)} pages, {len(every) / seconds:.1f} a second;"
        f" {1000 * cpu / len(every):.1f} ms CPU a page in the workers, {load_cpu:.0f} s CPU in the load;"
        f" load of the machine {os.getloadavg()[0]:.1f}"
    )
    print(f"  {'page':<24}{'n':>6}{'p50':>9}{'p95':>9}{'worst':>9}  ms")
    missed = []
    for name, times in sorted(told.seconds.items()):
        p95 = _at(times, 0.95)
        if p95 > BAR:
            missed.append(name)
        middle = statistics.median(times)
        print(
            f"  {name:<24}{len(times):>6}{middle * 1000:>9.0f}{p95 * 1000:>9.0f}{max(times) * 1000:>9.0f}"
            f"{'  over the bar' if p95 > BAR else ''}"
        )
    print(
        f"  {'all':<24}{len(every):>6}{statistics.median(every) * 1000:>9.0f}{_at(every, 0.95) * 1000:>9.0f}",
        flush=True,
    )
    if told.wrong:
        print(f"  WRONG: {sorted(set(told.wrong))[:5]}")
        missed.append("an answer was wrong")
    return missed


def _at(times: list[float], part: float) -> float:
    return sorted(times)[min(int(len(times) * part), len(times) - 1)]


if __name__ == "__main__":
    sys.exit(main())
