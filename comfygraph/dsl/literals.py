"""
Constants for inputs: what a value must be, and the form that it has in the prompt.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from typing import Any

from comfygraph.dsl.params import Param
from comfygraph.dsl.plan import InputPlan

LITERAL_KINDS = frozenset({"INT", "FLOAT", "STRING", "BOOLEAN"})
LARGEST_EXACT = 2**53
"""Up to here a double holds every whole number."""


class UnfitError(Exception):
    """
    A value that an input cannot take.

    Args:
        message: What is wrong, to follow the input's name: ``is 20000, above the maximum``.
        help: What to do, or `None`.
    """

    def __init__(self, message: str, help: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.help = help


def constant(plan: InputPlan, value: Any) -> Any:
    """
    Check a constant and give its form in the prompt.

    Whole numbers for a FLOAT become floats and round floats for an INT become ints, so that
    the same graph gives the same bytes however its numbers were written. A list is wrapped in
    `{"__value__": ...}`, since the server takes every other list for a link
    (`validate_inputs` in ComfyUI's `execution.py`).

    Raises:
        UnfitError: The input does not take this value.
    """
    spec = plan.spec
    if spec.options is not None:
        return _chosen(plan, value)
    converter = _CONVERTERS.get(spec.type)
    if converter is not None:
        return _in_range(plan, converter(value))
    for kind in plan.kinds:
        if kind in LITERAL_KINDS:
            return _in_range(plan, _any_of(plan, value))
    if not plan.widget and "*" not in plan.kinds:
        raise UnfitError(f"is {shown(value)}, but only a link can give it {spec.type}")
    return json_constant(value)


def json_constant(value: Any) -> Any:
    """
    Give any JSON value its form in the prompt.

    Raises:
        UnfitError: The value is not JSON.
    """
    match value:
        case None | str() | bool() | int():
            return value
        case float():
            return _float(value)
        case tuple():
            value = list(value)
    import json

    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        raise UnfitError(f"is {shown(value)}, which is not JSON") from None
    return {"__value__": value} if isinstance(value, list) else value


def _chosen(plan: InputPlan, value: Any) -> Any:
    options = plan.spec.options or ()
    if plan.spec.opts.get("multiselect") and isinstance(value, list | tuple):
        return {"__value__": [_one_chosen(plan, item) for item in value]}
    if plan.is_open:
        if isinstance(value, str):
            return value
        if value in options and value is not True and value is not False:
            return value
        raise UnfitError(f"is {shown(value)}, not a file name" if plan.spec.files else
                    f"is {shown(value)}, not a text")  # fmt: skip
    return _one_chosen(plan, value)


def _one_chosen(plan: InputPlan, value: Any) -> Any:
    options = plan.spec.options or ()
    if isinstance(value, bool | str | int | float):
        for option in options:
            # `True == 1`: a list of numbers does not hold a boolean, whatever Python says.
            if option == value and isinstance(option, bool) == isinstance(value, bool):
                return option
    raise UnfitError(f"is {shown(value)}, not in its list", nearest(value, options))


def nearest(value: Any, options: tuple[Any, ...]) -> str:
    """
    Say which of the options may have been meant, or what there is.
    """
    from difflib import get_close_matches

    texts = [str(option) for option in options]
    wanted = value if isinstance(value, str) else shown(value)
    near = get_close_matches(wanted, texts, n=3, cutoff=0.5)
    if near:
        return "did you mean " + " or ".join(f"`{text}`" for text in near) + "?"
    more = f", … {len(texts) - 8} more" if len(texts) > 8 else ""
    return "one of " + ", ".join(f"`{text}`" for text in texts[:8]) + more


def _in_range(plan: InputPlan, value: Any) -> Any:
    least, most = plan.spec.min, plan.spec.max
    if type(value) is int or type(value) is float:
        if isinstance(least, int | float) and value < least:
            raise UnfitError(f"is {shown(value)}, below the minimum {shown(least)}")
        if isinstance(most, int | float) and value > most:
            raise UnfitError(f"is {shown(value)}, above the maximum {shown(most)}")
    return value


def _int(value: Any) -> int:
    if type(value) is int:
        return value
    if isinstance(value, float):
        if value.is_integer():
            return int(value)
        raise UnfitError(f"is {shown(value)}, not a whole number")
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise UnfitError(f"is {shown(value)}, not a whole number")
    whole: int = operator.index(value)
    return whole


def _float(value: Any) -> float:
    if type(value) is float:
        if not math.isfinite(value):
            raise UnfitError(f"is {value}, which JSON has no word for")
        return value
    if isinstance(value, bool | str | bytes) or not hasattr(value, "__float__"):
        raise UnfitError(f"is {shown(value)}, not a number")
    if isinstance(value, int) and abs(value) > LARGEST_EXACT:
        raise UnfitError(f"is {shown(value)}, too large for a float to be exact")
    return _float(float(value))


def _text(value: Any) -> str:
    if type(value) is str:
        return value
    if isinstance(value, str):
        return str.__str__(value)
    raise UnfitError(f"is {shown(value)}, not a text")


def _flag(value: Any) -> bool:
    if type(value) is bool:
        return value
    raise UnfitError(f"is {shown(value)}, not True or False")


_CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "INT": _int,
    "FLOAT": _float,
    "STRING": _text,
    "BOOLEAN": _flag,
}


def _any_of(plan: InputPlan, value: Any) -> Any:
    if isinstance(value, bool) and "BOOLEAN" in plan.kinds:
        return value
    # An int stays an int where the union has INT, whatever comes first in it.
    for kind in ("INT", "FLOAT", "STRING"):
        if kind in plan.kinds and not (kind == "INT" and isinstance(value, float)):
            try:
                return _CONVERTERS[kind](value)
            except UnfitError:
                continue
    if set(plan.kinds) <= LITERAL_KINDS:
        raise UnfitError(f"is {shown(value)}, not one of {', '.join(plan.kinds)}")
    return json_constant(value)


def shown(value: Any) -> str:
    """Give a value as messages show it: short, on one line."""
    if isinstance(value, str):
        text = repr(value)
        return text if len(text) <= 60 else f"{text[:57]}…'"
    if value is None or isinstance(value, bool | int | float):
        # More digits than Python is willing to print are no reason to fail.
        return repr(value) if not isinstance(value, int) or abs(value) < 10**40 else "a huge number"
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if type(value) is Param:
        return f"the parameter `{value.name}`"
    return f"a {type(value).__name__}"
