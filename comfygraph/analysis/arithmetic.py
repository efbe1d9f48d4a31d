"""
The arithmetic of `ComfyMathExpression`, on constants: `max(16, floor(a / 16) * 16)`.

Fact of `comfy_extras/nodes_math.py` of ComfyUI, which takes what the package `simpleeval` does
and the functions named there. The usual part of it is worked out here; the rest is unknown.
"""

from __future__ import annotations

import ast
import math
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

LONGEST = 200
"""Characters of an expression: its depth is bounded so as well."""

MOST = 1e15
"""What is larger, on the way or at its end, is no size of anything."""

MOST_EXPONENT = 64

_WORDS = re.compile(r"[\sA-Za-z0-9_.,()+\-*/%&|^~<>=!]*")
_GLUED = re.compile(r"[0-9][A-Za-z_]")
"""`0x10`, `1e5`, `1if`: Python reads them, and complains of some."""

_OPERATORS: Mapping[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul,
    ast.Div: operator.truediv, ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod,
    ast.BitAnd: operator.and_, ast.BitOr: operator.or_, ast.BitXor: operator.xor,
    ast.USub: operator.neg, ast.UAdd: operator.pos, ast.Invert: operator.invert,
    ast.Not: operator.not_, ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt,
    ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
}  # fmt: skip

_OF_ONE: Mapping[str, Callable[[Any], Any]] = {
    "abs": abs, "round": round, "sqrt": math.sqrt, "ceil": math.ceil, "floor": math.floor,
    "int": int, "float": float,
}  # fmt: skip


class _UnknownError(Exception):
    """Something in it is not known, or not taken here."""


def evaluate(expression: str, names: Mapping[str, Any]) -> float | None:
    """
    Work out an expression, or give `None` where anything in it is unknown.

    Args:
        expression: The text.
        names: Name → number or truth value, of those that are known.

    Returns:
        A whole number, a fraction or a truth value, as the server gets it.
    """
    if len(expression) > LONGEST or not _WORDS.fullmatch(expression) or _GLUED.search(expression):
        return None
    try:
        return _value(ast.parse(expression.strip(), mode="eval").body, names)
    except (_UnknownError, SyntaxError, ArithmeticError, TypeError, ValueError, RecursionError):
        return None


def _value(node: ast.expr, names: Mapping[str, Any]) -> float:
    found = _worked_out(node, names)
    if not isinstance(found, int | float) or not -MOST < found < MOST:
        raise _UnknownError
    return found


def _worked_out(node: ast.expr, names: Mapping[str, Any]) -> Any:
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            return names.get(name)
        case ast.BinOp(left, ast.Pow(), right):
            return _power(_value(left, names), _value(right, names))
        case ast.BinOp(left, kind, right):
            return _OPERATORS[type(kind)](_value(left, names), _value(right, names))
        case ast.UnaryOp(kind, one):
            return _OPERATORS[type(kind)](_value(one, names))
        case ast.Compare(left, [kind], [right]) if type(kind) in _OPERATORS:
            return _OPERATORS[type(kind)](_value(left, names), _value(right, names))
        case ast.IfExp(test, one, other):
            return _value(one if _value(test, names) else other, names)
        case ast.Call(ast.Name(id=name), [one], []) if name in _OF_ONE:
            return _OF_ONE[name](_value(one, names))
        case ast.Call(ast.Name(id="min" | "max" as name), [_, _, *_] as several, []):
            return (min if name == "min" else max)(_value(one, names) for one in several)
        case ast.Call(ast.Name(id="pow"), [base, exponent], []):
            return _power(_value(base, names), _value(exponent, names))
    raise _UnknownError


def _power(base: float, exponent: float) -> Any:
    if abs(exponent) > MOST_EXPONENT:
        raise _UnknownError
    return base**exponent
