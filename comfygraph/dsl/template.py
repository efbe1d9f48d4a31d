"""
Templates: graphs with parameters, built with one set of values after the other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from comfygraph.core.values import Prompt
from comfygraph.dsl.builder import Builder, Outputs, roots
from comfygraph.dsl.literals import nearest, shown
from comfygraph.dsl.plan import InputPlan
from comfygraph.errors import UsageError

_JSON_TYPES = {
    "INT": "integer", "FLOAT": "number", "STRING": "string", "BOOLEAN": "boolean",
}  # fmt: skip

_WORDS = {"integer": "a whole number", "number": "a number", "boolean": "true or false"}


@dataclass(frozen=True, slots=True)
class Parameter:
    """
    A parameter of a template, with what all the inputs that it stands in agree on.

    Args:
        name: Its name.
        default: Its value unless another is given.
        type: `integer`, `number`, `string` or `boolean` as in JSON Schema; `None` for others.
        minimum: The least value, inclusive, or `None`.
        maximum: The greatest value, inclusive, or `None`.
        options: The values that all of the inputs list, or `None`.
    """

    name: str
    default: Any
    type: str | None = None
    minimum: float | None = None
    maximum: float | None = None
    options: tuple[Any, ...] | None = None

    def schema(self) -> dict[str, Any]:
        """
        Give the JSON Schema of a value.
        """
        facts = {
            "type": self.type,
            "minimum": self.minimum,
            "maximum": self.maximum,
            "enum": list(self.options) if self.options is not None else None,
        }
        known = {key: value for key, value in facts.items() if value is not None}
        return {**known, "default": self.default}

    def parse(self, text: str) -> Any:
        """
        Read a value from a text, as a command line gives it.

        Raises:
            UsageError: The text is no value of the parameter's type.
        """
        try:
            match self.type:
                case "integer":
                    return int(text)
                case "number":
                    return float(text)
                case "boolean":
                    return {"true": True, "false": False}[text.lower()]
        except (ValueError, KeyError):
            raise UsageError(
                f"`{text}` is no value for the parameter `{self.name}`, "
                f"which is {_WORDS[str(self.type)]}"
            ) from None
        return text


class Template:
    """
    A graph with parameters: `Template(SaveImage(...))`, then `template(seed=3)`.

    Args:
        outputs: Nodes as for `build`, made with `param(name, default)` where a value shall
            be settled later.

    Raises:
        BuildError: The graph has mistakes, even with the defaults.
    """

    def __init__(self, *outputs: Outputs) -> None:
        self._roots = roots(outputs)
        builder = self._builder({})
        builder.prompt()
        self._parameters = {
            name: _parameter(name, param.default, places)
            for name, (param, places) in builder.finisher.params.items()
        }

    def __repr__(self) -> str:
        return f"<Template with {', '.join(self._parameters) or 'no parameters'}>"

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        """The parameters by name, in the order in which they stand in the prompt."""
        return dict(self._parameters)

    def __call__(self, /, **values: Any) -> Prompt:
        """
        Build the prompt with these values; parameters left out keep their defaults.

        Raises:
            BuildError: An input does not take a value.
            UsageError: There is no such parameter.
        """
        for name in values:
            self._known(name)
        return self._builder(values).prompt()

    def from_texts(self, texts: Mapping[str, str]) -> Prompt:
        """
        Build the prompt with values given as texts, as a command line has them.

        Raises:
            BuildError: An input does not take a value.
            UsageError: There is no such parameter, or a text is no value for it.
        """
        return self(**{name: self._known(name).parse(text) for name, text in texts.items()})

    def schema(self) -> dict[str, Any]:
        """
        Give the JSON Schema of the parameters, as one object.
        """
        return schema_of(self._parameters)

    def _known(self, name: str) -> Parameter:
        found = self._parameters.get(name)
        if found is None:
            from difflib import get_close_matches

            near = get_close_matches(name, self._parameters, n=1)
            names = ", ".join(self._parameters) or "none"
            raise UsageError(
                f"the graph has no parameter `{name}`",
                hint=f"did you mean `{near[0]}`?" if near else f"its parameters: {names}",
            )
        return found

    def _builder(self, values: Mapping[str, Any]) -> Builder:
        builder = Builder(values)
        for node in self._roots:
            builder.add(node)
        return builder


class FunctionTemplate(Template):
    """
    A function that gives a graph, seen as a template: its arguments are the parameters.

    Args:
        function: Can be called without arguments.
        finish: Makes what the function gives a prompt.
    """

    def __init__(self, function: Callable[..., Any], finish: Callable[[Any], Prompt]) -> None:
        self._function = function
        self._finish = finish
        self._parameters = _arguments(function)

    def __call__(self, /, **values: Any) -> Prompt:
        """
        Call the function with these values and build what it gives.

        Raises:
            BuildError: An input does not take a value.
            UsageError: There is no such parameter, or its annotation does not list the value.
        """
        for name, value in values.items():
            options = self._known(name).options
            if options is not None and value not in options:
                raise UsageError(
                    f"the parameter `{name}` is {shown(value)}, not in its list",
                    hint=nearest(value, options),
                )
        return self._finish(self._function(**values))


def schema_of(parameters: Mapping[str, Parameter]) -> dict[str, Any]:
    """
    Give the JSON Schema of an object with a value for each parameter, or for some of them.
    """
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {name: item.schema() for name, item in parameters.items()},
        "additionalProperties": False,
    }


def required_arguments(function: Callable[..., Any]) -> list[str]:
    """
    Give the arguments that a function cannot be called without.
    """
    from inspect import Parameter as Argument
    from inspect import signature

    try:
        arguments = signature(function).parameters.values()
    except (TypeError, ValueError):  # Some builtins tell nothing about themselves.
        return []
    many = (Argument.VAR_POSITIONAL, Argument.VAR_KEYWORD)
    return [
        item.name for item in arguments if item.default is Argument.empty and item.kind not in many
    ]


def _arguments(function: Callable[..., Any]) -> dict[str, Parameter]:
    from inspect import Parameter as Argument
    from inspect import signature
    from typing import Literal, get_args, get_origin, get_type_hints

    try:
        arguments = signature(function).parameters.values()
    except (TypeError, ValueError):
        return {}
    hints: dict[str, Any] = {}
    with suppress(Exception):  # Annotations are the script's own, and may name what is not there.
        hints = get_type_hints(function)
    out: dict[str, Parameter] = {}
    for item in arguments:
        if item.kind not in (Argument.POSITIONAL_OR_KEYWORD, Argument.KEYWORD_ONLY):
            continue
        hint = hints.get(item.name)
        options = get_args(hint) if get_origin(hint) is Literal else None
        kind = "number" if hint is float else _json_type(item.default)
        out[item.name] = Parameter(item.name, item.default, kind, options=options)
    return out


def _json_type(value: Any) -> str | None:
    # `bool` first: for Python a boolean is a whole number too.
    kinds = ((bool, "boolean"), (int, "integer"), (float, "number"), (str, "string"))
    return next((text for kind, text in kinds if isinstance(value, kind)), None)


def _parameter(name: str, default: Any, places: list[InputPlan]) -> Parameter:
    specs = [place.spec for place in places]
    kinds = {_JSON_TYPES[spec.type] for spec in specs if spec.type in _JSON_TYPES}
    if not kinds and (kind := _json_type(default)) is not None:
        kinds = {kind}
    least = [spec.min for spec in specs if isinstance(spec.min, int | float)]
    most = [spec.max for spec in specs if isinstance(spec.max, int | float)]
    lists = [spec.options for spec in specs if spec.options and spec.files is None]
    options = (
        tuple(item for item in lists[0] if all(item in other for other in lists[1:]))
        if lists
        else None
    )
    return Parameter(
        name,
        default,
        "integer" if kinds == {"integer", "number"} else kinds.pop() if len(kinds) == 1 else None,
        max(least, default=None),
        min(most, default=None),
        options,
    )
