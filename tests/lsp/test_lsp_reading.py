"""
What stands at the cursor, and positions as editors count them.
"""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol.types import Position
from strategies import loose_prompts

from comfygraph.core.pointer import escape_pointer
from comfygraph.core.values import Prompt
from comfygraph.documents.positions import find_spans
from comfygraph.lsp.cursor import cursor_at
from comfygraph.lsp.places import definition_of
from comfygraph.lsp.reading import Reading
from comfygraph.lsp.text_map import TextMap

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=12,
)
CODECS = {"utf-8": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}
WIDTH = {"utf-8": 1, "utf-16": 2, "utf-32": 4}


@given(JSON, st.sampled_from([None, 1]), st.data())
def test_cursor_finds_the_innermost_value(
    value: object, indent: int | None, data: st.DataObject
) -> None:
    """
    At any offset the cursor is on the deepest value whose stretch, key included, is around it.
    """
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    offset = data.draw(st.integers(0, len(text)))
    pointers = _pointers(value)
    spans = find_spans(text, pointers)

    found = cursor_at(text, offset)

    pointer = "".join(f"/{escape_pointer(token)}" for token in found.path)
    around = [
        item
        for item, span in spans.items()
        if span.start <= offset <= span.end
        or (span.key_start is not None and span.key_start <= offset <= (span.key_end or 0))
    ]
    deepest = max((item.count("/") for item in around), default=0)
    assert spans[pointer] == found.span
    assert deepest == pointer.count("/")


def _pointers(value: object) -> list[str]:
    out, pending = [], [("", value)]
    while pending:
        pointer, item = pending.pop()
        out.append(pointer)
        members = (
            item.items()
            if isinstance(item, dict)
            else enumerate(item)
            if isinstance(item, list)
            else ()
        )
        pending += [(f"{pointer}/{escape_pointer(str(key))}", inner) for key, inner in members]
    return out


@given(
    st.text(st.sampled_from("ab\n\r\t\u2028\x85é\U0001f600"), max_size=20),
    st.sampled_from(list(CODECS)),
)
def test_positions_there_and_back(text: str, encoding: str) -> None:
    """
    A position leads back to its offset, and its column counts code units since the line's start;
    lines end where the protocol says and nowhere else.
    """
    lines = TextMap(text, encoding)

    for offset in range(len(text) + 1):
        if text[offset - 1 : offset + 1] == "\r\n":
            continue  # inside the end of a line
        position = lines.position(offset)
        before = text[:offset].replace("\r\n", "\n").replace("\r", "\n")
        line = before.rpartition("\n")[2]
        assert offset == lines.offset(position)
        assert before.count("\n") == position.line
        assert len(line.encode(CODECS[encoding])) // WIDTH[encoding] == position.character


@pytest.mark.parametrize(("line", "character"), [(9, 0), (0, 99), (1, 99)])
def test_positions_outside_are_moved_inside(line: int, character: int) -> None:
    """
    A position behind a line or the text is its end.
    """
    found = TextMap("ab\nc").offset(Position(line, character))

    assert {(9, 0): 4, (0, 99): 2, (1, 99): 4}[line, character] == found


@given(loose_prompts())
def test_every_link_leads_to_its_node(prompt: Prompt) -> None:
    """
    With the cursor on any link whose node is there, the definition is that node; on others none.
    """
    text = json.dumps(prompt.to_json(), indent=1)
    reading = Reading(text, "x")
    links = {
        f"/{escape_pointer(node.id)}/inputs/{escape_pointer(name)}": link.node_id
        for node in prompt.nodes()
        for name, link in node.links()
    }
    spans = find_spans(text, links)

    for pointer, source in links.items():
        wanted = f"/{escape_pointer(source)}" if source in prompt else None
        assert wanted == definition_of(reading, spans[pointer].start + 1)


def test_workflow_links_lead_to_their_nodes() -> None:
    """
    In a workflow the input of a node leads along its link, in the graph and in a subgraph.
    """
    inner = {
        "id": "s", "name": "s", "inputs": [], "outputs": [],
        "nodes": [
            {"id": 1, "type": "VAELoader", "outputs": [{"name": "VAE", "links": [7]}]},
            {"id": 2, "type": "VAEDecode", "inputs": [{"name": "vae", "link": 7}]},
        ],
        "links": [{"id": 7, "origin_id": 1, "origin_slot": 0, "target_id": 2, "target_slot": 0}],
    }  # fmt: skip
    workflow = {
        "nodes": [
            {"id": 5, "type": "VAEDecode", "inputs": [{"name": "vae", "link": 3}]},
            {"id": 4, "type": "VAELoader", "outputs": []},
        ],
        "links": [[3, 4, 0, 5, 0, "VAE"]],
        "definitions": {"subgraphs": [inner]},
    }
    text = json.dumps(workflow, indent=1)
    reading = Reading(text, "x")
    places = {
        "/nodes/0/inputs/0/link": "/nodes/1",
        "/definitions/subgraphs/0/nodes/1/inputs/0/link": "/definitions/subgraphs/0/nodes/0",
    }
    spans = find_spans(text, places)

    for pointer, wanted in places.items():
        assert wanted == definition_of(reading, spans[pointer].start)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[",
        '{"a": {"class_type": 3}}',
        "[1, 2]",
        '{"nodes": [7]}',
        '{"nodes": [{}], "links": {"a": 1}}',
        "null",
        '{"1": []}',
    ],
)
def test_odd_texts_have_no_spots_that_fail(text: str) -> None:
    """
    Whatever the text is, asking at any offset gives an answer or none.
    """
    reading = Reading(text, "x")

    spots = [reading.spot(offset) for offset in range(len(text) + 1)]

    assert [] == [spot for spot in spots if spot is not None and spot.source is not None]
