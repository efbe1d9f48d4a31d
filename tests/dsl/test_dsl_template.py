"""
Templates: parameters, their schema, and values for them.
"""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from comfygraph.catalog import load_catalog
from comfygraph.dsl import NodeSpace, Template, build, param
from comfygraph.errors import BuildError, UsageError
from comfygraph.nodes import (
    CheckpointLoaderSimple,
    CLIPTextEncode,
    EmptyLatentImage,
    KSampler,
    SaveImage,
    VAEDecode,
)


def _template() -> Template:
    c = CheckpointLoaderSimple("a.safetensors")
    size = param("size", 1024)
    text = CLIPTextEncode(param("text", "a harbour"), c)
    latent = KSampler(
        c, seed=param("seed", 7), cfg=param("cfg", 6.5), sampler_name=param("sampler", "euler"),
        positive=text, negative=text, latent_image=EmptyLatentImage(size, size),
    )  # fmt: skip
    return Template(SaveImage(VAEDecode(latent, c)))


def test_parameters_take_values_or_keep_their_defaults():
    """
    The same template gives a prompt for each set of values.
    """
    graph = _template()
    prompt = graph(seed=3, size=512)

    assert ["text", "seed", "cfg", "sampler", "size"] == sorted(
        graph.parameters, key=["text", "seed", "cfg", "sampler", "size"].index
    )
    assert [3, 6.5] == [prompt["4"].inputs[name] for name in ("seed", "cfg")]
    assert {"width": 512, "height": 512, "batch_size": 1} == dict(prompt["3"].inputs)
    assert 7 == graph()["4"].inputs["seed"]


def test_build_takes_the_defaults():
    """
    A graph with parameters builds like any other.
    """
    assert {"width": 64, "height": 64, "batch_size": 2} == dict(
        build(EmptyLatentImage(64, 64, param("count", 2)))["1"].inputs
    )


def test_the_schema_says_what_all_inputs_agree_on():
    """
    Types, ranges and vocabularies come from the inputs that a parameter stands in.
    """
    schema = _template().schema()
    jsonschema.Draft202012Validator.check_schema(schema)

    assert {
        "type": "integer", "minimum": 16, "maximum": 16384, "default": 1024,
    } == schema["properties"]["size"]  # fmt: skip
    assert {"type": "string", "default": "a harbour"} == schema["properties"]["text"]
    assert "dpmpp_2m" in schema["properties"]["sampler"]["enum"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"seed": -1}, "`seed` is -1, below the minimum 0"),
        ({"sampler": "eulr"}, "`sampler_name` is 'eulr', not in its list"),
        ({"size": "x"}, "`width` is 'x', not a whole number"),
    ],
)
def test_values_are_checked_like_constants(values: dict[str, Any], message: str):
    """
    A bad value is a mistake of the graph, at the node where it would stand.
    """
    with pytest.raises(BuildError) as caught:
        _template()(**values)

    assert message in caught.value.problems[0].message


@pytest.mark.parametrize("name", ["self", "values", "class"])
def test_a_parameter_may_have_any_name(name: str):
    """
    None is in the way of what the template's own methods call their arguments.
    """
    graph = Template(EmptyLatentImage(64, 64, param(name, 1)))

    assert 2 == graph(**{name: 2})["1"].inputs["batch_size"]
    assert 3 == graph.from_texts({name: "3"})["1"].inputs["batch_size"]


def test_unknown_parameters_are_named():
    """
    A misspelt parameter is refused with the nearest name.
    """
    with pytest.raises(UsageError, match="no parameter `sede`") as caught:
        _template()(sede=1)

    assert "did you mean `seed`?" == caught.value.hint


def test_values_from_texts():
    """
    Texts of a command line become values of the parameter's type.
    """
    graph = _template()

    assert graph(seed=3, cfg=2.0, text="7") == graph.from_texts(
        {"seed": "3", "cfg": "2", "text": "7"}
    )
    with pytest.raises(UsageError, match="`x` is no value for the parameter `seed`"):
        graph.from_texts({"seed": "x"})


def test_parameters_stand_alone():
    """
    A parameter in a condition or in a text would be settled too early: an error, not a surprise.
    """
    name = param("name", "x")
    with pytest.raises(TypeError, match="`name` has no value before the graph is built"):
        _ = f"a {name}"
    with pytest.raises(TypeError, match="as a whole"):
        bool(name)


@pytest.mark.parametrize(
    "use",
    [
        lambda value: value + 1, lambda value: 2 * value, lambda value: -value,
        lambda value: value == 7, lambda value: value != 7, lambda value: value < 7,
        lambda value: int(value), lambda value: range(value), lambda value: [1][value],
        lambda value: str(value), lambda value: format(value), lambda value: round(value),
        lambda value: len(value), lambda value: list(value), lambda value: value[0],
        lambda value: 7 in value, lambda value: 1 if value else 2,
    ],
)  # fmt: skip
def test_nothing_is_worked_out_of_a_parameter(use: Any):
    """
    For type checkers it is its default, so they let this through: here it is an error that says
    why, where some of it would be `False` or a strange text.
    """
    with pytest.raises(TypeError, match="`seed` has no value before the graph is built"):
        use(param("seed", 7))


def test_a_parameter_within_a_list_is_a_mistake():
    """
    It is reported with its name, as any other wrong value.
    """
    catalog = load_catalog({
        "Many": {
            "input": {"required": {"m": ["COMBO", {"options": ["x"], "multiselect": True}]}},
            "output": [],
        },
    })  # fmt: skip
    many: Any = NodeSpace(catalog).Many
    with pytest.raises(BuildError) as caught:
        build(many(m=[param("which", "x")]))

    assert "Many: `m` is the parameter `which`, not in its list" == caught.value.problems[0].message


def test_names_of_parameters_are_identifiers():
    """
    Anything else could not be given by keyword.
    """
    with pytest.raises(UsageError, match="not an identifier"):
        param("my seed", 1)
