"""
Records: cheap to make, and otherwise what `typing.NamedTuple` gives.
"""

from __future__ import annotations

import copy
import pickle
import typing
from collections.abc import Callable
from typing import Any

import pytest

from comfygraph.core.records import NamedTuple


class Cheap(NamedTuple):
    """Words."""

    one: int
    two: str | None = None
    three: tuple[int, ...] = ()

    @property
    def double(self) -> int:
        """Twice the first."""
        return self.one * 2


class Usual(typing.NamedTuple):
    """Words."""

    one: int
    two: str | None = None
    three: tuple[int, ...] = ()

    @property
    def double(self) -> int:
        """Twice the first."""
        return self.one * 2


def _matched(value: Any, kind: Any) -> Any:
    match value:
        case kind(one, two="x"):
            return one
    return None


WAYS: dict[str, Callable[[Any], Any]] = {
    "by place": lambda kind: kind(1, "x", (2,)),
    "with defaults": lambda kind: kind(1),
    "with one default": lambda kind: kind(1, "x"),
    "by name": lambda kind: kind(three=(3,), one=1),
    "all by name": lambda kind: kind(one=1, two="x", three=()),
    "of values": lambda kind: kind._make([1, "x", ()]),
    "replaced": lambda kind: kind(1)._replace(two="y"),
    "copied": lambda kind: copy.deepcopy(kind(1, "x")),
    "pickled": lambda kind: pickle.loads(pickle.dumps(kind(1, "x"))),
    "a property": lambda kind: kind(4).double,
    "a field": lambda kind: kind(4, "x").two,
    "as a dictionary": lambda kind: kind(1)._asdict(),
    "its fields": lambda kind: (kind._fields, kind._field_defaults, kind.__match_args__),
    "its words": lambda kind: kind.__doc__,
    "its place": lambda kind: kind.__module__,
    "its annotations": lambda kind: typing.get_type_hints(kind),
    "in a match": lambda kind: _matched(kind(7, "x"), kind),
    "printed": lambda kind: repr(kind(1)).partition("(")[2],
    "hashed": lambda kind: hash(kind(1)),
    "without a dictionary": lambda kind: hasattr(kind(1), "__dict__"),
}


@pytest.mark.parametrize("way", WAYS)
def test_like_the_usual_one(way: str) -> None:
    """
    In whatever way it is made and used, a record is what a usual named tuple is.
    """
    mine, theirs = WAYS[way](Cheap), WAYS[way](Usual)

    assert theirs == mine


WRONG: tuple[tuple[type[Exception], Callable[[Any], Any]], ...] = (
    (TypeError, lambda kind: kind()),
    (TypeError, lambda kind: kind(1, "x", (), 4)),
    (TypeError, lambda kind: kind(1, one=2)),
    (TypeError, lambda kind: kind(1, four=4)),
    (TypeError, lambda kind: kind(two="x")),
    (TypeError, lambda kind: kind._make([1])),
    (ValueError, lambda kind: kind(1)._replace(four=4)),
    (AttributeError, lambda kind: setattr(kind(1), "one", 2)),
    (AttributeError, lambda kind: setattr(kind(1), "four", 2)),
)


@pytest.mark.parametrize(("error", "work"), WRONG)
def test_refuses_what_the_usual_one_refuses(
    error: type[Exception], work: Callable[[Any], Any]
) -> None:
    """
    Arguments that are missing, twice there or unknown are refused with the same exception.
    """
    for kind in (Cheap, Usual):
        with pytest.raises(error):
            work(kind)
