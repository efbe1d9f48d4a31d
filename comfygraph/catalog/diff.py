"""
What changed between two catalogs, and whether it can break a graph.

Breaking is what makes the server refuse, or run otherwise, a graph that it took before.
Defaults never break: the server does not apply them. Lists of files differ from machine to
machine and are no part of a class, unless they are asked for.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from comfygraph.catalog.flatten import FlatInput, flat_inputs
from comfygraph.catalog.node_catalog import NodeCatalog
from comfygraph.catalog.specs import AUTOGROW, InputSpec, NodeDef, OutputSpec
from comfygraph.core.nearest import shorten
from comfygraph.errors import CatalogError

ChangeKind = Literal[
    "class-added", "class-removed",
    "input-added", "required-input-added", "input-removed", "input-retyped",
    "input-now-required", "input-now-optional",
    "options-added", "options-removed", "range-narrowed", "range-widened", "default-changed",
    "output-added", "output-removed", "output-retyped", "output-renamed", "output-list-changed",
    "output-node-changed", "api-node-changed", "deprecated-changed", "experimental-changed",
    "input-list-changed",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Change:
    """
    One difference between two versions of a class.

    Args:
        class_type: The class.
        kind: What sort of change; stable.
        message: The change in one line, without the name of the class.
        breaking: Whether a graph that ran before can stop to, or run otherwise.
        input: The input, members of dynamic ones as `resize_type[scale width].width`.
        slot: The output slot.
        before: The fact as it was, as JSON.
        after: The fact as it is now, as JSON.
        old: The input as it was, for those who look for its uses.
        new: The input as it is now.
    """

    class_type: str
    kind: ChangeKind
    message: str
    breaking: bool
    input: str | None = None
    slot: int | None = None
    before: Any = None
    after: Any = None
    old: FlatInput | None = field(default=None, compare=False, repr=False)
    new: FlatInput | None = field(default=None, compare=False, repr=False)

    def to_json(self) -> dict[str, Any]:
        """
        Give the change as JSON.
        """
        return {
            "class_type": self.class_type,
            "kind": self.kind,
            "breaking": self.breaking,
            "input": self.input,
            "slot": self.slot,
            "before": self.before,
            "after": self.after,
            "message": self.message,
        }


def diff_catalogs(old: NodeCatalog, new: NodeCatalog, *, files: bool = False) -> list[Change]:
    """
    Compare two catalogs.

    Args:
        old: The catalog that graphs were made for.
        new: The catalog that they are to run with.
        files: Compare lists of model and input files too.

    Returns:
        The changes by class name; in a class inputs, then outputs, then flags.

    Raises:
        CatalogError: One of the catalogs cannot be read.
    """
    out: list[Change] = []
    for name in sorted({*old.names(), *new.names()}):
        before, after = old.get(name), new.get(name)
        if before is None:
            out.append(Change(name, "class-added", "is new", False))
        elif after is None:
            out.append(class_removed(name))
        else:
            out += diff_classes(before, after, files=files)
    return out


def class_removed(name: str) -> Change:
    """
    Give the change that a class is gone.
    """
    return Change(name, "class-removed", "is gone", True)


def diff_classes(old: NodeDef, new: NodeDef, *, files: bool = False) -> list[Change]:
    """
    Compare two versions of a class: inputs, then outputs, then flags.

    Raises:
        CatalogError: A definition nests too deep to be compared.
    """
    name = old.class_type
    try:
        return [
            *_inputs(name, flat_inputs(old), flat_inputs(new), files),
            *_outputs(name, old.outputs, new.outputs),
            *_flags(old, new),
        ]
    except RecursionError as exc:
        raise CatalogError(f"the definition of `{shorten(name)}` nests too deep") from exc


def _inputs(
    name: str, old: dict[str, FlatInput], new: dict[str, FlatInput], files: bool
) -> Iterator[Change]:
    for path, before in old.items():
        after = new.get(path)
        if after is not None:
            yield from _input(name, before, after, files)
        elif _stands_alone(before, old, new):
            yield Change(
                name, "input-removed", f"`{path}` is gone", True, path,
                before=before.spec.type, old=before,
            )  # fmt: skip
    for path, after in new.items():
        if path in old or not _stands_alone(after, new, old):
            continue
        kind: ChangeKind = "required-input-added" if after.spec.required else "input-added"
        message = f"`{path}` is new and {'required' if after.spec.required else 'optional'}"
        yield Change(
            name, kind, message, after.spec.required, path, after=after.spec.type, new=after
        )


def _stands_alone(item: FlatInput, mine: dict[str, FlatInput], other: dict[str, FlatInput]) -> bool:
    """
    Tell whether the coming or going of an input is news: not if its parent tells it already.
    """
    if item.parent is None:
        return True
    parent = other.get(item.parent)
    if parent is None or parent.spec.type != mine[item.parent].spec.type:
        return False
    return item.key is None or item.key in (parent.spec.options or ())


def _input(name: str, old: FlatInput, new: FlatInput, files: bool) -> Iterator[Change]:
    path = new.path
    before, after = old.spec, new.spec

    def change(
        kind: ChangeKind, message: str, breaking: bool, was: Any = None, now: Any = None
    ) -> Change:
        return Change(name, kind, message, breaking, path, before=was, after=now, old=old, new=new)

    if before.type != after.type:
        message = f"`{path}` is now {after.type}, was {before.type}"
        breaking = not covers(after.type, before.type)
        yield change("input-retyped", message, breaking, before.type, after.type)
    if after.required and not before.required:
        yield change("input-now-required", f"`{path}` is now required", True)
    elif before.required and not after.required:
        yield change("input-now-optional", f"`{path}` is now optional", False)
    yield from _range(path, before, after, change)
    if not files and (before.files is not None or after.files is not None):
        return
    if before.options is not None and after.options is not None:
        yield from _options(path, before.options, after.options, change)
    if _key(before.default) != _key(after.default):  # NaN differs from itself
        message = f"`{path}` defaults to {_show(after.default)}, was {_show(before.default)}"
        yield change("default-changed", message, False, before.default, after.default)


def _options(
    path: str, old: tuple[Any, ...], new: tuple[Any, ...], change: Any
) -> Iterator[Change]:
    before = {_key(option): option for option in old}
    after = {_key(option): option for option in new}
    gone = [option for key, option in before.items() if key not in after]
    fresh = [option for key, option in after.items() if key not in before]
    if gone:
        yield change("options-removed", f"`{path}` no longer has {_some(gone)}", True, gone)
    if fresh:
        yield change("options-added", f"`{path}` now has {_some(fresh)}", False, None, fresh)


def _range(
    path: str, old: InputSpec, new: InputSpec, change: Callable[..., Change]
) -> Iterator[Change]:
    group = new.type == AUTOGROW
    for word, before, after, sign in (
        ("minimum", _number(old.min), _number(new.min), 1),
        ("maximum", _number(old.max), _number(new.max), -1),
    ):
        if before == after:
            continue
        narrowed = after is not None and (before is None or (after - before) * sign > 0)
        what = "least count" if group else word
        message = f"`{path}` {what} is {_show(after, 'none')}, was {_show(before, 'none')}"
        kind = "range-narrowed" if narrowed else "range-widened"
        yield change(kind, message, narrowed, before, after)


def _outputs(
    name: str, old: tuple[OutputSpec, ...], new: tuple[OutputSpec, ...]
) -> Iterator[Change]:
    for before, after in zip(old, new, strict=False):
        slot = before.slot
        if before.type != after.type:
            message = f"output {slot} is now {after.type}, was {before.type}"
            breaking = not covers(before.type, after.type)
            yield Change(
                name, "output-retyped", message, breaking, None, slot, before.type, after.type
            )
        elif before.name != after.name:
            message = f"output {slot} is now called `{after.name}`, was `{before.name}`"
            yield Change(
                name, "output-renamed", message, False, None, slot, before.name, after.name
            )
        if before.is_list != after.is_list:
            message = f"output {slot} is {'now' if after.is_list else 'no longer'} a list"
            yield Change(
                name, "output-list-changed", message, False, None, slot,
                before.is_list, after.is_list,
            )  # fmt: skip
    for before in old[len(new) :]:
        message = f"output {before.slot} `{before.name}` is gone"
        yield Change(name, "output-removed", message, True, None, before.slot, before.type)
    for after in new[len(old) :]:
        message = f"output {after.slot} `{after.name}` is new"
        yield Change(name, "output-added", message, False, None, after.slot, None, after.type)


_FLAGS: tuple[tuple[str, ChangeKind, str, bool], ...] = (
    ("output_node", "output-node-changed", "an output node", True),
    ("api_node", "api-node-changed", "a paid API node", False),
    ("deprecated", "deprecated-changed", "deprecated", False),
    ("experimental", "experimental-changed", "experimental", False),
    ("is_input_list", "input-list-changed", "a taker of whole lists", False),
)


def _flags(old: NodeDef, new: NodeDef) -> Iterator[Change]:
    for flag, kind, words, breaks in _FLAGS:
        before, after = bool(getattr(old, flag)), bool(getattr(new, flag))
        if before != after:
            message = f"is {'now' if after else 'no longer'} {words}"
            yield Change(
                old.class_type, kind, message, breaks and before, before=before, after=after
            )


def covers(wide: str, narrow: str) -> bool:
    """
    Tell whether everything of socket type `narrow` is of type `wide` too.
    """
    members = _members(wide)
    return "*" in members or _members(narrow) <= members


def fits(received: str, wanted: str) -> bool:
    """
    Tell whether an output of one socket type may flow into an input of another.

    Models `validate_node_input` of ComfyUI's `comfy_execution/validation.py`: a shared member
    of two unions is enough.
    """
    mine, theirs = _members(received), _members(wanted)
    return "*" in mine or "*" in theirs or bool(mine & theirs)


def _members(kind: str) -> set[str]:
    return {part.strip() for part in kind.split(",")}


def _number(value: Any) -> float | int | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return value if is_number and value == value else None  # NaN bounds nothing


def _key(option: Any) -> str:
    return json.dumps(option, sort_keys=True, default=repr)


def _show(value: Any, nothing: str = "nothing") -> str:
    if value is None:
        return nothing
    text = value if isinstance(value, str) else _key(value)
    return f"`{text if len(text) <= 60 else text[:59] + '…'}`"


def _some(options: list[Any]) -> str:
    shown = ", ".join(_show(option, "`null`") for option in options[:4])
    more = f" and {len(options) - 4} more" if len(options) > 4 else ""
    return shown + more
