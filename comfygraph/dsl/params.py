"""
Parameters: values of a graph that are settled when it is built.
"""

from __future__ import annotations

from typing import Any, TypeVar, cast

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
