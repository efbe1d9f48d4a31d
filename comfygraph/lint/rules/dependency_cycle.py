"""
CG103 dependency-cycle.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule

MOST = 50
"""A tangle can hold more cycles than anybody reads: the shortest are told."""

SHOWN = 8


@rule(
    id="CG103",
    name="dependency-cycle",
    severity=Severity.ERROR,
    server_error="dependency_cycle",
    signs=("cycle",),
)
def dependency_cycle(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports every cycle of links with its path, whether an output needs it or not.

    ## Why is this bad?
    A node in a cycle waits for itself. The server refuses the outputs that need it; cycles through
    undeclared inputs it accepts, and then fails.

    ## Example
    ```json
    {"2": {"class_type": "ImageScale", "inputs": {"image": ["2", 0], "upscale_method": "area", "width": 128, "height": 96, "crop": "disabled"}},
     "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "out"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "ImageScale", "inputs": {"image": ["1", 0], "upscale_method": "area", "width": 128, "height": 96, "crop": "disabled"}},
     "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "out"}}}
    ```
    """
    adjacency = ctx.adjacency
    from comfygraph.core.graph import cycles  # only a graph that has some pays for it

    for cycle in cycles(adjacency, limit=MOST):
        first = cycle[0]
        names = [ctx.label(node_id) for node_id in cycle[:SHOWN]]
        if len(cycle) > SHOWN:
            names.append(f"… {len(cycle) - SHOWN} more …")
        path = " → ".join([*names, ctx.label(first)])
        related = tuple(
            ctx.related(node_id, f"{ctx.label(node_id)} is part of the cycle")
            for node_id in cycle[1:SHOWN]
        )
        feeding = cycle[-1]
        name = next(
            (use.input for use in ctx.links if use.node_id == first and use.source in cycle), None
        )
        accepted = not _declared(ctx, cycle)
        help = f"cut one of its links, for example the one from {ctx.label(feeding)}"
        if name is None:
            yield ctx.at_node(
                first,
                f"the links go in a circle: {path}",
                help=help,
                related=related,
                accepted=accepted,
            )
        else:
            yield ctx.at_input(
                first,
                name,
                f"the links go in a circle: {path}",
                help=help,
                related=related,
                accepted=accepted,
            )


def _declared(ctx: RuleContext, cycle: tuple[str, ...]) -> bool:
    """Tell whether the server sees the cycle: it does not follow undeclared inputs."""
    links = {
        (node_id, source)
        for node_id in cycle
        if node_id in ctx.checked
        for _, source in ctx.checked[node_id].follows
    }
    around = zip(cycle, (*cycle[1:], cycle[0]), strict=True)
    return all((target, source) in links or (source, target) in links for source, target in around)
