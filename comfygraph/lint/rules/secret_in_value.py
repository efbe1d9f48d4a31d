"""
CG606 secret-in-value.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import rule
from comfygraph.lint.rules._secrets import secret_in
from comfygraph.lint.signs import KEY_PREFIXES, KEYS_IN_TEXT

SHORTEST = 6
"""Shorter texts are not worth a look."""


@rule(
    id="CG606",
    name="secret-in-value",
    severity=Severity.WARNING,
    signs=("key-prefix", "key-word", "key-name", "url"),
)
def secret_in_value(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports API keys, tokens and passwords in the values of a graph: known beginnings, inputs that are named
    for them, long words of random letters. The secret itself is not printed.

    ## Why is this bad?
    Graphs are shared, kept in the history of the server, and written into every picture that they make.

    ## Example
    ```json
    {"1": {"class_type": "PreviewAny", "inputs": {"source": "hf_aBcDeFgHiJkLmNoPqRsTuVwXyZaBcDeFgH"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "PreviewAny", "inputs": {"source": "a lighthouse in the fog"}}}
    ```
    """
    in_prose = [prefix for prefix in KEYS_IN_TEXT if prefix in ctx.text]
    for node_id, name, value, _ in ctx.strings:
        if len(value) < SHORTEST:
            continue
        kind = secret_in(name, value, in_prose if " " in value else KEY_PREFIXES)
        if kind is None:
            continue
        message = f"`{name[:100]}` holds {kind} ({len(value)} characters, not shown)"
        help = "take it out and revoke it: give it to the server by its environment"
        yield ctx.at_input(node_id, name, message, help=help, sensitive=True)
