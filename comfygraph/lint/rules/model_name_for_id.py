"""
CG401 model-name-for-id.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.rules._targets import MODEL_ID, model_names
from comfygraph.lint.show import shown

CHECKED = frozenset({"checkpoints", "loras"})
"""Other folders hold files that TensorArt provides under their own names."""


@rule(
    id="CG401",
    name="model-name-for-id",
    severity=Severity.WARNING,
    signs=("target:tams",),
)
def model_name_for_id(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    With `--target tams`: reports checkpoints and LoRAs that are named by a file.

    ## Why is this bad?
    TensorArt knows models by the number in the address of their page, as text of 15 to 20 digits.

    ## Example
    ```json
    {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "model.safetensors"}},
     "2": {"class_type": "CheckpointSave", "inputs": {"model": ["1", 0], "clip": ["1", 1], "vae": ["1", 2], "filename_prefix": "merged"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "600423083519508503"}},
     "2": {"class_type": "CheckpointSave", "inputs": {"model": ["1", 0], "clip": ["1", 1], "vae": ["1", 2], "filename_prefix": "merged"}}}
    ```
    """
    for node_id, name, value in model_names(ctx, CHECKED):
        if MODEL_ID.fullmatch(value):
            continue
        message = f"`{name}` is {shown(value)}: TensorArt wants the number of a model"
        help = "the number stands in the address of the model's page on tensor.art"
        yield ctx.at_input(node_id, name, message, help=help)
