"""
CG609 inline-base64.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.signs import LONG_TEXT

BASE64 = re.compile(r"\s*(?:data:[\w.+/-]*(?:;[\w=.-]+)*;base64,)?[A-Za-z0-9+/_-]{1000}")
"""The beginning is enough: no prose goes on so long without a space."""


@rule(
    id="CG609",
    name="inline-base64",
    severity=Severity.WARNING,
    signs=("long",),
)
def inline_base64(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports files of more than 10,000 characters that are written into the graph as base64.

    ## Why is this bad?
    The whole file goes into the queue, the history and every picture that the graph makes.

    ## Example
    ```python
    {str(n): {"class_type": "PreviewAny", "inputs": {"source": "data:image/png;base64," + "iVBORw0KGgo" * 1000}} for n in (1,)}
    ```

    ## Use instead
    ```python
    {str(n): {"class_type": "PreviewAny", "inputs": {"source": "data:image/png;base64,iVBORw0KGgo="}} for n in (1,)}
    ```
    """
    for node_id, name, value, _ in ctx.strings:
        if len(value) > LONG_TEXT and BASE64.match(value):
            size = len(value) * 3 // 4096
            message = f"`{name}` is a file of about {size:,} kB as base64"
            yield ctx.at_input(node_id, name, message, help="upload the file and give its name")
