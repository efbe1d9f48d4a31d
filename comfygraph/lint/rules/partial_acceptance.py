"""
CG110 partial-acceptance.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule

if TYPE_CHECKING:
    from comfygraph.lint.predict import Files

SHOWN = 3
"""Outputs and causes beyond these are only counted."""


def _causes(
    ctx: RuleContext, errors: Mapping[str, frozenset[tuple[str, str | None]]]
) -> Iterator[str]:
    for node_id, found in errors.items():
        for kind, name in sorted(found, key=lambda error: (error[0], error[1] or "")):
            at = f" at `{name}`" if name is not None else ""
            yield f"{kind} in {ctx.label(node_id)}{at}"


@rule(
    id="CG110",
    name="partial-acceptance",
    severity=Severity.WARNING,
    signs=("partial",),
)
def partial_acceptance(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports a prompt of which the server would run some outputs and drop the others.

    ## Why is this bad?
    It answers with HTTP 200 and runs the good outputs only: pictures are missing and nothing has failed.
    What is wrong is reported where it stands; this tells what it leads to.

    ## Example
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "5": {"class_type": "EmptyImage", "inputs": {"width": 0, "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}},
     "6": {"class_type": "SaveImage", "inputs": {"images": ["5", 0], "filename_prefix": "out"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "5": {"class_type": "EmptyImage", "inputs": {"width": 32, "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}},
     "6": {"class_type": "SaveImage", "inputs": {"images": ["5", 0], "filename_prefix": "out"}}}
    ```
    """
    from comfygraph.lint.predict import predict

    files: Files = "strict" if ctx.strict_files else "assume"
    targets = ctx.document.targets
    response = predict(
        ctx.document.prompt, ctx.catalog, files=files, targets=targets, checked=ctx.checked
    )
    if not response.valid or not response.dropped:
        return
    dropped, total = response.dropped, len(response.dropped) + len(response.outputs)
    names = ", ".join(ctx.label(node_id) for node_id in dropped[:SHOWN])
    more = f" and {len(dropped) - SHOWN} more" if len(dropped) > SHOWN else ""
    causes = list(_causes(ctx, response.node_errors))
    message = f"{len(dropped)} of {total} outputs will be dropped: {names}{more}"
    help = f"because of {'; '.join(causes[:SHOWN])}" if causes else None
    related = tuple(
        ctx.related(node_id, f"{ctx.label(node_id)} is the cause")
        for node_id in list(response.node_errors)[:SHOWN]
    )
    yield ctx.at_node(dropped[0], message, help=help, related=related)
