"""
CG103 dependency-cycle.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from comfygraph.lint.context import Finding, LinkUse, RuleContext
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
    from comfygraph.core.graph import cycles  # only a graph that has some pays for it

    told: dict[tuple[str, str], int] = {}
    findings: dict[tuple[str, str], Finding] = {}
    links = {(use.node_id, use.source): use for use in reversed(ctx.links)}
    for cycle in cycles(ctx.adjacency, limit=MOST):
        cause = _cause(links, cycle)
        if cause is None:
            yield ctx.at_node(cycle[0], _message(ctx, cycle), help="cut one of its links")
            continue
        place = (cause.node_id, cause.input)
        told[place] = told.get(place, 0) + 1
        if place in findings:
            continue  # The shortest circle through a link is enough to understand it.
        related = tuple(
            ctx.related(node_id, f"{ctx.label(node_id)} is part of the cycle")
            for node_id in cycle[:SHOWN]
            if node_id != cause.node_id
        )
        findings[place] = ctx.at_input(
            cause.node_id,
            cause.input,
            _message(ctx, cycle),
            help=f"cut one of its links, for example this one from {ctx.label(cause.source)}",
            related=related,
            accepted=not _is_seen(ctx, cycle),
        )
    for place, finding in findings.items():
        more = told[place] - 1
        if more:
            words = f"{finding.message}, and {more} more through the same link"
            finding = finding._replace(message=words)
        yield finding


def _cause(links: Mapping[tuple[str, str], LinkUse], cycle: tuple[str, ...]) -> LinkUse | None:
    """Give the link that most likely is the mistake: an undeclared one, or one into the first."""
    around = zip(cycle, (*cycle[1:], cycle[0]), strict=True)  # each takes from the next
    found = [links[edge] for edge in around if edge in links]
    return next(
        (use for use in found if use.spec is None),
        next((use for use in found if use.node_id == cycle[0]), None),
    )


def _message(ctx: RuleContext, cycle: tuple[str, ...]) -> str:
    # The way of the data: from the first node to the one that takes from it, and so on.
    way = [cycle[0], *cycle[:0:-1]]
    names = [ctx.label(node_id) for node_id in way[:SHOWN]]
    if len(way) > SHOWN:
        names.append(f"… {len(way) - SHOWN} more …")
    return f"the links go in a circle: {' → '.join([*names, ctx.label(cycle[0])])}"


def _is_seen(ctx: RuleContext, cycle: tuple[str, ...]) -> bool:
    """Tell whether the server sees the cycle: it does not follow undeclared inputs."""
    links = {
        (node_id, source)
        for node_id in cycle
        if node_id in ctx.checked
        for _, source in ctx.checked[node_id].follows
    }
    return all(edge in links for edge in zip(cycle, (*cycle[1:], cycle[0]), strict=True))
