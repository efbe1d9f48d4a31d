"""
From a prompt back to Python: the script builds the same prompt again.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import types
from pathlib import Path

import pytest
from click.testing import CliRunner
from decompiled import TEMPLATES, body, built, prompt_of, template_prompt, titles
from graph_shape import shape
from hypothesis import HealthCheck, given, settings
from odd_pack import ODD_PACK
from strategies import catalogs, loose_prompts, valid_prompts

from comfygraph.catalog import NodeCatalog, load_catalog
from comfygraph.catalog.stored import _compact
from comfygraph.cli.decompile import decompile as command
from comfygraph.core.values import Prompt
from comfygraph.dsl import NodeSpace, build, decompile, raw_node
from comfygraph.dsl.package import make_package, write_package
from comfygraph.dsl.space import bind
from comfygraph.errors import BuildError, CatalogError, UsageError

EXAMPLES = sorted((Path(__file__).parent.parent.parent / "examples").glob("*.json"))


@pytest.mark.parametrize("name", TEMPLATES)
def test_templates_come_back(name: str):
    """
    The prompt of every official template is the same graph again, with its titles.
    """
    prompt = template_prompt(name)
    again = built(decompile(prompt))

    assert shape(prompt) == shape(again)
    assert titles(prompt) <= titles(again)


@pytest.mark.parametrize("path", EXAMPLES, ids=[path.stem for path in EXAMPLES])
def test_examples_come_back_as_they_are(path: Path):
    """
    What the DSL built is the same again, titles included; only ids may change.
    """
    prompt = Prompt.from_json(json.loads(path.read_text("utf-8")))
    code = decompile(prompt)
    again = built(code)

    assert shape(prompt) == shape(again)
    assert sorted(node.title for node in prompt.nodes()) == sorted(
        node.title for node in again.nodes()
    )
    assert code == decompile(prompt)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(valid_prompts())
def test_valid_prompts_come_back(prompt: Prompt):
    """
    What the catalog has nothing against is the same graph again, without a raw node.
    """
    code = decompile(prompt)
    again = built(code)

    assert shape(prompt) == shape(again)
    assert titles(prompt) <= titles(again)
    assert "raw_node(" not in code


@given(loose_prompts())
def test_any_prompt_comes_back_or_says_why_not(prompt: Prompt):
    """
    Whatever stands in a prompt, the script gives the same, or there are problems with names.
    """
    try:
        again = built(decompile(prompt))
    except BuildError as exc:
        assert bool(prompt) == bool(exc.problems)  # noqa: PT017
    else:
        assert shape(prompt) == shape(again)
        assert titles(prompt) <= titles(again)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(catalogs())
def test_classes_of_any_catalog_come_back(catalog: NodeCatalog):
    """
    Nodes of every shape of catalog are written with the classes of their package.
    """
    try:
        text = make_package(catalog).files["catalog.json"]
    except CatalogError:
        return
    module = types.ModuleType("any_pack")
    find, names = bind("any_pack", _compact(text.encode(), Path("any_pack")))
    module.__dict__.update(__getattr__=find, __dir__=names)
    for short, name in NodeSpace(catalog).names().items():
        node = find(short)()
        try:
            user = raw_node("User", **{f"i{slot}": out for slot, out in enumerate(node)})
            prompt = build(node, user)
        except BuildError:
            continue
        code = decompile(prompt, catalog, module="any_pack")
        sys.modules["any_pack"] = module
        try:
            again = built(code)
        finally:
            del sys.modules["any_pack"]

        assert shape(prompt) == shape(again)
        assert f'raw_node("{name}"' not in code


def test_a_script_reads_well():
    """
    Names tell what things are for, defaults are left out, small nodes stand where they are used.
    """
    model, encode = ["1", 0], {"clip": ["1", 1]}
    prompt = prompt_of(
        ("CheckpointLoaderSimple", {"ckpt_name": "xl.safetensors"}, "Load Checkpoint"),
        ("CLIPTextEncode", {"text": 'a "sign"\nby the sea', **encode}),
        ("CLIPTextEncode", {"text": ", ".join(["blurry and grey"] * 9), **encode}),
        ("EmptyLatentImage", {"width": 1024, "height": 512, "batch_size": 1}),
        ("KSampler", {
            "model": model, "seed": 7, "steps": 20, "cfg": 8, "sampler_name": "euler",
            "scheduler": "karras", "positive": ["2", 0], "negative": ["3", 0],
            "latent_image": ["4", 0], "denoise": 1}, "first pass"),
        ("VAEDecode", {"samples": ["5", 0], "vae": ["1", 2]}),
        ("SaveImage", {"images": ["6", 0], "filename_prefix": "sea"}),
    )  # fmt: skip

    assert """\
model, clip, vae = CheckpointLoaderSimple("xl.safetensors")
positive = CLIPTextEncode('a "sign"\\nby the sea', clip)
negative = CLIPTextEncode(
    "blurry and grey, blurry and grey, blurry and grey, blurry and grey, blurry and grey, blurry "
    "and grey, blurry and grey, blurry and grey, blurry and grey",
    clip,
)
first_pass = KSampler(
    model,
    seed=7,
    scheduler="karras",
    positive=positive,
    negative=negative,
    latent_image=EmptyLatentImage(width=1024),
    title="first pass",
)
prompt = build(SaveImage(VAEDecode(first_pass, vae), "sea"))""" == body(decompile(prompt))


def test_dynamic_inputs_have_their_python_form():
    """
    Groups become lists, choices objects with what goes with them; gaps stay gaps.
    """
    prompt = prompt_of(
        ("EmptyImage", {"width": 64, "height": 64, "batch_size": 1, "color": 0}),
        ("BatchImagesNode", {"images.image0": ["1", 0], "images.image2": ["1", 0]}),
        ("ResizeImageMaskNode", {
            "input": ["2", 0], "resize_type": "scale by multiplier",
            "resize_type.multiplier": 1.5, "scale_method": "area"}),
        ("PreviewImage", {"images": ["3", 0]}),
    )  # fmt: skip

    assert """\
image = EmptyImage(width=64, height=64)
resized = ResizeImageMaskNode(
    BatchImagesNode([image, None, image]),
    resize_type={"resize_type": "scale by multiplier", "multiplier": 1.5},
)
prompt = build(PreviewImage(resized))""" == body(decompile(prompt))


def test_a_package_gives_its_classes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """
    With a package of stubs its classes are imported from there, all others from the core.
    """
    catalog = load_catalog(ODD_PACK)
    write_package(make_package(catalog), tmp_path / "odd_nodes")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    inputs = {
        "self": ["1", 0], "class": 3, "_cls": 1, "cls": "c", "title": "t", "cfg scale": 1,
        "cfg-scale": 0.5, "ckpt": "any.safetensors",
    }  # fmt: skip
    prompt = prompt_of(
        ("UNETLoader", {"unet_name": "a", "weight_dtype": "default"}),
        ("🔥 Load", {**inputs, "mode": "z", "extra": ["1", 0]}, "More"),
        ("🔥 Load", {**inputs, "mode": "y"}, "Fire"),
        ("Load", {"source": ["3", 0]}),
        ("from", {}),
    )
    code = decompile(prompt, catalog, module="odd_nodes")
    again = built(code)
    sys.modules.pop("odd_nodes")

    assert shape(prompt) == shape(again)
    assert """\
from comfygraph.dsl import build, named, raw_node
from comfygraph.nodes import UNETLoader
from odd_nodes import Load, Load_33ef, from_

model = UNETLoader("a")
# 🔥 Load would refuse it: `mode` is 'z', not in its list
more = named(
    "More",
    raw_node(
        "🔥 Load",
        self=model,
        _cls=1,
        cls="c",
        title="t",
        ckpt="any.safetensors",
        mode="z",
        extra=model,
        **{"class": 3, "cfg scale": 1, "cfg-scale": 0.5},
    ),
)
fire = named(
    "Fire",
    Load_33ef(
        model,
        class_=3,
        cls="c",
        title="t",
        cfg_scale_2=0.5,
        ckpt="any.safetensors",
        mode="y",
    ),
).a_b
load = Load(fire)
from_2 = from_()
prompt = build(more, load, from_2)""" == code.partition("import json\n\n")[2].partition(
        "\n\nif __name__"
    )[0]


@pytest.mark.parametrize("module", ["a b", "", "a..b", "class", "a;import os", "1a", "a\n"])
def test_a_module_has_a_name(module: str):
    """
    What is no name of a module is refused; without its catalog any is.
    """
    prompt = prompt_of(("A", {}))
    with pytest.raises(UsageError, match="is no name of a module"):
        decompile(prompt, load_catalog(ODD_PACK), module=module)
    with pytest.raises(UsageError):
        decompile(prompt, module=module)


def test_the_command(tmp_path: Path):
    """
    The script of a graph goes to a file; run, it prints the prompt; mistakes name the node.
    """
    script = tmp_path / "graph.py"
    example = next(path for path in EXAMPLES if path.stem == "hires")
    done = CliRunner().invoke(command, [str(example), "-o", str(script)])
    assert (0, "") == (done.exit_code, done.output)
    ran = subprocess.run([sys.executable, str(script)], capture_output=True, check=True)
    again = CliRunner().invoke(command, ["-"], input=ran.stdout)

    assert script.read_text("utf-8") == again.output
    assert json.loads(ran.stdout) == built(again.output).to_json()
    broken = CliRunner().invoke(
        command, ["-"], input='{"1": {"class_type": "A", "inputs": {"x": ["9", 0]}}}'
    )
    assert isinstance(broken.exception, BuildError)
    assert "A (1): `x` links to node `9`, which is not there" in str(broken.exception)
    alone = CliRunner().invoke(command, [str(example), "--module", "mynodes"])
    assert isinstance(alone.exception, UsageError)
