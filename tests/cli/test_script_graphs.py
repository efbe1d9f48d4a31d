"""
Graphs in Python scripts on the command line: `script.py:graph`.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from comfygraph.cli import run as run_cli
from comfygraph.cli.graphs import open_script
from comfygraph.dsl.scripts import run_script, script_spec

SCRIPT = '''\
"""A script."""
from __future__ import annotations

import comfygraph as cg
from comfygraph import build, param, raw_node
from comfygraph.core.edit import set_input
from comfygraph.nodes import (
    CheckpointLoaderSimple, EmptyLatentImage, KSampler, SaveImage, VAEDecode,
)
from beside import texts

print("hello from", __name__)
model, clip, vae = CheckpointLoaderSimple("a.safetensors")
positive, negative = texts(clip, param("text", "a cat"))
latent = KSampler(
    model, seed=param("seed", 7), steps=2, cfg=7.33333,
    positive=positive, negative=negative,
    latent_image=EmptyLatentImage(64, 128),
)
graph = SaveImage(VAEDecode(latent, vae))
prompt = build(graph)
several = [graph, SaveImage(VAEDecode(latent, vae), filename_prefix="twin", title="twin")]
template = cg.Template(graph)
document = prompt.to_json()
broken = set_input(prompt, "5", "steps", 20000)
unknown = build(graph, raw_node("NoSuchClass", images=VAEDecode(latent, vae)))
nothing = None
wrong = KSampler(model, step=3)
mixed = [graph, 7]


def made(steps: int = 5, *, height: int = 64, sampler: "s.SamplerName" = "euler"):
    return SaveImage(VAEDecode(KSampler(
        model, steps=steps, positive=positive, negative=negative,
        latent_image=EmptyLatentImage(64, height),
    ), vae))


def stream():
    yield graph


def wants(seed, text="x"):
    return graph


def fails():
    return {}["missing"]


class inner:
    graph = graph


if __name__ == "__main__":
    raise SystemExit("not as a program")
'''
BESIDE = """\
from comfygraph.nodes import CLIPTextEncode


def texts(clip, text):
    return CLIPTextEncode(text, clip), CLIPTextEncode("bad", clip)
"""
GRAPHS = ["graph", "prompt", "several", "template", "document", "made", "stream", "inner.graph"]


class Run(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """
    A folder with a script and a module beside it.
    """
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "s.py").write_text(SCRIPT, "utf-8")
    (tmp_path / "shop" / "beside.py").write_text(BESIDE, "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]):
    """
    Run the command line.
    """

    def command(*arguments: str) -> Run:
        code = run_cli(list(arguments))
        out, err = capsys.readouterr()
        return Run(code, out, err)

    return command


def line_of(text: str, source: str = SCRIPT) -> int:
    """
    Give the number of the first line that holds a text.
    """
    return next(number for number, line in enumerate(source.splitlines(), 1) if text in line)


@pytest.mark.parametrize("name", GRAPHS)
def test_every_kind_of_graph_is_converted(run, folder: Path, name: str):
    """
    A prompt, an expression, a list, a template, JSON, or a function: each gives its prompt, and
    what the script prints does not get between.
    """
    done = run("convert", f"shop/s.py:{name}")

    assert 0 == done.code
    classes = [node["class_type"] for node in json.loads(done.out).values()]
    assert (2 if name == "several" else 1) == classes.count("SaveImage")
    assert "hello from s\n" == done.err


def test_findings_stand_where_the_node_was_written(run, folder: Path):
    """
    Lint names the line of the script, and the argument of the call where it is spelled there.
    """
    found = {
        item["rule_id"]: (item["file"], item["line"], item["column"], item["end_column"])
        for item in json.loads(run("lint", "--format", "json", "shop/s.py:broken").out)[
            "diagnostics"
        ]
    }
    line = line_of("cfg=7.33333")
    text = SCRIPT.splitlines()[line - 1]

    at = text.index("steps=") + 7
    assert ("shop/s.py", line, at, at + 1) == found["CG301"]
    at = text.index("7.33333") + 1
    assert ("shop/s.py", line, at, at + 7) == found["CG307"]


def test_findings_in_a_module_beside_name_it(run, folder: Path):
    """
    A node that a function of another file wrote is looked for there.
    """
    text = BESIDE.replace('"bad"', '"sk-proj-abcdefghijklmnopqrstuvwxyz123456"')
    (folder / "shop" / "beside.py").write_text(text, "utf-8")
    done = run("lint", "shop/s.py:prompt")

    assert f"{Path('shop/beside.py')}:5:" in done.out
    assert "sk-proj" not in done.out


@pytest.mark.parametrize("format_", ["text", "concise", "github", "sarif", "junit", "markdown"])
def test_every_format_knows_the_line(run, folder: Path, format_: str):
    """
    No format looks for the graph's JSON in the script.
    """
    done = run("lint", "--format", format_, "shop/s.py:unknown")

    assert 1 == done.code
    assert str(line_of("NoSuchClass")) in done.out
    assert "NoSuchClass" in done.out


def test_lint_offers_no_repair_of_scripts(run, folder: Path):
    """
    Repairs are edits of JSON: a script stays as it is.
    """
    done = run("lint", "--fix", "--unsafe-fixes", "shop/s.py:broken")

    assert 1 == done.code
    assert "fixable" not in done.out
    assert SCRIPT == (folder / "shop" / "s.py").read_text("utf-8")


def test_all_mistakes_of_a_graph_are_findings(run, folder: Path):
    """
    What `build` collects, lint tells at the line of the call, under one rule.
    """
    report = json.loads(run("lint", "--format", "json", "shop/s.py:wrong").out)
    found = report["diagnostics"]

    assert {("CG006", line_of("wrong = "))} == {(item["rule_id"], item["line"]) for item in found}
    assert ["positive", "negative", "latent_image", "step"] == [item["input"] for item in found]


@pytest.mark.parametrize(
    ("name", "line", "message"),
    [
        ("nothing", "nothing = None", "`nothing` is None, no graph"),
        ("mixed", "mixed = ", "a graph is built from nodes, not from 7"),
        ("wants", "def wants", "`wants` cannot be called without `seed`"),
        ("fails", '{}["missing"]', "KeyError: 'missing'"),
        ("KSampler", "A script.", "`KSampler` is the class KSampler, no graph"),
        ("grahp", "A script.", "there is no `grahp` in the script"),
        ("inner.none", "class inner", "there is no `inner.none` in the script"),
    ],
)
def test_what_is_no_graph_is_told_with_its_line(
    run, folder: Path, name: str, line: str, message: str
):
    """
    One line that names the script's own, with exit code 3, and the same as a finding of lint.
    """
    done = run("submit", f"shop/s.py:{name}")
    linted = run("lint", "--format", "concise", f"shop/s.py:{name}")

    assert 3 == done.code
    assert f"error: shop/s.py:{line_of(line)}: {message}\n" in done.err
    assert "Traceback" not in done.err
    assert 1 == linted.code
    assert f"shop/s.py:{line_of(line)}:" in linted.out
    assert message in linted.out


@pytest.mark.parametrize(
    ("source", "place", "message"),
    [
        ("x = 1\nraise ValueError('a\\nb')\n", "shop/t.py:2", "ValueError: a b"),
        ("x = (\n", "shop/t.py:1", "SyntaxError"),
        ("import sys\nsys.exit(3)\n", "shop/t.py:2", "the script ended itself"),
        ("import not_there_at_all\n", "shop/t.py:1", "ModuleNotFoundError"),
        ("import bad\n", f"{Path('shop/bad.py')}:2", "ZeroDivisionError"),
        ("from comfygraph import param\np = param('a b', 1)\n", "shop/t.py:2", "not an identifier"),
        ("def f(): f()\nf()\n", "shop/t.py:1", "RecursionError"),
        ("import asyncio\nraise asyncio.CancelledError\n", "shop/t.py:2", "CancelledError"),
        ("class Odd(BaseException): pass\nraise Odd('x')\n", "shop/t.py:2", "Odd: x"),
        ("raise GeneratorExit\n", "shop/t.py:1", "GeneratorExit"),
        ("async def graph(): pass\n", "shop/t.py:1", "`graph()` gives a coroutine, no graph"),
    ],
)
def test_errors_in_a_script_have_no_traceback(
    run, folder: Path, source: str, place: str, message: str
):
    """
    Whatever a script does wrong is one line with the place in the script, exit code 3.
    """
    (folder / "shop" / "t.py").write_text(source, "utf-8")
    (folder / "shop" / "bad.py").write_text("\n1 / 0\n", "utf-8")
    done = run("draw", "shop/t.py:graph")

    assert 3 == done.code
    assert done.err.startswith(f"error: {place}: ")
    assert message in done.err
    assert "Traceback" not in done.err


def test_a_script_is_run_only_when_a_graph_is_named(run, folder: Path):
    """
    Without `:graph`, nothing is run, and the error says how to name one.
    """
    for command in ("lint", "submit", "draw"):
        done = run(command, "shop/s.py")

        assert 0 != done.code
        assert "shop/s.py:graph" in done.out + done.err
        assert "hello" not in done.err


@pytest.mark.skipif(sys.platform == "win32", reason="no such file names there")
def test_a_file_that_is_called_so_is_a_file(run, folder: Path):
    """
    Nothing runs a script because a file beside it has a clever name.
    """
    (folder / "shop" / "s.py:graph.json").write_text('{"1": {"class_type": "Odd"}}', "utf-8")
    done = run("lint", "shop/s.py:graph.json")

    assert "shop/s.py:graph.json:1:" in done.out
    assert "hello" not in done.err


def test_a_missing_script_is_told(run, folder: Path):
    """
    As any other file.
    """
    assert (3, "error: shop/no.py: no such file\n") == run("draw", "shop/no.py:graph")[::2]
    assert "no such file" in run("lint", "shop/no.py:graph").out


def test_the_interpreter_is_left_as_it_was(folder: Path):
    """
    `sys.path`, `sys.argv`, `sys.modules` and the working folder are what they were, and a script
    that was changed since is read anew, modules beside it too.
    """
    before = (sys.path[:], sys.argv, os.getcwd())
    first = open_script("shop/s.py:graph")
    (folder / "shop" / "beside.py").write_text(BESIDE.replace('"bad"', '"changed"'), "utf-8")
    second = open_script("shop/s.py:graph")

    assert before == (sys.path[:], sys.argv, os.getcwd())
    assert {"s", "beside"}.isdisjoint(sys.modules)
    assert first is not None
    assert second is not None
    assert ["bad", "changed"] == [item.prompt["3"].inputs["text"] for item in (first, second)]


def test_a_script_called_like_a_module_does_not_take_its_place(folder: Path):
    """
    `json.py` is run under another name.
    """
    text = "from comfygraph.nodes import EmptyLatentImage\ngraph = EmptyLatentImage(64, 64)\n"
    (folder / "json.py").write_text(text, "utf-8")
    spec = script_spec("json.py:graph")
    assert spec is not None

    assert 1 == len(run_script(spec).prompt)
    assert hasattr(sys.modules["json"], "dumps")


def test_diff_sees_two_graphs_of_one_script(run, folder: Path):
    """
    Scripts stand wherever files do.
    """
    done = run("diff", "shop/s.py:prompt", "shop/s.py:broken")

    assert 1 == done.code
    assert "steps: 2 → 20000" in done.out


@pytest.mark.parametrize("name", ["template", "graph"])
def test_submit_sets_parameters_and_inputs(run, folder: Path, name: str):
    """
    `--set` takes parameters by their names, before inputs of nodes.
    """
    values = ("--set", "seed=3", "--set", "text=a dog", "--set", "KSampler.steps=4")
    done = run("submit", f"shop/s.py:{name}", "--dry-run", *values, "--json", "-t", "emulator")
    graph = json.loads(done.out)["body"]
    graph = (json.loads(graph) if isinstance(graph, str) else graph)["prompt"]

    assert 0 == done.code
    assert (3, 4) == (graph["5"]["inputs"]["seed"], graph["5"]["inputs"]["steps"])
    assert "a dog" == graph["2"]["inputs"]["text"]


def test_submit_runs_a_script(run, folder: Path):
    """
    On the embedded emulator, to the picture.
    """
    done = run("submit", "shop/s.py:made", "--set", "height=128", "--out", "out")

    assert 0 == done.code
    assert "64×128" in done.out


def test_bad_values_of_parameters_are_told(run, folder: Path):
    """
    A text that is no number is a mistake of usage, a value out of range one of the graph.
    """
    usage = run("submit", "shop/s.py:template", "--set", "seed=x")
    range_ = run("submit", "shop/s.py:template", "--set", "seed=-1")

    assert 2 == usage.code
    assert "`x` is no value for the parameter `seed`, which is a whole number" in usage.err
    assert 1 == range_.code
    assert f"s.py:{line_of('latent = KSampler(')}: KSampler: `seed` is -1" in range_.err


def test_arguments_take_what_their_annotations_list(run, folder: Path):
    """
    Another value never gets into the function.
    """
    (folder / "shop" / "t.py").write_text(
        "from typing import Literal\n"
        "from comfygraph.nodes import EmptyLatentImage\n"
        "def graph(size: Literal['small', 'large'] = 'small'):\n"
        "    width = {'small': 64, 'large': 128}[size]\n"
        "    return EmptyLatentImage(width, 64)\n",
        "utf-8",
    )
    done = run("submit", "shop/t.py:graph", "--set", "size=larg")

    assert 2 == done.code
    assert (
        "error: shop/t.py:graph: the parameter `size` is 'larg', not in its list\n"
        "  hint: did you mean `large`?\n"
    ) in done.err
