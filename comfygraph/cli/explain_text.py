"""
How `comfygraph explain` looks in a terminal.
"""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap
from unicodedata import east_asian_width

from comfygraph.analysis.explain import Explanation, Step
from comfygraph.core.nearest import shorten
from comfygraph.lint.render.text import clean

WIDTH = 80
_BOLD, _DIM = "1", "2"
_INDENT = 4
_LABEL = 10


def whole_text(found: Explanation, name: str, *, color: bool) -> str:
    """
    Give the whole graph.
    """
    count = len(found.steps) + len(found.stuck)
    lines = [f"{clean(name)}: {count} node{'s' * (count != 1)}", ""]
    for step in found.steps:
        lines += _step(step, color)
    lines += [
        f"  {clean(shorten(node_id))} lies on a cycle, or behind one: it never runs"
        for node_id in found.stuck[:20]
    ]
    lines.append("")
    lines += _costs(found)
    if found.unknown:
        ids = ", ".join(clean(shorten(node_id)) for node_id in found.unknown[:8])
        more = " …" if len(found.unknown) > 8 else ""
        lines += _wrapped("unknown", f"{ids}{more}: the catalog has no such classes, and what "
                          "depends on them is not guessed")  # fmt: skip
    return "\n".join(line.rstrip() for line in lines) + "\n"


def node_text(found: Explanation, node_id: str, *, color: bool) -> str:
    """
    Give one node, and the way of what reaches it.
    """
    steps = {step.node_id: step for step in found.steps}
    if node_id not in steps:
        return f"{clean(shorten(node_id))} lies on a cycle, or behind one: it never runs\n"
    step = steps[node_id]
    lines = [*_step(step, color)]
    above = _above(steps, step)
    if above:
        lines += ["", "What reaches it:", ""]
        for other in above:
            lines += _step(other, color)
    takers = [other for other in found.steps if node_id in other.sources]
    lines += ["", *_wrapped("goes to", ", ".join(map(_name, takers[:12])) or "nobody")]
    share = step.cost / found.cost if found.cost else 0.0
    lines += _wrapped("cost", f"{step.cost:,.1f}, {share:.0%} of the graph")
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _above(steps: dict[str, Step], step: Step) -> list[Step]:
    seen: set[str] = set()
    pending = list(step.sources)
    while pending:
        node_id = pending.pop()
        if node_id in steps and node_id not in seen:
            seen.add(node_id)
            pending.extend(steps[node_id].sources)
    return [other for other in steps.values() if other.node_id in seen]


def _name(step: Step) -> str:
    return clean(f"{shorten(step.title)} ({shorten(step.node_id)})")


def _step(step: Step, color: bool) -> Iterator[str]:
    title = _name(step)
    if step.title != step.class_type and step.details:
        title += f", {clean(shorten(step.class_type))}"
    yield _paint(title, _BOLD, color)
    for line in _lines(step.says, WIDTH - _INDENT):
        yield " " * _INDENT + line
    for what, text in step.details:
        yield from _wrapped(what, text, color)


def _wrapped(what: str, text: str, color: bool = False) -> list[str]:
    margin = _INDENT + _LABEL
    lines = _lines(text, WIDTH - margin) or [""]
    head = " " * _INDENT + _paint(f"{what:<{_LABEL}}", _DIM, color)
    return [head + lines[0], *(" " * margin + line for line in lines[1:])]


def _lines(text: str, width: int) -> list[str]:
    """Break a text into lines; letters of East Asia take two columns."""
    shown = clean(text)
    if not shown.isascii():
        wide = sum(east_asian_width(char) in "WF" for char in shown)
        if wide:
            width = max(width * len(shown) // (len(shown) + wide), 20)
    return wrap(shown, width, break_on_hyphens=False)


def _costs(found: Explanation) -> list[str]:
    drivers = [step for step in found.drivers() if step.cost > 1]
    if not drivers:
        return []
    parts = [f"{_name(step)} {step.cost / found.cost:.0%}" for step in drivers]
    rest = 1 - sum(step.cost for step in drivers) / found.cost
    if rest >= 0.005:
        parts.append(f"the rest {rest:.0%}")
    return _wrapped("cost", f"{found.cost:,.1f}: {', '.join(parts)}")


def _paint(text: str, code: str, color: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if color else text
