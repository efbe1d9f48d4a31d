"""
CG003 malformed-prompt.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.core.kinds import kind_of
from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule

_HELP = (
    "export one with the editor's `Export (API)`, or convert a workflow with `comfygraph convert`"
)


@rule(
    id="CG003",
    name="malformed-prompt",
    severity=Severity.ERROR,
    signs=("malformed",),
)
def malformed_prompt(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports a document that is not shaped like a prompt: a JSON object of node id → node, where a
    node is an object with `class_type` (text) and `inputs` (an object).

    ## Why is this bad?
    The server answers such a prompt with HTTP 500 and no explanation.

    ## Example
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "9": "a note",
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}}}
    ```
    """
    graph = ctx.document.prompt
    base = ctx.document.base
    if ctx.document.kind == "workflow":
        return
    if not isinstance(graph, dict):
        yield Finding(f"a prompt is an object of nodes, not {kind_of(graph)}", base, help=_HELP)
        return
    if ctx.document.kind == "unknown":
        yield Finding("no member of this object looks like a node", base, help=_HELP)
        return
    for node_id, node in graph.items():
        if not isinstance(node, dict):
            yield ctx.at_node(node_id, f"node `{node_id}` is {kind_of(node)}, not an object")
            continue
        class_type = node.get("class_type")
        if class_type is not None and not isinstance(class_type, str):
            message = f"`class_type` is {kind_of(class_type)}, not text"
            yield Finding(message, f"{ctx.node_pointer(node_id)}/{ctx.document.class_key}", node_id)
        if "inputs" in node and not isinstance(node["inputs"], dict):
            message = f"`inputs` is {kind_of(node['inputs'])}, not an object"
            yield Finding(message, f"{ctx.node_pointer(node_id)}/inputs", node_id)
