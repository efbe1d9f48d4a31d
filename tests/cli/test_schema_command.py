"""
`comfygraph schema prompt`: a JSON Schema of one's own nodes.
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from odd_pack import ODD_PACK

from comfygraph import NodeCatalog, convert, load_catalog, prompt_schema
from comfygraph.cli import run
from comfygraph.dsl.prompt_schema import schema_text

TESTS = Path(__file__).parent.parent
sys.path.insert(0, str(TESTS / "workflow"))

from recorded_workflows import expected_templates, template  # noqa: E402

sys.path.remove(str(TESTS / "workflow"))

SCHEMA = prompt_schema()
DEFECTIVE = {
    # required inputs that nothing gives, and names that no class of the core has
    "api_flux_vto", "flux1_dev_uso_reference_image_gen", "video_wan_vace_inpainting",
    "template_rob_realistic_2k_images_quick_variations", "templates_mjm_looped_restyler",
    "templates_rob_realistic_2k_images_quick_variations.app",
}  # fmt: skip
FLAGGED = {
    "missing_node_type", "required_input_missing", "invalid_input_type", "value_bigger_than_max",
    "value_smaller_than_min", "value_not_in_list",
}  # fmt: skip
"""Errors of the server that lie in one node alone."""


KEYWORDS = {
    "$schema", "title", "description", "type", "definitions", "additionalProperties", "items",
    "minItems", "maxItems", "required", "properties", "patternProperties", "enum", "const", "if",
    "then", "allOf", "anyOf", "$ref", "default", "minimum", "maximum",
}  # fmt: skip
"""What the schema is made of: all of draft-07, so that strict validators take it."""


@cache
def inputs_validator(class_type: str) -> jsonschema.Draft7Validator:
    """
    Give the validator of one class, found as an editor finds it: by the conditions of a node.
    """
    cases = SCHEMA["definitions"]["node"]["allOf"]
    case = next(c for c in cases if c["if"]["properties"]["class_type"]["const"] == class_type)
    reference = case["then"]["properties"]["inputs"]["$ref"]
    definition = SCHEMA["definitions"][reference.removeprefix("#/definitions/")]
    return jsonschema.Draft7Validator(
        {**definition, "definitions": {"link": SCHEMA["definitions"]["link"]}}
    )


def problems(prompt: Any) -> list[str]:
    """
    Say what the schema has against a prompt, class by class: as the whole one would, sooner.
    """
    known = set(SCHEMA["definitions"]["node"]["properties"]["class_type"]["enum"])
    out = []
    for node_id, node in prompt.items():
        if node.get("class_type") not in known:
            out.append(f"{node_id}: unknown class")
            continue
        errors = inputs_validator(node["class_type"]).iter_errors(node["inputs"])
        out += [f"{node_id}: {error.message}" for error in errors]
    return out


@pytest.mark.parametrize("source", [None, ODD_PACK], ids=["core", "odd pack"])
def test_strict_validators_of_other_languages_take_it(source: Any):
    """
    No keyword is of an editor's own making, and patterns are those of ECMA 262 with the flag
    `u`, where only characters that mean something may be escaped.
    """
    words: set[str] = set()
    patterns: list[str] = []
    pending: list[Any] = [prompt_schema(load_catalog(source))]
    while pending:
        schema = pending.pop()
        words |= set(schema)
        patterns += schema.get("patternProperties", {})
        for key in ("properties", "patternProperties", "definitions"):
            pending += schema.get(key, {}).values()
        for key in ("if", "then", "items", "additionalProperties"):
            found = schema.get(key)
            pending += found if isinstance(found, list) else [found] if found else []
        for key in ("allOf", "anyOf"):
            pending += schema.get(key, [])

    assert set() == words - KEYWORDS
    assert [] == [pattern for pattern in patterns if re.search(r"\\[^\^$.*+?()\[\]{}|\\]", pattern)]


def test_the_schema_is_one_of_sane_size():
    """
    Valid against the meta-schema, less than two megabytes for the 887 classes of the core, and
    the same every time.
    """
    jsonschema.Draft7Validator.check_schema(SCHEMA)
    text = schema_text(SCHEMA)

    assert SCHEMA == json.loads(text)
    assert text == schema_text(prompt_schema())
    assert 500_000 < len(text) < 2_000_000


def test_recorded_prompts_are_valid():
    """
    The prompts of all official templates, but for those with real defects.
    """
    invalid = {
        name
        for name in expected_templates()
        if problems(convert(template(name), load_catalog()).document)
    }

    assert invalid == DEFECTIVE


def test_mutated_prompts_fail_where_they_should():
    """
    What the server refuses of a single node, the schema refuses; file names are not its matter.
    """
    silent = []
    with gzip.open(TESTS / "data" / "validation" / "mutated.jsonl.gz", "rt") as lines:
        cases = [json.loads(line) for line in lines][::4]
    for case in cases:
        kinds = {kind for found in case["expect"]["node_errors"].values() for kind, _ in found}
        if case["expect"]["error"] == "missing_node_type":
            kinds.add("missing_node_type")
        if not kinds & FLAGGED:
            continue
        try:
            found = problems(case["prompt"])
        except (AttributeError, KeyError, TypeError):
            continue  # Not shaped like a prompt.
        if not found:
            silent.append((case["name"], sorted(kinds)))

    assert [] == silent


@pytest.mark.parametrize(
    ("inputs", "fine"),
    [
        ({"width": 64, "height": 64, "batch_size": 1}, True),
        ({"width": ["1", 0], "height": 64, "batch_size": 1}, True),
        ({"width": 64, "height": 64}, False),
        ({"width": 64, "height": 64, "batch_size": 1, "hieght": 1}, False),
        ({"width": 15, "height": 64, "batch_size": 1}, False),
        ({"width": "64", "height": 64, "batch_size": 1}, False),
        ({"width": [1, 0], "height": 64, "batch_size": 1}, False),
    ],
)
def test_the_whole_schema_judges_a_node(inputs: dict[str, Any], fine: bool):
    """
    Through `if` and `then`, as an editor applies it.
    """
    node = {"class_type": "EmptyLatentImage", "inputs": inputs, "_meta": {"title": "x"}}

    assert fine == jsonschema.Draft7Validator(SCHEMA).is_valid({"7": node})


def test_files_of_your_server_are_offered_and_others_taken():
    """
    The names in a catalog's lists are choices; a file that was added since is no error.
    """
    loader = {
        "input": {"required": {"ckpt_name": [["mine.safetensors"]]}},
        "output": ["MODEL"], "output_name": ["MODEL"], "name": "CheckpointLoaderSimple",
    }  # fmt: skip
    schema = prompt_schema(load_catalog({"CheckpointLoaderSimple": loader}))
    name = schema["definitions"]["class.CheckpointLoaderSimple"]["properties"]["ckpt_name"]
    validator = jsonschema.Draft7Validator(schema)

    def valid(value: Any) -> bool:
        node = {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": value}}
        return validator.is_valid({"1": node})

    assert {"enum": ["mine.safetensors"]} in name["anyOf"]
    assert [True, True, False] == [valid("mine.safetensors"), valid("new.safetensors"), valid(3)]


def test_odd_names_are_no_trouble(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """
    Emoji, slashes, spaces: each class has its own definition, which its case refers to.
    """
    source = tmp_path / "odd.json"
    source.write_text(json.dumps(ODD_PACK), "utf-8")
    code = run(["schema", "prompt", "--catalog", str(source)])
    schema = json.loads(capsys.readouterr().out)
    jsonschema.Draft7Validator.check_schema(schema)
    cases = schema["definitions"]["node"]["allOf"]
    references = [case["then"]["properties"]["inputs"]["$ref"] for case in cases]

    assert 0 == code
    assert len(ODD_PACK) == len(set(references))
    assert all(ref.removeprefix("#/definitions/") in schema["definitions"] for ref in references)
    assert isinstance(load_catalog(ODD_PACK), NodeCatalog)


def test_it_is_written_to_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """
    `-o` writes the file, and prints nothing.
    """
    target = tmp_path / "p.json"

    assert 0 == run(["schema", "prompt", "-o", str(target)])
    assert SCHEMA == json.loads(target.read_text("utf-8"))
    assert ("", "") == capsys.readouterr()
