"""
MP4 and QuickTime: `moov/udta/meta` with `keys` and `ilst`, or with iTunes' own items.

`SaveVideo` writes any key with `use_metadata_tags` (comfy_api, `VideoFromComponents.save_to`);
Video Helper Suite writes both graphs into the comment.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from comfygraph.documents.media.boxes import Box, boxes, meta_children, pack
from comfygraph.documents.media.fields import Cut, Edit, Field, cut, decode, may_hold_graph
from comfygraph.documents.media.source import Cursor, Source
from comfygraph.errors import InputError

_MOST_KEYS = 1 << 20
_HEADER = 8
_COMMENT = b"\xa9cmt"
# In which boxes to look further, and which hold texts, by the box around them.
_WAYS = {b"": {b"moov", b"udta"}, b"moov": {b"udta"}, b"udta": frozenset[bytes]()}
_ENDS = {b"": {b"meta"}, b"moov": {b"meta"}, b"udta": {b"meta", _COMMENT}}


@dataclass(frozen=True, slots=True)
class _Item:
    """An item of `ilst`; `index` is its key in `keys`, from 1, or 0 where it names itself."""

    box: Box
    index: int
    field: Field


@dataclass(frozen=True, slots=True)
class _Meta:
    box: Box
    children: tuple[Box, ...]
    keys: tuple[bytes, ...]
    items: tuple[_Item, ...]


def read(source: Source) -> Iterator[Field]:
    """
    Give the texts of the film as a whole.
    """
    for holder in _holders(source):
        if holder.type == _COMMENT:
            yield _quicktime_comment(source, holder)
        else:
            for item in _meta(source, holder).items:
                yield item.field


def strip(source: Source) -> Cut:
    """
    Replace the graphs by free space: pictures and sound are found by their offset in the file.
    """
    gone: list[Field] = []
    edits: list[Edit] = []
    for holder in _holders(source):
        if holder.type == _COMMENT:
            field = _quicktime_comment(source, holder)
            if field.graphs():
                gone.append(field)
                edits += _free(holder)
            continue
        meta = _meta(source, holder)
        doomed = [item for item in meta.items if item.field.graphs()]
        if doomed:
            gone += [item.field for item in doomed]
            edits += _without(source, meta, {item.box.start for item in doomed})
    return cut(gone, edits)


def _holders(source: Source) -> Iterator[Box]:
    """The boxes that can hold texts: `meta`, and the comment of older QuickTime files."""
    pending = [(b"", 0, source.size)]
    while pending:
        parent, start, end = pending.pop()
        for box in boxes(source, start, end):
            if box.type in _ENDS[parent]:
                yield box
            elif box.type in _WAYS[parent]:
                pending.append((box.type, box.body, box.end))


def _quicktime_comment(source: Source, box: Box) -> Field:
    text = source.read(box.body, box.end - box.body)
    return Field("comment", decode(text[4 : 4 + int.from_bytes(text[:2], "big")]))


def _meta(source: Source, box: Box) -> _Meta:
    children = tuple(boxes(source, meta_children(source, box), box.end))
    keys: tuple[bytes, ...] = ()
    for child in children:
        if child.type == b"keys":
            keys = _keys(source, child)
    items = tuple(
        _item(source, item, keys)
        for child in children
        if child.type == b"ilst"
        for item in boxes(source, child.body, child.end)
    )
    return _Meta(box, children, keys, items)


def _keys(source: Source, box: Box) -> tuple[bytes, ...]:
    """The keys as they stand in the file: size, name space and name."""
    table = Cursor(source.read(box.body, box.end - box.body, most=_MOST_KEYS))
    table.skip(4)
    out: list[bytes] = []
    for _ in range(table.big(4)):
        source.step()
        size = table.big(4)
        out.append(size.to_bytes(4, "big") + table.take(max(size, 8) - 4))
    return tuple(out)


def _item(source: Source, box: Box, keys: tuple[bytes, ...]) -> _Item:
    index = int.from_bytes(box.type, "big")
    if 0 < index <= len(keys):
        name = decode(keys[index - 1][8:])
    else:
        index = 0
        name = decode(box.type) if box.type != _COMMENT else "comment"
        if box.type == b"----":  # named by a box in it
            for child in boxes(source, box.body, box.end):
                if child.type == b"name":
                    name = decode(source.read(child.body, child.end - child.body)[4:])
    if may_hold_graph(name):
        for child in boxes(source, box.body, box.end):
            if child.type == b"data":  # its kind of value and its country stand before the value
                text = decode(source.read(child.body, child.end - child.body)[8:])
                return _Item(box, index, Field(name, text))
    return _Item(box, index, Field(name))


def _without(source: Source, meta: _Meta, doomed: set[int]) -> tuple[Edit, ...]:
    kept = [item for item in meta.items if item.box.start not in doomed]
    ours = (b"keys", b"ilst", b"hdlr", b"free")
    if not kept and all(child.type in ours for child in meta.children):
        return _free(meta.box)
    used = {item.index for item in meta.items} - {item.index for item in kept}
    numbers = [number for number in range(1, len(meta.keys) + 1) if number not in used]
    renumbered = {old: new for new, old in enumerate(numbers, 1)}
    parts: list[bytes] = []
    written = False
    for child in meta.children:
        if child.type == b"keys":
            body = b"".join(meta.keys[number - 1] for number in numbers)
            parts.append(pack(b"keys", bytes(4) + len(numbers).to_bytes(4, "big") + body))
        elif child.type != b"ilst":
            parts.append(pack(child.type, source.read(child.body, child.end - child.body)))
        elif not written:
            written = True
            items: list[bytes] = []
            for item in kept:
                kind = renumbered[item.index].to_bytes(4, "big") if item.index else item.box.type
                box = item.box
                items.append(pack(kind, source.read(box.body, box.end - box.body)))
            parts.append(pack(b"ilst", b"".join(items)))
    start = meta.children[0].start
    data = b"".join(parts)
    room = meta.box.end - start - len(data)
    if room < _HEADER:
        raise InputError("damaged: the list of keys does not fit its box")
    return (Edit(start, meta.box.end, data + room.to_bytes(4, "big") + b"free", room - _HEADER),)


def _free(box: Box) -> tuple[Edit, ...]:
    """The same room, with nothing in it."""
    return (
        Edit(box.start + 4, box.start + 8, b"free"),
        Edit(box.body, box.end, zeros=box.end - box.body),
    )
