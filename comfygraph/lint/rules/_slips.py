"""
Values that are in a closed list but for their spelling: case, separators, sub-folders.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, NamedTuple

from comfygraph.catalog import InputSpec
from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.show import shown

Kind = Literal["case", "separator", "folder"]


class Slip(NamedTuple):
    """A value of the list that the given one stands for, and what is off."""

    value: str
    kind: Kind


class _Index:
    """The texts of a closed list, by what remains of them when their spelling is ignored."""

    def __init__(self, options: tuple[Any, ...]) -> None:
        self.options = options
        self.texts = tuple(str(option) for option in options)
        self.plain: dict[str, list[str]] = {}
        self.folded: dict[str, list[str]] = {}
        self.base: dict[str, list[str]] = {}
        for option in options:
            if isinstance(option, str):
                plain = _plain(option)
                folded = plain.casefold()
                self.plain.setdefault(plain, []).append(option)
                self.folded.setdefault(folded, []).append(option)
                self.base.setdefault(folded.rpartition("/")[2], []).append(option)


_INDEXES: dict[int, _Index] = {}
"""By the identity of the list: a catalog has few of them, and lists of files are long."""

_KEPT = 32


def _index(options: tuple[Any, ...]) -> _Index:
    found = _INDEXES.get(id(options))
    if found is None or found.options is not options:
        if len(_INDEXES) >= _KEPT:
            _INDEXES.clear()
        found = _INDEXES[id(options)] = _Index(options)
    return found


def texts_of(spec: InputSpec) -> tuple[str, ...]:
    """
    Give the values of a closed list as text.
    """
    return _index(spec.options or ()).texts


def slip_of(value: Any, spec: InputSpec) -> Slip | None:
    """
    Find the one value of the list that `value` is a slip of; `None` if none or several are.
    """
    if not isinstance(value, str) or not value:
        return None
    index = _index(spec.options or ())
    plain = _plain(value)
    folded = plain.casefold()
    kinds: list[tuple[Kind, list[str]]] = [
        ("separator", index.plain.get(plain, [])),
        ("case", index.folded.get(folded, [])),
    ]
    if spec.files:
        kinds.append(("folder", index.base.get(folded.rpartition("/")[2], [])))
    for kind, same in kinds:
        if len(same) == 1 and same[0] != value:
            return Slip(same[0], kind)
    return None


def slips(ctx: RuleContext, *kinds: Kind) -> Iterator[tuple[str, str, Any, Slip, bool]]:
    """
    Yield every slip of these kinds, as `(node id, input, value, slip, refused)`.

    Where names of files are taken on trust, the server may have the file under that name too:
    such slips are not refused.
    """
    for kind in ("not-in-list", "file-missing"):
        for fault in ctx.faults.get(kind, ()):
            value = fault.extra.get("received_value")
            slip = slip_of(value, fault.spec) if fault.spec is not None else None
            if slip is not None and slip.kind in kinds:
                yield fault.node_id, fault.input or "", value, slip, True
    for node_id, name, value, spec in ctx.unlisted:
        if spec is None or (node_id, name) in ctx.faulty:
            continue
        slip = slip_of(value, spec)
        if slip is not None and slip.kind in kinds:
            yield node_id, name, value, slip, False


def tell(
    ctx: RuleContext, found: tuple[str, str, Any, Slip, bool], words: str, *, safe: bool
) -> Finding:
    """
    Make the finding about one slip; `safe` where its repair cannot mean anything else.
    """
    node_id, name, value, slip, refused = found
    title = f"write {shown(slip.value)}"
    fix = ctx.set_fix(node_id, name, slip.value, title, safe=safe and refused)
    return ctx.at_input(
        node_id,
        name,
        f"`{name}` is {shown(value)}, {words} {shown(slip.value)}",
        help=title,
        fixes=(fix,),
        severity=None if refused else Severity.WARNING,
        accepted=not refused,
    )


def _plain(name: str) -> str:
    return name.replace("\\", "/")
