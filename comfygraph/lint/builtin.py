"""
The rules that the engine itself stands for: a document that cannot be read, a rule that crashed,
a script that gives no graph, an ignore that silences nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.rule import ELSEWHERE, rule


@rule(id="CG000", name="internal-error", severity=Severity.ERROR, signs=ELSEWHERE)
def internal_error(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports a rule that crashed, or a process that died, while it checked a document.

    ## Why is this bad?
    It is a bug in comfygraph. What the crashed rule would have found is unknown; the other rules
    ran. This finding cannot be ignored.
    """
    return iter(())


@rule(id="CG001", name="unreadable-document", severity=Severity.ERROR, signs=ELSEWHERE)
def unreadable_document(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports a file that cannot be read, is larger than 64 MB, is no text or no JSON, or nests too
    deep.

    ## Why is this bad?
    The server answers such a body with an error, and nothing else about it can be checked.
    This finding cannot be ignored.
    """
    return iter(())


@rule(id="CG006", name="unbuildable-script", severity=Severity.ERROR, signs=ELSEWHERE)
def unbuildable_script(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports a Python script, named as `script.py:graph`, that ends in an error, that holds no graph
    of that name, or whose graph has mistakes: a wrong socket, a misspelt input, a value out of
    range. Each mistake is told at the line of the script.

    ## Why is this bad?
    There is no graph to check or to send. This finding cannot be ignored.
    """
    return iter(())


@rule(id="CG611", name="unused-ignore", severity=Severity.WARNING, signs=ELSEWHERE)
def unused_ignore(ctx: RuleContext) -> Iterator[Finding]:
    """
    ## What it does
    Reports entries of a node's `_meta.comfygraph.ignore` that silence nothing: the finding is
    gone, or the entry names no rule.

    ## Why is this bad?
    An ignore that outlives its reason hides the next fault of that kind.

    ## Example
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0},
           "_meta": {"comfygraph": {"ignore": ["CG301"]}}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}}}
    ```

    ## Use instead
    ```json
    {"1": {"class_type": "EmptyImage", "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
     "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}}}
    ```
    """  # noqa: E501
    # The engine finds them once all other rules have run: see `ignores.py`.
    return iter(())


BUILTIN_RULES = (internal_error, unreadable_document, unused_ignore, unbuildable_script)

ALWAYS = frozenset({internal_error.id, unreadable_document.id, unbuildable_script.id})
"""Findings that no selection turns off: silence must never mean "could not look"."""
