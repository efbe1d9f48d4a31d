"""
What changed between two prompts, whatever ids and positions did.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from comfygraph.compare.changes import Change, Difference, InputChange, compare

__all__ = ["Change", "Difference", "InputChange", "compare"]


class _CallablePackage(ModuleType):
    """`comfygraph.compare` is this package and the function: calling the one is the other."""

    def __call__(self, *args: Any, **kwargs: Any) -> Difference:
        return compare(*args, **kwargs)


sys.modules[__name__].__class__ = _CallablePackage
