"""
WebM and Matroska: `SimpleTag` elements (RFC 8794 for EBML, RFC 9559 for Matroska).

`SaveWEBM` writes them (comfy_extras/nodes_video.py); FFmpeg turns their names into capitals.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field

from comfygraph.documents.media.fields import Cut, Edit, Field, cut, decode, may_hold_graph
from comfygraph.documents.media.source import Source
from comfygraph.errors import InputError

_SEGMENT, _SEEK_HEAD, _CLUSTER, _TAGS = 0x18538067, 0x114D9B74, 0x1F43B675, 0x1254C367
_TAG, _SIMPLE, _NAME, _STRING = 0x7373, 0x67C8, 0x45A3, 0x4487
_SEEK, _SEEK_POSITION = 0x4DBB, 0x53AC
_VOID, _CHECKSUM = 0xEC, 0xBF


@dataclass(frozen=True, slots=True)
class _Element:
    """An element; `end` is `None` where its size is not known, as in live recordings."""

    id: int
    start: int
    body: int
    end: int | None


@dataclass(slots=True)
class _Node:
    """
    An element of the tags: `Tags`, `Tag` or `SimpleTag`, which alone has a field.

    `kept` and `doomed` say whether a text that stays or goes is in it.
    """

    element: _Element
    parent: _Node | None
    field: Field | None = None
    kept: bool = False
    doomed: bool = False
    gone: bool = False


@dataclass(slots=True)
class _Found:
    """Parents stand before their children; `seeks` have the place that they point to."""

    nodes: list[_Node] = field(default_factory=list)
    seeks: list[tuple[_Element, int]] = field(default_factory=list)
    checksums: list[tuple[_Element, _Element]] = field(default_factory=list)


def read(source: Source) -> Iterator[Field]:
    """
    Give the names and texts of all tags.
    """
    for node in _find(source).nodes:
        if node.field is not None:
            yield node.field


def strip(source: Source) -> Cut:
    """
    Turn the tags with graphs into void elements of the same length; what then holds no tag
    any more as well, and checksums that would be wrong.
    """
    found = _find(source)
    doomed = _outermost_doomed(found.nodes)
    if not doomed:
        return Cut()
    places = {element.start for element in doomed}
    doomed += [seek for seek, place in found.seeks if place in places]
    starts = sorted(element.start for element in doomed)
    for parent, checksum in found.checksums:
        at = bisect_left(starts, parent.body)
        if at < len(starts) and starts[at] < (parent.end or source.size):
            doomed.append(checksum)
    edits: list[Edit] = []
    for element in sorted(doomed, key=lambda element: element.start):
        if not edits or element.start >= edits[-1].end:
            edits.append(_void(element))
    return cut((node.field for node in found.nodes if node.field and node.field.graphs()), edits)


def _outermost_doomed(nodes: list[_Node]) -> list[_Element]:
    for node in reversed(nodes):
        if node.field is not None and node.field.graphs():
            node.doomed, node.kept = True, False
        elif node.field is not None:
            node.kept = True
        if node.parent is not None:
            node.parent.doomed |= node.doomed
            node.parent.kept |= node.kept
    outermost: list[_Element] = []
    for node in nodes:
        inside = node.parent is not None and node.parent.gone
        node.gone = inside or (node.doomed and not node.kept)
        if node.gone and not inside:
            outermost.append(node.element)
    return outermost


def _find(source: Source) -> _Found:
    found = _Found()
    for element in _elements(source, 0, source.size):
        if element.id == _SEGMENT:
            _segment(source, element, found)
            if element.end is None:
                break
        elif element.end is None:
            raise InputError("damaged: an element without a size outside a segment")
    return found


def _segment(source: Source, segment: _Element, found: _Found) -> None:
    end = segment.end if segment.end is not None else source.size
    for element in _elements(source, segment.body, end):
        if element.id == _CHECKSUM:
            found.checksums.append((segment, element))
        elif element.end is None and element.id != _CLUSTER:
            raise InputError("damaged: an element without a size in a segment")
        elif element.id == _SEEK_HEAD:
            _seeks(source, segment, element, found)
        elif element.id == _TAGS:
            _tags(source, element, found)


def _seeks(source: Source, segment: _Element, head: _Element, found: _Found) -> None:
    for seek in _elements(source, head.body, head.end or 0):
        if seek.id == _CHECKSUM:
            found.checksums.append((head, seek))
        elif seek.id == _SEEK and seek.end is not None:
            for child in _elements(source, seek.body, seek.end):
                if child.id == _SEEK_POSITION and child.end is not None:
                    place = int.from_bytes(source.read(child.body, child.end - child.body, most=8))
                    found.seeks.append((seek, segment.body + place))


def _tags(source: Source, tags: _Element, found: _Found) -> None:
    pending = [_Node(tags, None)]
    while pending:
        node = pending.pop()
        element = node.element
        found.nodes.append(node)
        name, text = "", None
        children: list[_Node] = []
        for child in _elements(source, element.body, element.end or 0):
            if child.end is None:
                raise InputError("damaged: an element without a size in the tags")
            if child.id == _CHECKSUM:
                found.checksums.append((element, child))
            elif child.id in (_TAG, _SIMPLE):
                children.append(_Node(child, node))
            elif child.id == _NAME and element.id == _SIMPLE:
                name = decode(source.read(child.body, child.end - child.body)).strip("\0 ")
            elif child.id == _STRING and element.id == _SIMPLE:
                text = child
        pending += reversed(children)
        if element.id == _SIMPLE:
            value = None
            if text is not None and text.end is not None and may_hold_graph(name):
                value = decode(source.read(text.body, text.end - text.body))
            node.field = Field(name, value)


def _elements(source: Source, start: int, end: int) -> Iterator[_Element]:
    """
    The elements between two places. Behind the head of an element of unknown size its children
    follow as if they stood beside it.
    """
    while start < end:
        source.step()
        head = source.peek(start, 12)
        id_size = 9 - head[0].bit_length() if head[0] else 9
        if id_size > 4 or len(head) <= id_size:
            raise InputError(f"damaged: no element at byte {start}")
        size_size = 9 - head[id_size].bit_length() if head[id_size] else 9
        body = start + id_size + size_size
        if size_size > 8 or body > end:
            raise InputError(f"damaged: no size of an element at byte {start}")
        bits = int.from_bytes(head[id_size : id_size + size_size], "big")
        bits &= (1 << 7 * size_size) - 1
        element_id = int.from_bytes(head[:id_size], "big")
        if bits == (1 << 7 * size_size) - 1:
            yield _Element(element_id, start, body, None)
            start = body
        else:
            after = body + bits
            if after > end:
                raise InputError(f"cut short or damaged: {after - end:,} bytes are missing")
            yield _Element(element_id, start, body, after)
            start = after


def _void(element: _Element) -> Edit:
    end = element.end if element.end is not None else element.body
    size = end - element.start
    if size < 10:
        return Edit(element.start, end, bytes([_VOID, 0x80 | (size - 2)]), size - 2)
    head = bytes([_VOID, 0x01]) + (size - 9).to_bytes(7, "big")
    return Edit(element.start, end, head, size - 9)
