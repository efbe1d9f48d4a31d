"""
Which input a variant gets which value: names that meet, cells that are empty, graphs that differ.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from comfygraph.catalog import load_catalog
from comfygraph.core.values import Prompt
from comfygraph.errors import UsageError
from comfygraph.jobs.batch.checking import Checker
from comfygraph.jobs.batch.graphs import Base, open_bases
from comfygraph.jobs.batch.space import Axis, Space
from comfygraph.jobs.batch.tables import read_table
from comfygraph.jobs.batch.variants import Variants

CATALOG = load_catalog()
GRAPH: dict[str, Any] = {
    "1": {"class_type": "LoadImage", "inputs": {"image": "/home/me/secret.png"}},
    "2": {
        "class_type": "SaveImage",
        "inputs": {"images": ["1", 0], "filename_prefix": "red"},
        "_meta": {"title": "keep"},
    },
    "3": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
}
BASE = Base(Prompt.from_json(GRAPH), "graph.json")


def table(path: Path, text: str) -> Axis:
    """
    Write a parameter file and read it.
    """
    path.write_text(text, "utf-8")
    return read_table(path, most=9)


def test_two_names_of_one_input() -> None:
    """
    Two names that stand for the same input are refused: one of them would be ignored.
    """
    axes = [Axis(("2.filename_prefix",), ["a"]), Axis(("keep.filename_prefix",), ["b"])]

    with pytest.raises(UsageError, match=r"are the same input, 2\.filename_prefix"):
        list(Variants([BASE], Space(axes), CATALOG))


def test_values_of_a_line_stay_where_a_cell_is_empty(tmp_path: Path) -> None:
    """
    A sweep goes before what a line of a JSONL sets, by whatever name, and an empty cell does not;
    the manifest says what was set, and nothing else.
    """
    given = {"keep.filename_prefix": "mine"}
    base = Base(BASE.prompt, "line 1", given=given)
    found = [
        variant
        for name in ("keep.filename_prefix", "2.filename_prefix")
        for variant in Variants(
            [base],
            Space([table(tmp_path / "p.csv", f"{name},image\n,a.png\nblue,b.png\n")]),
            CATALOG,
        )
    ]

    assert ["mine", "blue", "mine", "blue"] == [
        variant.prompt["2"].inputs["filename_prefix"] for variant in found
    ]
    assert [
        {"keep.filename_prefix": "mine", "image": "a.png"},
        {"keep.filename_prefix": "blue", "image": "b.png"},
        {"keep.filename_prefix": "mine", "image": "a.png"},
        {"2.filename_prefix": "blue", "image": "b.png"},
    ] == [dict(variant.parameters) for variant in found]


def test_an_empty_cell_is_nobodys_word(tmp_path: Path) -> None:
    """
    A file that the graph names may be read anywhere only where every variant was given a name: an
    empty cell leaves the one that came with the graph.
    """
    full, gaps = (
        Variants([BASE], Space([table(tmp_path / "p.csv", text)]), CATALOG)
        for text in ("image,filename_prefix\na.png,b\n", "image,filename_prefix\n,b\na.png,c\n")
    )
    for variants in (full, gaps):
        list(variants)

    assert (("1", "image"), ("2", "filename_prefix")) == full.trusted
    assert (("2", "filename_prefix"),) == gaps.trusted


def test_the_graph_that_lacks_an_input_is_named(tmp_path: Path) -> None:
    """
    Of many graphs, the one in which a name fits nothing is told.
    """
    for name, prefix in (("a.json", "filename_prefix"), ("b.json", "other")):
        graph = json.loads(json.dumps(GRAPH))
        graph["2"]["inputs"] = {"images": ["1", 0], prefix: "x"}
        graph["2"]["class_type"] = "Unknown"
        (tmp_path / name).write_text(json.dumps(graph), "utf-8")
    bases = open_bases(tmp_path, CATALOG)

    with pytest.raises(UsageError, match=r"b\.json: `filename_prefix`: no node"):
        list(Variants(bases, Space([Axis(("filename_prefix",), ["x"])]), CATALOG))


def test_other_outputs_make_no_twin(tmp_path: Path) -> None:
    """
    The same graph is another job where other outputs of it are to run.
    """
    lines = tmp_path / "all.jsonl"
    rows = [{"prompt": GRAPH, "partial_execution_targets": [node]} for node in "2323"]
    lines.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    checker = Checker(CATALOG, lint=False)
    good = list(checker.good(Variants(open_bases(lines, CATALOG), Space([]), CATALOG)))

    assert [("2",), ("3",)] == [variant.partial_targets for variant in good]
    assert 2 == checker.result.twins
