"""
The answer of the server, foretold: compared with what ComfyUI 0.33.0 itself answered.
"""

from __future__ import annotations

import gzip
import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import json_values

from comfygraph.catalog import load_catalog
from comfygraph.lint import predict_response
from comfygraph.lint.server_order import set_order, union_order

DATA = Path(__file__).parents[1] / "data" / "validation"
CATALOG = load_catalog()

AGREED: dict[str, str] = {}
"""Recorded cases that the prediction is known to answer otherwise, with the reason: none."""


def recorded(name: str) -> Iterator[dict[str, Any]]:
    """
    Yield the recorded cases of a file.
    """
    with gzip.open(DATA / f"{name}.jsonl.gz", "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def _input_of(error: dict[str, Any]) -> str | None:
    if error["type"].startswith("exception") or error["type"] == "dependency_cycle":
        return None
    name: str | None = error["extra_info"].get("input_name")
    return name


def _answered(answer: dict[str, Any]) -> tuple[Any, ...]:
    if "crash" in answer:
        return (500, False, None, set(), {})
    errors = {
        node_id: {(error["type"], _input_of(error)) for error in entry["errors"]}
        for node_id, entry in answer["node_errors"].items()
    }
    kind = (answer["error"] or {}).get("type")
    status = 200 if answer["valid"] else 400
    return (status, answer["valid"], kind, set(answer["outputs"]), errors)


def test_every_hand_made_case() -> None:
    """
    Status, verdict, error, outputs and node errors of all hand-made cases agree.
    """
    differences = {}
    for case in recorded("cases"):
        found = predict_response(case["prompt"], CATALOG, files="strict")
        errors = {node_id: set(kinds) for node_id, kinds in found.node_errors.items()}
        got = (found.status, found.valid, found.error_type, set(found.outputs), errors)
        if got != _answered(case["answer"]):
            differences[case["name"]] = (_answered(case["answer"]), got)

    assert set(AGREED) == set(differences), differences


def test_rewritten_values_and_texts() -> None:
    """
    The values that the server changes, and the texts of its errors, are foretold letter by letter.
    """
    differences = {}
    for case in recorded("cases"):
        answer = case["answer"]
        if "crash" in answer:
            continue
        found = predict_response(case["prompt"], CATALOG, files="strict")
        body = found.to_json()
        got = [_texts(entry) for _, entry in sorted(body["node_errors"].items())]
        wanted = [_texts(entry) for _, entry in sorted(answer["node_errors"].items())]
        if (answer["changed"], wanted) != (found.rewritten, got):
            differences[case["name"]] = (answer["changed"], wanted, found.rewritten, got)
        elif answer["error"] and answer["error"] != body["error"]:
            differences[case["name"]] = (answer["error"], body["error"])

    assert {} == differences


def _texts(entry: dict[str, Any]) -> list[tuple[str, str]]:
    return sorted((error["message"], error["details"]) for error in entry["errors"])


def test_two_thousand_mutated_prompts() -> None:
    """
    The answers to 2,000 prompts with one to four random faults agree, valid and invalid alike.
    """
    differences = {}
    count = 0
    for case in recorded("mutated"):
        count += 1
        expect = case["expect"]
        found = predict_response(case["prompt"], CATALOG, files="assume")
        errors = {node_id: set(kinds) for node_id, kinds in found.node_errors.items()}
        got = (found.valid, found.error_type, set(found.outputs), errors)
        wanted_errors = {
            node_id: {(kind, name) for kind, name in kinds}
            for node_id, kinds in expect["node_errors"].items()
        }
        wanted = (expect["valid"], expect["error"], set(expect["outputs"]), wanted_errors)
        if got != wanted:
            differences[case["name"]] = (wanted, got)

    assert count == 2000
    assert set(AGREED) == set(differences), differences


@given(json_values(), st.sampled_from(["assume", "strict"]))
def test_any_value_has_an_answer(value: Any, files: Any) -> None:
    """
    Whatever is posted, there is an answer, and its parts fit together.
    """
    found = predict_response(value, CATALOG, files=files)

    assert found.status in (200, 400, 500)
    assert found.valid == (found.status == 200)
    assert found.valid == bool(found.outputs)
    assert (found.error_type is None) == (found.status != 400)


def _names(seed: int) -> list[list[str]]:
    chance = random.Random(seed)
    letters = "abcxyz_019éλ漢😀"

    def name() -> str:
        return "".join(chance.choices(letters, k=chance.randint(0, 12)))

    sizes = [size for size in (0, 1, 2, 5, 8, 13, 30, 100, 400) for _ in range(4)]
    return [list(dict.fromkeys(name() for _ in range(size))) for size in sizes]


@pytest.mark.slow
def test_order_of_sets_is_that_of_a_server() -> None:
    """
    Sets of names come in the order of a Python process with `PYTHONHASHSEED=0`.
    """
    if sys.hash_info.algorithm != "siphash13" or sys.hash_info.width != 64:
        pytest.skip("another hash than that of CPython 3.11 on a 64-bit machine")
    samples = _names(1)
    pairs = list(pairwise(samples))
    code = (
        "import json, sys\nsamples, pairs = json.load(sys.stdin)\nout = []\n"
        "for names in samples:\n    made = set()\n    for name in names: made.add(name)\n"
        "    out.append(list(made))\n"
        "both = [list(set({k: 0 for k in a}).union(set({k: 0 for k in b}))) for a, b in pairs]\n"
        "json.dump([out, both], sys.stdout)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=json.dumps([samples, pairs]),
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "0"},
    )
    added, united = json.loads(done.stdout)

    assert added == [set_order(names) for names in samples]
    assert united == [union_order(left, right) for left, right in pairs]
