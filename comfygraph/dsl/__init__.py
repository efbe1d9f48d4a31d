"""
Graphs in Python: nodes are expressions, `build` makes them a `Prompt`.
"""

from __future__ import annotations

from comfygraph.dsl.build import build
from comfygraph.dsl.expression import (
    Node,
    Output,
    RawNode,
    Source,
    class_of,
    inputs_of,
    named,
    output,
    raw_node,
    title_of,
)
from comfygraph.dsl.params import param
from comfygraph.dsl.space import NodeSpace
from comfygraph.dsl.template import Parameter, Template

__all__ = [
    "Node",
    "NodeSpace",
    "Output",
    "Parameter",
    "RawNode",
    "Source",
    "Template",
    "build",
    "class_of",
    "inputs_of",
    "named",
    "output",
    "param",
    "raw_node",
    "title_of",
]
