"""
CG411 model-name-for-air.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.rules._targets import is_air, model_names, names_file
from comfygraph.lint.show import shown


@rule(
    id="CG411",
    name="model-name-for-air",
    severity=Severity.ERROR,
    signs=("target:civitai", "target:civitai-custom", "target:civitai-app"),
)
def model_name_for_air(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    With `--target civitai`: reports models that are named by a file or a number.

    ## Why is this bad?
    Civitai's workers find models by their AIR, which stands where the file name would be.

    ## Example
    ```json
    {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "model.safetensors"}},
     "2": {"class_type": "CheckpointSave", "inputs": {"model": ["1", 0], "clip": ["1", 1], "vae": ["1", 2], "filename_prefix": "merged"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "urn:air:sd1:checkpoint:civitai:4384@128713"}},
     "2": {"class_type": "CheckpointSave", "inputs": {"model": ["1", 0], "clip": ["1", 1], "vae": ["1", 2], "filename_prefix": "merged"}}}
    ```
    """
    for node_id, name, value in model_names(ctx):
        if not names_file(value) or is_air(value):
            continue
        message = f"`{name}` is {shown(value)}: Civitai wants the AIR of a model"
        help = "an AIR looks like `urn:air:sdxl:checkpoint:civitai:101055@128078`"
        yield ctx.at_input(node_id, name, message, help=help)
