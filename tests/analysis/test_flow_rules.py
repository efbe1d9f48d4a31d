"""
The rules about dataflow: where they fire, where they just do not, and what must not matter.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from flow_graphs import (
    CATALOG,
    Graph,
    advanced,
    base,
    changed,
    lora,
    node,
    renamed,
    reordered,
    sampler,
    spliced,
)

from comfygraph.core.values import Prompt
from comfygraph.lint import Diagnostic, LintOptions, Severity, lint
from comfygraph.lint.registry import all_rules
from comfygraph.lint.rule import Rule
from comfygraph.workflow import to_workflow

ROOT = Path(__file__).parents[2]
RULES = [rule for rule in all_rules() if rule.id.startswith("CG7")]
SDXL = "urn:air:sdxl:checkpoint:civitai:101055@128078"
SD1 = "urn:air:sd1:checkpoint:civitai:4384@128713"
FAMILIES = {"664602165660323756": "sdxl"}


def example(rule: Rule) -> Graph:
    """The graph that a rule's documentation shows as bad."""
    found = re.search(r"```json\n(.*?)```", rule.documentation, re.S)
    assert found is not None
    graph: Graph = json.loads(found[1])
    return graph


def findings(graph: Graph, rule_id: str | None = None, **options: Any) -> list[Diagnostic]:
    """What the rules about dataflow find, or one of them."""
    report = lint(
        graph, CATALOG, rules=RULES, options=LintOptions(**{"families": FAMILIES, **options})
    )
    return [found for found in report if rule_id in (None, found.rule_id)]


def target_of(rule: Rule) -> str | None:
    """The target that a rule wants."""
    signs = (sign.partition(":") for sign in rule.signs)
    return next((name for kind, _, name in signs if kind == "target"), None)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_names_order_and_nodes_between_do_not_matter(rule: Rule) -> None:
    """
    Other ids, another order, and nodes that hand through in every link leave a finding as it is.
    """
    graph = example(rule)
    target = target_of(rule)

    def kinds(changed: Graph) -> list[str]:
        # Of two that are the same, the one that comes first is the first.
        return [
            "" if rule.id == "CG717" else found.class_type or ""
            for found in findings(changed, rule.id, target=target)
        ]

    first = kinds(graph)
    again = [kinds(renamed(graph)), kinds(reordered(graph))]

    assert first
    assert [first, first] == again


@pytest.mark.parametrize("between", ["ComfySwitchNode", "Reroute"])
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_node_between_that_hands_through(rule: Rule, between: str) -> None:
    """
    A finding does not depend on a node in the way that hands everything through.
    """
    graph = example(rule)
    found = findings(spliced(graph, between), rule.id, target=target_of(rule))

    assert len(findings(graph, rule.id, target=target_of(rule))) == len(found)


@pytest.mark.parametrize("rule", [r for r in RULES if r.id != "CG718"], ids=lambda rule: rule.id)
def test_an_unknown_node_silences(rule: Rule) -> None:
    """
    With a node of an unknown class in each link, nothing is known and nothing is said.
    """
    found = findings(spliced(example(rule), "MysteryNode"), rule.id, target=target_of(rule))

    assert [] == [one.message for one in found]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_findings_show_the_way(rule: Rule) -> None:
    """
    Findings that rest on a way draw it, and none is longer than a line can be.
    """
    for found in findings(example(rule), rule.id, target=target_of(rule)):
        ways = [item.message for item in found.related]
        assert len(found.message) < 300
        if rule.id != "CG718":
            assert any("(" in way for way in ways), found
        assert all("\n" not in way for way in ways)


def test_the_second_pass_of_the_seed() -> None:
    """
    The graph that a service took samples its second pass without the LoRAs of its prompt.
    """
    graph = json.loads((ROOT / "tests/data/seed/tams_workflow.json").read_text("utf-8"))["params"]
    for one in graph.values():
        one["class_type"] = one.pop("classType")
    (found,) = findings(graph, "CG701")

    assert "17" == found.node_id
    assert [
        (
            "prompt: CheckpointLoaderSimple (4) → LoraLoader (10) → LoraLoader (14) → "
            "CLIPTextEncode (6) → KSampler (17)"
        ),
        "model: CheckpointLoaderSimple (4) → KSampler (17)",
    ] == [item.message for item in found.related]
    assert ["14", 0] == found.fixes[0].edits[0].value
    assert not found.fixable


TWO_PASSES: Graph = base(
    n10=lora("1"),
    n2={"clip": ["10", 1]},
    n3={"clip": ["10", 1]},
    n5={"model": ["10", 0]},
    n8=node("LatentUpscaleBy", samples=["5", 0], upscale_method="bilinear", scale_by=1.5),
    n9=sampler(model=["10", 0], latent_image=["8", 0], seed=2, denoise=0.4),
    n6={"samples": ["9", 0]},
)


XL_LORA = "urn:air:sdxl:lora:civitai:118427@128461"
SD1_LORA = "urn:air:sd1:lora:civitai:13941@16576"


def control(name: str, strength: float = 1.0) -> dict[str, Any]:
    """Nodes that put a ControlNet on both prompts of `base`."""
    return {
        "n10": node("ControlNetLoader", control_net_name=name),
        "n11": node("EmptyImage", width=512, height=512, batch_size=1, color=0),
        "n12": node(
            "ControlNetApplyAdvanced", positive=["2", 0], negative=["3", 0],
            control_net=["10", 0], image=["11", 0], strength=strength, start_percent=0.0,
            end_percent=1.0,
        ),
        "n5": {"positive": ["12", 0], "negative": ["12", 1]},
    }  # fmt: skip


def chain(before: dict[str, Any], after: dict[str, Any]) -> Graph:
    """Two advanced samplers, one after the other."""
    return base(
        n5=advanced(**before), n9=advanced(latent_image=["5", 0], **after), n6={"samples": ["9", 0]}
    )


LEFT = {"end_at_step": 10, "return_with_leftover_noise": "enable"}
REST = {"add_noise": "disable", "start_at_step": 10}
PHOTO = {
    "n8": node("LoadImage", image="photo.png"),
    "n9": node("VAEEncode", pixels=["8", 0], vae=["1", 2]),
}
MASKED = node("SetLatentNoiseMask", samples=["9", 0], mask=["8", 1])
BAD_TEXT = "worst quality, low quality, bad anatomy, watermark"

FIRES: dict[str, tuple[str, Graph, str]] = {
    "a second pass past the LoRA": (
        "CG701", changed(TWO_PASSES, n9={"model": ["1", 0]}), "style.safetensors",
    ),
    "a second pass with one LoRA of two": (
        "CG701",
        changed(TWO_PASSES, n11=lora("10", "ink.safetensors"), n2={"clip": ["11", 1]},
                n5={"model": ["11", 0]}),
        "ink.safetensors",
    ),
    "a LoRA of another family by name": (
        "CG702",
        base("sd_xl_base_1.0.safetensors", n10=lora("1", "detail_sd15.safetensors"),
             n5={"model": ["10", 0]}),
        "SD 1.x",
    ),
    "a ControlNet of another family by name": (
        "CG703",
        base("v1-5-pruned-emaonly.ckpt", **control("sdxl_canny.safetensors")),
        "SDXL",
    ),
    "an encoded picture of another family": (
        "CG704",
        base("sd_xl_base_1.0.safetensors", **PHOTO,
             n13=node("VAELoader", vae_name="ae.safetensors"),
             n14=node("VAEEncode", pixels=["8", 0], vae=["13", 0]),
             n5={"latent_image": ["14", 0], "denoise": 0.5}),
        "flux1",
    ),
    "an embedding of a reference map": (
        "CG705",
        base("664602165660323756",
             n3={"text": "(embedding:urn:air:sd1:embedding:civitai:7808@9208:1.2)"}),
        "SD 1.x",
    ),
    "an embedding without a name at the end": (
        "CG706", base(n3={"text": "blurry, embedding:"}), "no name",
    ),
    "a tag of a LoRA that is there": (
        "CG707",
        changed(TWO_PASSES, n2={"text": "a <lora:Style:1>"}),
        "already",
    ),
    "an advanced sampler that starts late": (
        "CG711", base(n5=advanced(start_at_step=5)), "step 5 of 20",
    ),
    "a custom sampler with a part of a schedule": (
        "CG711",
        base(n8=node("BasicScheduler", model=["1", 0], scheduler="normal", steps=20, denoise=0.5),
             n9=node("KSamplerSelect", sampler_name="euler"),
             n5=node("SamplerCustom", model=["1", 0], add_noise=True, noise_seed=1, cfg=7.0,
                     positive=["2", 0], negative=["3", 0], sampler=["9", 0], sigmas=["8", 0],
                     latent_image=["4", 0])),
        "denoise 0.5",
    ),
    "a picture under all noise": (
        "CG712", base(**PHOTO, n5={"latent_image": ["9", 0]}), "nothing of",
    ),
    "two nodes with the same text": (
        "CG713", base(n3={"text": "a lighthouse"}), "cfg 7",
    ),
    "prompts the wrong way round": (
        "CG714", base(n2={"text": BAD_TEXT}, n3={"text": "a cat"}), "lists",
    ),
    "steps made twice": (
        "CG715", chain(LEFT, {**REST, "start_at_step": 8}), "makes again",
    ),
    "no noise to begin with": (
        "CG715", chain({"end_at_step": 10}, REST), "without noise",
    ),
    "noise twice": (
        "CG715", chain(LEFT, {"start_at_step": 10}), "adds noise",
    ),
    "an empty latent": ("CG716", base(n6={"samples": ["4", 0]}), "empty"),
    "the same in two ways": (
        "CG717",
        base(n8=advanced(), n9=node("VAEDecode", samples=["8", 0], vae=["1", 2]),
             n10=node("PreviewImage", images=["9", 0])),
        "same picture",
    ),
    "scaled to the same size": (
        "CG718",
        base(n8=node("ImageScale", image=["6", 0], upscale_method="area", width=512, height=512,
                     crop="disabled"), n7={"images": ["8", 0]}),
        "same size",
    ),
    "no step to make": ("CG718", base(n5={"denoise": 0.0}), "no step"),
    "encoded behind a switch right after it was decoded": (
        "CG719",
        base(n8=node("ComfySwitchNode", switch=False, on_true=["6", 0], on_false=["6", 0]),
             n9=node("VAEEncodeTiled", pixels=["8", 0], vae=["1", 2]),
             n10=sampler(latent_image=["9", 0], denoise=0.4),
             n11=node("VAEDecode", samples=["10", 0], vae=["1", 2]), n7={"images": ["11", 0]}),
        "just decoded",
    ),
    "too large for TensorArt": (
        "CG724", base("664602165660323756", n4={"width": 1536, "height": 1536}), "1536",
    ),
    "stretched": (
        "CG721",
        base(n8=node("ImageScale", image=["6", 0], upscale_method="area", width=1024, height=512,
                     crop="disabled"), n7={"images": ["8", 0]}),
        "100% wider",
    ),
    "cut by a large VAE": (
        "CG722",
        base(n8=node("EmptyImage", width=520, height=512, batch_size=1, color=0),
             n13=node("VAELoader", vae_name="flux2-vae.safetensors"),
             n9=node("VAEEncode", pixels=["8", 0], vae=["13", 0]),
             n5={"latent_image": ["9", 0], "denoise": 0.5}),
        "512 × 512",
    ),
    "much too large": ("CG723", base(SD1, n4={"width": 1024, "height": 1536}), "6 times"),
}  # fmt: skip

SILENT: dict[str, tuple[str, Graph]] = {
    "a second pass with the LoRA": ("CG701", TWO_PASSES),
    "a LoRA for the CLIP alone": (
        "CG701", changed(TWO_PASSES, n5={"model": ["1", 0]}, n9={"model": ["1", 0]}),
    ),
    "a LoRA of strength 0": (
        "CG701",
        changed(TWO_PASSES, n9={"model": ["1", 0]},
                n10={"strength_model": 0.0, "strength_clip": 0.0}),
    ),
    "a second pass of another checkpoint": (
        "CG701",
        changed(TWO_PASSES, n11=node("CheckpointLoaderSimple", ckpt_name="refiner.safetensors"),
                n9={"model": ["11", 0]}),
    ),
    "a LoRA of the same family": (
        "CG702", base(SDXL, n10=lora("1", XL_LORA), n5={"model": ["10", 0]}),
    ),
    "a LoRA whose name tells nothing": (
        "CG702", base(SDXL, n10=lora("1"), n5={"model": ["10", 0]}),
    ),
    "a LoRA of a near relation": (
        "CG702",
        base("chroma1-hd.safetensors", n10=lora("1", "flux1-style.safetensors"),
             n5={"model": ["10", 0]}),
    ),
    "a LoRA of strength 0 of another family": (
        "CG702", base(SDXL, n10=lora("1", SD1_LORA, 0.0), n5={"model": ["10", 0]}),
    ),
    "a ControlNet that is off": (
        "CG703", base("v1-5-pruned-emaonly.ckpt", **control("sdxl_canny.safetensors", 0.0)),
    ),
    "a VAE of the same space": (
        "CG704",
        base("v1-5-pruned-emaonly.ckpt",
             n8=node("VAELoader", vae_name="vae-ft-mse-840000-ema-pruned.safetensors"),
             n6={"vae": ["8", 0]}),
    ),
    "a VAE of an unknown name": (
        "CG704", base(SDXL, n8=node("VAELoader", vae_name="x.pt"), n6={"vae": ["8", 0]}),
    ),
    "an embedding whose name tells nothing": ("CG705", base(SDXL, n3={"text": "embedding:bad"})),
    "embedding as a word": ("CG706", base(n3={"text": "an embedding of words"})),
    "a lora without a tag": ("CG707", base(n2={"text": "lora: style 0.8 <lora"})),
    "low denoise on a picture": (
        "CG711", base(**PHOTO, n5={"latent_image": ["9", 0], "denoise": 0.5}),
    ),
    "an empty latent from the first step": ("CG711", base(n5=advanced(end_at_step=10))),
    "a masked picture": (
        "CG712", base(**PHOTO, n10=MASKED, n5={"latent_image": ["10", 0]}),
    ),
    "a picture that is a reference too": (
        "CG712",
        base(**PHOTO, n10=node("ReferenceLatent", conditioning=["2", 0], latent=["9", 0]),
             n5={"latent_image": ["9", 0], "positive": ["10", 0]}),
    ),
    "the same prompt with cfg 1": ("CG713", base(n5={"negative": ["2", 0], "cfg": 1.0})),
    "the same text in another area": (
        "CG713",
        base(n3={"text": "a lighthouse"},
             n8=node("ConditioningSetAreaStrength", conditioning=["3", 0], strength=0.5),
             n5={"negative": ["8", 0]}),
    ),
    "a complaint or two in a prompt": (
        "CG714", base(n2={"text": "an ugly, blurry monster"}, n3={"text": "a cat"}),
    ),
    "complaints on both sides": (
        "CG714", base(n2={"text": BAD_TEXT}, n3={"text": "ugly"}),
    ),
    "steps that join": ("CG715", chain(LEFT, REST)),
    "steps that join in other numbers": (
        "CG715", chain(LEFT, {**REST, "steps": 40, "start_at_step": 20, "end_at_step": 40}),
    ),
    "a second pass with noise of its own": ("CG715", chain({}, {"start_at_step": 10})),
    "leftover noise at the end of the steps": (
        "CG716", base(n5=advanced(return_with_leftover_noise="enable")),
    ),
    "another seed": (
        "CG717",
        base(n8=advanced(noise_seed=2), n9=node("VAEDecode", samples=["8", 0], vae=["1", 2]),
             n10=node("PreviewImage", images=["9", 0])),
    ),
    "the same letter by letter": (
        "CG717",
        base(n8=sampler(), n9=node("VAEDecode", samples=["8", 0], vae=["1", 2]),
             n10=node("PreviewImage", images=["9", 0])),
    ),
    "another size with the same seed": (
        "CG717",
        base(n10=node("EmptyLatentImage", width=640, height=512, batch_size=1),
             n8=advanced(latent_image=["10", 0]),
             n9=node("VAEDecode", samples=["8", 0], vae=["1", 2]),
             n11=node("PreviewImage", images=["9", 0])),
    ),
    "a LoRA for the model alone": (
        "CG718",
        changed(TWO_PASSES, n10={"strength_clip": 0.0}),
    ),
    "another VAE on the way back": (
        "CG719",
        base(n8=node("VAELoader", vae_name="other.pt"),
             n9=node("VAEEncode", pixels=["6", 0], vae=["8", 0]),
             n10=node("PreviewImage", images=["6", 0])),
    ),
    "one side follows": (
        "CG721",
        base(n8=node("ImageScale", image=["6", 0], upscale_method="area", width=1024, height=0,
                     crop="disabled"), n7={"images": ["8", 0]}),
    ),
    "cropped": (
        "CG721",
        base(n8=node("ImageScale", image=["6", 0], upscale_method="area", width=1024, height=512,
                     crop="center"), n7={"images": ["8", 0]}),
    ),
    "a picture of unknown size": ("CG722", base(**PHOTO, n5={"latent_image": ["9", 0]})),
    "a usual size": ("CG723", base(SD1, n4={"width": 512, "height": 768})),
    "a second pass in a large size": ("CG723", changed(TWO_PASSES, n1={"ckpt_name": SD1})),
    "a size that fits": ("CG724", base("664602165660323756", n4={"width": 1024, "height": 1536})),
}  # fmt: skip


@pytest.mark.parametrize("name", FIRES)
def test_fires(name: str) -> None:
    """
    Each kind of mistake is found, once, and the message says which.
    """
    rule_id, graph, words = FIRES[name]
    found = findings(graph, rule_id, target="tams" if rule_id == "CG724" else None)

    assert 1 == len(found), [one.message for one in found]
    assert words in found[0].message


@pytest.mark.parametrize("name", SILENT)
def test_near_misses(name: str) -> None:
    """
    What is right, or may well be, is not reported.
    """
    rule_id, graph = SILENT[name]
    target = "tams" if rule_id == "CG724" else None

    assert [] == [one.message for one in findings(graph, rule_id, target=target)]


def test_every_rule_has_both() -> None:
    """
    Each rule about dataflow has graphs where it fires and near misses where it does not.
    """
    ids = {rule.id for rule in RULES}

    assert ids == {rule_id for rule_id, *_ in FIRES.values()}
    assert ids == {rule_id for rule_id, *_ in SILENT.values()}


def test_what_only_names_tell_is_an_info() -> None:
    """
    Families from AIRs or a reference map make warnings, those from file names infos.
    """
    sure = base("my.ckpt", n10=lora("1", "style.pt"), n5={"model": ["10", 0]})
    told = {"my.ckpt": "SDXL 1.0", "style.pt": "sd1"}
    named = FIRES["a LoRA of another family by name"][1]

    assert [Severity.WARNING] == [
        found.severity for found in findings(sure, "CG702", families=told)
    ]
    assert [Severity.INFO] == [found.severity for found in findings(named, "CG702")]
    assert [] == findings(sure, "CG702")


def test_classes_of_the_configuration() -> None:
    """
    A pack's own sampler and upscaler are followed once the configuration speaks of them.
    """
    graph = base(
        n5={**sampler(denoise=0.5), "class_type": "TheirSampler"},
        n8=node("TheirUpscale", image=["6", 0]),
        n9=node("ImageScale", image=["8", 0], upscale_method="area", width=1024, height=2048,
                crop="disabled"),
        n7={"images": ["9", 0]},
    )  # fmt: skip
    classes = {
        "TheirSampler": {"noise": "sampler", "size": "of latent_image"},
        "TheirUpscale": {"size": "scale 2 image"},
    }

    assert [] == findings(graph)
    assert ["CG711", "CG721"] == [found.rule_id for found in findings(graph, classes=classes)]


def test_a_bypassed_sampler() -> None:
    """
    In a workflow whose sampler is bypassed, the decoder of the empty latent is pointed at, in
    the file that the person has.
    """
    workflow = to_workflow(Prompt.from_json(base()), CATALOG)
    before = lint(workflow, CATALOG, rules=RULES)
    for one in workflow["nodes"]:
        if one["type"] == "KSampler":
            one["mode"] = 4
    (found,) = lint(workflow, CATALOG, rules=RULES)

    assert [] == list(before)
    assert ("CG716", "VAEDecode") == (found.rule_id, found.class_type)
    assert found.pointer.startswith("/nodes/")


def test_a_sampler_that_always_adds_noise() -> None:
    """
    To a sampler that has no switch for its noise, none is recommended.
    """
    graph = base(
        n5=advanced(**LEFT),
        n9=sampler(latent_image=["5", 0], denoise=0.5),
        n6={"samples": ["9", 0]},
    )
    (found,) = findings(graph, "CG715")

    assert "adds noise" in found.message
    assert "KSamplerAdvanced" in (found.help or "")


def test_civitai_has_no_embeddings_by_name() -> None:
    """
    For Civitai an embedding is an AIR; a name that another service would know is reported.
    """
    graph = base(n3={"text": "embedding:easynegative, blurry"})

    assert [] == findings(graph, "CG706")
    assert 1 == len(findings(graph, "CG706", target="civitai"))
