"""
The models that a graph needs.
"""

from __future__ import annotations

from typing import Any

import pytest
from counting import calls
from hypothesis import given
from hypothesis import strategies as st

from comfygraph.catalog import bundled_catalog, catalog_from_mapping
from comfygraph.core.values import Prompt
from comfygraph.references.uses import Confidence, ModelUse, models_of

CATALOG = bundled_catalog()
AIR = "urn:air:sdxl:lora:civitai:58390@62833"


def uses(class_type: str, **inputs: Any) -> list[ModelUse]:
    """
    Give the models of a graph of one node.
    """
    prompt = Prompt.from_json({"1": {"class_type": class_type, "inputs": inputs}})
    return models_of(prompt, CATALOG)


def test_loaders_name_models() -> None:
    """
    Inputs that list files name models, in the order of the graph; links and images do not.
    """
    prompt = Prompt.from_json(
        {
            "4": {"class_type": "CheckpointLoaderSimple",
                  "inputs": {"ckpt_name": "sd_xl_base_1.0.safetensors"},
                  "_meta": {"title": "base"}},
            "5": {"class_type": "LoraLoader",
                  "inputs": {"model": ["4", 0], "clip": ["4", 1], "strength_model": 1,
                             "strength_clip": 1, "lora_name": AIR}},
            "6": {"class_type": "DualCLIPLoader",
                  "inputs": {"clip_name1": "a.safetensors", "clip_name2": ["4", 0],
                             "type": "flux"}},
            "7": {"class_type": "LoadImage", "inputs": {"image": "x.png"}},
            "8": {"class_type": "VAELoader", "inputs": {"vae_name": "pixel_space"}},
            "9": {"class_type": "UpscaleModelLoader",
                  "inputs": {"model_name": "648628718430054626"}},
        }
    )  # fmt: skip
    found = models_of(prompt, CATALOG)

    assert [
        ("4", "base", "ckpt_name", "sd_xl_base_1.0.safetensors", "checkpoint", "checkpoints"),
        ("5", "LoraLoader", "lora_name", AIR, "lora", "loras"),
        ("6", "DualCLIPLoader", "clip_name1", "a.safetensors", "text_encoders", "text_encoders"),
        ("9", "UpscaleModelLoader", "model_name", "648628718430054626", "upscaler",
         "upscale_models"),
    ] == [
        (use.node_id, use.title, use.input, use.value, use.kind, use.folder) for use in found
    ]  # fmt: skip


def test_embeddings_in_texts() -> None:
    """
    A text names embeddings, by file and by AIR, each where it stands.
    """
    air = "urn:air:sd1:embedding:civitai:7808@9208"
    text = f"(embedding:easynegative:1.2), embedding:bad\\hands.pt, x (embedding:{air}:0.9)"
    found = uses("CLIPTextEncode", text=text, clip=["9", 0])

    assert ["easynegative", "bad\\hands.pt", air] == [use.value for use in found]
    assert {"embeddings"} == {use.folder for use in found}
    assert [use.value for use in found] == [
        text[slice(*use.span)] for use in found if use.span is not None
    ]


def test_classes_that_nobody_has_described() -> None:
    """
    Where the class is unknown, names of model files count, and no numbers, texts or addresses.
    """
    found = uses(
        "Power Loader",
        ckpt_name="a.ckpt", lora_2="b.safetensors", what="c.gguf", air=AIR, seed="1" * 18,
        note="see model.safetensors\nbelow", url="https://x.example/d.safetensors",
    )  # fmt: skip

    assert [
        ("a.ckpt", "checkpoints", "checkpoint"),
        ("b.safetensors", "loras", "lora"),
        ("c.gguf", None, None),
        (AIR, None, "lora"),
    ] == [(use.value, use.folder, use.kind) for use in found]
    assert all(use.guessed for use in found)


def test_names_deep_in_a_value() -> None:
    """
    Nodes that take any number of LoRAs have them in objects: each is found where it stands.
    """
    deep: Any = "z.ckpt"
    for _ in range(500):
        deep = [deep]
    found = uses(
        "Power Lora Loader (rgthree)",
        lora_1={"on": True, "lora": "a.safetensors", "strength": 1},
        stack=[{"lora_name": AIR}, {"note": "none", "seed": 7}], deep=deep,
    )  # fmt: skip

    assert [
        ("lora_1", ("lora",), "a.safetensors", "loras"),
        ("stack", (0, "lora_name"), AIR, "loras"),
    ] == [(use.input, use.within, use.value, use.folder) for use in found]


def test_a_servers_lists_count_and_the_bundled_ones_do_not() -> None:
    """
    Only a server knows what it has; the bundled catalog has the lists of some machine.
    """
    entry = {"input": {"required": {"ckpt_name": [["x.safetensors"], {}]}}, "output": []}
    server = catalog_from_mapping({"CheckpointLoaderSimple": entry})
    prompt = Prompt.from_json(
        {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "y.ckpt"}}}
    )

    assert [("x.safetensors",)] == [use.listed for use in models_of(prompt, server)]
    assert [None] == [use.listed for use in models_of(prompt, CATALOG)]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("sd_xl_base_1.0.safetensors", ("sdxl", Confidence.LOW, "its name")),
        (AIR, ("sdxl", Confidence.HIGH, "the ecosystem of its AIR")),
        ("something.safetensors", None),
        ("648628718430054626", None),
    ],
)
def test_what_a_model_is_made_for(value: str, expected: tuple[str, Confidence, str] | None) -> None:
    """
    An AIR says what a model is made for; the name of a file only suggests it.
    """
    (use,) = uses("LoraLoaderModelOnly", lora_name=value)
    family = use.family
    found = None if family is None else (family.family.key, family.confidence, family.why)

    assert expected == found


@given(st.text(max_size=200), st.sampled_from(["CLIPTextEncode", "Unknown", "LoraLoader"]))
def test_any_text_is_taken(text: str, class_type: str) -> None:
    """
    No text of an input brings an exception, and every name is a part of it.
    """
    found = uses(class_type, text=text, lora_name=f"embedding:{text}")

    assert all(use.value in text or use.value in f"embedding:{text}" for use in found)


def test_numbers_in_lists_cost_no_calls() -> None:
    """
    A list of numbers beside a name is passed over, however long it is.
    """
    listed = [*range(100_000), {"lora": "a.safetensors"}]
    prompt = Prompt.from_json({"1": {"class_type": "Odd", "inputs": {"values": listed}}})
    found = models_of(prompt, CATALOG)

    assert ["a.safetensors"] == [use.value for use in found]
    assert calls(lambda: models_of(prompt, CATALOG)) < 150_000
