"""
CG101 unknown-class.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.catalog.packs import NodePack, packs_with
from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Edit, Fix, Severity
from comfygraph.lint.rule import rule

_HELP = "if a node pack brings it, check against its server: `--catalog` takes a saved /object_info"


@rule(
    id="CG101",
    name="unknown-class",
    severity=Severity.ERROR,
    server_error="missing_node_type",
    signs=("unknown-class",),
)
def unknown_class(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports nodes whose `class_type` is not in the node catalog, reachable or not.

    ## Why is this bad?
    The server refuses the whole prompt at the first such node, even if nothing uses it.

    ## Example
    ```json
    {"1": {"class_type": "EmtpyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}}}
    ```
    """
    names: list[str] | None = None
    for node_id in ctx.unknown:
        class_type = ctx.class_type(node_id) or ""
        pointer = f"{ctx.node_pointer(node_id)}/{ctx.document.class_key}"
        replaced = _replacement(ctx, node_id, class_type)
        if replaced is not None:
            message = f"`{class_type}` is gone, the server puts `{replaced}` in its place"
            help = f"replace it with `{replaced}`"
            yield Finding(
                message, pointer, node_id, help=help, severity=Severity.WARNING, accepted=True
            )
            continue
        names = names if names is not None else ctx.catalog.names()
        message = f"`{class_type[:100]}` is not a node class of {ctx.catalog.label}"
        packs = packs_with(class_type)
        near = None if packs else ctx.nearest(class_type, names)
        fixes: tuple[Fix, ...] = ()
        help = _HELP
        if near:
            title = f"rename the class to `{near}`"
            fixes = (Fix(title, (Edit(pointer, "set", near),)),)
            help = f"did you mean `{near}`?"
        elif packs:
            help = _install(packs)
        yield Finding(message, pointer, node_id, help=help, fixes=fixes)


def _replacement(ctx: RuleContext, node_id: str, class_type: str) -> str | None:
    """Give the class that the server takes instead, if it can: it wants the node's `_meta`."""
    from comfygraph.lint.predict import REPLACED

    new = REPLACED.get(class_type)
    if new is None or new not in ctx.catalog or "_meta" not in ctx.prompt[node_id]:
        return None
    return new


def _install(packs: list[NodePack]) -> str:
    first, *others = packs
    also = f" (also in {', '.join(pack.name for pack in others)})" if others else ""
    return (
        f"the node pack {first.name}{also} has it: install it by that name in ComfyUI-Manager, "
        f"or `{first.install}` in custom_nodes; then check with `--catalog` of that server"
    )
