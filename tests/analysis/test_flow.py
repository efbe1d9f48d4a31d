"""
The engine: what flows, what stays unknown, and how long it takes.
"""

from __future__ import annotations

from typing import Any

import pytest
from counting import growth
from flow_graphs import CATALOG, Graph, advanced, base, flow_of, lora, node, sampler
from hypothesis import given, settings
from hypothesis import strategies as st

from comfygraph.analysis.facts import MOST_PARTS, MOST_TEXTS, Domain, complete, parts_of
from comfygraph.analysis.families import FAMILIES
from comfygraph.analysis.flow import Flow
from comfygraph.catalog import catalog_from_mapping
from comfygraph.errors import UsageError


def entry(module: str, inputs: dict[str, str], outputs: list[str]) -> dict[str, Any]:
    """An entry of `/object_info`."""
    return {
        "input": {"required": {name: [kind, {}] for name, kind in inputs.items()}},
        "output": outputs,
        "output_name": outputs,
        "output_is_list": [False] * len(outputs),
        "python_module": module,
    }


def run_of(graph: Graph, **options: Any) -> Any:
    """What reaches the sampler (5)."""
    return flow_of(graph, **options)["5"].sampling


def test_all_that_reaches_a_sampler() -> None:
    """
    A sampler knows its checkpoint, its LoRAs in order, its texts, its latent and its steps.
    """
    graph = base(
        "sd_xl_base_1.0.safetensors",
        n10=lora("1", "a.pt", 0.5),
        n11=lora("10", "b.pt", 0.8),
        n2={"clip": ["11", 1]},
        n5={"model": ["11", 0], "seed": 2**64 - 1},
    )
    run = run_of(graph)

    assert (2**64 - 1, 20, 1.0, 7.0, "euler normal") == (
        run.seed, run.steps, run.denoise, run.cfg, run.sampler,
    )  # fmt: skip
    assert ("sd_xl_base_1.0.safetensors", FAMILIES["sdxl"], False) == (
        run.model.name, run.model.family, run.model.sure,
    )  # fmt: skip
    assert [("b.pt", 0.8), ("a.pt", 0.5)] == [
        (part.name, part.strength) for part in parts_of(run.model.parts)
    ]
    assert "a lighthouse" == run.positive.texts[0].text
    assert ["b.pt", "a.pt"] == [part.name for part in parts_of(run.positive.texts[0].clip.parts)]
    assert None is run.negative.texts[0].clip.parts
    assert ("empty", "4") == (run.latent.kind, run.latent.node_id)


def test_guiders_and_schedules() -> None:
    """
    A sampler that takes a guider, a noise and a schedule is told the same by them.
    """
    graph = base(
        n8=node("CFGGuider", model=["1", 0], positive=["2", 0], negative=["3", 0], cfg=5.0),
        n9=node("BasicScheduler", model=["1", 0], scheduler="normal", steps=20, denoise=0.5),
        n10=node("SplitSigmas", sigmas=["9", 0], step=15),
        n11=node("RandomNoise", noise_seed=9),
        n12=node("KSamplerSelect", sampler_name="euler"),
        n5=node(
            "SamplerCustomAdvanced", noise=["11", 0], guider=["8", 0], sampler=["12", 0],
            sigmas=["10", 0], latent_image=["4", 0],
        ),
    )  # fmt: skip
    run = run_of(graph)

    assert (40, 20, 35, 15, 5.0, 9, True) == (
        run.total, run.first, run.last, run.steps, run.cfg, run.seed, run.adds_noise,
    )  # fmt: skip
    assert ("8", ("positive", "negative")) == (run.holder, run.inputs)
    assert "blurry" == run.negative.texts[0].text


def test_families() -> None:
    """
    A reference map is asked first, then the ecosystem of an AIR, then the name of the file.
    """
    air = "urn:air:flux1:checkpoint:civitai:618692@691639"
    told = {"odd_sdxl.pt": "SD 1.5", "123": "pony"}
    found = [
        run_of(base(name), families=told).model[3:5]
        for name in ("odd_sdxl.pt", "123", air, "sdxl.pt", "my.pt")
    ]

    assert [
        (FAMILIES["sd1"], True), (FAMILIES["sdxl"], True), (FAMILIES["flux1"], True),
        (FAMILIES["sdxl"], False), (None, False),
    ] == found  # fmt: skip


def test_what_sockets_allow() -> None:
    """
    A MODEL keeps its family through a class that nobody has described; its LoRAs are then no
    longer all known. A core class does no more than its kind says.
    """
    raw = {name: dict(CATALOG[name].raw) for name in ("CheckpointLoaderSimple", "KSampler")}
    theirs = catalog_from_mapping(
        {
            **raw,
            "TheirPatch": entry("custom_nodes.pack", {"model": "MODEL", "x": "INT"}, ["MODEL"]),
            "CorePatch": entry("comfy_extras.nodes_x", {"model": "MODEL"}, ["MODEL"]),
            "TwoModels": entry("custom_nodes.pack", {"a": "MODEL", "b": "MODEL"}, ["MODEL"]),
            "TheirScale": entry("custom_nodes.pack", {"image": "IMAGE"}, ["IMAGE"]),
        }
    )
    graph: Graph = {
        "1": node("CheckpointLoaderSimple", ckpt_name="sdxl.pt"),
        "2": node("TheirPatch", model=["1", 0], x=1),
        "3": node("CorePatch", model=["1", 0]),
        "4": node("TwoModels", a=["1", 0], b=["1", 0]),
        "5": node("TheirScale", image=["1", 0]),
        "6": node("NobodyKnows", model=["1", 0]),
    }
    flow = Flow(graph, theirs)
    models = [flow[node_id].at(Domain.MODEL, 0) for node_id in "23456"]

    assert [FAMILIES["sdxl"], FAMILIES["sdxl"], None, None, None] == [
        model and model.family for model in models
    ]
    assert [False, True] == [complete(model) for model in models[:2]]


def test_switches_hand_everything_through() -> None:
    """
    A switch gives what its chosen side brings, in every domain; an undecided one nothing.
    """
    graph = base(
        n8=node("ComfySwitchNode", switch=True, on_true=["1", 0], on_false=["9", 0]),
        n9=node("CheckpointLoaderSimple", ckpt_name="other.pt"),
        n10=node("ComfySwitchNode", switch=False, on_true=["4", 0], on_false=["11", 0]),
        n11=node("EmptyLatentImage", width=640, height=512, batch_size=1),
        n5={"model": ["8", 0], "latent_image": ["10", 0]},
    )
    run = run_of(graph)
    open_run = run_of({**graph, "8": node("ComfySwitchNode", switch=["x", 0], on_true=["1", 0])})

    assert ("model.safetensors", 640, "11") == (
        run.model.name, run.size.width, run.latent.node_id,
    )  # fmt: skip
    assert None is open_run.model


def test_texts_are_bounded() -> None:
    """
    Combining prompts with themselves, again and again, keeps a few texts and says that there
    are more.
    """
    graph = base()
    last = "2"
    for number in range(100, 140):
        graph[str(number)] = node(
            "ConditioningCombine", conditioning_1=[last, 0], conditioning_2=[last, 0]
        )
        last = str(number)
    graph["5"] = sampler(positive=[last, 0])
    prompt = run_of(graph).positive

    assert (MOST_TEXTS, True) == (len(prompt.texts), prompt.open)


@pytest.mark.parametrize("number", [1e308, -1e308, 5e-324, 10**400, -1, 0, float("inf")])
def test_absurd_numbers(number: float) -> None:
    """
    Numbers that no node takes make facts unknown, and raise nothing.
    """
    graph = base(
        n4={"width": number, "height": number, "batch_size": number},
        n5={"steps": number, "denoise": number, "cfg": number, "seed": number},
        n8=node("BasicScheduler", steps=20, denoise=number),
        n9=node("EmptyImage", width=64, height=64, batch_size=1, color=0),
        n10=node("ImageScale", image=["9", 0], width=0, height=number),
        n11=node("ImageScaleBy", image=["9", 0], scale_by=number),
        n12=node("ImageScaleToTotalPixels", image=["9", 0], megapixels=number),
        n13=node("ImageScaleToMaxDimension", image=["9", 0], largest_size=number),
        n14=node("ImagePadForOutpaint", image=["9", 0], left=number, right=0, top=0, bottom=0),
        n15=node("ImageFromBatch", image=["9", 0], batch_index=number, length=number),
        n16=node("LatentCrop", samples=["5", 0], width=number, height=number, x=number, y=number),
        n17=node("EmptyAudio", duration=number),
        n18=node("ResizeImageMaskNode", input=["9", 0], resize_type="scale width",
                 **{"resize_type.width": number}),
    )  # fmt: skip
    sizes = [size for size in map(flow_of(graph).size, graph) if size is not None]

    assert sizes
    assert all(0 < size.width < 10**7 and 0 < size.height < 10**7 for size in sizes)


def test_cycles_and_nonsense() -> None:
    """
    Nodes on a cycle, behind one, or malformed are unknown; the others are not.
    """
    graph: dict[str, Any] = {
        **base(),
        "a": node("LatentUpscaleBy", samples=["b", 0], scale_by=2.0),
        "b": node("LatentUpscaleBy", samples=["a", 0], scale_by=2.0),
        "c": node("VAEDecode", samples=["b", 0], vae=["1", 2]),
        "d": "no node",
        "e": {"class_type": 5, "inputs": []},
        "f": node("ImageScaleBy", image=["6", True], scale_by=[["6"], 0]),
        "g": node("VAEDecode", samples=["5", 99], vae=["5", -99]),
    }
    flow = Flow(graph, CATALOG)

    assert [None] * 5 == [flow.size(node_id) for node_id in "abcfg"]
    assert flow.size("6") is not None


@settings(max_examples=60)
@given(
    st.dictionaries(
        st.sampled_from("123456"),
        st.fixed_dictionaries(
            {
                "class_type": st.sampled_from(
                    ["KSampler", "KSamplerAdvanced", "LoraLoader", "ImageStitch", "VAEEncode",
                     "LatentCrop", "ManualSigmas", "ResizeImageMaskNode", "StringConcatenate"]
                ),
                "inputs": st.dictionaries(
                    st.sampled_from(
                        ["model", "clip", "samples", "steps", "denoise", "image1", "image2",
                         "width", "height", "x", "lora_name", "positive", "resize_type", "input",
                         "string_a", "sigmas", "latent_image", "seed"]
                    ),
                    st.one_of(
                        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=9),
                        st.tuples(st.sampled_from("123456"), st.integers(-2, 3)).map(list),
                        st.lists(st.integers(), max_size=3),
                    ),
                ),
            }
        ),
    )
)  # fmt: skip
def test_any_values(graph: Graph) -> None:
    """
    Whatever stands in the inputs, the flow comes to an end and says something or nothing.
    """
    flow = flow_of(graph)

    assert set(flow.facts) <= set(graph)


def test_what_is_said_of_classes() -> None:
    """
    Words for a class that cannot be read are refused with the nearest that can.
    """
    for words, hint in (
        ({"sise": "scale 2"}, "size"),
        ({"size": "skale 2"}, "scale"),
        ({"size": "scale"}, None),
        ({"size": "new big"}, None),
        ({"size": ""}, "verbs"),
    ):
        with pytest.raises(UsageError) as caught:
            Flow({}, CATALOG, classes={"Their Node": words})
        assert "analysis.classes.Their Node" in caught.value.message
        assert hint is None or hint in (caught.value.hint or "")


@pytest.mark.slow
def test_long_chains_are_linear() -> None:
    """
    Chains of 10,000 LoRAs, and of 10,000 samplers behind them, take work by their length, and
    a chain too long to be looked at is not complete.
    """

    def chain(length: int) -> Graph:
        graph = base()
        last = "1"
        for number in range(100, 100 + length):
            graph[str(number)] = lora(last, f"{number}.pt")
            last = str(number)
        latent = "4"
        for number in range(100, 100 + length):
            name = f"s{number}"
            graph[name] = advanced(model=[last, 0], latent_image=[latent, 0])
            latent = name
        return graph

    short, long = chain(1_000), chain(10_000)
    model = Flow(long, CATALOG).samplings()[-1].model

    assert growth(lambda: Flow(long, CATALOG), lambda: Flow(short, CATALOG)) < 12
    assert model is not None
    assert not complete(model)
    assert MOST_PARTS == len(list(parts_of(model.parts)))
