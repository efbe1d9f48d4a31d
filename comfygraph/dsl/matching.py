"""
Which outputs fit an input, as the server compares socket types.

Models `validate_node_input` of ComfyUI's `comfy_execution/validation.py`, and the types
that MatchType inputs allow, which only the editor enforces.
"""

from __future__ import annotations

from comfygraph.catalog.specs import OutputSpec
from comfygraph.dsl.plan import ANY, InputPlan


def fits(plan: InputPlan, received: str, spec: OutputSpec | None) -> bool:
    """
    Tell whether an output may flow into an input.

    Args:
        plan: The input.
        received: The output's socket type, worked out where it follows an input's.
        spec: What the catalog says of the output; `None` where no catalog knows it.
    """
    if received in plan.accepts or received in ANY or spec is None:
        return True
    if plan.template is not None:
        allowed = str(plan.template.get("allowed_types", "*"))
        return "*" in allowed or bool(_parts(received) & _parts(allowed))
    if spec.listed:
        if plan.spec.listed:
            return list(spec.options or ()) == list(plan.spec.options or ())
        return plan.spec.type in ("COMBO", "*")
    if plan.spec.listed:
        return False
    return "*" in plan.accepts or bool(_parts(received) & (plan.accepts | {"*"}))


def compatible(left: str, right: str) -> bool:
    """Tell whether two socket types have a member in common."""
    return bool(_parts(left) & _parts(right))


def _parts(kind: str) -> set[str]:
    return {part.strip() for part in kind.split(",")}


def fitting_slots(
    plan: InputPlan, types: tuple[str, ...], specs: tuple[OutputSpec, ...]
) -> list[int]:
    """
    Give the slots of a node that fit an input.
    """
    return [slot for slot, kind in enumerate(types) if fits(plan, kind, specs[slot])]
