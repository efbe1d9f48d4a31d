"""
The editor's own format, `workflow.json`: its conversion into a prompt, and the way back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from comfygraph.workflow.convert import ConversionResult, convert
from comfygraph.workflow.dynamic_prompts import DynamicPrompts
from comfygraph.workflow.issues import ISSUE_KINDS, ISSUES_BY_CODE, ConversionIssue, IssueKind
from comfygraph.workflow.source_map import NodeSource, SourceMap, SubgraphStep

if TYPE_CHECKING:
    from comfygraph.workflow.back import Rebuilt, rebuild, to_workflow

__all__ = [
    "ISSUES_BY_CODE",
    "ISSUE_KINDS",
    "ConversionIssue",
    "ConversionResult",
    "DynamicPrompts",
    "IssueKind",
    "NodeSource",
    "Rebuilt",
    "SourceMap",
    "SubgraphStep",
    "convert",
    "rebuild",
    "to_workflow",
]


def __getattr__(name: str) -> Any:
    # Conversion does not pay for the way back.
    if name in ("Rebuilt", "rebuild", "to_workflow"):
        from comfygraph.workflow import back

        return getattr(back, name)
    raise AttributeError(f"module 'comfygraph.workflow' has no attribute {name!r}")
