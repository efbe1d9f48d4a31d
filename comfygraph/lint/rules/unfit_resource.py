"""
CG415 unfit-resource.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.rules._targets import air_problem, custom_step
from comfygraph.lint.show import shown

HELP = 'AIRs, or `{"$ref": "step", "path": "output.results[0].layerAir"}`'


def _problem(resource: object) -> str | None:
    if isinstance(resource, dict):
        return None if "$ref" in resource else "is no reference: `$ref` is missing"
    if not isinstance(resource, str):
        return "is no text"
    if ":nodepack:" in resource.casefold():
        return "is a bare node pack: its layer from a snapshot step is wanted"
    return air_problem(resource.strip())


@rule(
    id="CG415",
    name="unfit-resource",
    severity=Severity.ERROR,
    signs=("target:civitai-custom", "target:civitai-app"),
)
def unfit_resource(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    With `--target civitai-custom`: reports entries under `resources` that Civitai refuses: none at all, no AIR,
    or a node pack that is not installed as a layer.

    ## Why is this bad?
    The submission is answered with HTTP 400. A node pack becomes a layer in a `comfyNodepackSnapshot` step.

    ## Example
    ```json
    {"steps": [{"$type": "customComfy", "input": {"trace": "binary", "resources": ["urn:air:sd1:checkpoint:civitai:4384@128713", "urn:air:comfy:nodepack:comfyregistry:kijai/comfyui-kjnodes@1.4.0"],
      "workflow": {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "urn:air:sd1:checkpoint:civitai:4384@128713"}},
                   "2": {"class_type": "CheckpointSave", "inputs": {"model": ["1", 0], "clip": ["1", 1], "vae": ["1", 2], "filename_prefix": "merged"}}}}}]}
    ```

    ## Use instead
    ```json
    {"steps": [{"$type": "customComfy", "input": {"trace": "binary", "resources": ["urn:air:sd1:checkpoint:civitai:4384@128713"],
      "workflow": {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "urn:air:sd1:checkpoint:civitai:4384@128713"}},
                   "2": {"class_type": "CheckpointSave", "inputs": {"model": ["1", 0], "clip": ["1", 1], "vae": ["1", 2], "filename_prefix": "merged"}}}}}]}
    ```
    """
    step = custom_step(ctx)
    if step is None:
        return
    base = ctx.document.base.removesuffix("/workflow")
    resources = step.get("resources")
    if not isinstance(resources, list) or not resources:
        yield Finding("the step declares no `resources`: at least one is wanted", base)
        return
    for index, resource in enumerate(resources):
        problem = _problem(resource)
        if problem is not None:
            yield Finding(f"{shown(resource)} {problem}", f"{base}/resources/{index}", help=HELP)
