"""
CG306 path-slip.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.rules._slips import slips, tell
from comfygraph.lint.show import shown


@rule(
    id="CG306",
    name="path-slip",
    severity=Severity.ERROR,
    server_error="value_not_in_list",
    signs=("not-in-list", "file-missing", "unlisted"),
)
def path_slip(ctx: RuleContext) -> Iterator[Finding]:
    r"""
    ## What it does
    Reports file names that are in the list of their input but for separators (`\` or `/`) or the sub-folder,
    and, where the server's files are not known, names with a `\` in them.

    ## Why is this bad?
    The server compares exactly, and refuses the node. Which separator it writes depends on its operating
    system: graphs made on Windows have `\`, most services run Linux.

    ## Example
    ```json
    {"1": {"class_type": "UNETLoader", "inputs": {"unet_name": "model.safetensors", "weight_dtype": "default"}},
     "2": {"class_type": "LoraLoaderModelOnly", "inputs": {"model": ["1", 0], "lora_name": "styles\\ink.safetensors", "strength_model": 1.0}},
     "3": {"class_type": "ModelSave", "inputs": {"model": ["2", 0], "filename_prefix": "merged"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "UNETLoader", "inputs": {"unet_name": "model.safetensors", "weight_dtype": "default"}},
     "2": {"class_type": "LoraLoaderModelOnly", "inputs": {"model": ["1", 0], "lora_name": "styles/ink.safetensors", "strength_model": 1.0}},
     "3": {"class_type": "ModelSave", "inputs": {"model": ["2", 0], "filename_prefix": "merged"}}}
    ```
    """
    seen: set[tuple[str, str]] = set()
    for found in slips(ctx, "separator", "folder"):
        node_id, name, _, slip, _ = found
        seen.add((node_id, name))
        if slip.kind == "separator":
            yield tell(ctx, found, "the server has", safe=True)
        else:
            yield tell(ctx, found, "the server has the file as", safe=False)
    for node_id, name, value, _ in ctx.unlisted:
        if "\\" not in value or (node_id, name) in seen or (node_id, name) in ctx.faulty:
            continue
        plain = value.replace("\\", "/")
        message = f"`{name}` is {shown(value)}: only a server on Windows has a name with `\\`"
        title = f"write {shown(plain)}"
        fix = ctx.set_fix(node_id, name, plain, title, safe=False)
        yield ctx.at_input(
            node_id,
            name,
            message,
            help=f"{title} for a server on Linux",
            fixes=(fix,),
            severity=Severity.INFO,
            accepted=True,
        )
