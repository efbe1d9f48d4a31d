"""
What the two rules about ranges share.
"""

from __future__ import annotations

from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.fault import Fault
from comfygraph.lint.show import shown


def out_of_range(ctx: RuleContext, fault: Fault, words: str, bound: str) -> Finding:
    """
    Tell a number that is past a bound, and offer to clamp it.
    """
    name = fault.input or ""
    limit = fault.spec.opts[bound] if fault.spec is not None else None
    value = fault.extra.get("received_value")
    message = f"`{name}` is {shown(value)}, {words} {shown(limit)}"
    fix = ctx.set_fix(fault.node_id, name, limit, f"set `{name}` to {shown(limit)}", safe=False)
    low, high = (fault.spec.min, fault.spec.max) if fault.spec is not None else (None, None)
    help = f"give a value from {low} to {high}" if low is not None and high is not None else None
    return ctx.at_input(fault.node_id, name, message, help=help, fixes=(fix,))
