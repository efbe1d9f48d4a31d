"""
`--option NAME=VALUE` of `comfygraph submit`: what a service takes besides the graph.
"""

from __future__ import annotations

from collections.abc import Iterable

from comfygraph.core.nearest import shorten
from comfygraph.core.values import JsonValue
from comfygraph.documents import Document
from comfygraph.errors import UsageError
from comfygraph.targets.http import read_json_text

_FORM = "write it like --option quantity=4 or --option step=customComfy"


def target_options(target: str, document: Document, texts: Iterable[str]) -> dict[str, JsonValue]:
    """
    Give the options for a target: those that the file itself says, where it is a body of that
    service, and those that a person adds.

    Args:
        target: The name of the target.
        document: The file.
        texts: `NAME=VALUE` each; VALUE is JSON, else text. A name that comes again makes a list.

    Raises:
        UsageError: A text is not shaped like that.
    """
    found: dict[str, JsonValue] = {}
    if target == "civitai" and document.kind == "civitai":
        from comfygraph.targets.civitai.body import options_of_body

        found = options_of_body(document.value)
    given: dict[str, list[JsonValue]] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        name = name.strip().replace("-", "_")
        if not name or not sign:
            raise UsageError(f"cannot read `--option {shorten(text)}`", hint=_FORM)
        plain = read_json_text(value)
        given.setdefault(name, []).append(
            value if plain is None and value.strip() != "null" else plain
        )
    return found | {
        name: values[0] if len(values) == 1 else values for name, values in given.items()
    }
