"""
Lint: every finding about a graph, and the server's answer foretold from the same findings.
"""

from __future__ import annotations

from comfygraph.lint.context import LintOptions
from comfygraph.lint.diagnostic import Diagnostic, Edit, Fix, Related, Report, Severity
from comfygraph.lint.engine import lint, lint_file
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
