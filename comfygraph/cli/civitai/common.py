"""
What the commands of `comfygraph civitai` share: the service, and words for what it says.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal, cast

import click

from comfygraph.core.values import JsonValue
from comfygraph.lint.render.text import clean
from comfygraph.targets.reading import mapping, mappings, one_line, text

if TYPE_CHECKING:
    from comfygraph.references.web import Web
    from comfygraph.targets.civitai import CivitaiTarget

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")

_PROMPTS = ("prompt", "positivePrompt")


@contextmanager
def service() -> Iterator[tuple[CivitaiTarget, Web]]:
    """
    Give the service that the environment names, and what carries questions to it.

    Raises:
        UsageError: There is no token, or the address is wrong.
    """
    from comfygraph.references.web import Web
    from comfygraph.targets import get_target

    target = cast("CivitaiTarget", get_target("civitai", os.environ))
    web = Web()
    try:
        yield target, web
    finally:
        web.close()


def shown_time(value: JsonValue, to: Literal["seconds", "minutes"] = "seconds") -> str:
    """
    Give a moment of the service as `2026-10-02 10:15:30`, UTC; its own text where it is none.
    """
    from datetime import UTC, datetime

    said = one_line(value, 40)
    try:
        at = datetime.fromisoformat(said)
        at = at if at.tzinfo is None else at.astimezone(UTC).replace(tzinfo=None)
    except (ValueError, OverflowError):
        return clean(said)
    return at.isoformat(" ", timespec=to)


def kinds_of(workflow: JsonValue) -> str:
    """
    Give the kinds of a workflow's steps, such as `comfy` or `echo, comfy ×2`.
    """
    counts: dict[str, int] = {}
    for step in mappings(mapping(workflow).get("steps")):
        kind = clean(one_line(step.get("$type"), 40)) or "?"
        counts[kind] = counts.get(kind, 0) + 1
    return ", ".join(f"{kind} ×{n}" if n > 1 else kind for kind, n in counts.items())


def prompt_of(step: JsonValue) -> str:
    """
    Give the prompt text of a step that has one outside of a graph; else nothing.
    """
    given = mapping(mapping(step).get("input"))
    for place in (given, mapping(given.get("params"))):
        for name in _PROMPTS:
            said = one_line(place.get(name), 2000)
            if said:
                return clean(said)
    return ""


def cost_of(workflow: JsonValue) -> str:
    """
    Give what a workflow costs, such as `12 Buzz`; nothing where it does not say.
    """
    from comfygraph.targets.civitai.workflow import read_workflow
    from comfygraph.targets.observations import CostSeen

    costs = [seen.amount for seen in read_workflow(workflow) if isinstance(seen, CostSeen)]
    return f"{costs[-1]:g} Buzz" if costs else ""


def state_of(workflow: JsonValue) -> str:
    """
    Give a workflow's status in lower case; `?` where it has none.
    """
    from comfygraph.targets.civitai.workflow import status_of

    whole = mapping(workflow)
    return clean(status_of(whole, list(mappings(whole.get("steps"))))) or "?"


def fitted(line: str) -> str:
    """
    Give a line cut to the terminal; whole where stdout is none, for `grep`.
    """
    line = line.rstrip()
    room = shutil.get_terminal_size((80, 24)).columns
    if len(line) <= room or not sys.stdout.isatty():
        return line
    return f"{line[: max(room, 40) - 1]}…"


def rows(pairs: Sequence[tuple[str, str]], indent: str = "  ") -> list[str]:
    """
    Give aligned lines of names and texts; those without text are left out.
    """
    known = [(name, said) for name, said in pairs if said]
    widest = max((len(name) for name, _ in known), default=0)
    return [f"{indent}{name:<{widest}}  {said}" for name, said in known]


def texts(value: JsonValue) -> list[str]:
    """
    Give the texts of a list, fit for a terminal.
    """
    return [clean(text(item)) for item in value if text(item)] if isinstance(value, list) else []
