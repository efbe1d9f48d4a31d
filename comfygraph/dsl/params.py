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

    def __bool__(self) -> NoReturn:
        self._unsettled()

    def __format__(self, spec: str) -> NoReturn:
        self._unsettled()

    def _unsettled(self) -> NoReturn:
        # An `if` or an f-string would settle on something now, and nobody would notice.
        raise TypeError(
            f"the parameter `{self.name}` has no value before the graph is built: "
            "it can only stand in an input, as a whole"
        )


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
