"""
Graphs of Python scripts as the start of a batch: their parameters are names like any input.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from comfygraph.catalog import InputSpec
from comfygraph.core.values import Prompt
from comfygraph.dsl.template import Parameter
from comfygraph.jobs.batch.graphs import Base

_TYPES = {"integer": "INT", "number": "FLOAT", "string": "STRING", "boolean": "BOOLEAN"}


class _Template(Protocol):
    @property
    def parameters(self) -> Mapping[str, Parameter]: ...

    def __call__(self, **values: Any) -> Prompt: ...


def base_of_template(template: _Template, label: str, prompt: Prompt | None = None) -> Base:
    """
    Give a graph with parameters.

    Args:
        template: Builds it, and knows its parameters.
        label: What messages call it.
        prompt: The graph with the defaults, where it is at hand.

    Raises:
        BuildError: The graph has mistakes.
    """
    return Base(
        template() if prompt is None else prompt,
        label,
        parameters={name: _spec(item) for name, item in template.parameters.items()},
        settle=lambda values: template(**values),
    )


def _spec(parameter: Parameter) -> InputSpec:
    limits = {"min": parameter.minimum, "max": parameter.maximum}
    return InputSpec(
        parameter.name,
        _TYPES.get(parameter.type or "", "*"),
        required=False,
        opts={name: value for name, value in limits.items() if value is not None},
        options=parameter.options,
    )
