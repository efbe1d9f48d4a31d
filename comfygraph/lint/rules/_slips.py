"""
Values that are in a closed list but for their spelling: case, separators, sub-folders.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

from comfygraph.catalog import InputSpec
from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.show import shown

Kind = Literal["case", "separator", "folder"]


class Slip(NamedTuple):
    """A value of the list that the given one stands for, and what is off."""

    value: str
    kind: Kind


def slip_of(value: Any, spec: InputSpec) -> Slip | None:
    """
    Find the one value of the list that `value` is a slip of; `None` if none or several are.
    """
    options = [option for option in spec.options or () if isinstance(option, str)]
    if not isinstance(value, str) or not value:
        return None
    plain = _plain(value)
    same = [option for option in options if _plain(option) == plain]
    if len(same) == 1 and same[0] != value:
        return Slip(same[0], "separator")
    folded = plain.casefold()
    same = [option for option in options if _plain(option).casefold() == folded]
    if len(same) == 1 and same[0] != value:
        return Slip(same[0], "case")
    if spec.files:
        base = folded.rpartition("/")[2]
        same = [option for option in options if _plain(option).casefold().endswith(base)]
        same = [option for option in same if _plain(option).casefold().rpartition("/")[2] == base]
        if len(same) == 1 and same[0] != value:
            return Slip(same[0], "folder")
    return None


def slips(ctx: RuleContext, *kinds: Kind) -> Iterator[tuple[str, str, Any, Slip, bool]]:
    """
    Yield every slip of these kinds, as `(node id, input, value, slip, refused)`.

    Where names of files are taken on trust, the server may have the file under that name too:
    such slips are not refused.
    """
    for kind in ("not-in-list", "file-missing"):
        for fault in ctx.faults.get(kind, ()):
            value = fault.extra.get("received_value")
            slip = slip_of(value, fault.spec) if fault.spec is not None else None
            if slip is not None and slip.kind in kinds:
                yield fault.node_id, fault.input or "", value, slip, True
    for node_id, name, value, spec in ctx.unlisted:
        if spec is None or (node_id, name) in ctx.faulty:
            continue
        slip = slip_of(value, spec)
        if slip is not None and slip.kind in kinds:
            yield node_id, name, value, slip, False


def tell(
    ctx: RuleContext, found: tuple[str, str, Any, Slip, bool], words: str, *, safe: bool
) -> Finding:
    """
    Make the finding about one slip; `safe` where its repair cannot mean anything else.
    """
    node_id, name, value, slip, refused = found
    title = f"write {shown(slip.value)}"
    fix = ctx.set_fix(node_id, name, slip.value, title, safe=safe and refused)
    return ctx.at_input(
        node_id,
        name,
        f"`{name}` is {shown(value)}, {words} {shown(slip.value)}",
        help=title,
        fixes=(fix,),
        severity=None if refused else Severity.WARNING,
        accepted=not refused,
    )


def _plain(name: str) -> str:
    return name.replace("\\", "/")
