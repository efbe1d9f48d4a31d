"""
Groups: nodes that belong together, as the editor frames them.

    with group("hires"):
        larger = LatentUpscaleBy(latent, upscale_method="nearest-exact", scale_by=1.5)
        ...

    @group("hires")
    def hires(latent: s.Source[s.LATENT]) -> s.Output[s.LATENT]: ...

A group is a name for people, kept in `_meta.comfygraph.group` of its nodes: the same graph
without it does the same.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar, Token
from functools import wraps
from typing import ParamSpec, TypeGuard, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

_current: ContextVar[str | None] = ContextVar("comfygraph_group", default=None)
current_group = _current.get
"""Give the group that nodes written here belong to, or `None`."""


def is_group(name: object) -> TypeGuard[str]:
    """
    Tell whether this is a name for a group: a text, also in its parts.
    """
    return isinstance(name, str) and all(part.strip() for part in name.split("/"))


class group:  # noqa: N801  # read as a statement: with group("hires"):
    """
    Put the nodes that are written within into a group: a block, or a function's calls.

    Groups nest: `inner` within `outer` is the group `outer/inner`. Blocks of one name are
    one group. A node that is written twice, in two groups, is one node of the first.

    Args:
        name: What the editor shows above the nodes; `outer/inner` names a group in a group.

    Raises:
        UsageError: The name is empty, or has an empty part.
    """

    __slots__ = ("_name", "_tokens")

    def __init__(self, name: str) -> None:
        if not is_group(name):
            from comfygraph.errors import UsageError

            raise UsageError(
                f"{name!r} is no name for a group",
                hint='give it a name, such as group("hires") or group("hires/upscale")',
            )
        self._name = name
        self._tokens: list[Token[str | None]] = []

    def __repr__(self) -> str:
        return f"group({self._name!r})"

    def __enter__(self) -> None:
        outer = _current.get()
        name = self._name if outer is None else f"{outer}/{self._name}"
        self._tokens.append(_current.set(name))

    def __exit__(self, *_: object) -> None:
        _current.reset(self._tokens.pop())

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def grouped(*args: P.args, **kwargs: P.kwargs) -> R:
            # A block of its own for each call: calls may overlap in threads.
            with group(self._name):
                return function(*args, **kwargs)

        return grouped
