"""
Lint: every finding about a graph, and the server's answer foretold from the same findings.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from comfygraph.lint.context import LintOptions
from comfygraph.lint.diagnostic import Diagnostic, Edit, Fix, Related, Report, Severity
from comfygraph.lint.engine import lint, lint_file

if TYPE_CHECKING:
    from comfygraph.lint.predict import PredictedResponse, predict_response

__all__ = [
    "Diagnostic",
    "Edit",
    "Fix",
    "LintOptions",
    "PredictedResponse",
    "Related",
    "Report",
    "Severity",
    "lint",
    "lint_file",
    "predict_response",
]


def __getattr__(name: str) -> Any:
    # Lint itself does not foretell answers, so it does not pay for the code that does.
    if name in ("PredictedResponse", "predict_response"):
        from comfygraph.lint import predict

        return getattr(predict, name)
    raise AttributeError(f"module 'comfygraph.lint' has no attribute {name!r}")


class _CallablePackage(ModuleType):
    """`comfygraph.lint` is this package and the function `lint`: calling the one is the other."""

    def __call__(self, *args: Any, **kwargs: Any) -> Report:
        return lint(*args, **kwargs)


sys.modules[__name__].__class__ = _CallablePackage
