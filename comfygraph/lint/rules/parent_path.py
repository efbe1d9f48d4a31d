"""
CG608 parent-path.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.show import shown

LONGEST = 4096
"""Longer than any path."""

PARENT = re.compile(r"(?:^|[\\/])\.\.(?:[\\/]|$)")
"""A step up, as a whole part of a path."""


@rule(
    id="CG608",
    name="parent-path",
    severity=Severity.WARNING,
    signs=("parent",),
)
def parent_path(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports paths that lead out of their folder with `..`.

    ## Why is this bad?
    The server refuses to write there and to read from there; other programs may follow it anywhere.

    ## Example
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "../../out"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}}}
    ```
    """
    for node_id, name, value, _ in ctx.strings:
        if len(value) <= LONGEST and "\n" not in value and PARENT.search(value):
            message = f"`{name}` leads out of its folder: {shown(value)}"
            help = "give a name inside of the server's own folders"
            yield ctx.at_input(node_id, name, message, help=help)
