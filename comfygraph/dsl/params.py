"""
Parameters: values of a graph that are settled when it is built.
"""

from __future__ import annotations

from typing import Any, NoReturn, TypeVar, cast

T = TypeVar("T")


class Param:
    """
    A named value with a default, standing in an input.

    Args:
        name: The name under which `Template` takes a value for it.
        default: The value that it has otherwise.
    """

    __slots__ = ("default", "name")

    def __init__(self, name: str, default: Any) -> None:
        self.name = name
        self.default = default

    def __repr__(self) -> str:
        return f"param({self.name!r}, {self.default!r})"

    def _unsettled(self, *_: object) -> NoReturn:
        # For type checkers it is a value: they would let sums, `if` and f-strings through, of
        # which some settle on something now, and nobody would notice.
        raise TypeError(
            f"the parameter `{self.name}` has no value before the graph is built: "
            "it can only stand in an input, as a whole"
        )

    __bool__ = __int__ = __float__ = __index__ = __len__ = __iter__ = _unsettled
    __str__ = __format__ = __getitem__ = __contains__ = _unsettled
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _unsettled
    __add__ = __sub__ = __mul__ = __truediv__ = __floordiv__ = __mod__ = __pow__ = _unsettled
    __radd__ = __rsub__ = __rmul__ = __rtruediv__ = __rfloordiv__ = __rmod__ = _unsettled
    __rpow__ = __neg__ = __abs__ = __round__ = _unsettled
    __hash__ = object.__hash__


def param(name: str, default: T) -> T:
    """
    Put a parameter where a constant stands, which makes the graph a template.

    For type checkers it is its default, so that it fits the same inputs.

    Args:
        name: An identifier.
        default: The value that it has unless another one is given.

    Raises:
        UsageError: The name is not an identifier.
    """
    if not isinstance(name, str) or not name.isidentifier():
        from comfygraph.errors import UsageError

        raise UsageError(f"the parameter name {name!r} is not an identifier")
    return cast("T", Param(name, default))
