"""
CG111 deep-chain.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from comfygraph.core.adjacency import topological_order
from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.fault import RECURSION_LIMIT
from comfygraph.lint.rule import rule


def _longest(ctx: RuleContext) -> tuple[int, str | None]:
    """Give the number of nodes of the longest chain, and the output that it ends in."""
    follows = {
        node_id: [source for _, source in checked.follows[: checked.reached]]
        for node_id, checked in ctx.checked.items()
    }
    length: dict[str, int] = {}
    for node_id in topological_order(follows):
        sources = follows[node_id]
        length[node_id] = 1 + max((length.get(source, 0) for source in sources), default=0)
    ends = [(length.get(output, 0), output) for output in ctx.outputs]
    return max(ends, key=lambda end: end[0], default=(0, None))


def _refused(ctx: RuleContext) -> bool:
    """Tell whether the server meets its limit: where it starts elsewhere, it may not."""
    from comfygraph.lint.predict import predict

    files: Literal["strict", "assume"] = "strict" if ctx.strict_files else "assume"
    response = predict(
        ctx.document.prompt, ctx.catalog, files=files, targets=None, checked=ctx.checked
    )
    errors = response.body.get("node_errors", {}).values()
    return any(
        error["extra_info"].get("exception_type") == "RecursionError"
        for found in errors
        for error in found["errors"]
    )


@rule(
    id="CG111",
    name="deep-chain",
    severity=Severity.ERROR,
    server_error="exception_during_inner_validation",
    signs=("large",),
)
def deep_chain(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports chains of more than 990 nodes, each of which needs the one before.

    ## Why is this bad?
    The server follows links by recursion and meets Python's limit: it answers `RecursionError` about some
    node in the middle. Shorter chains run, though the time to plan them grows with their square.

    ## Example
    ```python
    {str(n): {"class_type": "ImageInvert", "inputs": {"image": [str(n - 1), 0]}} for n in range(2, 1200)} | {
        "1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
        "1200": {"class_type": "SaveImage", "inputs": {"images": ["1199", 0], "filename_prefix": "out"}},
    }
    ```

    ## Use instead
    ```python
    {str(n): {"class_type": "ImageInvert", "inputs": {"image": [str(n - 1), 0]}} for n in range(2, 100)} | {
        "1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
        "100": {"class_type": "SaveImage", "inputs": {"images": ["99", 0], "filename_prefix": "out"}},
    }
    ```
    """
    length, output = _longest(ctx)
    if length <= RECURSION_LIMIT or output is None:
        return
    refused = _refused(ctx)
    message = f"a chain of {length:,} nodes ends here, the server can follow {RECURSION_LIMIT}"
    yield ctx.at_node(
        output,
        message,
        help="cut the graph in two: save a result halfway and load it again",
        severity=None if refused else Severity.WARNING,
        accepted=not refused,
    )
