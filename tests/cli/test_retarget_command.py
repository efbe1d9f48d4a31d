"""
`comfygraph retarget`.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from comfygraph.cli import run
from comfygraph.emulator import Emulator, Faults

Capture = pytest.CaptureFixture[str]
AIR = "urn:air:sd1:checkpoint:civitai:4384@128713"
LORA = "urn:air:sd1:lora:civitai:58390@62833"
GRAPH = """{
\t"4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "dream.safetensors"},
\t      "_meta": {"title": "b\\u00e4se"}},
\t"5": {"class_type": "LoraLoaderModelOnly",
\t      "inputs": {"lora_name": "detail.safetensors", "model": ["4", 0], "strength_model": 1.0}}
}
"""
TABLE = f"""
["dream.safetensors"]
air = "{AIR}"
tams = "664602165660323756"
["detail.safetensors"]
civitai = 62833
"""


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    """
    A running emulator of the services that know models.
    """
    with Emulator(["civitai", "tams"], speed=0, faults=Faults(qps=0)) as running:
        yield running


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, emulator: Emulator) -> Path:
    """
    The current folder, with a graph and a table; services are the emulator.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("CIVITAI_SITE_URL", emulator.url("civitai"))
    for name in ("CIVITAI_API_TOKEN", "TAMS_API_KEY", "COMFYUI_URL"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "g.json").write_text(GRAPH, encoding="utf-8")
    (tmp_path / "models.toml").write_text(TABLE, encoding="utf-8")
    return tmp_path


def test_a_graph_for_civitai_and_back(place: Path, capfd: Capture) -> None:
    """
    Names change, bytes stay; the way back leads to the very same file.
    """
    there = run(["retarget", "g.json", "-t", "civitai", "-m", "models.toml", "-o", "c.json"])
    told = capfd.readouterr()
    back = run(["retarget", "c.json", "-t", "comfyui", "-m", "models.toml"])
    expected = GRAPH.replace("dream.safetensors", AIR).replace("detail.safetensors", LORA)

    assert (0, 0, "") == (there, back, told.out)
    assert expected == (place / "c.json").read_text("utf-8")
    assert GRAPH == capfd.readouterr().out
    assert (
        f"""\
ckpt_name of CheckpointLoaderSimple "bäse" (4)
    dream.safetensors
    → {AIR} (in models.toml)
lora_name of LoraLoaderModelOnly (5)
    detail.safetensors
    → {LORA} (version 62833 on Civitai)
2 named for Civitai, written to c.json
"""
        == told.err
    )


def test_what_has_no_name_is_told_and_nothing_written(place: Path, capfd: Capture) -> None:
    """
    A model without a name is a finding at its place; the file is not touched.
    """
    code = run(["retarget", "g.json", "-t", "tams", "-m", "models.toml", "-o", "t.json"])
    out, err = capfd.readouterr()

    assert (1, "", False) == (code, out, (place / "t.json").exists())
    assert err.endswith("""\
g.json:5:32: error CG401 model-name-for-id
    LoraLoaderModelOnly (5): `lora_name` is `detail.safetensors`: TensorArt finds models by their \
number only
    5 | "inputs": {"lora_name": "detail.safetensors", "model": ["4", 0], "strength_model": 1.0}}
      |                         ^^^^^^^^^^^^^^^^^^^^
    help: tell its number in a file for --map: tams = "…"
1 named for TensorArt, 1 without a name there; nothing written (see --partial)
""")


def test_partial_writes_what_there_is(place: Path, capfd: Capture) -> None:
    """
    With --partial the graph is written with the names that were found, and the code is still 1.
    """
    arguments = ["-t", "tams", "-m", "models.toml", "--partial", "--json", "-o", "g.json"]
    code = run(["retarget", "g.json", *arguments])
    found = json.loads(capfd.readouterr().out)

    assert (1, False, "g.json") == (code, found["complete"], found["output"])
    assert GRAPH.replace("dream.safetensors", "664602165660323756") == (place / "g.json").read_text(
        "utf-8"
    )
    assert [("/4/inputs/ckpt_name", "664602165660323756")] == [
        (change["pointer"], change["to"]) for change in found["changes"]
    ]
    assert [("CG401", "/5/inputs/lora_name")] == [
        (one["rule"], one["pointer"]) for one in found["unresolved"]
    ]


@pytest.mark.parametrize("output", [[], ["-o", "-"]])
def test_what_goes_to_stdout_is_written(place: Path, capfd: Capture, output: list[str]) -> None:
    """
    An incomplete graph that was asked for on stdout is not called unwritten.
    """
    code = run(["retarget", "g.json", "-t", "tams", "-m", "models.toml", "--partial", *output])
    out, err = capfd.readouterr()

    assert (1, True) == (code, "class_type" in out)
    assert err.endswith("1 without a name there\n")


def test_offline_with_a_table_asks_nobody(place: Path, emulator: Emulator, capfd: Capture) -> None:
    """
    Nothing is asked about what the table knows; what would have to be asked is told.
    """
    before = emulator.stats().requests
    code = run(["retarget", "g.json", "-t", "civitai", "-m", "models.toml", "--offline"])
    err = capfd.readouterr().err

    assert 1 == code
    assert "`lora_name` is `detail.safetensors`: 127.0.0.1 was not asked" in err
    assert before == emulator.stats().requests


def test_files_at_hand_are_found_by_their_hash(place: Path, capfd: Capture) -> None:
    """
    Without a table, Civitai is asked by the hashes of the files.
    """
    for folder, name, version in (
        ("checkpoints", "dream", 128713), ("loras", "detail", 62833)
    ):  # fmt: skip
        (place / "models" / folder).mkdir(parents=True)
        content = f"version {version}".encode()
        (place / "models" / folder / f"{name}.safetensors").write_bytes(content)
    code = run(["retarget", "g.json", "-t", "civitai", "--models-dir", "models"])

    assert 0 == code
    assert [AIR, LORA] == [
        next(iter(node["inputs"].values())) for node in json.loads(capfd.readouterr().out).values()
    ]


def test_from_stdin_in_another_encoding(
    place: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """
    `-` reads the graph from stdin; what comes out is encoded as what went in.
    """
    data = b"\xef\xbb\xbf" + GRAPH.replace("\n", "\r\n").encode()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    code = run(["retarget", "-", "-t", "civitai", "-m", "models.toml"])

    assert 0 == code
    assert (
        data.replace(b"dream.safetensors", AIR.encode()).replace(
            b"detail.safetensors", LORA.encode()
        )
        == capfdbinary.readouterr().out
    )


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["g.json"], 2, "Usage: comfygraph retarget"),
        (["g.json", "-t", "tams", "--json"], 2,
         "error: `--json` and the graph both want stdout\n"),
        (["none.json", "-t", "tams"], 3, "error: none.json: no such file\n"),
        (["g.json", "-t", "comfyui", "-o", "no/where.json"], 3,
         "error: no/where.json: cannot be written: No such file or directory\n"),
    ],
)  # fmt: skip
def test_mistakes(
    place: Path, arguments: list[str], code: int, message: str, capfd: Capture
) -> None:
    """
    What cannot be done is told, with the code for it.
    """
    found = run(["retarget", *arguments])

    assert code == found
    assert capfd.readouterr().err.startswith(message)
