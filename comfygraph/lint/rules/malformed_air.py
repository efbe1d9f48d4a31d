"""
CG412 malformed-air.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.rules._targets import MARK, air_problem, airs_in
from comfygraph.lint.show import shown

HELP = "an AIR is `urn:air:ECOSYSTEM:TYPE:SOURCE:ID@VERSION`"


@rule(
    id="CG412",
    name="malformed-air",
    severity=Severity.ERROR,
    signs=("target:civitai", "target:civitai-custom", "target:civitai-app"),
)
def malformed_air(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    With `--target civitai`: reports AIRs that cannot be read, or lack the version of a model.

    ## Why is this bad?
    The workers cannot find such a resource.

    ## Example
    ```json
    {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "urn:air:sd1:checkpoint:civitai:4384"}},
     "2": {"class_type": "CheckpointSave", "inputs": {"model": ["1", 0], "clip": ["1", 1], "vae": ["1", 2], "filename_prefix": "merged"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "urn:air:sd1:checkpoint:civitai:4384@128713"}},
     "2": {"class_type": "CheckpointSave", "inputs": {"model": ["1", 0], "clip": ["1", 1], "vae": ["1", 2], "filename_prefix": "merged"}}}
    ```
    """
    for node_id, name, value, _ in ctx.strings:
        for air in airs_in(value) if MARK in value else ():
            problem = air_problem(air)
            if problem is not None:
                yield ctx.at_input(node_id, name, f"{shown(air)} {problem}", help=HELP)
