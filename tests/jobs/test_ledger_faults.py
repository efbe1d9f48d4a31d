"""
Ledgers in trouble: full disks, foreign files, clocks that jump, holders that are gone, secrets.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from ledger_engines import PROMPT, intent

from comfygraph.core.values import JsonValue
from comfygraph.emulator.faults import Faults
from comfygraph.emulator.server import Emulator
from comfygraph.errors import TargetError
from comfygraph.jobs import submit
from comfygraph.jobs.ledger import Held, Ledger, LedgerError, State, default_place, open_ledger
from comfygraph.jobs.ledger.base import Holder
from comfygraph.jobs.ledger.codec import pack, unpack
from comfygraph.jobs.ledger.leases import Life, Watch, here, life_of
from comfygraph.jobs.ledger.patience import claim_patiently
from comfygraph.jobs.ledger.sqlite import SqliteEngine
from comfygraph.targets.base import Policy, Submission
from comfygraph.targets.events import JobSucceeded, Notice

QUICK = Policy(poll_intervals=(0.05,), backoff_base=0.01, attempts=2)


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    """
    Give an emulator that does not wait between steps.
    """
    with Emulator(speed=0) as running:
        yield running


def fill(ledger: Ledger, pages: int) -> None:
    """
    Let the ledger grow by at most so many pages, as on a disk that is full then.
    """
    engine = ledger.engine
    assert isinstance(engine, SqliteEngine)
    (used,) = engine.read("PRAGMA page_count")[0]
    engine.read(f"PRAGMA max_page_count = {used + pages}")


def test_nothing_is_sent_where_it_cannot_be_written_down(
    tmp_path: Path, emulator: Emulator
) -> None:
    """
    On a full disk a submit ends before anything is sent.
    """
    before = emulator.stats().submits.get("comfyui", 0)
    with open_ledger(tmp_path / "l.db") as ledger:
        fill(ledger, 0)
        noise = PROMPT.to_json() | {
            "9": {"class_type": "Note", "inputs": {"t": os.urandom(9000).hex()}}
        }
        with pytest.raises(LedgerError, match="no space for the ledger"):
            submit(noise, target="comfyui", config={"COMFYUI_URL": emulator.url()}, ledger=ledger)

    assert before == emulator.stats().submits.get("comfyui", 0)


def test_a_job_that_is_paid_for_goes_on_without_a_ledger(
    tmp_path: Path, emulator: Emulator
) -> None:
    """
    A disk that is full after the send is told of once; the job is followed to its end.
    """
    with open_ledger(tmp_path / "l.db") as ledger:
        job = submit(
            PROMPT, target="comfyui", config={"COMFYUI_URL": emulator.url()}, ledger=ledger
        )
        engine = ledger.engine
        assert isinstance(engine, SqliteEngine)
        engine._connection.execute("PRAGMA query_only = 1")
        events = list(job)
        engine._connection.execute("PRAGMA query_only = 0")
        (record,) = ledger.jobs()

    notices = [event.message for event in events if isinstance(event, Notice)]
    assert 1 == len([line for line in notices if "not written down any further" in line])
    assert isinstance(events[-1], JobSucceeded)
    assert not record.state.ended
    assert record.job_id == events[-1].job_id


def test_files_of_others_are_not_touched(tmp_path: Path) -> None:
    """
    Neither another program's database nor something else is taken for a ledger.
    """
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE theirs (x)")
    connection.close()
    text = tmp_path / "text.db"
    text.write_text("no database " * 1000)
    before = text.read_bytes(), other.read_bytes()

    for place, words in (
        (other, "something else"),
        (text, "no ledger"),
        (tmp_path, "opened|fails"),
    ):
        with pytest.raises(LedgerError, match=words):
            open_ledger(place)
    assert before == (text.read_bytes(), other.read_bytes())


def test_only_its_owner_reads_a_ledger(tmp_path: Path) -> None:
    """
    Graphs hold what people write: file and folder are made for the owner alone.
    """
    place = tmp_path / "new" / "l.db"
    with open_ledger(place):
        pass

    assert 0o600 == stat.S_IMODE(place.stat().st_mode)
    assert 0o700 == stat.S_IMODE(place.parent.stat().st_mode)


def test_the_environment_names_the_ledger() -> None:
    """
    `COMFYGRAPH_LEDGER` comes before our own place.
    """
    assert "/x/y.db" == default_place({"COMFYGRAPH_LEDGER": "/x/y.db"})
    assert default_place({}).endswith("ledger.db")


def test_a_holder_that_was_killed_is_seen_to_be_gone(tmp_path: Path) -> None:
    """
    The claim of a process that was killed is had at once, without waiting for any clock.
    """
    place = tmp_path / "l.db"
    script = (
        "import sys, time\n"
        "from comfygraph.jobs.ledger import open_ledger\n"
        "claim = open_ledger(sys.argv[1]).claim('aa11')\n"
        "print('claimed', flush=True)\n"
        "time.sleep(60)\n"
    )
    with open_ledger(place) as ledger:
        ledger.plan([intent("aa11")])
        with subprocess.Popen(
            [sys.executable, "-c", script, str(place)], stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            with pytest.raises(Held):
                ledger.claim("aa11")
            process.send_signal(signal.SIGKILL)
            process.wait()

        assert "aa11" == ledger.claim("aa11").job


@pytest.mark.skipif(sys.platform != "linux", reason="processes are told apart on Linux only")
def test_processes_are_told_apart() -> None:
    """
    A process of this machine lives or is gone; its number alone says nothing.
    """
    again = here().rpartition(" ")[0] + " 1"
    places = (here(), again, "elsewhere boot ns 12 34", "", "nonsense")

    assert [Life.LIVES, Life.GONE, *[Life.ELSEWHERE] * 3] == [
        life_of(Holder("x", place, 0)) for place in places
    ]


def test_a_silent_holder_is_taken_over_whatever_the_clock_does() -> None:
    """
    A clock that jumps ahead by a day counts for two seconds, one that jumps back for none.
    """
    now = [0.0]
    watch = Watch(lambda: now[0])
    holder = Holder("x", "elsewhere", 3)
    verdicts = []
    for step in (0.0, 86400.0, -86400.0, 1.0, 1.0, 1.0, 1.0):
        now[0] += step
        verdicts.append(watch.silent(holder, patience=5.0))

    assert [False] * 5 + [True] * 2 == verdicts
    assert not watch.silent(Holder("x", "elsewhere", 4), patience=5.0)


def test_a_job_of_another_machine_is_had_after_its_silence(tmp_path: Path) -> None:
    """
    Only a beat that stands still for long enough gives the job away.
    """
    place = tmp_path / "l.db"
    now = [0.0]
    said: list[str] = []

    def sleep(seconds: float) -> None:
        now[0] += seconds

    with open_ledger(place) as ledger:
        ledger.plan([intent("aa11")])
        with ledger.engine.write(durable=False) as write:
            write.run("INSERT INTO holders (id, place, beat) VALUES ('far', 'moon b n 1 2', 7)")
            write.run("UPDATE jobs SET holder = 'far'")
        claim = claim_patiently(ledger, "aa11", tell=said.append, clock=lambda: now[0], sleep=sleep)

    assert "aa11" == claim.job
    assert ["job aa11 was with process 1 on moon: waiting to see whether it lives"] == said
    assert 20.0 <= now[0] < 30.0


def test_no_secret_reaches_the_ledger(tmp_path: Path) -> None:
    """
    Not a byte of the ledger's files holds a credential, whatever was sent, refused or told.
    """
    secret = "5ecretT0ken-of-a-person"
    with Emulator(speed=0, token=secret) as emulator:
        for name, config in (
            ("tams", {"TAMS_API_KEY": secret, "TAMS_BASE_URL": emulator.url("tams")}),
            ("civitai", {"CIVITAI_API_TOKEN": secret, "CIVITAI_API_URL": emulator.url("civitai")}),
            ("comfyui", {"COMFYUI_TOKEN": secret, "COMFYUI_URL": emulator.url()}),
            ("comfyui", {"COMFYUI_URL": emulator.url().replace("://", f"://u:{secret}@")}),
        ):
            for faults in (Faults(), Faults(errors=9, error_status=500)):
                emulator.faults = faults
                try:
                    list(submit(PROMPT, target=name, config=config, ledger=tmp_path / "l.db",
                                policy=QUICK, out=tmp_path / "out"))  # fmt: skip
                except TargetError:
                    continue
    with open_ledger(tmp_path / "l.db") as ledger:
        states = {record.state for record in ledger.jobs()}
        left = [path.read_bytes() for path in tmp_path.glob("l.db*")]

    assert State.SUCCEEDED in states
    assert 2 <= len(left)
    assert not any(secret.encode() in data for data in left)


@pytest.mark.parametrize(
    "address",
    ["https://user:5ecret@service.test/call", "https://service.test/call?token=5ecret"],
)
def test_addresses_that_let_somebody_in_are_not_kept(address: str) -> None:
    """
    However deep in the options an address with credentials stands, the ledger is without it.
    """
    options: dict[str, JsonValue] = {
        "notify_url": address,
        "callbacks": [{"url": address, "type": ["job:*"]}],
        "tags": ["night"],
    }
    _, body = pack(Submission(PROMPT, "key", options))

    assert {"tags": ["night"]} == unpack(body, "key").options
    assert b"5ecret" not in zlib.decompress(body)
