"""
Exactly one job for one intent: processes that are killed at every mark, lost answers, services
that were started anew, two resumers at once. The emulator counts.
"""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from ledger_engines import PROMPT

from comfygraph.emulator.faults import Faults
from comfygraph.emulator.server import Emulator
from comfygraph.errors import ComfyGraphError, SubmissionUncertain, UsageError
from comfygraph.jobs import attach, submit
from comfygraph.jobs.files import open_folder
from comfygraph.jobs.ledger import Held, JobRecord, Ledger, State, open_ledger
from comfygraph.jobs.resuming import Terms, carry_out, retry_of, target_for

TOKEN = "emulator"
MARKS = ("intended", "accepted", "ended")

_KILLED = """
import json, os, signal, sys
from comfygraph.jobs import submit
ledger, target, config, mark, out = sys.argv[1:6]

def die(stage, ref):
    if stage.value == mark:
        os.kill(os.getpid(), signal.SIGKILL)

submit(json.load(sys.stdin), target=target, config=json.loads(config), ledger=ledger, out=out,
       on_mark=die).result()
"""


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    """
    Give an emulator that takes any token.
    """
    with Emulator(speed=0, any_token=True) as running:
        yield running


def config_for(emulator: Emulator, target: str) -> dict[str, str]:
    """
    Give the settings of a target on the emulator.
    """
    return {
        "comfyui": {"COMFYUI_URL": emulator.url()},
        "tams": {"TAMS_API_KEY": TOKEN, "TAMS_BASE_URL": emulator.url("tams")},
        "civitai": {"CIVITAI_API_TOKEN": TOKEN, "CIVITAI_API_URL": emulator.url("civitai")},
    }[target]


def submits(emulator: Emulator, target: str) -> int:
    """
    Count the jobs that the emulator has taken.
    """
    return emulator.stats().submits.get(target, 0)


def killed_at(mark: str, tmp_path: Path, emulator: Emulator, target: str) -> None:
    """
    Submit in a process that kills itself at a mark.
    """
    done = subprocess.run(
        [
            sys.executable, "-c", _KILLED, str(tmp_path / "l.db"), target,
            json.dumps(config_for(emulator, target)), mark, str(tmp_path / "out"),
        ],
        input=json.dumps(PROMPT.to_json()), text=True, capture_output=True, timeout=60, check=False,
    )  # fmt: skip
    assert -signal.SIGKILL == done.returncode, done.stderr


def resume(ledger: Ledger, record: JobRecord, config: dict[str, str], **terms: object) -> JobRecord:
    """
    Carry a job of the ledger out.
    """
    target = target_for(record, config)
    terms["policy"] = replace(target.policy, poll_intervals=(0.05,), backoff_base=0.02)
    return asyncio.run(
        carry_out(record.id, ledger=ledger, target=target, terms=Terms(**terms))  # type: ignore[arg-type]
    )


@pytest.mark.slow
@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("target", ["comfyui", "civitai", "tams"])
def test_a_killed_submit_makes_one_job(
    mark: str, target: str, tmp_path: Path, emulator: Emulator
) -> None:
    """
    Killed about to send, with the job accepted, or at its end: one job, and all its files.
    """
    config = config_for(emulator, target)
    with open_ledger(tmp_path / "l.db") as ledger:
        # an older job: ComfyUI still knows it, so it would know this one
        list(submit(PROMPT, target=target, config=config, ledger=ledger))
        before = submits(emulator, target)
        killed_at(mark, tmp_path, emulator, target)
        (record,) = (record for record in ledger.jobs() if not record.state.ended)
        if target == "tams" and mark == "intended":
            config["TAMS_KEEPS_REQUEST_ID"] = "1"
        done = resume(ledger, record, config, folder=open_folder(tmp_path / "out"))
        results = ledger.results(record.id)

    assert State.SUCCEEDED is done.state
    assert before + 1 == submits(emulator, target)
    assert 1 == len(results)
    assert 1 == len(list((tmp_path / "out").glob("*.png")))
    assert all(Path(result.path).stat().st_size == result.size for result in results)


def test_tams_cannot_say_and_so_it_is_uncertain(tmp_path: Path, emulator: Emulator) -> None:
    """
    What may have been sent to TAMS is not sent again, until somebody says so.
    """
    config = config_for(emulator, "tams")
    killed_at("intended", tmp_path, emulator, "tams")
    with open_ledger(tmp_path / "l.db") as ledger:
        (record,) = ledger.jobs()
        before = submits(emulator, "tams")
        with pytest.raises(SubmissionUncertain, match="cannot be asked"):
            resume(ledger, record, config)

        assert State.UNCERTAIN is ledger.get(record.id).state
        assert before == submits(emulator, "tams")
        done = resume(ledger, ledger.get(record.id), config, force=True)
        assert (State.SUCCEEDED, 2) == (done.state, done.attempts)
        assert before + 1 == submits(emulator, "tams")


def test_a_comfyui_without_memory_is_not_believed(tmp_path: Path) -> None:
    """
    A server that knows none of our older jobs may have been started anew: it is uncertain.
    """
    with Emulator(speed=0) as emulator, open_ledger(tmp_path / "l.db") as ledger:
        config = config_for(emulator, "comfyui")
        list(submit(PROMPT, target="comfyui", config=config, ledger=ledger))
        killed_at("intended", tmp_path, emulator, "comfyui")
        (record,) = (record for record in ledger.jobs() if not record.state.ended)
        emulator.faults = Faults(restarts=1)
        with pytest.raises(SubmissionUncertain, match="started anew"):
            resume(ledger, record, config)

        assert State.UNCERTAIN is ledger.get(record.id).state
        assert 1 == submits(emulator, "comfyui")


@pytest.mark.parametrize("target", ["comfyui", "civitai"])
def test_a_lost_answer_is_found_by_its_key(target: str, tmp_path: Path, emulator: Emulator) -> None:
    """
    The answer to the submit is lost for good; the next process finds the job and adopts it.
    """
    config = config_for(emulator, target)
    route = {"comfyui": "POST /prompt", "civitai": "POST /v2/consumer/workflows*"}[target]
    with open_ledger(tmp_path / "l.db") as ledger:
        before = submits(emulator, target)
        emulator.faults = Faults(lost_answers=1, route=route)
        job = submit(PROMPT, target=target, config=config, ledger=ledger)
        job.close()
        emulator.faults = Faults()
        (record,) = ledger.jobs()
        done = resume(ledger, record, config)

    assert State.SUCCEEDED is done.state
    assert before + 1 == submits(emulator, target)


def test_two_resumers_at_once_send_once(tmp_path: Path, emulator: Emulator) -> None:
    """
    Of two processes that resume the same job at the same moment one is told who has it.
    """
    config = config_for(emulator, "civitai")
    killed_at("intended", tmp_path, emulator, "civitai")
    before = submits(emulator, "civitai")
    ledgers = [open_ledger(tmp_path / "l.db") for _ in range(4)]
    (record,) = ledgers[0].jobs()
    start = threading.Barrier(4)
    outcomes: list[object] = []

    def run(ledger: Ledger) -> None:
        start.wait()
        try:
            outcomes.append(resume(ledger, record, config).state)
        except ComfyGraphError as exc:
            outcomes.append(type(exc))

    threads = [threading.Thread(target=run, args=(ledger,)) for ledger in ledgers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for ledger in ledgers:
        ledger.close()

    assert before + 1 == submits(emulator, "civitai")
    assert {State.SUCCEEDED, Held} >= set(outcomes)
    assert State.SUCCEEDED in outcomes


def test_a_key_stands_for_one_job(tmp_path: Path, emulator: Emulator) -> None:
    """
    A key that the ledger has seen is gone on with; once its job has ended it is used up.
    """
    config = config_for(emulator, "comfyui")
    key = "0f0e0d0c-0b0a-4000-8000-0000000000aa"
    before = submits(emulator, "comfyui")
    with open_ledger(tmp_path / "l.db") as ledger:
        left = submit(PROMPT, target="comfyui", config=config, ledger=ledger, key=key)
        left.close()
        again = submit(PROMPT, target="comfyui", config=config, ledger=ledger, key=key)
        again.result()

        assert left.ref == again.ref
        assert before + 1 == submits(emulator, "comfyui")
        assert 1 == len(list(ledger.jobs()))
        with pytest.raises(UsageError, match="has ended"):
            submit(PROMPT, target="comfyui", config=config, ledger=ledger, key=key)


def test_a_job_is_taken_up_by_its_id(tmp_path: Path, emulator: Emulator) -> None:
    """
    `attach` takes the beginning of an id; what it sees is written down.
    """
    config = config_for(emulator, "comfyui")
    with open_ledger(tmp_path / "l.db") as ledger:
        submit(PROMPT, target="comfyui", config=config, ledger=ledger).close()
        (record,) = ledger.jobs()
        assert State.ACCEPTED is record.state
        attach(record.id[:6], config=config, ledger=ledger, out=tmp_path / "out").result()
        done = ledger.get(record.id)

    assert (State.SUCCEEDED, 1.0, "") == (done.state, done.fraction, done.holder)
    assert str(tmp_path / "out") == done.out


def test_a_retry_is_a_new_job(tmp_path: Path, emulator: Emulator) -> None:
    """
    The same graph under a fresh key, and what it replaces.
    """
    config = config_for(emulator, "comfyui")
    with open_ledger(tmp_path / "l.db") as ledger:
        list(submit(PROMPT, target="comfyui", config=config, ledger=ledger))
        (old,) = ledger.jobs()
        intent = retry_of(ledger, old)
        ledger.plan([intent])
        done = resume(ledger, ledger.get(intent.id), config)

    assert (State.SUCCEEDED, old.id, old.digest) == (done.state, done.retry_of, done.digest)
    assert done.key != old.key


def test_what_jobs_took_is_learned(tmp_path: Path) -> None:
    """
    The pace of each node is kept for its graph and for its class.
    """
    with Emulator(speed=50) as emulator, open_ledger(tmp_path / "l.db") as ledger:
        list(submit(PROMPT, target="comfyui", config=config_for(emulator, "comfyui"),
                    ledger=ledger))  # fmt: skip
        learned = ledger.paces("comfyui")

    assert {"EmptyImage", "SaveImage"} == set(learned)
    assert all(0 < seconds < 5 for seconds in learned.values())
