"""
`comfygraph civitai`, as a person uses it, on the emulated Civitai.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from asked import Given, serving
from PIL import Image

import comfygraph as cg
from comfygraph.cli import run
from comfygraph.emulator import DEV_TOKEN, Emulator, Faults
from comfygraph.jobs import submit
from comfygraph.targets import get_target

Call = Callable[..., tuple[int, str, str]]

GRAPH = {
    "1": {
        "class_type": "EmptyImage",
        "inputs": {"width": 64, "height": 32, "batch_size": 1, "color": 0},
    },
    "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "pic"}},
}


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    """
    Give an emulated Civitai without pauses.
    """
    with Emulator(["civitai"], speed=0) as running:
        yield running


@pytest.fixture
def civitai(
    emulator: Emulator,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> Call:
    """
    Give the command, with the emulator as the service and an empty working folder.
    """
    emulator.faults = Faults()
    monkeypatch.setenv("CIVITAI_API_TOKEN", DEV_TOKEN)
    monkeypatch.setenv("CIVITAI_API_URL", emulator.url("civitai"))
    monkeypatch.chdir(tmp_path)

    def call(*args: str) -> tuple[int, str, str]:
        capfd.readouterr()
        code = run(["civitai", *args])
        out, err = capfd.readouterr()
        return code, out, err

    return call


def made(emulator: Emulator, *tags: str, **options: Any) -> str:
    """
    Run a graph to its end, whatever that is, and give the workflow's id.
    """
    config = {"CIVITAI_API_TOKEN": DEV_TOKEN, "CIVITAI_API_URL": emulator.url("civitai")}
    target = get_target("civitai", config)
    job = submit(cg.Prompt.from_json(GRAPH), target=target, options={"tags": list(tags), **options})
    for _ in job:
        pass
    assert job.ref is not None
    return job.ref.job_id


def ids(out: str) -> list[str]:
    """
    Give the ids in a list for people.
    """
    return [line.split()[0] for line in out.splitlines() if not line.startswith(" ")]


def size_of(out: str) -> tuple[int, int]:
    """
    Give the size of the picture whose path was printed.
    """
    with Image.open(out.strip()) as picture:
        return picture.size


def test_test(civitai: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A good token is told; a wrong one names the variable and ends with 4, a missing one with 2.
    """
    code, out, _ = civitai("test")
    assert (0, True) == (code, "the token is good" in out)

    monkeypatch.setenv("CIVITAI_API_TOKEN", "not-the-token")
    code, out, err = civitai("test")
    assert (4, "", True) == (code, out, "CIVITAI_API_TOKEN" in err)
    assert "not-the-token" not in err

    monkeypatch.delenv("CIVITAI_API_TOKEN")
    code, out, err = civitai("test")
    assert (2, "", True) == (code, out, "CIVITAI_API_TOKEN" in err)


@pytest.mark.parametrize(
    ("faults", "words"),
    [
        (Faults(too_many=9, retry_after="99"), "wait 99 s"),
        (Faults(pages=9), "HTTP"),
        (Faults(errors=9, error_status=403), "HTTP 403"),
        (Faults(errors=9, error_status=422), "HTTP 422"),
    ],
    ids=["429", "page", "403", "422"],
)
def test_what_the_service_refuses_is_told(
    civitai: Call, emulator: Emulator, faults: Faults, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Every refusal is one line with the status, and exit code 4.
    """
    monkeypatch.setattr("time.sleep", lambda _: None)  # the pauses before asking again
    emulator.faults = faults

    code, out, err = civitai("test")

    assert (4, "") == (code, out)
    assert words in err
    assert "<" not in err


def test_workflows_are_filtered_and_paged(civitai: Call, emulator: Emulator) -> None:
    """
    Tags must all be there; a page names the cursor of the next one, and `--all` walks them all;
    a date alone is a whole day.
    """
    one = made(emulator, "kind:a", "set:1")
    two = made(emulator, "kind:b", "set:1")
    three = made(emulator, "kind:a", "set:1")
    ours = ("workflows", "--tag", "set:1")

    assert [three, two, one] == ids(civitai(*ours)[1])
    assert [one, two, three] == ids(civitai(*ours, "--oldest")[1])
    assert [three, one] == ids(civitai(*ours, "--tag", "kind:a")[1])
    code, out, err = civitai(*ours, "--take", "2")
    assert (0, [three, two]) == (code, ids(out))
    cursor = err.partition("--cursor ")[2].partition(",")[0]
    assert [one] == ids(civitai(*ours, "--take", "2", "--cursor", cursor)[1])
    assert [three, two, one] == ids(civitai(*ours, "--all")[1])
    listed = json.loads(civitai(*ours, "--take", "2", "--json")[1])
    assert [three, two] == [item["id"] for item in listed["items"]]
    assert cursor == listed["next"]
    day = listed["items"][0]["createdAt"][:10]
    assert [three, two, one] == ids(civitai(*ours, "--from", day, "--to", day)[1])
    assert [] == ids(civitai(*ours, "--to", "2020-01-01")[1])


def test_pages_that_lead_in_a_circle(civitai: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    `--all` goes on behind an empty page, and ends with an error where a cursor comes again.
    """
    pages = [
        Given(body={"items": [{"id": "w1", "status": "succeeded"}], "next": "a b"}),
        Given(body={"items": [], "next": "c"}),
        Given(body={"items": [{"id": "w2", "status": "succeeded"}], "next": "a b"}),
    ]
    with serving(*pages) as server:
        monkeypatch.setenv("CIVITAI_API_URL", server.url)
        code, out, err = civitai("workflows", "--all")

    assert (4, ["w1", "w2"]) == (code, ids(out))
    assert "goes round in a circle" in err
    with serving(pages[0]) as server:
        monkeypatch.setenv("CIVITAI_API_URL", server.url)
        assert "there is more: --cursor 'a b', or --all\n" == civitai("workflows")[2]
        assert "there is more: --cursor 'a b'\n" == civitai("user", "1")[2]


def test_moments_that_are_none(civitai: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Moments of the service are told in UTC, and in its own words where they cannot be.
    """
    made = {"a": "2026-10-02T10:15:30.1234567+02:00", "b": "0001-01-01T00:00:00+14:00", "c": "x"}
    items = [{"id": name, "status": "failed", "createdAt": at} for name, at in made.items()]
    with serving(Given(body={"items": items})) as server:
        monkeypatch.setenv("CIVITAI_API_URL", server.url)
        lines = civitai("workflows")[1].splitlines()

    assert ["2026-10-02 08:15", made["b"], "x"] == [" ".join(x.split()[2:]) for x in lines]


def test_scans_that_are_objects(civitai: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    What a scan has found is told whatever its form.
    """
    context = {"hive_csam_score": ["0.00 %", "0.00 %"], "hive": {"x": [1]}, "level": None}
    job = {"jobId": "j", "lastEvent": {"type": "Succeeded", "context": context}}
    with serving(Given(body=job)) as server:
        monkeypatch.setenv("CIVITAI_API_URL", server.url)
        out = civitai("job", "j")[1]

    assert ["hive_csam_score  0.00 %, 0.00 %", 'hive             {"x": [1]}'] == [
        line.strip() for line in out.splitlines()[-2:]
    ]


def test_failed_workflows_can_be_left_out(civitai: Call, emulator: Emulator) -> None:
    """
    `--exclude-failed`, also as the older program spells it, leaves out what failed.
    """
    good = made(emulator, "set:2")
    emulator.faults = Faults(fail_node="*", fail_message="no luck")
    bad = made(emulator, "set:2")

    assert [bad, good] == ids(civitai("workflows", "--tag", "set:2")[1])
    assert [good] == ids(civitai("workflows", "--tag", "set:2", "--exclude-failed")[1])
    assert [good] == ids(civitai("workflows", "--tag", "set:2", "--excludeFailed")[1])
    code, out, _ = civitai("workflow", bad)
    assert (5, True) == (code, "no luck" in out)


@pytest.mark.parametrize("name", ["--from", "--to"])
def test_wrong_dates_are_told_before_anything_is_asked(
    civitai: Call, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A date that is none ends with 2, whether or not there is a token.
    """
    monkeypatch.delenv("CIVITAI_API_TOKEN")

    code, out, err = civitai("workflows", name, "2026-13-01")

    assert (2, "") == (code, out)
    assert "2026-13-01" in err


def test_workflow_is_followed_to_its_end(civitai: Call, emulator: Emulator) -> None:
    """
    `--wait` asks until the workflow is over, and tells each new state on stderr.
    """
    emulator.faults = Faults(slow_start=1)
    config = {"CIVITAI_API_TOKEN": DEV_TOKEN, "CIVITAI_API_URL": emulator.url("civitai")}
    with submit(cg.Prompt.from_json(GRAPH), target=get_target("civitai", config)) as job:
        assert job.ref is not None
        workflow = job.ref.job_id

    code, out, err = civitai("workflow", workflow, "--wait")

    assert (0, f"{workflow}: succeeded") == (code, out.splitlines()[0])
    assert err.strip()
    code, out, err = civitai("workflow", workflow, "--wait", "--json")
    assert (0, "succeeded", "") == (code, json.loads(out)["status"], err)


def test_waiting_outlasts_an_outage(civitai: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A service that is in trouble for a while does not end the waiting; one that never answered
    does.
    """
    monkeypatch.setattr("comfygraph.references.web._pause", lambda _: 0.0)
    monkeypatch.setattr("comfygraph.cli.civitai.looking._PAUSE", 0.0)
    down = [Given(503, b"<html>")] * 5
    begun = Given(202, {"id": "w", "status": "processing"})
    with serving(begun, *down, Given(body={"id": "w", "status": "succeeded"})) as server:
        monkeypatch.setenv("CIVITAI_API_URL", server.url)
        code, out, err = civitai("workflow", "w", "--wait")
    with serving(*down) as server:
        monkeypatch.setenv("CIVITAI_API_URL", server.url)
        never = civitai("workflow", "w", "--wait")[0]

    assert (0, "w: succeeded", 4) == (code, out.splitlines()[0], never)
    assert ["processing", "Civitai is in trouble (HTTP 503) with a web page"] == err.splitlines()


def test_wait_has_a_deadline(civitai: Call, emulator: Emulator) -> None:
    """
    A workflow that does not end is given up with exit code 6, and left as it is.
    """
    emulator.faults = Faults(slow_start=60)
    config = {"CIVITAI_API_TOKEN": DEV_TOKEN, "CIVITAI_API_URL": emulator.url("civitai")}
    with submit(cg.Prompt.from_json(GRAPH), target=get_target("civitai", config)) as job:
        assert job.ref is not None
        workflow = job.ref.job_id

    code, out, err = civitai("workflow", workflow, "--wait", "--deadline", "0.2")

    assert (6, "") == (code, out)
    assert "after 0.2 s" in err
    assert (0, f"{workflow} is cancelled\n", "") == civitai("cancel", workflow)
    code, out, _ = civitai("cancel", workflow)
    assert (1, True) == (code, out.startswith("too late"))


def test_step_by_name_and_by_place(civitai: Call, emulator: Emulator) -> None:
    """
    A step is found by its name and by its place; a job of it has its scans and its results.
    """
    workflow = made(emulator)
    by_place = json.loads(civitai("step", workflow, "0", "--json")[1])
    by_name = json.loads(civitai("step", workflow, by_place["name"], "--json")[1])
    job = by_place["jobs"][0]["id"]

    assert by_name["jobs"] == by_place["jobs"]
    assert "comfy, succeeded" in civitai("step", workflow, "0")[1]
    assert 4 == civitai("step", workflow, "9")[0]
    code, out, _ = civitai("job", job)
    assert (0, True) == (code, "nsfwLevel" in out and ": there" in out)
    assert job == json.loads(civitai("job", job, "--raw")[1])["jobId"]


def test_results_are_listed_and_downloaded(civitai: Call, emulator: Emulator) -> None:
    """
    Files of comfy steps are listed with their size and saved under their own names, each once.
    """
    workflow = made(emulator)
    code, out, _ = civitai("results", workflow)
    name, kind, size, url = out.split()
    assert (0, "image", "64×32") == (code, kind, size)
    assert url.startswith(emulator.url("civitai"))

    code, out, _ = civitai("results", workflow, "--download")
    assert (0, str(Path("civitai-downloads", name))) == (code, out.strip())
    assert (64, 32) == size_of(out)
    answer = json.loads(civitai("results", workflow, "--download", "--dir", "x", "--json")[1])
    assert [str(Path("x", name))] == [item["path"] for item in answer["files"]]


def test_unknown_workflows_are_not_waited_for(civitai: Call, emulator: Emulator) -> None:
    """
    A download asks once for a workflow that does not exist, just as a list does.
    """
    before = len(emulator.received())
    code, _, err = civitai("results", "1-20260101000000000", "--download")

    assert 4 == code
    assert err.startswith("error: ")
    assert 1 == len(emulator.received()) - before


def test_blob(civitai: Call, emulator: Emulator) -> None:
    """
    A blob has an address that needs no token, and is saved with the ending that it has.
    """
    workflow = made(emulator)
    name = civitai("results", workflow)[1].split()[0]

    code, out, _ = civitai("blob", name)
    assert (0, True) == (code, out.startswith(emulator.url("civitai")))
    code, out, _ = civitai("blob", name, "--download", "--dir", "y")
    assert (0, str(Path("y", name))) == (code, out.strip())
    assert (64, 32) == size_of(out)
    code, out, err = civitai("blob", "NOPE.png", "--download")
    assert (4, "", True) == (code, out, "HTTP 404" in err)


def test_mature_blobs_are_taken_only_when_asked_for(civitai: Call, emulator: Emulator) -> None:
    """
    Above PG-13 a blob is refused without `--nsfw`, and taken with it.
    """
    emulator.faults = Faults(withheld=True)
    workflow = made(emulator, allow_mature=True)
    name = civitai("results", workflow)[1].split()[0]

    code, out, err = civitai("blob", name, "--download")
    assert (4, "", True) == (code, out, "--nsfw" in err)
    code, out, _ = civitai("blob", name, "--download", "--nsfw")
    assert (0, True) == (code, Path(out.strip()).exists())


def test_tags(civitai: Call, emulator: Emulator) -> None:
    """
    Tags are shown, added, removed and cleared.
    """
    workflow = made(emulator, "old", "draft")

    assert {"old", "new"} <= set(civitai("tags", workflow, "--add", "new")[1].split())
    assert "draft" not in civitai("tags", workflow, "--remove", "draft")[1].split()
    assert ["z"] == json.loads(civitai("tags", workflow, "--clear", "--add", "z", "--json")[1])[
        "tags"
    ]
    code, _, err = civitai("tags", workflow, "--add", "x" * 201)
    assert (2, True) == (code, "200 characters" in err)


@pytest.mark.parametrize("tag", ["a/b", "a%2Fb", "100%", "a?b#c", "..", "ä ö", "+"])
def test_odd_tags(civitai: Call, emulator: Emulator, tag: str) -> None:
    """
    A tag may have any characters, also those that mean something in an address.
    """
    workflow = made(emulator)

    assert [tag] == civitai("tags", workflow, "--clear", "--add", tag)[1].splitlines()
    assert (0, "", "no tags\n") == civitai("tags", workflow, "--remove", tag)


@pytest.mark.parametrize("wrong", [("--remove", ""), ("--clear", "--add", "")])
def test_wrong_tag_changes_nothing(civitai: Call, emulator: Emulator, wrong: tuple[str]) -> None:
    """
    An empty tag, as of a variable that is not set, is an error before anything is changed: the
    address of an empty tag would be that of all tags.
    """
    workflow = made(emulator, "kept")
    before = civitai("tags", workflow)

    assert 2 == civitai("tags", workflow, *wrong)[0]
    assert before == civitai("tags", workflow)


def test_services_and_users(civitai: Call, emulator: Emulator) -> None:
    """
    Services are listed by word; a user's workflows need a number.
    """
    made(emulator)
    code, out, _ = civitai("services", "customComfy")
    assert (0, ["utility/customComfy"]) == (code, ids(out))
    code, _, err = civitai("user", "me")
    assert (2, True) == (code, "no number" in err)


def test_ids_cannot_leave_their_place(civitai: Call) -> None:
    """
    An id with slashes or dots is one part of the path: it is looked for and not found.
    """
    for name in ("../../v1/manager/workflows", "..", "a/b?c=d"):
        code, out, err = civitai("workflow", name)

        assert (4, "") == (code, out)
        assert "HTTP 404" in err
