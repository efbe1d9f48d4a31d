"""
Graphs that are shown around: what looks like a secret is hidden.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from comfygraph.core.values import Prompt


def masked(prompt: Prompt) -> Prompt:
    """
    Hide the values that look like secrets.
    """
    from comfygraph.core.values import Prompt
    from comfygraph.lint.rules._secrets import secret_in
    from comfygraph.lint.signs import KEY_PREFIXES, KEYS_IN_TEXT

    nodes = dict(prompt)
    for node in prompt.nodes():
        hidden = {
            name: "(a secret)"
            for name, value in node.inputs.items()
            if isinstance(value, str)
            and secret_in(name, value, KEYS_IN_TEXT if " " in value else KEY_PREFIXES) is not None
        }
        if hidden:
            nodes[node.id] = replace(node, inputs={**node.inputs, **hidden})
    return Prompt(nodes)
