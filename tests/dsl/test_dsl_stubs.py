"""
Stubs: the generated files of the core, and typed packages for any node pack.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from odd_pack import ODD_PACK
from strategies import json_values

from comfygraph.catalog import bundled_catalog, core_version, load_catalog
from comfygraph.cli.stubs import stubs
from comfygraph.core.values import Link
from comfygraph.dsl import NodeSpace, build
from comfygraph.dsl.core_stub import core_stub, socket_module
from comfygraph.dsl.package import StubPackage, make_package, write_package
from comfygraph.errors import BuildError, UsageError

PACKAGE = Path(__file__).parent.parent.parent / "comfygraph"


def _imported(package: StubPackage, folder: Path, name: str, monkeypatch: Any) -> Any:
    write_package(package, folder / name)
    monkeypatch.syspath_prepend(str(folder))
    importlib.invalidate_caches()
    try:
        return importlib.import_module(name)
    finally:
        sys.modules.pop(name)


def test_the_generated_files_are_fresh():
    """
    `nodes.pyi` and the socket types are what `scripts/make_nodes_stub.py` writes.
    """
    stub = core_stub(bundled_catalog(), core_version())
    sockets = socket_module(bundled_catalog())

    assert (PACKAGE / "nodes.pyi").read_text("utf-8") == stub
    assert (PACKAGE / "dsl" / "socket_types.py").read_text("utf-8") == sockets


def test_every_bundled_class_can_be_imported():
    """
    The stub names all classes, and each of them exists with its outputs.
    """
    import comfygraph.nodes as nodes

    tree = ast.parse((PACKAGE / "nodes.pyi").read_text("utf-8"))
    classes = {item.name: item for item in tree.body if isinstance(item, ast.ClassDef)}

    assert len(bundled_catalog()) == len(classes)
    assert sorted(classes) == dir(nodes) == nodes.__all__
    for name, item in classes.items():
        made = getattr(nodes, name)
        outputs = [
            inner.name
            for inner in item.body
            if isinstance(inner, ast.FunctionDef) and inner.name != "__new__"
        ]
        assert outputs == made._cg_plan.output_names


@pytest.mark.parametrize("name", ["Path", "bind", "_Path", "_bind", "annotations", "Node", "type"])
def test_no_name_of_the_package_hides_a_class(name: str, tmp_path: Path, monkeypatch: Any):
    """
    A class that is called like something the package itself needs is found under the name that
    its stub gives it.
    """
    package = make_package(load_catalog({name: {"input": {}, "output": ["INT"]}}))
    made = _imported(package, tmp_path, "hidden_nodes", monkeypatch)
    (short,) = package.names

    assert f"class {short}(" in package.files["__init__.pyi"]
    assert name == build(getattr(made, short)())["1"].class_type


def test_odd_names_are_usable(tmp_path: Path, monkeypatch: Any):
    """
    Keywords, emoji, twins and inputs called `self`: all can be written in Python.
    """
    odd = _imported(make_package(load_catalog(ODD_PACK)), tmp_path, "odd_nodes", monkeypatch)
    loaded = odd.Load_33ef(
        self=odd.from_(), class_=3, cls="c", title="t", cfg_scale_2=0.5, ckpt="z"
    )
    with pytest.raises(Exception, match="`self` wants MODEL, from gives INT"):
        build(loaded)
    from comfygraph.nodes import CheckpointLoaderSimple

    c = CheckpointLoaderSimple("a")
    loaded = odd.Load_33ef(self=c, class_=3, cls="c", title="t", cfg_scale_2=0.5, ckpt="z")
    weird, first, second, count = loaded
    prompt = build(odd.Load(weird), odd.Load(loaded))

    assert ["2", "3"] == [node.id for node in prompt.nodes()][1:]
    assert {
        "class": 3, "_cls": 1, "cls": "c", "title": "t", "cfg scale": 1.0, "cfg-scale": 0.5,
        "ckpt": "z", "mode": "x", "self": Link("1", 0),
    } == dict(prompt["2"].inputs)  # fmt: skip
    assert (first, second, count) == (loaded.IMAGE, loaded.IMAGE_2, loaded.count)


def test_a_stub_is_python_and_names_its_parameters(tmp_path: Path):
    """
    The stub of odd names parses, and files of one machine are not in it.
    """
    package = make_package(load_catalog(ODD_PACK))
    text = package.files["__init__.pyi"]
    tree = ast.parse(text)

    assert "b.ckpt" not in text + package.files["catalog.json"]
    assert ["Load", "from_", "Load_33ef"] == [
        item.name for item in tree.body if isinstance(item, ast.ClassDef)
    ]
    assert "        __cls,\n        self: s.Source[s.MODEL],\n        *,\n" in text
    assert "        cfg_scale: s.Float = 1.0,\n        cfg_scale_2: s.Float = 2.0,\n" in text
    assert "s.Output[t.Literal['WEIRD TYPE!']]" in text


def test_the_same_catalog_gives_the_same_files():
    """
    The order in which a server lists its classes leaves no trace.
    """
    backwards = dict(reversed(ODD_PACK.items()))

    assert make_package(load_catalog(ODD_PACK)) == make_package(load_catalog(backwards))


def test_only_one_pack():
    """
    `only` takes the classes of a pack, in any case; `core` is ComfyUI, others are an error.
    """
    catalog = load_catalog(ODD_PACK)

    assert {"Load", "Load_33ef"} == set(make_package(catalog, ["odd-pack"]).names)
    assert {"from_"} == set(make_package(catalog, ["core"]).names)
    with pytest.raises(UsageError, match="no class of the pack `od-pack`") as caught:
        make_package(catalog, ["Od-Pack"])
    assert "it has odd-pack" == caught.value.hint


def test_an_update_says_what_changed(tmp_path: Path):
    """
    Written again nothing changes; with another catalog the differences are listed.
    """
    source = tmp_path / "object_info.json"
    source.write_text(json.dumps(ODD_PACK))
    arguments = [str(source), "-o", str(tmp_path / "odd")]
    first = CliRunner().invoke(stubs, arguments)
    again = CliRunner().invoke(stubs, arguments)
    changed = json.loads(json.dumps(ODD_PACK))
    del changed["from"]
    changed["Load"]["input"]["required"]["source"][0] = "IMAGE"
    source.write_text(json.dumps(changed))
    updated = CliRunner().invoke(stubs, arguments)

    assert first.output.endswith("odd: 3 classes\n")
    assert again.output.endswith("odd: 3 classes, unchanged\n")
    head, *lines = updated.output.splitlines()
    assert head.endswith("odd: 2 classes, 1 gone, 1 changed, 2 breaking")
    assert {"  ! Load:", "  ! from:"} == {line[:9] for line in lines}


def test_a_folder_in_use_is_left_alone(tmp_path: Path):
    """
    A package that somebody wrote by hand is never overwritten, nor is a file.
    """
    package = make_package(load_catalog(ODD_PACK))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "__init__.py").write_text("x = 1\n")
    (tmp_path / "file").write_text("")

    with pytest.raises(UsageError, match="holds a package of your own"):
        write_package(package, tmp_path / "mine")
    with pytest.raises(UsageError, match="is not a folder"):
        write_package(package, tmp_path / "file")
    with pytest.raises(UsageError, match="cannot be imported"):
        write_package(package, tmp_path / "my-nodes")
    assert "x = 1\n" == (tmp_path / "mine" / "__init__.py").read_text()


SPECS = st.one_of(
    st.tuples(
        st.sampled_from(
            ["INT", "FLOAT", "STRING", "BOOLEAN", "COMBO", "MODEL", "*", "INT,FLOAT", "🔥 x",
             "COMFY_MATCHTYPE_V3", "COMFY_AUTOGROW_V3", "COMFY_DYNAMICCOMBO_V3",
             "COMFY_DYNAMICSLOT_V3", ""]
        ),
        st.dictionaries(
            st.sampled_from(["default", "min", "max", "options", "template", "multiselect",
                             "forceInput", "widgetType", "inputs", "slot", "slotType"]),
            st.one_of(
                json_values(6),
                st.lists(json_values(3), max_size=3),
                st.fixed_dictionaries({
                    "input": st.fixed_dictionaries({"required": st.dictionaries(
                        st.text(max_size=3), st.tuples(st.sampled_from(["INT", "IMAGE"])).map(list),
                        max_size=1)}),
                    "prefix": st.text(max_size=3), "min": st.integers(-1, 3),
                    "max": st.integers(-1, 4),
                }),
                st.lists(st.fixed_dictionaries({"key": json_values(2), "inputs": json_values(6)}),
                         max_size=2),
            ),
            max_size=4,
        ),
    ).map(list),
    st.lists(json_values(4), max_size=2),
)  # fmt: skip
CLASSES = st.fixed_dictionaries(
    {
        "input": st.fixed_dictionaries(
            {
                "required": st.dictionaries(st.text(max_size=5), SPECS, max_size=3),
                "optional": st.dictionaries(st.text(max_size=5), SPECS, max_size=2),
            }
        ),
        "output": st.lists(
            st.one_of(
                st.sampled_from(["IMAGE", "*", "COMFY_MATCHTYPE_V3", "A,B", "🔥"]),
                st.lists(st.text(max_size=3), max_size=2),
            ),
            max_size=3,
        ),
        "output_name": st.lists(st.text(max_size=4), max_size=3),
        "display_name": st.one_of(st.text(max_size=6), st.none()),
    }
)


@settings(deadline=None)
@given(st.dictionaries(st.text(max_size=5), CLASSES, max_size=3))
def test_any_object_info_gives_a_stub(object_info: dict[str, Any]):
    """
    Whatever a server says of its classes: the stub parses, and the classes can be called.
    """
    package = make_package(load_catalog(object_info))
    tree = ast.parse(package.files["__init__.pyi"].encode("utf-8", "backslashreplace"))

    assert list(package.names) == [
        item.name for item in tree.body if isinstance(item, ast.ClassDef)
    ]
    space = NodeSpace(load_catalog(object_info))
    for name in package.names:
        node = getattr(space, name)()
        assert len(list(node)) == len(node)
        assert type(node).__doc__
        assert inspect.signature(type(node))
        with suppress(BuildError):
            build(node)
