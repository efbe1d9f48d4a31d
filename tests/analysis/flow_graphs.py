"""
Graphs for the tests of dataflow, and what can be done to them that changes nothing.
"""

from __future__ import annotations

from typing import Any

from comfygraph.analysis.flow import Flow
from comfygraph.catalog import load_catalog

CATALOG = load_catalog()
Graph = dict[str, dict[str, Any]]


def node(class_type: str, **inputs: Any) -> dict[str, Any]:
    """A node as it stands in a prompt; a link is `["1", 0]`."""
    return {"class_type": class_type, "inputs": inputs}


def sampler(**changes: Any) -> dict[str, Any]:
    """A KSampler with the inputs of `base`, changed."""
    inputs = {
        "model": ["1", 0], "seed": 1, "steps": 20, "cfg": 7.0, "sampler_name": "euler",
        "scheduler": "normal", "positive": ["2", 0], "negative": ["3", 0],
        "latent_image": ["4", 0], "denoise": 1.0,
    }  # fmt: skip
    return node("KSampler", **{**inputs, **changes})


def advanced(**changes: Any) -> dict[str, Any]:
    """A KSamplerAdvanced that makes all steps, changed."""
    inputs = {
        "model": ["1", 0], "add_noise": "enable", "noise_seed": 1, "steps": 20, "cfg": 7.0,
        "sampler_name": "euler", "scheduler": "normal", "positive": ["2", 0],
        "negative": ["3", 0], "latent_image": ["4", 0], "start_at_step": 0, "end_at_step": 20,
        "return_with_leftover_noise": "disable",
    }  # fmt: skip
    return node("KSamplerAdvanced", **{**inputs, **changes})


def lora(source: str, name: str = "style.safetensors", strength: float = 1.0) -> dict[str, Any]:
    """A LoraLoader on the model and the CLIP of `source`."""
    return node(
        "LoraLoader", model=[source, 0], clip=[source, 1], lora_name=name,
        strength_model=strength, strength_clip=strength,
    )  # fmt: skip


def base(checkpoint: str = "model.safetensors", /, **changes: Any) -> Graph:
    """
    From a checkpoint (1) over prompts (2, 3), a latent (4) and a sampler (5) to a picture (6, 7).

    Args:
        checkpoint: The file.
        changes: See `changed`.
    """
    graph: Graph = {
        "1": node("CheckpointLoaderSimple", ckpt_name=checkpoint),
        "2": node("CLIPTextEncode", text="a lighthouse", clip=["1", 1]),
        "3": node("CLIPTextEncode", text="blurry", clip=["1", 1]),
        "4": node("EmptyLatentImage", width=512, height=512, batch_size=1),
        "5": sampler(),
        "6": node("VAEDecode", samples=["5", 0], vae=["1", 2]),
        "7": node("SaveImage", images=["6", 0], filename_prefix="out"),
    }
    return changed(graph, **changes)


def changed(graph: Graph, **changes: Any) -> Graph:
    """
    A graph with nodes changed.

    Args:
        graph: The graph.
        changes: `n5={...}` changes inputs of node 5, or is a whole node; `None` removes it.
    """
    graph = dict(graph)
    for key, value in changes.items():
        node_id = key.removeprefix("n")
        if value is None:
            del graph[node_id]
        elif "class_type" in value:
            graph[node_id] = value
        else:
            graph[node_id] = {
                **graph[node_id], "inputs": {**graph[node_id]["inputs"], **value},
            }  # fmt: skip
    return graph


def flow_of(graph: Graph, **options: Any) -> Flow:
    """What flows in a graph of core classes."""
    return Flow(graph, CATALOG, **options)


def is_link(value: Any) -> bool:
    """Whether a value of an input is a link."""
    return isinstance(value, list) and len(value) == 2 and isinstance(value[0], str)


def with_links(graph: Graph, turn: Any) -> Graph:
    """A graph whose links are turned: `turn(node_id, name, link)` gives the new one."""
    return {
        node_id: {
            **one,
            "inputs": {
                name: turn(node_id, name, value) if is_link(value) else value
                for name, value in one["inputs"].items()
            },
        }
        for node_id, one in graph.items()
    }


def renamed(graph: Graph) -> Graph:
    """The same graph with other ids."""
    turned = with_links(graph, lambda _, __, link: [f"x:{link[0]}9", link[1]])
    return {f"x:{node_id}9": one for node_id, one in turned.items()}


def reordered(graph: Graph) -> Graph:
    """The same graph, last node first."""
    return dict(reversed(graph.items()))


def spliced(graph: Graph, class_type: str = "ComfySwitchNode") -> Graph:
    """A graph with a node in each of its links: a switch, a reroute, or an unknown one."""
    extra: Graph = {}

    def turn(node_id: str, name: str, link: list[Any]) -> list[Any]:
        between = f"{node_id}.{name}"
        extra[between] = node(class_type, **{"": link})
        if class_type == "ComfySwitchNode":
            extra[between] = node(class_type, switch=True, on_true=link, on_false=link)
        return [between, 0]

    return {**with_links(graph, turn), **extra}
