"""
`comfygraph catalog list`, `show`, `diff` and `lock`; `fetch` is tested with its server.
"""

from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from comfygraph.catalog import load_catalog
from comfygraph.cli import run

GRAPH = {
    "1": {
        "class_type": "EmptyImage",
        "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0},
    },
    "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x"}},
}

Capture = pytest.CaptureFixture[str]


def _file(path: Path, document: Any) -> str:
    path.write_text(json.dumps(document), encoding="utf-8")
    return str(path)


def _classes(*names: str) -> dict[str, Any]:
    catalog = load_catalog()
    return {name: copy.deepcopy(dict(catalog[name].raw)) for name in names}


def test_show(capfd: Capture) -> None:
    """
    A signature shows types, defaults, ranges, options and outputs, aligned.
    """
    assert run(["catalog", "show", "LatentUpscale"]) == 0
    expected = """\
LatentUpscale  "Upscale Latent"
  model/latent · nodes

inputs
  samples         LATENT  link
  upscale_method  COMBO   nearest-exact | bilinear | area | bicubic | bislerp
  width           INT     = 512  0 … 16384  step 8
  height          INT     = 512  0 … 16384  step 8
  crop            COMBO   disabled | center

outputs
  0  LATENT
"""

    assert expected == capfd.readouterr().out


def test_show_more(capfd: Capture) -> None:
    """
    Files, flags, groups and long lists have words of their own; `--all-options` shows all.
    """
    assert run(["catalog", "show", "LoraLoader", "SaveImage", "BatchImagesNode", "KSampler"]) == 0
    out = capfd.readouterr().out

    assert "  lora_name       COMBO  a file of loras\n" in out
    assert "  output node\n" in out
    assert "  images    COMFY_AUTOGROW_V3  1 to 50 members: image0 … image49\n" in out
    assert "… 40 more\n" in out
    assert run(["catalog", "show", "--all-options", "KSampler"]) == 0
    assert "uni_pc_bh2" in capfd.readouterr().out


def test_show_json(capfd: Capture) -> None:
    """
    All that is shown can be had as JSON.
    """
    assert run(["catalog", "show", "--json", "ResizeImageMaskNode"]) == 0
    (found,) = json.loads(capfd.readouterr().out)
    width = next(i for i in found["inputs"] if i["path"] == "resize_type[scale width].width")

    assert {
        "path": "resize_type[scale width].width", "name": "resize_type.width", "type": "INT",
        "required": True, "link_only": False, "default": 512, "min": 0, "max": 16384, "step": 1,
        "chosen": {"resize_type": "scale width"},
    } == width  # fmt: skip


def test_show_unknown(capfd: Capture) -> None:
    """
    An unknown class names the catalog and the nearest class, and ends with 2.
    """
    assert run(["catalog", "show", "KSampler", "ksampler_advanced"]) == 2
    out, err = capfd.readouterr()

    assert "" == out
    assert (
        "error: no class `ksampler_advanced` in ComfyUI 0.33.0 (bundled)\n"
        "  hint: did you mean `KSamplerAdvanced`?\n"
    ) == err


def test_list(capfd: Capture) -> None:
    """
    Words, category and flags narrow the list; what is left is counted on stderr.
    """

    def names(*args: str) -> list[str]:
        assert run(["catalog", "list", "--json", *args]) == 0
        return [entry["class_type"] for entry in json.loads(capfd.readouterr().out)]

    everything = names()
    assert 887 == len(everything)
    assert everything == sorted(everything)
    assert {"LatentUpscale", "LatentUpscaleBy"} <= set(names("UPSCALE", "latent"))
    assert set(names("--api")) | set(names("--no-api")) == set(everything)
    assert not set(names("--api")) & set(names("--no-api"))
    assert {"SaveImage", "PreviewImage"} <= set(names("--output-nodes"))
    assert "KSampler" not in names("--output-nodes")
    assert set(names("--category", "Model/Sampling/")) < set(names("--category", "model"))
    assert [] == names("no such word")
    assert names("--deprecated")
    assert run(["catalog", "list", "ksampleradv"]) == 0
    out, err = capfd.readouterr()
    assert "KSamplerAdvanced  KSampler (Advanced)  model/sampling\n" == out
    assert "1 of 887 classes in ComfyUI 0.33.0 (bundled)\n" == err


def test_diff(tmp_path: Path, capfd: Capture) -> None:
    """
    Changes are listed by class; only with `--exit-code` a breaking one ends with 1.
    """
    before = _classes("KSampler", "SaveImage")
    after = copy.deepcopy(before)
    after["KSampler"]["input"]["required"]["steps"][1]["max"] = 10
    after["SaveImage"]["deprecated"] = True
    old, new = _file(tmp_path / "old.json", before), _file(tmp_path / "new.json", after)

    assert run(["catalog", "diff", old, new]) == 0
    out, err = capfd.readouterr()
    assert (
        "KSampler\n  breaking  `steps` maximum is `10`, was `10000`\n"
        "SaveImage\n            is now deprecated\n"
    ) == out
    assert "1 breaking and 1 other changes in 2 classes\n" == err
    assert run(["catalog", "diff", "--exit-code", "--breaking", old, new]) == 1
    assert "SaveImage" not in capfd.readouterr().out
    assert run(["catalog", "diff", "--exit-code", new, old]) == 0
    capfd.readouterr()
    assert run(["catalog", "diff", "--json", old, new]) == 0
    told = json.loads(capfd.readouterr().out)
    assert {"breaking": 1, "other": 1} == told["summary"]
    assert ["range-narrowed", "deprecated-changed"] == [c["kind"] for c in told["changes"]]
    assert run(["catalog", "diff", "--exit-code", "core", "core"]) == 0


def test_lock_and_check(tmp_path: Path, capfd: Capture) -> None:
    """
    A lock is written, and checked against the catalog of another day.
    """
    graph = _file(tmp_path / "graph.json", GRAPH)
    lock = str(tmp_path / "comfygraph.lock")
    after = _classes("EmptyImage", "SaveImage")
    after["EmptyImage"]["input"]["required"]["width"][1]["max"] = 32
    after["SaveImage"]["deprecated"] = True
    server = _file(tmp_path / "server.json", after)

    assert run(["catalog", "lock", graph, "-o", lock]) == 0
    out, err = capfd.readouterr()
    assert ("", "2 classes of 1 graph locked\n") == (out, err)
    assert run(["catalog", "lock", graph, "-o", "-"]) == 0
    assert Path(lock).read_text() == capfd.readouterr().out
    assert run(["catalog", "lock", "--check", graph, "-o", lock]) == 0
    capfd.readouterr()

    assert run(["catalog", "lock", "--check", "--catalog", server, graph, "-o", lock]) == 1
    out, err = capfd.readouterr()
    assert (
        f"EmptyImage\n  breaks  `width` maximum is `32`, was `16384`\n"
        f"            {graph}: node 1 `width`\n"
        f"SaveImage\n          is now deprecated\n"
    ) == out
    assert f"2 changes since {lock} was written, 1 of them breaks a graph\n" == err
    assert run(
        ["catalog", "lock", "--check", "--json", "--catalog", server, graph, "-o", lock]
    ) == 1  # fmt: skip
    told = json.loads(capfd.readouterr().out)
    assert {"breaks": 1, "changes": 2} == told["summary"]
    assert [{"prompt": graph, "node_id": "1", "input": "width"}] == told["changes"][0]["uses"]


def test_lock_reads_workflows_and_stdin(
    tmp_path: Path, capfd: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Workflows of the editor are converted; a class that is not known is a warning.
    """
    workflow = {
        "nodes": [
            {"id": 1, "type": "EmptyImage", "pos": [0, 0], "widgets_values": [64, 64, 1, 0],
             "outputs": [{"name": "IMAGE", "type": "IMAGE", "links": [1]}], "mode": 0},
            {"id": 2, "type": "SaveImage", "pos": [0, 0], "widgets_values": ["x"], "mode": 0,
             "inputs": [{"name": "images", "type": "IMAGE", "link": 1}]},
        ],
        "links": [[1, 1, 0, 2, 0, "IMAGE"]],
        "version": 0.4,
    }  # fmt: skip
    path = _file(tmp_path / "workflow.json", workflow)
    assert run(["catalog", "lock", path, "-o", "-"]) == 0
    assert ["EmptyImage", "SaveImage"] == list(json.loads(capfd.readouterr().out)["classes"])

    unknown = _file(tmp_path / "g.json", {"1": {"class_type": "Mine", "inputs": {}}})
    assert run(["catalog", "lock", unknown, "-o", str(tmp_path / "l"), "--json"]) == 0
    out, err = capfd.readouterr()
    assert ["Mine"] == json.loads(out)["unknown"]
    assert "warning: no class `Mine` in ComfyUI 0.33.0 (bundled), it is not locked\n" == err


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["show", "--catalog", "{tmp}/none.json", "A"], 3, "no such file"),
        (["show", "--catalog", "{tmp}/bad.json", "A"], 3, "not JSON"),
        (["diff", "core"], 2, "NEW"),
        (["lock", "{tmp}/none.json"], 3, "no such file"),
        (["lock", "{tmp}/bad.json"], 3, "JSON"),
        (["lock", "{tmp}/g.json", "-o", "{tmp}/no/x.lock"], 2, "No such file"),
        (["lock", "{tmp}/g.json", "--check", "-o", "{tmp}/none.lock"], 3, "No such file"),
        (["lock", "{tmp}/g.json", "--check", "-o", "{tmp}/g.json"], 3, "not a lock file"),
        (["lock", "{tmp}/g.json", "--check", "-o", "-"], 2, "needs the file"),
        (["lock", "{tmp}/g.json", "--json", "-o", "-"], 2, "both want stdout"),
        (["shwo"], 2, "shwo"),
    ],
)
def test_errors(tmp_path: Path, capfd: Capture, args: list[str], code: int, words: str) -> None:
    """
    Each misuse and broken file is one message on stderr and its exit code.
    """
    (tmp_path / "bad.json").write_text("{")
    _file(tmp_path / "g.json", GRAPH)

    assert code == run(["catalog", *(arg.replace("{tmp}", str(tmp_path)) for arg in args)])
    out, err = capfd.readouterr()
    assert "" == out
    assert words in err
    assert "Traceback" not in err


def test_a_hostile_catalog_cannot_talk_to_the_terminal(tmp_path: Path, capfd: Capture) -> None:
    """
    Control characters of a catalog never reach the terminal.
    """
    entry = {
        "input": {"required": {"x\x1b[2J": [["a\x07", "b\n"], {"default": "\x9b31m"}]}},
        "output": ["IM\x1bAGE"], "display_name": "\x1b]0;owned\x07", "category": "a\rb",
    }  # fmt: skip
    path = _file(tmp_path / "c.json", {"A\x1b[31m": entry})
    other = _file(tmp_path / "d.json", {"A\x1b[31m": {**entry, "input": {}}})
    assert run(["catalog", "show", "--catalog", path, "A\x1b[31m"]) == 0
    assert run(["catalog", "list", "--catalog", path]) == 0
    assert run(["catalog", "diff", path, other]) == 0
    out = capfd.readouterr().out

    assert out.replace("\n", "").isprintable()


def test_offline_commands_load_no_network() -> None:
    """
    Showing and listing the bundled catalog loads neither httpx nor networkx nor pydantic.
    """
    code = (
        "import sys; from comfygraph.cli import run; run(['catalog', 'show', 'KSampler']);"
        "print(sorted({'httpx', 'networkx', 'pydantic', 'rich', 'jsonschema'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "[]" == done.stdout.splitlines()[-1]
