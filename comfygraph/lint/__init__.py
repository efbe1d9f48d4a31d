"""
Lint: every finding about a graph, and the server's answer foretold from the same findings.
"""

from __future__ import annotations

from comfygraph.lint.predict import PredictedResponse, predict_response

__all__ = ["PredictedResponse", "predict_response"]
