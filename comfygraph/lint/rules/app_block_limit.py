"""
CG416 app-block-limit.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.rules._targets import MARK, airs_in, read_air
from comfygraph.lint.show import one_of

MAX_NODES = 300
MAX_BYTES = 262_144
MAX_TEXT = 20_000
MAX_AIR = 512
SOURCES = frozenset({"civitai", "huggingface"})
TYPES = frozenset(
    {
        "ag", "checkpoint", "clip", "clipvision", "controlnet", "diffusion_model",
        "diffusionmodel", "dora", "embedding", "hypernet", "lora", "lycoris", "motion",
        "text_encoders", "unet", "upscaler", "vae", "visionlanguage",
    }
)  # fmt: skip


@rule(
    id="CG416",
    name="app-block-limit",
    severity=Severity.ERROR,
    signs=("target:civitai-app",),
)
def app_block_limit(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    With `--target civitai-app`: reports what civitai.com refuses in a graph that an App Block runs: more than
    300 nodes or 262,144 bytes, other keys than `class_type` and `inputs`, sources other than Civitai and
    Hugging Face, types of resources beyond its list, more than 20,000 characters of text.

    ## Why is this bad?
    The site checks these limits before anything reaches the service.

    ## Example
    ```json
    {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "urn:air:sd1:checkpoint:civitai:4384@128713"}, "_meta": {"title": "my model"}},
     "2": {"class_type": "CheckpointSave", "inputs": {"model": ["1", 0], "clip": ["1", 1], "vae": ["1", 2], "filename_prefix": "merged"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "urn:air:sd1:checkpoint:civitai:4384@128713"}},
     "2": {"class_type": "CheckpointSave", "inputs": {"model": ["1", 0], "clip": ["1", 1], "vae": ["1", 2], "filename_prefix": "merged"}}}
    ```
    """
    base = ctx.document.base
    if not 1 <= len(ctx.prompt) <= MAX_NODES:
        yield Finding(f"{len(ctx.prompt)} nodes, 1 to {MAX_NODES} are allowed", base)
    try:
        size = len(
            json.dumps(ctx.prompt, separators=(",", ":"), ensure_ascii=False).encode(
                "utf-8", "replace"
            )
        )
    except RecursionError:
        size = MAX_BYTES + 1
    if size > MAX_BYTES:
        yield Finding(f"{size:,} bytes, at most {MAX_BYTES:,} are allowed", base)
    text = sum(len(value) for _, _, value, _ in ctx.strings)
    if text > MAX_TEXT:
        yield Finding(f"{text:,} characters of text, at most {MAX_TEXT:,} are allowed", base)
    for node_id, node in ctx.prompt.items():
        extra = sorted(set(node) - {"class_type", "inputs"}) if isinstance(node, dict) else []
        if extra:
            message = f"the node has {one_of(extra)}: only `class_type` and `inputs` are allowed"
            yield ctx.at_node(node_id, message, help="`comfygraph submit` leaves them out")
    for node_id, name, value, _ in ctx.strings:
        for air in airs_in(value) if MARK in value else ():
            found = read_air(air)
            if found is None:
                continue
            if len(air) > MAX_AIR:
                yield ctx.at_input(
                    node_id, name, f"an AIR of {len(air)} characters, at most {MAX_AIR} are allowed"
                )
            if found["source"].casefold() not in SOURCES:
                message = f"the source `{found['source']}` is not allowed"
                yield ctx.at_input(node_id, name, message, help=f"one of {one_of(sorted(SOURCES))}")
            elif found["type"].casefold() not in TYPES:
                message = f"the type `{found['type']}` is not allowed"
                yield ctx.at_input(
                    node_id, name, message, help=f"one of {one_of(sorted(TYPES), 20)}"
                )
