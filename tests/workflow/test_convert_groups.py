"""
The editor's groups, kept in a prompt where somebody asks for them.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from comfygraph.catalog import bundled_catalog
from comfygraph.cli import run
from comfygraph.core.values import Prompt
from comfygraph.workflow import convert, to_workflow

CATALOG = bundled_catalog()


def _node(number: int, x: float, y: float, **more: Any) -> dict[str, Any]:
    return {
        "id": number, "type": "EmptyLatentImage", "pos": [x, y], "size": [200, 100], "mode": 0,
        "inputs": [], "outputs": [], "widgets_values": [64, 64, 1], **more,
    }  # fmt: skip


def _workflow(nodes: list[Any], groups: Any) -> dict[str, Any]:
    return {"version": 0.4, "nodes": nodes, "links": [], "groups": groups}


def _frame(title: Any, *bounding: Any) -> dict[str, Any]:
    return {"title": title, "bounding": list(bounding)}


def _groups(workflow: dict[str, Any]) -> dict[str, str | None]:
    return {node.id: node.group for node in convert(workflow, CATALOG, groups=True).prompt.nodes()}


def test_a_node_belongs_where_its_middle_is() -> None:
    """
    In the smallest frame around it, with the names of those around that; the title bar counts,
    and of a folded node only that.
    """
    nodes = [
        _node(1, 100, 100), _node(2, 620, 100), _node(3, 2000, 0), _node(4, 499, 100),
        _node(5, 300, 970), _node(6, 300, 970, flags={"collapsed": True}),
        _node(7, 0, 0, pos={"0": 100, "1": 300}),
    ]  # fmt: skip
    groups = [
        _frame("inner", 600, 50, 300, 300),
        _frame("all", 0, 0, 1000, 1000),
        _frame("across", 900, 0, 500, 500),
    ]

    assert {
        "1": "all", "2": "all/inner", "3": None, "4": "all", "5": None, "6": "all", "7": "all",
    } == _groups(_workflow(nodes, groups))  # fmt: skip


def test_titles() -> None:
    """
    Two groups of one title are two; a slash is one between groups; without a title it is none.
    """
    nodes = [_node(number, number * 1000, 100) for number in range(6)]
    titles = ["Group", "Group", "Load / Save", " // ", "", None]
    groups = [_frame(title, at * 1000 - 50, 0, 400, 400) for at, title in enumerate(titles)]

    assert ["Group", "Group 2", "Load/Save", None, None, None] == list(
        _groups(_workflow(nodes, groups)).values()
    )


@pytest.mark.parametrize(
    "groups",
    [
        None, 3, "x", [None, 3, [], {}], [{"title": "a"}], [_frame("a")], [_frame("a", 1, 2, 3)],
        [_frame("a", "0", 0, 999, 999)], [_frame("a", 0, 0, 10**400, 999)],
        [_frame("a", 0, 0, float("nan"), float("inf"))], [_frame("a", 0, 0, True, None)],
        [_frame("a", 0, 0, -999, -999)],
    ],
)  # fmt: skip
def test_what_is_no_frame_frames_nothing(groups: Any) -> None:
    """
    Whatever stands there: the nodes are in no group.
    """
    assert {"1": None} == _groups(_workflow([_node(1, 10, 40)], groups))


@pytest.mark.parametrize("pos", [None, [], [1], ["1", 2], {"0": 1}, [10**400, 0], True])
def test_nodes_without_a_place_are_in_no_group(pos: Any) -> None:
    """
    They are converted as ever.
    """
    workflow = _workflow([_node(1, 0, 0, pos=pos)], [_frame("a", -999, -999, 9999, 9999)])

    assert {"1": None} == _groups(workflow)


def test_nodes_of_a_subgraph_are_in_the_group_of_its_instance() -> None:
    """
    And in groups of the subgraph, within that.
    """
    body = {
        "id": "sub", "name": "Sub", "version": 1, "inputs": [], "outputs": [], "links": [],
        "nodes": [_node(1, 0, 30), _node(2, 900, 30)], "groups": [_frame("in", 0, 0, 400, 400)],
    }  # fmt: skip
    instance = {**_node(7, 0, 30), "type": "sub", "widgets_values": []}
    workflow = _workflow([instance, {**instance, "id": 8, "pos": [5000, 30]}],
                         [_frame("out", 0, 0, 400, 400)])  # fmt: skip
    workflow["definitions"] = {"subgraphs": [body]}

    assert {"7:1": "out/in", "7:2": "out", "8:1": "in", "8:2": None} == _groups(workflow)


def test_nothing_is_added_unless_it_is_asked_for() -> None:
    """
    By itself the prompt is the editor's own.
    """
    workflow = _workflow([_node(1, 10, 40)], [_frame("a", 0, 0, 999, 999)])

    assert {"title": "Empty Latent Image"} == convert(workflow, CATALOG).prompt["1"].meta


def test_groups_come_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    From a prompt to a workflow and back; the commands for people read them as well.
    """
    document: Any = {
        str(number): {
            "inputs": {"width": 64 * number, "height": 64, "batch_size": 1},
            "class_type": "EmptyLatentImage",
            "_meta": {"title": f"no {number}", "comfygraph": {"group": group}},
        }
        for number, group in enumerate(["a", "a/b", "a/b/c", "d", "a"], 1)
    }
    prompt = Prompt.from_json(document)
    workflow = to_workflow(prompt, CATALOG)
    path = tmp_path / "w.json"
    path.write_text(json.dumps(workflow))
    codes = [run(["convert", "--groups", str(path)])]
    printed = json.loads(capsys.readouterr().out)
    codes.append(run(["decompile", str(path)]))

    assert prompt == convert(workflow, CATALOG, groups=True).prompt
    assert [0, 0] == codes
    assert document == printed
    assert 'with group("a/b/c"):' in capsys.readouterr().out


def test_commands_for_people_show_nodes_of_unknown_classes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    A graph with one is drawn, explained and decompiled; only what a server gets is without it.
    """
    path = tmp_path / "w.json"
    path.write_text(json.dumps(_workflow([{**_node(1, 0, 0), "type": "Odd"}], [])))
    codes = [run([command, str(path)]) for command in ("decompile", "draw", "explain")]
    shown = capsys.readouterr().out

    assert [0, 0, 0] == codes
    assert 'raw_node("Odd"' in shown
