"""
The published JSON Schemas: made from the code, and true of what the code writes.
"""

from __future__ import annotations

import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from comfygraph.cli import run
from comfygraph.documents import recognise
from comfygraph.jobs.batch.events import (
    BatchEnded,
    BatchEvent,
    BatchNotice,
    BatchProgress,
    BatchStarted,
    VariantEnded,
    VariantEvent,
    VariantRetried,
    VariantSent,
    batch_event_to_json,
)
from comfygraph.lint import lint
from comfygraph.lint.render.json_format import report_to_json
from comfygraph.targets.base import JobRef
from comfygraph.targets.events import EVENT_TYPES, Event, JobSucceeded, OutputFile, event_to_json

ROOT = Path(__file__).parent.parent
SCHEMAS = ROOT / "comfygraph" / "schemas"
NAMES = ["batch-event", "event", "job-reference", "prompt", "report"]


@cache
def schema(name: str) -> Draft202012Validator:
    """
    Give a validator of a published schema.
    """
    return Draft202012Validator(json.loads((SCHEMAS / f"{name}.json").read_text("utf-8")))


def problems(name: str, value: Any) -> list[str]:
    """
    Say what a schema finds wrong with a value that went through JSON.
    """
    return [error.message for error in schema(name).iter_errors(json.loads(json.dumps(value)))]


def test_schemas_are_made_from_the_code(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """
    The files are what `scripts/make_schemas.py` writes now; `--update` writes them.
    """
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    from make_schemas import schema_files  # type: ignore[import-not-found]  # a script

    made = schema_files()
    if request.config.getoption("--update"):
        for name, text in made.items():
            (SCHEMAS / name).write_text(text, "utf-8")
    files = {path.name: path.read_text("utf-8") for path in SCHEMAS.glob("*.json")}
    sys.modules.pop("make_schemas")

    assert made == files


@pytest.mark.parametrize("name", [name for name in NAMES if name != "prompt"])
def test_the_command_prints_them(name: str, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    """
    `comfygraph schema event` and its like give the file, byte for byte.
    """
    code = run(["schema", name])

    assert 0 == code
    assert (SCHEMAS / f"{name}.json").read_bytes() == capsysbinary.readouterr().out


@pytest.mark.parametrize("name", NAMES)
def test_schemas_are_schemas(name: str) -> None:
    """
    Each follows its own dialect and names itself.
    """
    document = schema(name).schema
    Draft202012Validator.check_schema(document)

    assert f"urn:comfygraph:schema:{name}" == document["$id"]


@given(st.one_of([st.from_type(kind) for kind in EVENT_TYPES]))
def test_events(event: Event) -> None:
    """
    Every event that there can be follows the schema, with every member described in it.
    """
    value = event_to_json(event)
    members = schema("event").schema["$defs"][value["type"]]["properties"]

    assert [] == problems("event", value)
    assert set(value) == set(members)


@pytest.mark.parametrize("value", [{}, {"type": "Nothing"}, {"type": "NodeStarted"}, [], "x"])
def test_what_is_no_event(value: Any) -> None:
    """
    It is refused.
    """
    assert problems("event", value)


@given(st.builds(JobRef, extra=st.dictionaries(st.text(), st.text())))
def test_job_references(ref: JobRef) -> None:
    """
    Every reference follows the schema, and holds what the schema describes.
    """
    assert [] == problems("job-reference", ref.to_json())
    assert set(ref.to_json()) == set(schema("job-reference").schema["properties"])


def test_reports() -> None:
    """
    A report with findings of many kinds follows the schema; its members are those described.
    """
    value = {
        "1": {"class_type": "EmptyImage", "inputs": {"width": 99999, "colour": 0, "height": None}},
        "2": {"class_type": "ImageScale", "inputs": {"image": ["3", 0]}},
        "3": {"class_type": "ImageScale", "inputs": {"image": ["2", 0]}},
        "4": {"class_type": "Nope", "inputs": {"images": ["1", 0]}, "_meta": {"title": "t"}},
    }
    report = report_to_json([lint(recognise(value, text=json.dumps(value, indent=1)))])
    definition = schema("report").schema["$defs"]["DiagnosticJson"]["properties"]

    assert [] == problems("report", report)
    assert report["diagnostics"]
    assert all(set(found) == set(definition) for found in report["diagnostics"])


@pytest.mark.parametrize("path", sorted((ROOT / "examples").rglob("*.json")), ids=lambda p: p.name)
def test_example_prompts(path: Path) -> None:
    """
    Every example that is a prompt follows the schema of prompts.
    """
    document = recognise(json.loads(path.read_text("utf-8")))
    if document.kind != "prompt":
        pytest.skip(f"a {document.kind}")

    assert [] == problems("prompt", document.prompt)


@pytest.mark.parametrize(
    "value",
    [
        [],
        {"1": 3},
        {"1": {"class_type": "A"}},
        {"1": {"class_type": 3, "inputs": {}}},
        {"1": {"class_type": "A", "inputs": {"x": ["1"]}}},
        {"1": {"class_type": "A", "inputs": {"x": [1, 0]}}},
        {"1": {"class_type": "A", "inputs": {}, "_meta": {"comfygraph": {"ignore": 3}}}},
    ],
)
def test_what_is_no_prompt(value: Any) -> None:
    """
    It is refused.
    """
    assert problems("prompt", value)


@pytest.mark.parametrize(
    "event",
    [
        BatchStarted("20261121-143502-3f2a1c", 300),
        VariantSent(1, {"3.seed": 5, "positive.text": "a cat", "7.image": None}),
        VariantEvent(1, JobSucceeded("j", (OutputFile("/view?filename=a.png", "a.png"),))),
        VariantRetried(1, "out of memory", 2, 1.5),
        VariantEnded(1, "succeeded", {"3.seed": 5}, files=("out/a.png",), cost=0.5),
        BatchNotice("the service answers again"),
        BatchProgress(0.5, None, 1, 2, 3, 4, 5),
        BatchEnded("20261121-143502-3f2a1c", 299, 1, cost=12.5),
    ],
    ids=lambda event: type(event).__name__,
)
def test_events_of_batches_fit_their_schema(event: BatchEvent) -> None:
    """
    What is printed of a batch is what the schema says, and a member less is not.
    """
    document = batch_event_to_json(event)
    less = dict(list(document.items())[:-1])

    assert [] == problems("batch-event", document)
    assert [] != problems("batch-event", less)
