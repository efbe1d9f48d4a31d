"""
`comfygraph novita`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from asked import Given, serving

from comfygraph.cli import run
from comfygraph.emulator import DEV_TOKEN, Emulator, Faults

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def server() -> Iterator[Emulator]:
    """
    A running emulator of Novita, and of Civitai's site.
    """
    with Emulator(["novita", "civitai"]) as running:
        yield running


@pytest.fixture
def emulator(
    server: Emulator, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Emulator]:
    """
    The emulator as the service, its faults undone afterwards.
    """
    monkeypatch.setenv("NOVITA_BASE_URL", server.url("novita"))
    monkeypatch.setenv("CIVITAI_SITE_URL", server.url("civitai"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("NOVITA_API_KEY", DEV_TOKEN)
    monkeypatch.setenv("COLUMNS", "80")
    yield server
    server.faults = Faults()


def new_task(emulator: Emulator) -> str:
    """
    Start a task.
    """
    head = {"Authorization": f"Bearer {DEV_TOKEN}"}
    url = f"{emulator.url('novita')}/v3/async/txt2img"
    body = {"request": {"model_name": "x"}}
    return str(httpx.post(url, json=body, headers=head, verify=False).json()["task_id"])


def test_a_model(emulator: Emulator, capfd: Capture) -> None:
    """
    A model that can be used: what requests call it, its facts, and code 0.
    """
    code = run(["novita", "model", "64094"])

    assert (0, """\
NeverEnding Dream (NED)
  available: enabled, file and dependencies are ready
  use as    neverendingDreamNED_v122BakedVae.safetensors
  type      checkpoint
  hash      ECEFB796FF (AutoV2)
  tags      base model, photorealistic
  licence   commercial use: Rent, other licences allowed
  rating    4.96 of 5
  updated   2023-05-19 08:16:45
  page      https://civitai.com/models/10028?modelVersionId=64094
  file      https://civitai.com/api/download/models/64094
""", "") == (code, *capfd.readouterr())  # fmt: skip


@pytest.mark.parametrize(
    ("faults", "word"), [(Faults(enable="null"), "unknown"), (Faults(enable="0"), "unavailable")]
)
def test_a_model_that_is_not_confirmed(
    emulator: Emulator, faults: Faults, word: str, capfd: Capture
) -> None:
    """
    Novita's own example leaves open whether the model is enabled: that is no yes.
    """
    emulator.faults = faults
    code = run(["novita", "model", "urn:air:sd1:checkpoint:civitai:10028@64094", "--json"])
    found = json.loads(capfd.readouterr().out)

    assert (1, word, 64094) == (code, found["availability"], found["civitai_version_id"])
    assert "neverendingDreamNED_v122BakedVae.safetensors" == found["model"]["sd_name"]


@pytest.mark.parametrize("style", ["code", "null", "absent"])
def test_no_model(emulator: Emulator, style: str, capfd: Capture) -> None:
    """
    However Novita says that it has none, it is told and the code is 1.
    """
    emulator.faults = Faults(no_model=style)
    code = run(["novita", "model", "999999999"])
    told = capfd.readouterr().out
    as_json = run(["novita", "model", "999999999", "--json"])

    assert (1, 1) == (code, as_json)
    assert "Novita has no model for version 999999999 of Civitai\n" == told
    assert json.loads(capfd.readouterr().out)["model"] is None


def test_the_list(emulator: Emulator, capfd: Capture) -> None:
    """
    A line a model, its name for requests first; how to go on is told.
    """
    code = run(["novita", "models", "detail", "--type", "lora", "--limit", "1"])
    first = capfd.readouterr()
    run(["novita", "models", "detail", "--type", "lora", "--limit", "1", "--cursor", "c_1"])
    second = capfd.readouterr()

    assert (0, "add_detail.safetensors  lora  SD 1.5  Detail Tweaker LoRA\n") == (code, first.out)
    assert "there is more: --cursor c_1, or --all\n" == first.err
    assert ("more_details.safetensors  lora  SD 1.5  Add More Details\n", "") == second


@pytest.mark.parametrize("style", ["empty", "next"])
def test_the_whole_list(emulator: Emulator, style: str, capfd: Capture) -> None:
    """
    `--all` walks to the end, whatever the last page says.
    """
    emulator.faults = Faults(last_cursor=style)
    code = run(["novita", "models", "--all", "--no-sdxl", "--source", "civitai", "--json"])
    found = json.loads(capfd.readouterr().out)

    assert (0, 6, None) == (code, len(found["models"]), found["next_cursor"])
    assert {False} == {"sdxl" in model["base_model"].lower() for model in found["models"]}


def test_an_empty_list(emulator: Emulator, capfd: Capture) -> None:
    """
    No models are told on stderr.
    """
    code = run(["novita", "models", "--visibility", "private"])

    assert (0, "", "no models\n") == (code, *capfd.readouterr())


def test_a_task(emulator: Emulator, capfd: Capture) -> None:
    """
    A task has a state and percent; done, it has addresses.
    """
    task_id = new_task(emulator)
    for _ in range(4):
        code = run(["novita", "task", task_id])
    out = capfd.readouterr().out.replace(emulator.url("novita"), "")

    assert 0 == code
    assert (
        f"""\
queued, 0 %, about 9 s left
processing, 40 %, about 6 s left
processing, 80 %, about 3 s left
succeed, seed 7
/novita/{task_id}_0.png
"""
        == out
    )


def test_waiting_for_a_task(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, capfd: Capture
) -> None:
    """
    `--wait` tells on stderr how it goes on, and prints the end.
    """
    monkeypatch.setattr("comfygraph.cli.novita._PAUSE", 0.01)
    code = run(["novita", "task", new_task(emulator), "--wait", "--json"])
    out, err = capfd.readouterr()
    found = json.loads(out)

    assert (0, "succeed", 100, True, "image") == (
        code, found["state"], found["progress"], found["over"], found["files"][0]["kind"],
    )  # fmt: skip
    assert ["queued", "processing", "processing"] == [
        line.partition(",")[0] for line in err.splitlines()
    ]


def test_waiting_outlasts_an_outage(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, capfd: Capture
) -> None:
    """
    A service that is in trouble for a while does not end the waiting.
    """
    monkeypatch.setattr("comfygraph.references.web._pause", lambda _: 0.0)
    monkeypatch.setattr("comfygraph.cli.novita._PAUSE", 0.0)
    begun, done = (
        Given(body={"task": {"status": f"TASK_STATUS_{state}"}}) for state in ("QUEUED", "SUCCEED")
    )
    with serving(begun, *[Given(503, b"<html>")] * 5, done) as server:
        monkeypatch.setenv("NOVITA_BASE_URL", server.url)
        code = run(["novita", "task", "t", "--wait"])
    out, err = capfd.readouterr()

    assert (0, "succeed\n") == (code, out)
    assert ["queued", "Novita is in trouble (HTTP 503) with a web page"] == err.splitlines()


def test_a_deadline(emulator: Emulator, capfd: Capture) -> None:
    """
    Waiting ends at the deadline, with code 6.
    """
    code = run(["novita", "task", new_task(emulator), "--wait", "--deadline", "0.01"])

    assert 6 == code
    assert capfd.readouterr().err.endswith("after 0.01 s\n")


def test_a_task_that_failed(emulator: Emulator, capfd: Capture) -> None:
    """
    A failed task is told with its reason, and the code is 5.
    """
    emulator.faults = Faults(fail_node="*", fail_message="no luck")
    task_id = new_task(emulator)
    codes = [run(["novita", "task", task_id]) for _ in range(4)]

    assert [0, 0, 0, 5] == codes
    assert "error: the task failed: no luck\n" == capfd.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "key", "code", "message"),
    [
        (["model", "abc"], DEV_TOKEN, 2, "`abc` names no version of a model on Civitai"),
        (["model", "1"], "", 2, "no credentials for Novita"),
        (["model", "1"], "wrong-key", 4, "Novita refused (HTTP 403): INVALID_API_KEY"),
        (["models", "--type", "x"], "", 2, "`x` is none of checkpoint, lora, vae, controlnet"),
        (["task", "none"], DEV_TOKEN, 4, "Novita knows no task none (HTTP 404): TASK_NOT_FOUND"),
    ],
)
def test_mistakes(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, capfd: Capture,
    arguments: list[str], key: str, code: int, message: str,
) -> None:  # fmt: skip
    """
    What cannot be done is told, and no key is shown.
    """
    monkeypatch.setenv("NOVITA_API_KEY", key)
    found = run(["novita", *arguments])
    err = capfd.readouterr().err

    assert code == found
    assert err.startswith(f"error: {message}")
    assert "wrong-key" not in err


@pytest.mark.parametrize("command", ["models", "task"])
def test_words_that_are_no_text(emulator: Emulator, capfd: Capture, command: str) -> None:
    """
    Bytes of a command line that are no UTF-8 are looked for like any other word.
    """
    code = run(["novita", command, "\udcff"])

    assert {"models": 0, "task": 4}[command] == code
    assert "internal error" not in capfd.readouterr().err


def test_answers_that_speak_to_the_terminal(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, capfd: Capture
) -> None:
    """
    What Novita says cannot steer the terminal.
    """
    model = {"name": "a\x9b31mb", "sd_name": "c\u202ed", "civitai_tags": "e\x9bf"}
    task = {"task": {"status": "TASK_STATUS_SUCCEED"}, "images": [{"image_url": "http://x/\x9b"}]}
    page = {"models": [{"name": "g\x9bh"}], "pagination": {"next_cursor": "i\x9bj"}}
    answers = [{"code": 0, "data": {"model": model}}, task, page]
    with serving(*(Given(body=body) for body in answers)) as server:
        monkeypatch.setenv("NOVITA_BASE_URL", server.url)
        codes = [
            run(["novita", *words])
            for words in (["model", "7"], ["task", "t"], ["models", "--limit", "1"])
        ]
    out, err = capfd.readouterr()

    assert [1, 0, 0] == codes
    assert ["g·h" in out, "i·j" in err, "a·31mb" in out] == [True] * 3
    assert not {"\x9b", "\u202e"} & set(out + err)


def test_v2_may_be_gone(emulator: Emulator, capfd: Capture) -> None:
    """
    Where the older routes are gone, the hash from Civitai finds the model in the list.
    """
    emulator.faults = Faults(no_v2=True)
    codes = [run(["novita", "model", number, "--json"]) for number in ("64094", "77")]
    found, none = capfd.readouterr().out.split("\n}\n")[:2]

    assert [0, 1] == codes
    assert "neverendingDreamNED_v122BakedVae.safetensors" in found
    assert "Novita has no model for version 77 of Civitai" in none
