"""
What a document is recognised as, and what is told of broken ones.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfygraph.documents import JsonSyntaxError, open_document, recognise
from comfygraph.errors import InputError, PromptError

NODE = {"class_type": "EmptyImage", "inputs": {}}
PROMPT = {"1": NODE}
CAMEL = {"1": {"classType": "EmptyImage", "inputs": {}}}
SEED = Path(__file__).parent.parent / "data" / "seed" / "tams_workflow.json"


@pytest.mark.parametrize(
    ("value", "kind", "base"),
    [
        (PROMPT, "prompt", ""),
        ({}, "prompt", ""),
        ({"prompt": PROMPT}, "wrapped", "/prompt"),
        ({"prompt": NODE}, "prompt", ""),
        ({"client_id": "x", "prompt": PROMPT}, "wrapped", "/prompt"),
        ({"nodes": [], "links": []}, "workflow", ""),
        ({"requestId": "r", "params": CAMEL}, "tams", "/params"),
        ({"request_id": "r", "params": PROMPT}, "tams", "/params"),
        (
            {"steps": [{"$type": "comfy", "input": {"comfyWorkflow": PROMPT}}]},
            "civitai",
            "/steps/0/input/comfyWorkflow",
        ),
        (
            {"steps": [{"$type": "echo"}, {"$type": "customComfy", "input": {"workflow": PROMPT}}]},
            "civitai",
            "/steps/1/input/workflow",
        ),
        ({"prompt": [3, "id", PROMPT, {}, ["1"]], "outputs": {}}, "history", "/prompt/2"),
        ({"id": {"prompt": [3, "id", PROMPT, {}, ["1"]]}}, "history", "/id/prompt/2"),
        ([3, "id", PROMPT, {}, ["1"]], "queue", "/2"),
        ({"name": "a package", "version": "1"}, "unknown", ""),
        ([], "unknown", ""),
        (7, "unknown", ""),
        (None, "unknown", ""),
    ],
)
def test_kind_of_a_document(value: Any, kind: str, base: str) -> None:
    """
    Every shape that carries a graph is known by its members, and says where the graph stands.
    """
    document = recognise(value)

    assert (kind, base) == (document.kind, document.base)


def test_class_type_is_read_in_both_spellings() -> None:
    """
    A TAMS body spells `classType`; the graph in it is a prompt like any other.
    """
    document = open_document(SEED)

    assert ("tams", "classType", 11) == (
        document.kind,
        document.class_key,
        len(document.to_prompt()),
    )
    assert "KSampler" == document.to_prompt()["17"].class_type


def test_workflow_is_no_prompt() -> None:
    """
    A workflow says what to do with it instead of pretending to be a prompt.
    """
    document = recognise({"nodes": [], "links": []}, path="flow.json")

    with pytest.raises(PromptError) as caught:
        document.to_prompt()

    assert "flow.json is a workflow of the editor, not a prompt" == caught.value.message
    assert "convert it with `comfygraph convert`" == caught.value.hint


@pytest.mark.parametrize(
    ("data", "message", "place"),
    [
        (b"", "empty: there is no JSON in it", (1, 1)),
        (b'{"a": 1,\n "b" 2}', "not JSON: expecting ':' delimiter", (2, 6)),
        (b"[" * 200_000, "not a graph: the JSON nests too deep", (1, 1)),
        (b"9" * 5_000, "a number has too many digits", (1, 1)),
        (b'"\xff"', "not text: invalid start byte at byte 1", (1, 1)),
    ],
)
def test_broken_json_is_told_with_its_place(
    data: bytes, message: str, place: tuple[int, int]
) -> None:
    """
    Broken text costs one message with line and column.
    """
    with pytest.raises(JsonSyntaxError) as caught:
        open_document(data)

    assert (message, place) == (caught.value.message, (caught.value.line, caught.value.column))


def test_unreadable_files(tmp_path: Path) -> None:
    """
    A missing file and a folder are told apart.
    """
    for path, message in [
        (tmp_path / "none.json", "no such file"),
        (tmp_path, "is a directory"),
    ]:
        with pytest.raises(InputError) as caught:
            open_document(path)

        assert f"{path}: {message}" == caught.value.message


def test_large_file_is_refused_unread(tmp_path: Path) -> None:
    """
    A file above the limit is not parsed at all.
    """
    from comfygraph.documents import read_bytes

    path = tmp_path / "large.json"
    path.write_bytes(b"x" * 2_000_000)

    with pytest.raises(InputError) as caught:
        read_bytes(path, limit=1 << 20)

    assert f"{path}: larger than 1 MB, no graph is that large" == caught.value.message


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_encodings_of_json(encoding: str) -> None:
    """
    Text is read in every encoding that JSON was ever exchanged in.
    """
    document = open_document(json.dumps({"1": {**NODE, "note": "été"}}).encode(encoding))

    assert {"1": {**NODE, "note": "été"}} == document.prompt


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=4),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["prompt", "nodes", "params", "steps", "input", "class_type", "1"]),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_any_json_is_recognised(value: Any) -> None:
    """
    Recognising never fails, and a prompt that is found is where `base` says.
    """
    document = recognise(value)

    assert document.kind in {
        "prompt", "wrapped", "history", "queue", "tams", "civitai", "workflow", "unknown",
    }  # fmt: skip
