"""
`comfygraph jobs`, as a person uses it, against the emulator.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from comfygraph.cli import run
from comfygraph.core.values import Prompt
from comfygraph.emulator.faults import Faults
from comfygraph.emulator.server import Emulator
from comfygraph.jobs.ledger import Intent, State, new_id, open_ledger
from comfygraph.targets.base import Submission

GRAPH = {
    "1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 32, "batch_size": 1,
                                                 "color": 0}},
    "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}},
}  # fmt: skip
PROMPT = Prompt.from_json(GRAPH)  # type: ignore[arg-type]  # a JSON object


class Said(NamedTuple):
    """
    What a command said.
    """

    code: int
    out: str
    err: str


class Desk:
    """
    A person at a desk: a folder with a graph, a server, a ledger.
    """

    def __init__(
        self, folder: Path, emulator: Emulator, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.folder = folder
        self.emulator = emulator
        self._capsys = capsys
        (folder / "graph.json").write_text(json.dumps(GRAPH))

    def __call__(self, *args: str) -> Said:
        """
        Run a command.
        """
        code = run(list(args))
        said = self._capsys.readouterr()
        return Said(code, said.out, said.err)

    def submit(self, *args: str) -> str:
        """
        Submit the graph and give the job's id in the ledger.
        """
        self("submit", str(self.folder / "graph.json"), "--url", self.emulator.url(), *args)
        return self.records()[0]["id"]

    def records(self, *args: str) -> list[dict[str, str]]:
        """
        List jobs as JSON.
        """
        lines = self("jobs", "list", "--json", *args).out.splitlines()
        return [json.loads(line) for line in lines]

    def plan(self, state: State = State.PLANNED, url: str = "") -> str:
        """
        Write a job down as another process left it.
        """
        job = new_id()
        place = url or self.emulator.url()
        with open_ledger() as ledger:
            ledger.plan([Intent(job, "comfyui", place, Submission(PROMPT, f"key-{job}"), "g.json")])
            with ledger.claim(job) as claim:
                claim.write(state=state)
        return job


@pytest.fixture
def desk(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desk]:
    """
    Give a desk with a quick server.
    """
    for name in ("COMFYUI_URL", "COMFYUI_TOKEN", "COMFYGRAPH_TARGET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    with Emulator(speed=0) as emulator:
        yield Desk(tmp_path, emulator, capsys)


def test_a_submit_is_found_again(desk: Desk) -> None:
    """
    A job that was left running is listed, watched to its files, and shown with all of it.
    """
    job = desk.submit("--no-wait")
    listed = desk("jobs", "list")
    watched = desk("jobs", "watch", job[:6], "--out", "out")
    shown = desk("jobs", "show", job)

    assert ["ID", "STATE", "TARGET", "AGE", "COST", "JOB"] == listed.out.splitlines()[0].split()
    assert listed.out.splitlines()[1].startswith(f"{job[:8]}  accepted   comfyui")
    assert "1 shown: 1 accepted\n" == listed.err
    assert (0, f"{desk.folder}/out/out_00001_.png  64×32\n".replace(f"{desk.folder}/", "")) == (
        watched.code, watched.out,
    )  # fmt: skip
    assert (desk.folder / "out" / "out_00001_.json").exists()
    assert GRAPH == json.loads((desk.folder / "out" / "out_00001_.json").read_text())
    lines = dict(line.split(maxsplit=1) for line in shown.out.splitlines())
    assert (job, "succeeded", "graph.json") == (lines["job"], lines["state"], lines["graph"])
    assert lines["files"].startswith("out/out_00001_.png")


def test_show_gives_the_graph_back(desk: Desk) -> None:
    """
    The graph of a job can be had without the file that it came from.
    """
    job = desk.submit()
    whole = json.loads(desk("jobs", "show", job, "--json").out)

    assert GRAPH == json.loads(desk("jobs", "show", job[:5], "--graph").out)
    assert ["JobQueued", "JobSucceeded"] == [
        event["type"] for event in whole["events"] if event["type"] in ("JobQueued", "JobSucceeded")
    ]
    assert ["out_00001_.png"] == [file["name"] for file in whole["files"]]


def test_no_ledger_keeps_none(desk: Desk) -> None:
    """
    `--no-ledger` writes nothing down, and cannot resume.
    """
    graph = str(desk.folder / "graph.json")
    done = desk("submit", graph, "--url", desk.emulator.url(), "--no-ledger")

    assert 0 == done.code
    assert [] == desk.records()
    assert 2 == desk("submit", graph, "--no-ledger", "--resume").code


def test_submit_resumes_what_asks_the_same(desk: Desk) -> None:
    """
    `submit --resume` takes an unfinished job up, and hands in a new one where there is none.
    """
    job = desk.submit("--no-wait")
    again = desk(
        "submit", str(desk.folder / "graph.json"), "--url", desk.emulator.url(), "--resume"
    )
    third = desk(
        "submit", str(desk.folder / "graph.json"), "--url", desk.emulator.url(), "--resume"
    )

    assert f"taking up job {job[:8]}" == again.err.splitlines()[0]
    assert "no unfinished job asks the same: handing in a new one" == third.err.splitlines()[0]
    assert 2 == desk.emulator.stats().submits["comfyui"]
    assert ["succeeded", "succeeded"] == [record["state"] for record in desk.records()]


def test_resume_takes_up_all_that_was_broken_off(desk: Desk) -> None:
    """
    What was planned is sent, what the service has is followed, what is uncertain says so.
    """
    # the order is the order in which the ledger learned of them: an unsure one has no witness yet
    unsure = desk.plan(State.INTENDED)
    planned = desk.plan()
    said = desk("jobs", "resume", "--all", "--out", "out")
    states = {record["id"]: record["state"] for record in desk.records()}

    assert 4 == said.code
    assert {unsure: "uncertain", planned: "succeeded"} == states
    assert "it may have been started anew since" in said.err
    assert "--force sends it again" in said.err
    forced = desk("jobs", "resume", unsure[:8], "--force")
    assert (0, "succeeded") == (forced.code, desk.records("--text", unsure)[0]["state"])
    assert 2 == desk.emulator.stats().submits["comfyui"]
    assert (0, "nothing to resume\n") == desk("jobs", "resume", "--all")[::2]


def test_watch_and_wait_send_nothing(desk: Desk) -> None:
    """
    A job that no service has yet is for `resume`.
    """
    job = desk.plan()
    for command in ("watch", "wait"):
        said = desk("jobs", command, job)
        assert 2 == said.code
        assert f"hint: comfygraph jobs resume {job[:8]}" in said.err

    assert {} == dict(desk.emulator.stats().submits)


def test_cancel_of_each_state(desk: Desk) -> None:
    """
    A planned job is crossed out, a queued one is stopped, an ended one is told as it is.
    """
    planned = desk.plan()
    desk.emulator.faults = Faults(slow_start=30.0)
    queued = desk.submit("--no-wait")
    said = desk("jobs", "cancel", planned, queued)
    states = {record["id"]: record["state"] for record in desk.records()}

    assert 0 == said.code, said.err
    assert {planned: "cancelled", queued: "cancelled"} == states
    assert 1 == desk.emulator.stats().submits["comfyui"]


def test_wait_gives_the_exit_code_of_the_worst(desk: Desk) -> None:
    """
    One line a job; a failed one makes the code 5, and can be retried; a good one only by force.
    """
    good = desk.submit("--no-wait")
    desk.emulator.faults = Faults(fail_node="*", fail_message="no memory")
    bad = desk.submit("--no-wait", "--set", "1.color=5")
    waited = desk("jobs", "wait", "--all")
    desk.emulator.faults = Faults()

    assert 5 == waited.code
    assert {(good[:8], "succeeded"), (bad[:8], "failed")} == {
        tuple(line.split()[:2]) for line in waited.out.splitlines()
    }
    assert (0, f"job {good[:8]} has succeeded") == (
        (found := desk("jobs", "wait", good)).code,
        f"job {found.out.split()[0]} has {found.out.split()[1]}",
    )
    assert "--force" in desk("jobs", "retry", good).err
    retried = desk("jobs", "retry", bad)
    assert (0, bad) == (retried.code, desk.records()[0]["retry_of"])


def test_results_fetch_only_what_is_missing(desk: Desk) -> None:
    """
    Files are fetched where they are missing, and left where they are.
    """
    job = desk.submit()
    nowhere = desk("jobs", "results", job)
    first = desk("jobs", "results", job, "-o", "out")
    asked = desk.emulator.stats().requests["GET /view"]
    second = desk("jobs", "results", job, "-o", "out")
    (desk.folder / "out" / "out_00001_.png").unlink()
    third = desk("jobs", "results", job, "--json")

    assert (2, "hint: name a folder: --out") == (nowhere.code, nowhere.err.splitlines()[1].strip())
    assert (0, "out/out_00001_.png") == (
        first.code, str(Path(first.out.strip()).resolve().relative_to(desk.folder.resolve())),
    )  # fmt: skip
    assert first.out == second.out
    assert asked + 1 == desk.emulator.stats().requests["GET /view"]
    assert {"job", "path", "size", "sha256"} == set(json.loads(third.out))


def test_forget_and_prune_keep_what_may_be_lost(desk: Desk) -> None:
    """
    A job that has not ended is removed by force only, and never by age.
    """
    done, unsure = desk.submit(), desk.plan(State.UNCERTAIN)
    refused = desk("jobs", "forget", unsure)
    dry = desk("jobs", "prune", "--older-than", "0s", "--dry-run")
    pruned = desk("jobs", "prune", "--older-than", "0s")

    assert (2, True) == (refused.code, "it may be paid for and lost" in refused.err)
    assert [done[:8]] == [line.split()[0] for line in dry.out.splitlines()]
    assert (0, "1 removed\n") == (pruned.code, pruned.err)
    assert [unsure] == [record["id"] for record in desk.records()]
    assert "1 removed\n" == desk("jobs", "forget", unsure, "--force").err


def test_the_job_of_an_embedded_emulator_is_gone_with_it(desk: Desk) -> None:
    """
    It is listed, cannot be taken up, and is given up by `resume`.
    """
    assert 0 == desk("submit", str(desk.folder / "graph.json")).code
    job = new_id()
    with open_ledger() as ledger:
        ledger.plan([Intent(job, "emulator", "", Submission(PROMPT, "k"))])
    desk("jobs", "resume", "--all")

    assert ["abandoned", "succeeded"] == [record["state"] for record in desk.records()]
    assert "submit it again" in desk("jobs", "retry", job).err
    assert "problem   the embedded emulator ended with its command" in desk("jobs", "show", job).out


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (("list", "--since", "soon"), 2, "is no time"),
        (("list", "--ledger", "."), 3, "--ledger"),
        (("show", "ffff"), 2, "the ledger has no job `ffff`"),
        (("watch", ""), 2, "the ledger has no job"),
        (("resume",), 2, "which jobs?"),
        (("resume", "ffff", "--all"), 2, "not both"),
        (("forget",), 2, "Missing argument"),
        (("prune",), 2, "--older-than"),
        (("results", "ffff", "--max-size", "much"), 2, "is no size"),
        (("lst",), 2, "Did you mean 'list'?"),
    ],
)
def test_mistakes_are_told(args: tuple[str, ...], code: int, words: str, desk: Desk) -> None:
    """
    Wrong arguments cost a line that says what to do.
    """
    said = desk("jobs", *args)

    assert code == said.code
    assert words in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize(
    "command",
    ["list", "show", "watch", "wait", "resume", "cancel", "results", "retry", "forget", "prune"],
)
def test_help_teaches(command: str, desk: Desk) -> None:
    """
    Each command shows an example and its exit codes, within 80 columns.
    """
    said = desk("jobs", command, "--help")

    assert 0 == said.code
    assert f"comfygraph jobs {command}" in said.out
    assert "Exit codes: 0" in said.out
    assert [] == [line for line in said.out.splitlines() if len(line) > 80]


def test_a_job_is_retried_once(desk: Desk) -> None:
    """
    What was retried is not paid for again: neither by its id nor among all that failed.
    """
    job = desk.plan(State.FAILED)
    first = desk("jobs", "retry", job)
    again = desk("jobs", "retry", job)
    all_failed = desk("jobs", "retry", "--state", "failed")
    forced = desk("jobs", "retry", job, "--force")

    assert [0, 2, 0, 0] == [said.code for said in (first, again, all_failed, forced)]
    assert f"job {job[:8]} was retried already, as job " in again.err
    assert "nothing to retry\n" == all_failed.err
    assert 2 == desk.emulator.stats().submits["comfyui"]


def test_one_job_without_a_folder_keeps_no_other_from_its_files(desk: Desk) -> None:
    """
    Among many, a job that was to save nothing is told of, and the others are fetched.
    """
    first = desk.submit("--no-wait", "--set", "color=1", "--out", "out")
    second = desk.submit("--set", "color=2")
    desk("jobs", "wait", first, "--out", "elsewhere")
    for path in (desk.folder / "elsewhere").glob("*.png"):
        path.unlink()
    said = desk("jobs", "results", "--all")

    assert 4 == said.code
    assert f"job {second[:8]} was to save its files nowhere" in said.err
    assert [".png"] == [Path(line).suffix for line in said.out.splitlines()]


def test_files_of_one_command_are_not_replaced_by_each_other(desk: Desk) -> None:
    """
    `--overwrite` replaces what was there before: two jobs whose files have one name keep both.
    """
    (desk.folder / "out").mkdir()
    (desk.folder / "out" / "out_00001_.png").write_bytes(b"old")
    with Emulator(speed=0) as other:
        jobs = [desk.submit()]
        desk("submit", str(desk.folder / "graph.json"), "--url", other.url())
        jobs.append(desk.records()[0]["id"])
        said = desk("jobs", "results", *jobs, "--out", "out", "--overwrite")
    names = {path.name for path in (desk.folder / "out").glob("*.png")}

    assert (0, 2) == (said.code, len(said.out.splitlines()))
    assert {"out_00001_.png", "out_00002_.png"} == names


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("wait", "nothing to wait for"),
        ("cancel", "nothing to cancel"),
        ("results", "no files"),
        ("resume", "nothing to resume"),
    ],
)
def test_an_empty_ledger_is_said_to_be(command: str, words: str, desk: Desk) -> None:
    """
    Nobody wonders whether anything was done.
    """

    assert Said(0, "", f"{words}\n") == desk("jobs", command, "--all")


def test_a_folder_is_no_ledger(desk: Desk) -> None:
    """
    What cannot be opened is told with what it must be.
    """
    said = desk("jobs", "list", "--ledger", str(desk.folder))

    assert 3 == said.code
    assert "cannot be opened\n  hint: --ledger names a file, in a folder" in said.err
