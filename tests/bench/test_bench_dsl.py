"""
How fast graphs in Python are: imports, builds, stubs.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest
from measure import Compare, processor_seconds

from comfygraph.catalog import load_catalog
from comfygraph.dsl import build
from comfygraph.dsl.package import make_package
from comfygraph.nodes import (
    CheckpointLoaderSimple,
    CLIPTextEncode,
    EmptyLatentImage,
    KSampler,
    LatentUpscale,
    SaveImage,
    VAEDecode,
)


def _chain(length: int) -> Any:
    node: Any = EmptyLatentImage(64, 64)
    for index in range(length - 1):
        node = LatentUpscale(
            node, upscale_method="area", width=64 + index % 97, height=64, crop="disabled"
        )
    return node


def _pictures(count: int) -> list[Any]:
    model, clip, vae = CheckpointLoaderSimple("a.safetensors")
    empty = EmptyLatentImage(64, 64)
    nodes = []
    for index in range(count):
        text = CLIPTextEncode(f"picture {index}", clip)
        latent = KSampler(model, seed=index, positive=text, negative=text, latent_image=empty)
        nodes.append(SaveImage(VAEDecode(latent, vae)))
    return nodes


def test_a_chain_of_ten_thousand_costs_little_more_than_its_json(compare: Compare) -> None:
    """
    Written, built and serialised: six times `json.dumps` of the result.
    """
    document = build(_chain(10_000)).to_json()

    compare(
        lambda: json.dumps(build(_chain(10_000)).to_json()),
        lambda: json.dumps(document),
        aim=6,
        rounds=7,
    )


@pytest.mark.parametrize("make", [_chain, lambda size: _pictures(size // 4)])
def test_growth_is_linear(compare: Compare, make: Any) -> None:
    """
    Ten times the nodes take ten times as long.
    """
    compare.growth(lambda: build(make(10_000)), lambda: build(make(1_000)), times=10)


def test_a_thousand_nodes_build_in_ten_milliseconds(compare: Compare) -> None:
    """
    10 ms for `build`, written as a ratio to `json.loads` of the prompt, which takes 2.6 ms.
    """
    nodes = _pictures(250)
    text = json.dumps(build(nodes).to_json())

    compare(lambda: build(nodes), lambda: json.loads(text), aim=3.8, rounds=15)


def test_lines_of_long_scripts_are_not_looked_up_at_each_call(compare: Compare) -> None:
    """
    Eight times the statements in one script take eight times as long.
    """

    def script(length: int) -> Any:
        lines = "".join(f"EmptyLatentImage(64, {index})\n" for index in range(length))
        return compile(lines, "long.py", "exec")

    long, short = script(16_000), script(2_000)
    names = {"EmptyLatentImage": EmptyLatentImage}

    compare.growth(lambda: exec(long, names), lambda: exec(short, names), times=8)


@pytest.mark.slow
@pytest.mark.parametrize("count", [1_000, 5_000])
def test_stubs_of_a_thousand_classes_take_half_a_second(compare: Compare, count: int) -> None:
    """
    Classes as large as those of the core under names of their own: half a second a thousand,
    which is 38 times what it takes to parse their `/object_info`; and five thousand no more for
    each.
    """
    core = load_catalog()
    entries = [core[name].raw for name in core.names()]
    text = json.dumps({f"🔥 Odd {i} / x": entries[i % len(entries)] for i in range(count)})

    def work() -> None:
        make_package(load_catalog(json.loads(text)))

    compare(work, lambda: json.loads(text), aim=38, rounds=3 if count < 2000 else 1)


@pytest.mark.parametrize(
    ("statement", "aim"),
    [
        ("import comfygraph", 2.0),
        ("from comfygraph.nodes import CheckpointLoaderSimple, KSampler, SaveImage", 4.0),
    ],
)
def test_imports_are_cheap(compare: Compare, statement: str, aim: float) -> None:
    """
    30 ms above a bare interpreter for the package, 60 for node classes; as ratios to it here.
    """

    def seconds(code: str) -> float:
        return processor_seconds([sys.executable, "-c", code])

    rounds = 8 if compare.measuring else 1
    pairs = [(seconds(statement), seconds("pass")) for _ in range(rounds)]

    if compare.measuring:
        compare.hold(min(pair[0] for pair in pairs) / min(pair[1] for pair in pairs), aim)
