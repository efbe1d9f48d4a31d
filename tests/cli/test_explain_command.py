"""
`comfygraph explain`: a graph in words.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from comfygraph.cli import run

ROOT = Path(__file__).parents[2]
HIRES = str(ROOT / "examples" / "hires.json")
SEED = str(ROOT / "tests" / "data" / "seed" / "tams_workflow.json")


def explained(capfdbinary: pytest.CaptureFixture[bytes], *arguments: str) -> tuple[int, str, str]:
    """Exit code, output and errors of `comfygraph explain`."""
    code = run(["explain", *arguments])
    out, err = capfdbinary.readouterr()
    return code, out.decode(), err.decode()


def test_the_example_in_words(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """
    Nodes in order, sizes, LoRAs at the samplers, and what costs most, within 80 columns.
    """
    code, out, err = explained(capfdbinary, HIRES)
    lines = out.splitlines()

    assert (0, "") == (code, err)
    assert max(map(len, lines)) <= 80 or lines[0].startswith(HIRES)
    assert lines[1] == ""
    for words in (
        "loads sd_xl_base_1.0.safetensors (SDXL, by its name)",
        "makes an empty latent of 832 × 1216",
        "base pass (7), KSampler",
        "samples 26 steps on a latent of 832 × 1216 from noise",
        "+ xl_gouache_style.safetensors at 0.8",
        "+ xl_add_detail.safetensors at 0.6",
        "makes a latent of 832 × 1216 into a latent of 1248 × 1824",
        "saves a picture of 1248 × 1824 as hires",
        "26 steps × 0.96 megapixels",
    ):
        assert words in " ".join(out.split())
    assert out.index("base pass (7)") < out.index("second pass (9)")
    assert "second pass (9) 6" in out.rpartition("cost")[2]


@pytest.mark.parametrize("name", ["9", "second pass"])
def test_one_node(name: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """
    A node by its id or title comes with all that reaches it, and nothing else.
    """
    code, out, _ = explained(capfdbinary, HIRES, name)

    assert 0 == code
    assert out.startswith("second pass (9)")
    assert "What reaches it:" in out
    assert "upscale (8)" in out
    assert "goes to   VAE Decode (10)" in out
    assert "Save Image" not in out.partition("goes to")[0]


def test_json(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """
    The same as JSON: sizes, costs and sources for machines.
    """
    _, out, _ = explained(capfdbinary, HIRES, "--json")
    data: dict[str, Any] = json.loads(out)
    nodes = {item["node"]: item for item in data["nodes"]}
    _, one, _ = explained(capfdbinary, HIRES, "7", "--json")

    assert "9" == data["drivers"][0]
    assert {"width": 1248, "height": 1824, "batch": 1, "frames": 1, "latent": True} == (
        nodes["9"]["size"]
    )
    assert ["3", "4", "5", "6"] == sorted(nodes["7"]["from"])
    assert nodes["7"] == json.loads(one)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (SEED, "664602165660323756 + 648628718430054626 at 1"),
        (str(ROOT / "tests/data/media/still_00001_.png"), "saves 4 pictures of 64 × 64"),
    ],
)
def test_any_document(document: str, words: str, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """
    Bodies of services and pictures that carry their graph are explained too.
    """
    code, out, _ = explained(capfdbinary, document)

    assert 0 == code
    assert words in out


def test_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    """
    The configuration says of which family a model is, and what a strange class does.
    """
    graph = {
        "1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "my.pt"}},
        "2": {"class_type": "EmptyImage",
              "inputs": {"width": 64, "height": 32, "batch_size": 1, "color": 0}},
        "3": {"class_type": "TheirUpscale", "inputs": {"image": ["2", 0]}},
        "4": {"class_type": "PreviewImage", "inputs": {"images": ["3", 0]}},
    }  # fmt: skip
    (tmp_path / "graph.json").write_text(json.dumps(graph), "utf-8")
    (tmp_path / "comfygraph.toml").write_text(
        '[analysis.families]\n"my.pt" = "Pony"\n[analysis.classes.TheirUpscale]\n'
        'size = "scale 3 image"\n',
        "utf-8",
    )
    monkeypatch.chdir(tmp_path)
    _, out, _ = explained(capfdbinary, "graph.json")
    (tmp_path / "comfygraph.toml").write_text(
        '[analysis.classes.TheirUpscale]\nsize = "skale 3"\n', "utf-8"
    )
    code, _, err = explained(capfdbinary, "graph.json")

    assert "loads my.pt (SDXL)" in out
    assert "shows a picture of 192 × 96" in out
    assert "the catalog has no such classes" in " ".join(out.split())
    assert 2 == code
    assert "unknown verb `skale`" in err
    assert "did you mean `scale`?" in err


def test_secrets_stay_hidden(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """
    What looks like a key is not repeated.
    """
    key = "sk-" + "a1b2c3d4" * 5
    graph = {
        "1": {"class_type": "PrimitiveString", "inputs": {"value": key}},
        "2": {"class_type": "PreviewAny", "inputs": {"source": ["1", 0]}},
    }
    path = tmp_path / "graph.json"
    path.write_text(json.dumps(graph), "utf-8")
    _, out, _ = explained(capfdbinary, str(path))
    _, data, _ = explained(capfdbinary, str(path), "--json")

    assert key not in out + data


def test_bad_input(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """
    A node that there is not, one that is not clear, and a file that is no graph: clear messages.
    """
    loop = {
        "1": {"class_type": "ImageInvert", "inputs": {"image": ["2", 0]}},
        "2": {"class_type": "ImageInvert", "inputs": {"image": ["1", 0]}},
        "3": {"class_type": "Mystery\x1b[31m", "inputs": {}},
    }
    path = tmp_path / "loop.json"
    path.write_text(json.dumps(loop), "utf-8")
    (tmp_path / "no.json").write_text("[]", "utf-8")
    wrong = explained(capfdbinary, HIRES, "second pas")
    unclear = explained(capfdbinary, HIRES, "KSampler")
    cycle = explained(capfdbinary, str(path))
    one = explained(capfdbinary, str(path), "1")
    data = explained(capfdbinary, str(path), "1", "--json")
    empty = explained(capfdbinary, str(tmp_path / "no.json"))

    assert (2, True) == (wrong[0], "did you mean `second pass`?" in wrong[2])
    assert (2, True) == (unclear[0], "7, 9" in unclear[2])
    assert (0, True) == (cycle[0], "lies on a cycle" in cycle[1])
    assert "\x1b" not in cycle[1]
    assert (0, True) == (one[0], "never runs" in one[1])
    assert (0, "null") == (data[0], data[1].strip())
    assert 3 == empty[0]


def test_help() -> None:
    """
    The help shows examples and exit codes.
    """
    from comfygraph.cli.explain import explain

    result: Result = CliRunner().invoke(explain, ["--help"])

    assert 0 == result.exit_code
    assert "comfygraph explain graph.json" in result.output
    assert "Exit codes" in result.output
