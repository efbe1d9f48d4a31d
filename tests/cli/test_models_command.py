"""
`comfygraph models`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from comfygraph.cli import run
from comfygraph.emulator import DEV_TOKEN, Emulator, Faults

Capture = pytest.CaptureFixture[str]
AIR = "urn:air:sd1:checkpoint:civitai:4384@128713"
GRAPH = {
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "dream.safetensors"},
          "_meta": {"title": "base"}},
    "5": {"class_type": "LoraLoader",
          "inputs": {"lora_name": "urn:air:sd1:lora:civitai:58390@62833", "model": ["4", 0],
                     "clip": ["4", 1], "strength_model": 1, "strength_clip": 1}},
    **{str(place): {"class_type": "VAELoader", "inputs": {"vae_name": "vae.pt"}}
       for place in range(6, 11)},
}  # fmt: skip
TABLE = f'"dream.safetensors" = "{AIR}"\n'


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    """
    A running emulator without a limit of requests.
    """
    with Emulator(speed=0, faults=Faults(qps=0)) as running:
        yield running


@pytest.fixture
def files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, emulator: Emulator
) -> Callable[[str, Any], str]:
    """
    Writes files into the current folder; services are the emulator, the cache is empty.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("CIVITAI_SITE_URL", "CIVITAI_API_URL", "TAMS_BASE_URL", "NOVITA_BASE_URL"):
        monkeypatch.setenv(name, emulator.url())
    for name in ("CIVITAI_API_TOKEN", "TAMS_API_KEY", "NOVITA_API_KEY"):
        monkeypatch.setenv(name, DEV_TOKEN)
    monkeypatch.delenv("COMFYUI_URL", raising=False)

    def write(name: str, content: Any) -> str:
        text = content if isinstance(content, str) else json.dumps(content)
        (tmp_path / name).write_text(text, encoding="utf-8")
        return name

    write("g.json", GRAPH)
    write("models.toml", TABLE)
    return write


def test_what_a_graph_needs(files: Any, capfd: Capture) -> None:
    """
    Each model once: its name, its kind, what it is made for and where it is wanted.
    """
    code = run(["models", "g.json"])

    assert (0, """\
g.json needs 3 models

dream.safetensors
    checkpoint
    ckpt_name of CheckpointLoaderSimple "base" (4)

urn:air:sd1:lora:civitai:58390@62833
    LoRA, for SD 1.x, by the ecosystem of its AIR
    lora_name of LoraLoader (5)

vae.pt
    VAE
    vae_name of VAELoader (6)
    vae_name of VAELoader (7)
    vae_name of VAELoader (8)
    … and 2 more places
""", "") == (code, *capfd.readouterr())  # fmt: skip


def test_what_a_service_has(files: Any, capfd: Capture) -> None:
    """
    With a target, each model has an answer; one without a name there makes the exit code 1.
    """
    code = run(["models", "g.json", "-t", "civitai", "-m", "models.toml"])
    out, err = capfd.readouterr()

    assert (1, "") == (code, err)
    assert f"""\
    checkpoint, for SD 1.x, by the ecosystem of its AIR
    ckpt_name of CheckpointLoaderSimple "base" (4)
    civitai: available: on Civitai
      as {AIR}
""" in out  # fmt: skip
    assert (
        "    civitai: no name: nobody can find a model on Civitai by the name of a file\n"
        "      help: tell its AIR in a file for --map, or its `civitai` version or `sha256`\n"
    ) in out


def test_all_of_it_as_json(files: Any, capfd: Capture) -> None:
    """
    JSON has what people see, and pointers.
    """
    code = run(["models", "g.json", "--target", "tams", "--json"])
    found = json.loads(capfd.readouterr().out)

    assert (1, "g.json", "tams") == (code, found["file"], found["target"])
    assert {
        "kind": "lora",
        "name": "urn:air:sd1:lora:civitai:58390@62833",
        "form": "air",
        "folder": "loras",
        "family": {"key": "sd1", "label": "SD 1.x", "confidence": "high",
                   "why": "the ecosystem of its AIR"},
        "uses": [{"node_id": "5", "class_type": "LoraLoader", "title": "LoraLoader",
                  "input": "lora_name", "pointer": "/5/inputs/lora_name"}],
        "found": {"name": None, "availability": "unknown",
                  "evidence": "TensorArt finds models by their number only",
                  "help": 'tell its number in a file for --map: tams = "…"'},
    } == found["models"][1]  # fmt: skip


def test_the_lists_of_a_server(files: Any, capfd: Capture) -> None:
    """
    A ComfyUI server says which files it has.
    """

    def info(folder: str, *names: str) -> dict[str, Any]:
        return {"input": {"required": {folder: [list(names), {}]}}, "output": []}

    files(
        "info.json",
        {
            "CheckpointLoaderSimple": info("ckpt_name", "sd/Dream.safetensors"),
            "VAELoader": info("vae_name", "other.pt"),
            "LoraLoader": info("lora_name"),
        },
    )
    code = run(["models", "g.json", "-t", "comfyui", "--catalog", "info.json"])
    out = capfd.readouterr().out

    assert 1 == code
    assert "comfyui: available: in the list of the server\n      as sd/Dream.safetensors\n" in out
    assert "comfyui: missing: the server has no `vae.pt` in vae\n" in out
    assert "comfyui: missing: the server has no `add_detail.safetensors` in loras\n" in out


def test_the_server_in_the_environment(
    files: Any, emulator: Emulator, monkeypatch: pytest.MonkeyPatch, capfd: Capture
) -> None:
    """
    With COMFYUI_URL the server is asked for its lists, but not when offline.
    """
    monkeypatch.setenv("COMFYUI_URL", emulator.url())
    before = emulator.stats().requests.get("GET /object_info", 0)
    run(["models", "g.json", "-t", "comfyui", "--offline"])
    offline = emulator.stats().requests.get("GET /object_info", 0)
    run(["models", "g.json", "-t", "comfyui"])

    assert (before, before + 1) == (offline, emulator.stats().requests["GET /object_info"])


def test_answers_are_kept_between_runs(files: Any, emulator: Emulator, capfd: Capture) -> None:
    """
    What was asked once is known offline; what was not is told.
    """
    route = "GET /v2/resources/{air:path}"
    arguments = ["models", "g.json", "-t", "civitai", "-m", "models.toml"]
    run(arguments)
    known = emulator.stats().requests[route]
    first = capfd.readouterr().out
    run([*arguments, "--offline"])
    again = capfd.readouterr().out
    run([*arguments, "--refresh"])

    assert first == again
    assert known + 2 == emulator.stats().requests[route]


def test_a_graph_without_models(files: Any, capfd: Capture) -> None:
    """
    A graph may need none.
    """
    files("none.json", {"1": {"class_type": "EmptyImage", "inputs": {}}})
    code = run(["models", "none.json"])

    assert (0, "none.json needs no models\n", "") == (code, *capfd.readouterr())


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["none.toml.json"], 3, "error: none.toml.json: no such file\n"),
        (["g.json", "-m", "nope.toml"], 2, "error: nope.toml: No such file or directory\n"),
        (["g.json", "--models-dir", "nope"], 2, "error: nope: no such folder\n"),
        (["g.json", "--offline", "--refresh"], 2,
         "error: --offline and --refresh want the opposite\n"),
        (["g.json", "--offline", "--catalog", "http://127.0.0.1:9"], 2,
         "error: --offline and a catalog on a server want the opposite\n"),
        (["models.toml"], 3, "error: models.toml:1:21: not JSON"),
    ],
)  # fmt: skip
def test_mistakes(
    files: Any, arguments: list[str], code: int, message: str, capfd: Capture
) -> None:
    """
    What cannot be read is told, with the code for it.
    """
    found = run(["models", *arguments])

    assert code == found
    assert capfd.readouterr().err.startswith(message)


def test_names_of_strangers_do_not_reach_the_terminal(files: Any, capfd: Capture) -> None:
    """
    Control characters in names are shown as dots.
    """
    files(
        "bad.json",
        {"1": {"class_type": "X\x1b[31m", "inputs": {"a\x07": "x\x1b]0;y\x07.safetensors"}}},
    )
    run(["models", "bad.json", "-t", "civitai"])
    captured = capfd.readouterr()

    assert "\x1b" not in captured.out + captured.err
    assert "\x07" not in captured.out + captured.err
