"""
CG414 undeclared-resource.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.rules._targets import (
    MARK,
    air_problem,
    airs_in,
    custom_step,
    declared_resources,
)
from comfygraph.lint.show import shown


@rule(
    id="CG414",
    name="undeclared-resource",
    severity=Severity.ERROR,
    signs=("target:civitai-custom", "target:civitai-app"),
)
def undeclared_resource(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    With `--target civitai-custom`: reports AIRs in a graph that its step does not declare under `resources`.

    ## Why is this bad?
    A `customComfy` step loads what is declared and looks at nothing else: the node fails when it runs.

    ## Example
    ```json
    {"steps": [{"$type": "customComfy", "input": {"trace": "binary", "resources": ["urn:air:sd1:vae:civitai:276082@311162"],
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
    declared = declared_resources(step) if step is not None else None
    if declared is None:
        return  # A bare graph: `comfygraph submit` declares what it finds in it.
    for node_id, name, value, _ in ctx.strings:
        for air in airs_in(value) if MARK in value else ():
            if air.strip().casefold() not in declared and air_problem(air) is None:
                message = f"{shown(air)} is not among the `resources` of the step"
                yield ctx.at_input(node_id, name, message, help="declare it there")
