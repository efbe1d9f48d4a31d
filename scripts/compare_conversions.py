"""
Measure the conversion against recordings of the editor.

    python scripts/compare_conversions.py [-v] RECORDING.jsonl.gz...

A recording holds one JSON object a line: `{"name": ..., "workflow": ..., "prompt": ...}`, the
prompt as the editor's `graphToPrompt` gave it, or `"error"` where it threw. Prints how many
are equal byte for byte, and with `-v` what differs.
"""

from __future__ import annotations

import gzip
import json
import sys
import time
from collections.abc import Iterator
from typing import Any

from comfygraph.catalog import load_catalog
from comfygraph.errors import ComfyGraphError
from comfygraph.workflow import convert


def differences(expected: dict[str, Any], given: dict[str, Any]) -> Iterator[str]:
    """
    Yield one line for each node or input that differs.
    """
    for node_id in expected.keys() | given.keys():
        if node_id not in given or node_id not in expected:
            yield f"{node_id}: only {'recorded' if node_id in expected else 'converted'}"
            continue
        one, other = expected[node_id], given[node_id]
        for key in ("class_type", "_meta"):
            if one.get(key) != other.get(key):
                yield f"{node_id} {key}: {one.get(key)} recorded, {other.get(key)} converted"
        for name in one["inputs"].keys() | other["inputs"].keys():
            before, after = one["inputs"].get(name), other["inputs"].get(name)
            if before != after:
                yield f"{node_id}.{name}: {str(before)[:80]} recorded, {str(after)[:80]} converted"
    if expected == given and json.dumps(expected) != json.dumps(given):
        yield "the order of keys"


def compare(path: str, *, verbose: bool) -> None:
    """
    Compare all recordings of one file.
    """
    catalog = load_catalog()
    equal = total = 0
    seconds = 0.0
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in file:
            case = json.loads(line)
            total += 1
            start = time.perf_counter()
            try:
                result = convert(case["workflow"], catalog, dynamic_prompts="first")
            except ComfyGraphError as exc:
                found = [exc.message]
            else:
                seconds += time.perf_counter() - start
                if "error" in case:
                    found = [] if result.refusal else [f"not refused: {case['error']}"]
                else:
                    found = list(differences(case["prompt"], result.document))
            equal += not found
            if found and verbose:
                print(case["name"], *sorted(found)[:8], sep="\n    ")
    print(f"{path}: {equal} of {total} equal, {seconds:.2f} s")


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        if argument != "-v":
            compare(argument, verbose="-v" in sys.argv)
