"""
CG607 absolute-path.
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

PATH = re.compile(
    r"\s*(?:file://|~[\\/]|[A-Za-z]:[\\/](?!/)|\\\\[\w.$-]+\\|"
    r"/(?:Applications|Users|Volumes|app|content|data|etc|home|kaggle|media|mnt|opt|private|root|"
    r"runpod-volume|srv|tmp|usr|var|workspace)/)"
)
"""Paths from the root of a disk, a home or a network share."""


@rule(
    id="CG607",
    name="absolute-path",
    severity=Severity.WARNING,
    signs=("root",),
)
def absolute_path(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports absolute paths of somebody's machine.

    ## Why is this bad?
    They exist nowhere else, and tell the name of the user: graphs end up in every picture that they make.

    ## Example
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "/home/ann/pictures/out"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}}}
    ```
    """
    for node_id, name, value, _ in ctx.strings:
        if len(value) > LONGEST or "\n" in value:
            continue
        if PATH.match(value):
            message = f"`{name}` is an absolute path: {shown(value)}"
            help = "give a name relative to the server's own folders"
            yield ctx.at_input(node_id, name, message, help=help)
