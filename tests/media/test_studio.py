"""The studio: what a decoder does to itself costs one stream, and what it may not do it cannot do."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kaval.core.records import Notice, NoticeCode
from kaval.media import MediaFacts, MediaLimits
from kaval.media.studio import Studio
from tests.media.scenes import landscape, stored

PICTURE = stored(landscape(320, 240), "JPEG")


def ask(studio: Studio, content: bytes, media_type: str = "test/rogue") -> MediaFacts | Notice:
    studio.submit(content, media_type)
    return studio.result()


def refusal(studio: Studio, content: bytes, media_type: str = "test/rogue") -> Notice:
    answer = ask(studio, content, media_type)
    assert isinstance(answer, Notice)
    return answer


@pytest.fixture(name="studio", scope="module")
def _studio() -> Iterator[Studio]:
    limits = MediaLimits(seconds=2.0, memory_size=400 << 20)
    with Studio(limits, modules=("tests.media.rogue",)) as studio:
        yield studio


needs_seccomp = pytest.mark.skipif(
    "seccomp" not in Path("/proc/self/status").read_text().lower(), reason="this kernel has no seccomp"
)


@needs_seccomp
@pytest.mark.parametrize(
    "deed",
    ["open", "create", "list", "stat", "connect", "socket", "exec", "fork", "run", "kill", "trace", "execute"],
)
def test_a_decoder_reaches_no_file_no_network_no_program_and_no_other_process(studio: Studio, deed: str) -> None:
    notice = refusal(studio, deed.encode())

    assert notice.code is NoticeCode.DECODER_REFUSED
    assert "confinement" in notice.message


@needs_seccomp
def test_the_measures_in_force_are_named(studio: Studio) -> None:
    assert "seccomp list of system calls" in studio.confinement
    assert "memory limit" in studio.confinement
    assert "own process" in studio.confinement


def test_threads_are_allowed_to_a_decoder(studio: Studio) -> None:
    assert isinstance(ask(studio, b"thread"), MediaFacts)


@pytest.mark.parametrize(
    ("deed", "code", "said"),
    [
        ("hang", NoticeCode.TIME_LIMIT, "2 seconds"),
        ("compute", NoticeCode.TIME_LIMIT, "2 seconds"),
        ("swell", NoticeCode.MEMORY_LIMIT, "400 MiB"),
        ("die", NoticeCode.DECODER_DIED, "SIGSEGV"),
        ("crash", NoticeCode.DECODER_DIED, "SIG"),
        ("exit", NoticeCode.DECODER_DIED, "code 7"),
        ("unforeseen", NoticeCode.CAPABILITY_FAILED, "nobody foresaw this"),
        ("overwrite", NoticeCode.CAPABILITY_FAILED, "read-only"),
        ("damage", NoticeCode.DAMAGED, "it says so"),
    ],
)
def test_what_a_decoder_does_to_itself_costs_one_stream(studio: Studio, deed: str, code: NoticeCode, said: str) -> None:
    begun = time.monotonic()
    notice = refusal(studio, deed.encode())
    after = ask(studio, PICTURE, "image/jpeg")

    assert notice.code is code
    assert said in notice.message
    assert isinstance(after, MediaFacts)
    assert time.monotonic() - begun < 30


@pytest.mark.parametrize("lie", ["hashes", "width", "latitude", "thumbnail"])
def test_an_answer_that_is_not_possible_is_not_used(studio: Studio, lie: str) -> None:
    notice = refusal(studio, lie.encode(), "test/liar")

    assert notice.code is NoticeCode.DECODER_DIED
    assert "not used" in notice.message
    assert isinstance(ask(studio, b"nothing", "test/liar"), MediaFacts)


def test_the_same_bytes_give_the_same_facts_whatever_went_before() -> None:
    pictures = [
        (stored(landscape(500, 400, 1), "JPEG"), "image/jpeg"),
        (stored(landscape(300, 200, 2), "PNG"), "image/png"),
        (stored(landscape(300, 200, 3), "WEBP"), "image/webp"),
    ]
    with Studio(MediaLimits()) as one, Studio(MediaLimits(), files=2) as other:
        forwards = [ask(one, *picture) for picture in pictures]
        backwards = [ask(other, *picture) for picture in reversed(pictures)]

    assert forwards == backwards[::-1]
    assert all(isinstance(facts, MediaFacts) for facts in forwards)


def test_the_process_is_replaced_after_its_share_of_streams() -> None:
    others = child_processes()
    with Studio(MediaLimits(), files=1) as studio:
        before = child_processes() - others
        ask(studio, PICTURE, "image/jpeg")
        after = child_processes() - others

    assert len(before) == len(after) == 1
    assert before != after
    assert child_processes() == others


def test_the_decoder_process_ends_with_the_one_that_started_it() -> None:
    program = (
        "import sys; from kaval.media import MediaLimits; from kaval.media.studio import Studio; "
        "from tests.media.test_studio import child_processes; "
        "studio = Studio(MediaLimits()).__enter__(); assert studio.confinement; "
        "print(*child_processes(), flush=True); sys.stdin.read()"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True
    ) as parent:
        assert parent.stdout is not None
        decoder = os.pidfd_open(int(parent.stdout.readline()))
        parent.kill()
        ended, _, _ = select.select([decoder], [], [], 10)
    os.close(decoder)

    assert ended


def child_processes() -> set[int]:
    own = os.getpid()
    children = set()
    for task in Path(f"/proc/{own}/task").iterdir():
        children |= set(map(int, (task / "children").read_text().split()))
    return children


def test_an_empty_stream_and_an_unknown_type_are_answered(studio: Studio) -> None:
    assert refusal(studio, b"", "image/jpeg").code is NoticeCode.DAMAGED
    assert refusal(studio, PICTURE, "image/unheard-of").code is NoticeCode.CAPABILITY_FAILED


def test_the_types_a_studio_supports_are_those_of_its_decoders() -> None:
    studio = Studio(MediaLimits())

    assert studio.supports("image/jpeg")
    assert studio.supports("image/heic")
    assert studio.supports("video/mp4")
    assert not studio.supports("application/pdf")


def test_a_process_that_cannot_start_is_told_and_not_tried_for_ever() -> None:
    with Studio(MediaLimits(), modules=("tests.media.there_is_no_such_module",)) as studio:
        codes = [refusal(studio, PICTURE, "image/jpeg").code for _ in range(4)]

        assert codes == [NoticeCode.UNAVAILABLE] * 4
        assert studio.confinement == ()
