"""
CG113 catalog-change.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule


@rule(
    id="CG113",
    name="catalog-change",
    severity=Severity.ERROR,
    signs=("lock",),
)
def catalog_change(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    With `--lock FILE` (see `comfygraph catalog lock`), reports what changed in the node classes
    of this graph since the lock was written: inputs added, removed or retyped, options gone,
    outputs moved. A change that breaks the graph is an error at the place that it breaks, any
    other is told once as information.

    ## Why is this bad?
    A graph that nobody touched stops working, or works otherwise, after an update of the server.

    ## Example
    The lock is of a server whose `ImageScale` knew one method more.

    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "ImageScale", "inputs": {"image": ["1", 0], "upscale_method": "lanczos-sharp", "width": 128, "height": 96, "crop": "disabled"}},
     "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "out"}}}
    ```

    ## Use instead
    Nothing that changed, or what it changed to; then write the lock anew.

    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 128, "height": 96, "batch_size": 1, "color": 0}},
     "3": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}}}
    ```
    """
    lock = ctx.options.lock
    if lock is None:
        return
    from comfygraph.catalog.lock import compare_lock
    from comfygraph.errors import PromptError

    try:
        prompt = ctx.document.to_prompt()
    except PromptError:
        return  # Other findings say why it is none.
    for item in compare_lock(lock, ctx.catalog, prompt):
        change = item.change
        message = f"since the lock was written, in `{change.class_type}`: {change.message}"
        for use in item.uses:
            help = "adapt the graph, then write the lock anew with `comfygraph catalog lock`"
            if use.input is None:
                yield ctx.at_node(use.node_id, message, help=help)
            else:
                yield ctx.at_input(use.node_id, use.input, message, help=help)
        if not item.uses:
            node_id = next(key for key in ctx.prompt if ctx.class_type(key) == change.class_type)
            yield ctx.at_node(node_id, f"{message}; this graph gets along", severity=Severity.INFO)
