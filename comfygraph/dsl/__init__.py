"""
Graphs in Python: nodes are expressions, `build` makes them a `Prompt`.

Each name is loaded when it is first used: importing node classes costs no more than it must.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from comfygraph.dsl.builder import build as build
    from comfygraph.dsl.decompiler import decompile as decompile
    from comfygraph.dsl.expression import Node as Node
    from comfygraph.dsl.expression import Output as Output
    from comfygraph.dsl.expression import RawNode as RawNode
    from comfygraph.dsl.expression import Source as Source
    from comfygraph.dsl.expression import class_of as class_of
    from comfygraph.dsl.expression import inputs_of as inputs_of
    from comfygraph.dsl.expression import named as named
    from comfygraph.dsl.expression import output as output
    from comfygraph.dsl.expression import raw_node as raw_node
    from comfygraph.dsl.expression import title_of as title_of
    from comfygraph.dsl.groups import group as group
    from comfygraph.dsl.params import param as param
    from comfygraph.dsl.space import NodeSpace as NodeSpace
    from comfygraph.dsl.template import Parameter as Parameter
    from comfygraph.dsl.template import Template as Template

_HOMES = {
    "Node": "expression",
    "NodeSpace": "space",
    "Output": "expression",
    "Parameter": "template",
    "RawNode": "expression",
    "Source": "expression",
    "Template": "template",
    "build": "builder",
    "class_of": "expression",
    "decompile": "decompiler",
    "group": "groups",
    "inputs_of": "expression",
    "named": "expression",
    "output": "expression",
    "param": "params",
    "raw_node": "expression",
    "title_of": "expression",
}

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
    "decompile",
    "group",
    "inputs_of",
    "named",
    "output",
    "param",
    "raw_node",
    "title_of",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
