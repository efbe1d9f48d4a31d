"""
CG602 unused-output.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule


@rule(
    id="CG602",
    name="unused-output",
    severity=Severity.INFO,
    signs=("loader",),
)
def unused_output(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports loaders of models whose main output, the MODEL, nobody takes though another output is taken.

    ## Why is this bad?
    Either a link goes past the node, which is easily overlooked, or gigabytes are read for a small part of
    them, which has loaders of its own.

    ## Example
    ```json
    {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "model.safetensors"}},
     "2": {"class_type": "LoraLoader", "inputs": {"model": ["1", 0], "clip": ["1", 1], "lora_name": "style.safetensors", "strength_model": 1.0, "strength_clip": 1.0}},
     "3": {"class_type": "CheckpointSave", "inputs": {"model": ["1", 0], "clip": ["2", 1], "vae": ["1", 2], "filename_prefix": "merged"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "model.safetensors"}},
     "2": {"class_type": "LoraLoader", "inputs": {"model": ["1", 0], "clip": ["1", 1], "lora_name": "style.safetensors", "strength_model": 1.0, "strength_clip": 1.0}},
     "3": {"class_type": "CheckpointSave", "inputs": {"model": ["2", 0], "clip": ["2", 1], "vae": ["1", 2], "filename_prefix": "merged"}}}
    ```
    """
    used: set[tuple[str, int]] = {(link.source, link.slot) for link in ctx.links}
    for node_id, definition in ctx.definitions.items():
        if not definition.files or len(definition.outputs) < 2 or node_id not in ctx.reachable:
            continue
        folders = set(definition.files.values())
        lora = "loras" in folders
        if not lora and "checkpoints" not in folders:
            continue
        count = len(definition.outputs)
        for output in definition.outputs:
            taken = {(node_id, output.slot), (node_id, output.slot - count)}
            if output.type != "MODEL" or not taken.isdisjoint(used):
                continue
            if lora:
                message = "nobody takes its MODEL: the LoRA changes the text encoder only"
                help = "link the `model` of a sampler to it"
            else:
                message = "nobody takes its MODEL: the whole checkpoint is read for its other parts"
                help = "VAELoader and CLIPLoader read the parts alone"
            yield ctx.at_node(node_id, message, help=help)
