"""
Lock files: what graphs rely on, and what changed for them.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import json_documents, json_values, loose_prompts, object_infos, valid_prompts

from comfygraph.catalog import NodeCatalog, load_catalog
from comfygraph.catalog.facts import class_facts, facts_hash, node_from_facts
from comfygraph.catalog.flatten import flat_inputs
from comfygraph.catalog.lock import Lock, compare_lock, lock_from_json, make_lock, read_lock
from comfygraph.core.values import Prompt
from comfygraph.errors import CatalogError

CORE = load_catalog()
GRAPH = Prompt.from_json(
    {
        "1": {"class_type": "EmptyImage",
              "inputs": {"width": 64, "height": 64, "batch_size": 1, "color": 0}},
        "2": {"class_type": "ResizeImageMaskNode",
              "inputs": {"input": ["1", 0], "resize_type": "scale width",
                         "resize_type.width": 5000, "scale_method": "area"}},
        "3": {"class_type": "BatchImagesNode",
              "inputs": {"images.image0": ["1", 0], "images.image1": ["2", 0]}},
        "4": {"class_type": "SaveImage", "inputs": {"images": ["3", 0], "filename_prefix": "x"}},
        "5": {"class_type": "PrimitiveInt", "inputs": {"value": 5}},
        "6": {"class_type": "PreviewAny", "inputs": {"source": ["5", 0]}},
    }
)  # fmt: skip
Change = Callable[[dict[str, Any]], Any]


def _changed(change: Change) -> NodeCatalog:
    names = {node.class_type for node in GRAPH.nodes()}
    document = {name: copy.deepcopy(dict(CORE[name].raw)) for name in names}
    change(document)
    return load_catalog(document)


def _spec(document: dict[str, Any], class_type: str, name: str) -> Any:
    return document[class_type]["input"]["required"][name]


def _options(document: dict[str, Any]) -> list[Any]:
    found: list[Any] = _spec(document, "ResizeImageMaskNode", "resize_type")[1]["options"]
    return found


def _width(document: dict[str, Any], key: str) -> dict[str, Any]:
    option = next(option for option in _options(document) if option["key"] == key)
    found: dict[str, Any] = option["inputs"]["required"]["width"][1]
    return found


def _drop_choice(document: dict[str, Any], key: str) -> None:
    _options(document)[:] = [option for option in _options(document) if option["key"] != key]


@pytest.mark.parametrize(
    ("change", "kind", "uses"),
    [
        (lambda d: d.pop("SaveImage"), "class-removed", [("4", None)]),
        (lambda d: d["SaveImage"].update(output_node=False), "output-node-changed", [("4", None)]),
        (lambda d: d["EmptyImage"]["input"]["required"].pop("color"), "input-removed",
         [("1", "color")]),
        (lambda d: d["EmptyImage"]["input"]["required"].update(new=["INT"]),
         "required-input-added", [("1", "new")]),
        (lambda d: d["EmptyImage"]["input"].update(optional={"new": ["INT"]}), "input-added", []),
        (lambda d: _spec(d, "EmptyImage", "width")[1].update(max=63), "range-narrowed",
         [("1", "width")]),
        (lambda d: _spec(d, "EmptyImage", "width")[1].update(max=64), "range-narrowed", []),
        (lambda d: _spec(d, "EmptyImage", "width")[1].update(min=65), "range-narrowed",
         [("1", "width")]),
        # Links, by what their source gives today.
        (lambda d: _spec(d, "SaveImage", "images").__setitem__(0, "MASK"), "input-retyped",
         [("4", "images")]),
        (lambda d: _spec(d, "SaveImage", "images").__setitem__(0, "MASK,IMAGE"), "input-retyped",
         []),
        # Constants, by what the server makes of them.
        (lambda d: _spec(d, "EmptyImage", "width").__setitem__(0, "FLOAT"), "input-retyped", []),
        (lambda d: _spec(d, "EmptyImage", "width").__setitem__(0, "STRING"), "input-retyped", []),
        (lambda d: _spec(d, "EmptyImage", "width").__setitem__(0, "IMAGE"), "input-retyped",
         [("1", "width")]),
        # Only what is chosen.
        (lambda d: _width(d, "scale width").update(max=4096), "range-narrowed",
         [("2", "resize_type.width")]),
        (lambda d: _width(d, "scale dimensions").update(max=4096), "range-narrowed", []),
        (lambda d: _drop_choice(d, "scale width"), "options-removed", [("2", "resize_type")]),
        (lambda d: _drop_choice(d, "scale height"), "options-removed", []),
        (lambda d: _spec(d, "ResizeImageMaskNode", "scale_method")[1]["options"].remove("area"),
         "options-removed", [("2", "scale_method")]),
        (lambda d: _spec(d, "ResizeImageMaskNode", "scale_method")[1]["options"].remove("lanczos"),
         "options-removed", []),
        # Members of groups.
        (lambda d: _spec(d, "BatchImagesNode", "images")[1]["template"].update(max=1),
         "options-removed", [("3", "images.image1")]),
        (lambda d: _spec(d, "BatchImagesNode", "images")[1]["template"].update(min=3),
         "range-narrowed", [("3", "images.image2")]),
        (lambda d: _spec(d, "BatchImagesNode", "images")[1]["template"]["input"].update(
            required={"image": ["MASK"]}), "input-retyped",
         [("3", "images.image0")]),
        # Outputs, at those who take them.
        (lambda d: d["BatchImagesNode"].update(output=[]), "output-removed", [("4", "images")]),
        (lambda d: d["BatchImagesNode"].update(output=["MASK"]), "output-retyped",
         [("4", "images")]),
        (lambda d: d["PrimitiveInt"].update(output=["FLOAT"]), "output-retyped", []),
        (lambda d: d["SaveImage"].update(deprecated=True), "deprecated-changed", []),
    ],
)  # fmt: skip
def test_one_change(change: Change, kind: str, uses: list[tuple[str, str | None]]) -> None:
    """
    A change is told for the graphs in use, with the places that it breaks, and no others.
    """
    lock = make_lock({"g": GRAPH}, CORE)
    found = compare_lock(lock, _changed(change), {"g": GRAPH})[0]

    assert (kind, uses) == (found.change.kind, [(use.node_id, use.input) for use in found.uses])
    assert bool(uses) is found.breaks
    assert {"g"} >= {use.prompt for use in found.uses}
    assert found.to_json()["breaks"] is bool(uses)


def test_only_classes_in_use_are_looked_at() -> None:
    """
    What changed in a class that a graph does not use is nothing to it.
    """
    lock = make_lock([GRAPH], CORE)
    small = Prompt({"5": GRAPH["5"]})

    assert [] == compare_lock(lock, load_catalog({"PrimitiveInt": dict(CORE["PrimitiveInt"].raw)}),
                              small)  # fmt: skip


def test_file_lists_prose_and_forms_do_not_change_a_lock() -> None:
    """
    Other models in a folder, other tooltips, and the newer way to write a combo are no change.
    """
    prompt = Prompt.from_json(
        {"1": {"class_type": "LoraLoader", "inputs": {}},
         "2": {"class_type": "KSampler", "inputs": {}}}
    )  # fmt: skip
    document = {name: copy.deepcopy(dict(CORE[name].raw)) for name in ("LoraLoader", "KSampler")}
    _spec(document, "LoraLoader", "lora_name")[0] = ["a", "b"]
    sampler = document["KSampler"]["input"]["required"]
    sampler["sampler_name"] = ["COMBO", {"options": sampler["sampler_name"][0], "tooltip": "x"}]
    before, after = make_lock([prompt], CORE), make_lock([prompt], load_catalog(document))

    assert before.classes == after.classes


def test_the_file_is_stable_and_reviewable() -> None:
    """
    One input a line; the same graphs in any order give the same text.
    """
    turned = Prompt(dict(reversed(list(GRAPH.items()))))
    text = make_lock([GRAPH], CORE).to_text()

    assert text == make_lock([turned, GRAPH], CORE).to_text()
    assert '    "width": ["INT", {"min": 1, "max": 16384}],\n' in text
    assert text.startswith(
        '{\n"comfygraph_lock": 1,\n"catalog": "ComfyUI 0.33.0 (bundled)",\n"classes": {\n'
        '"BatchImagesNode": {\n  "hash": "'
    )


def test_a_path_is_not_written_down(tmp_path: Path) -> None:
    """
    The same catalog in another folder gives the same lock.
    """
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "mine.json").write_text(json.dumps({"A": CORE["SaveImage"].raw}))
    first, second = (load_catalog(tmp_path / name / "mine.json") for name in ("a", "b"))

    assert "mine.json" == make_lock([], first).catalog == make_lock([], second).catalog


def test_unknown_classes_are_named() -> None:
    """
    A class that the catalog does not have is noted, and compared with nothing.
    """
    prompt = Prompt.from_json({"1": {"class_type": "Gone", "inputs": {}}})
    lock = make_lock([prompt], CORE)

    assert (("Gone",), {}) == (lock.unknown, lock.classes)
    assert [] == compare_lock(lock, CORE, [prompt])
    assert '"unknown": ["Gone"],\n"classes": {}\n' in lock.to_text()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(st.lists(valid_prompts(), max_size=3))
def test_locks_come_back(tmp_path: Path, prompts: list[Prompt]) -> None:
    """
    A lock that is written and read is the same lock, and nothing has changed since.
    """
    path = tmp_path / "comfygraph.lock"
    lock = make_lock(prompts, CORE)
    path.write_text(lock.to_text(), encoding="utf-8")
    read = read_lock(path)

    assert lock == read
    assert lock.to_text() == read.to_text()
    assert [] == compare_lock(read, CORE, prompts)


def test_facts_say_all_that_is_compared() -> None:
    """
    A definition made of the facts of a class has the same inputs, for every class of the core.
    """
    for name, node in CORE.items():
        again = node_from_facts(name, json.loads(json.dumps(class_facts(node))))
        before, after = flat_inputs(node), flat_inputs(again)

        assert sorted(before) == sorted(after)
        for path, item in before.items():
            same = after[path].spec
            assert (item.spec.type, item.spec.required) == (same.type, same.required)
            assert (item.spec.min, item.spec.max) == (same.min, same.max)
            if item.spec.files is None:
                assert (item.spec.options or None) == (same.options or None)
        assert [(spec.type, spec.is_list) for spec in node.outputs] == [
            (spec.type, spec.is_list) for spec in again.outputs
        ]
        assert facts_hash(class_facts(node)) == facts_hash(class_facts(again))


@given(object_infos(), object_infos(), loose_prompts())
def test_any_catalogs_and_graphs(old: Any, new: Any, prompt: Prompt) -> None:
    """
    Any catalogs and graphs can be locked and compared.
    """
    lock = make_lock([prompt], load_catalog(old))
    for change in compare_lock(lock, load_catalog(new), [prompt]):
        assert json.loads(json.dumps(change.to_json()))["breaks"] is change.breaks


@settings(max_examples=60)
@given(st.dictionaries(st.sampled_from(["SaveImage", "PreviewAny"]), json_values(12)))
def test_any_facts_in_a_lock(classes: dict[str, Any]) -> None:
    """
    Whatever somebody wrote into a lock file, comparing with it raises only `CatalogError`.
    """
    try:
        lock = lock_from_json({"comfygraph_lock": 1, "classes": classes}, "x")
        compare_lock(lock, CORE, [GRAPH])
        assert isinstance(lock, Lock)
    except CatalogError as exc:
        assert exc.message  # noqa: PT017


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "x: not a lock file"),
        ({}, "x: not a lock file"),
        ({"comfygraph_lock": True, "classes": {}}, "x: not a lock file"),
        ({"comfygraph_lock": 1, "classes": []}, "x: not a lock file"),
        ({"comfygraph_lock": 2, "classes": {}},
         "x: written by a later comfygraph (version 2 of the lock file)"),
        ({"comfygraph_lock": 1, "classes": {"A": 5}}, "x: `A` is not an object"),
    ],
)  # fmt: skip
def test_what_is_no_lock(document: Any, message: str) -> None:
    """
    A document that is no lock file says why.
    """
    with pytest.raises(CatalogError) as caught:
        lock_from_json(document, "x")

    assert message == caught.value.message


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(json_documents())
def test_any_file_is_a_lock_or_an_error_of_ours(tmp_path: Path, content: bytes) -> None:
    """
    No bytes in a lock file raise anything but `CatalogError`.
    """
    path = tmp_path / "comfygraph.lock"
    path.write_bytes(content)

    with pytest.raises(CatalogError):
        read_lock(path)


def test_a_missing_lock(tmp_path: Path) -> None:
    """
    A lock file that is not there is an error of ours.
    """
    with pytest.raises(CatalogError, match="No such file"):
        read_lock(tmp_path / "comfygraph.lock")
