"""
Any prompt that the server takes can be written in Python, and is the same graph again.
"""

from __future__ import annotations

from typing import Any

from graph_shape import shape
from hypothesis import HealthCheck, given, settings
from strategies import catalogs, valid_prompts

from comfygraph.catalog import NodeCatalog, bundled_catalog
from comfygraph.core.values import Link, Prompt
from comfygraph.dsl import NodeSpace, build, named, raw_node
from comfygraph.dsl.expression import Output
from comfygraph.errors import BuildError

CORE = NodeSpace(bundled_catalog())


def _expressions(prompt: Prompt) -> list[Any]:
    """
    Write each node of an acyclic prompt as an expression with its id as title.
    """
    made: dict[str, Any] = {}
    pending = [(node_id, False) for node_id in reversed(list(prompt))]
    while pending:
        node_id, ready = pending.pop()
        node = prompt[node_id]
        if node_id in made:
            continue
        if not ready:
            pending.append((node_id, True))
            pending += [(link.node_id, False) for _, link in node.links()]
            continue
        inputs = {name: _value(value, made) for name, value in node.inputs.items()}
        made[node_id] = named(node_id, CORE[node.class_type](**inputs))
    return [made[node_id] for node_id in prompt]


def _value(value: Any, made: dict[str, Any]) -> Any:
    if isinstance(value, Link):
        node = made[value.node_id]
        return Output(node, value.slot % len(node))
    if isinstance(value, dict) and "__value__" in value:
        return value["__value__"]
    return value


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(valid_prompts())
def test_valid_prompts_are_rebuilt(prompt: Prompt):
    """
    What the catalog has nothing against builds without a mistake: same graph, same titles.
    """
    built = build(_expressions(prompt))

    assert set(prompt) == {node.title for node in built.nodes()}
    assert shape(_completed(prompt)) == shape(_completed(built))


def _completed(prompt: Prompt) -> Prompt:
    # The editor writes optional widgets too, a prompt need not: leave out what is a default.
    catalog = bundled_catalog()
    document = prompt.to_json()
    for node in document.values():
        specs = catalog[node["class_type"]].inputs
        optional = {name for name, spec in specs.items() if not spec.required}
        node["inputs"] = {
            name: value
            for name, value in node["inputs"].items()
            if name not in optional or isinstance(value, list)
        }
    return Prompt.from_json(document)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(catalogs())
def test_classes_of_any_catalog_can_be_used(catalog: NodeCatalog):
    """
    Every class of every shape of catalog becomes a Python class that builds or says why not.
    """
    space = NodeSpace(catalog)
    for short, name in space.names().items():
        made = getattr(space, short)
        assert made is space[name]
        node = made()
        assert len(node) == len(catalog[name].outputs)
        try:
            prompt = build(node, raw_node("User", **{f"i{slot}": x for slot, x in enumerate(node)}))
        except BuildError as exc:
            assert exc.problems  # noqa: PT017
        else:
            assert [name, "User"] == [node.class_type for node in prompt.nodes()]
