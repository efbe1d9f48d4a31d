"""
CG421 foreign-reference.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.rules._targets import foreign, input_names, model_names


@rule(
    id="CG421",
    name="foreign-reference",
    severity=Severity.ERROR,
    signs=("target:comfyui", "target:emulator"),
)
def foreign_reference(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    With `--target comfyui`: reports models and images that are named as another service names them: by an AIR,
    a number or a URL.

    ## Why is this bad?
    A ComfyUI server knows files in its own folders, and nothing else.

    ## Example
    ```json
    {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "urn:air:sd1:checkpoint:civitai:4384@128713"}},
     "2": {"class_type": "CheckpointSave", "inputs": {"model": ["1", 0], "clip": ["1", 1], "vae": ["1", 2], "filename_prefix": "merged"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "model.safetensors"}},
     "2": {"class_type": "CheckpointSave", "inputs": {"model": ["1", 0], "clip": ["1", 1], "vae": ["1", 2], "filename_prefix": "merged"}}}
    ```
    """
    for node_id, name, value in (*model_names(ctx), *input_names(ctx)):
        kind = foreign(value)
        if kind is not None and not ctx.kinds_at(node_id, name):
            message = f"`{name}` is {kind}: a ComfyUI server wants the name of one of its files"
            help = (
                "`comfygraph retarget` finds the name of its file"
                if kind != "a URL"
                else "upload it"
            )
            yield ctx.at_input(node_id, name, message, help=help)
