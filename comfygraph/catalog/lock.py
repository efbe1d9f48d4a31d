"""
Lock files: what graphs rely on, written down, so that it can be told later what changed.

    {
    "comfygraph_lock": 1,
    "catalog": "ComfyUI 0.33.0 (bundled)",
    "classes": {
    "KSampler": {
      "hash": "0e4c…",
      "required": {
        "model": ["MODEL"],
        ...
      "outputs": ["LATENT"]
    },
    ...

One input a line, classes sorted by name: a new server is a small diff in review.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from comfygraph.catalog.diff import Change, class_removed, diff_classes
from comfygraph.catalog.facts import class_facts, facts_hash, node_from_facts
from comfygraph.catalog.node_catalog import NodeCatalog
from comfygraph.catalog.uses import Use, uses_of
from comfygraph.core.graph import GraphView
from comfygraph.core.nearest import shorten
from comfygraph.core.values import Prompt
from comfygraph.errors import CatalogError

LOCK_FILE = "comfygraph.lock"
_VERSION = 1
_LARGEST = 64 << 20
_SECTIONS = ("required", "optional", "files")


@dataclass(frozen=True, slots=True)
class Lock:
    """
    What a set of graphs relies on.

    Args:
        catalog: How the catalog was called that the facts are from.
        classes: Class name → its facts.
        unknown: Classes that the graphs use and that catalog did not have.
    """

    catalog: str
    classes: Mapping[str, Mapping[str, Any]]
    unknown: tuple[str, ...] = ()

    def to_text(self) -> str:
        """
        Give the text of the lock file; the same for the same graphs in any order.
        """
        head = [
            f'"comfygraph_lock": {_VERSION}',
            f'"catalog": {_dump(self.catalog)}',
        ]
        if self.unknown:
            head.append(f'"unknown": {_dump(sorted(self.unknown))}')
        blocks = [_class_text(name, self.classes[name]) for name in sorted(self.classes)]
        body = ",\n".join(blocks)
        head.append(f'"classes": {{\n{body}\n}}' if blocks else '"classes": {}')
        return "{\n" + ",\n".join(head) + "\n}\n"


@dataclass(frozen=True, slots=True)
class LockChange:
    """
    One thing that changed since the lock was written.

    Args:
        change: What changed in the class.
        uses: Where these graphs use what broke; empty if they get along.
    """

    change: Change
    uses: tuple[Use, ...] = field(default=())

    @property
    def breaks(self) -> bool:
        """Whether the change breaks one of these graphs."""
        return bool(self.uses)

    def to_json(self) -> dict[str, Any]:
        """
        Give the change and its uses as JSON.
        """
        return {
            **self.change.to_json(),
            "breaks": self.breaks,
            "uses": [use.to_json() for use in self.uses],
        }


Prompts = Prompt | Mapping[str, Prompt] | Iterable[Prompt]
"""One graph, graphs by the name of their file, or graphs without names."""


def make_lock(prompts: Prompts, catalog: NodeCatalog) -> Lock:
    """
    Write down what these graphs rely on in this catalog.

    Args:
        prompts: The graphs.
        catalog: The catalog that they run with today.

    Raises:
        CatalogError: A definition of the catalog cannot be read.
    """
    classes: dict[str, Mapping[str, Any]] = {}
    unknown: list[str] = []
    for name in _classes(_named(prompts).values()):
        node = catalog.get(name)
        if node is None:
            unknown.append(name)
        else:
            classes[name] = class_facts(node)
    # A path would differ from one machine to the next.
    label = Path(catalog.label).name if catalog.origin == "file" else catalog.label
    return Lock(label, classes, tuple(unknown))


def read_lock(path: Path) -> Lock:
    """
    Read a lock file.

    Raises:
        CatalogError: The file cannot be read or is no lock file.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise CatalogError(f"{path}: too large for a lock file")
        document = json.loads(path.read_bytes())
    except OSError as exc:
        raise CatalogError(f"{path}: {exc.strerror or exc}") from exc
    except (ValueError, RecursionError) as exc:
        raise CatalogError(f"{path}: not JSON: {exc}") from exc
    return lock_from_json(document, str(path))


def lock_from_json(document: Any, label: str) -> Lock:
    """
    Read the document of a lock file.

    Args:
        document: The document, as `json.loads` gives it.
        label: How messages call it.

    Raises:
        CatalogError: It is no lock file, or one of a later comfygraph.
    """
    version = document.get("comfygraph_lock") if isinstance(document, dict) else None
    classes = document.get("classes") if isinstance(document, dict) else None
    if type(version) is not int or not isinstance(classes, dict):
        raise CatalogError(
            f"{label}: not a lock file", hint="write one with `comfygraph catalog lock`"
        )
    if version > _VERSION:
        raise CatalogError(
            f"{label}: written by a later comfygraph (version {version} of the lock file)",
            hint="update comfygraph",
        )
    for name, facts in classes.items():
        if not isinstance(facts, dict):
            raise CatalogError(f"{label}: `{shorten(name)}` is not an object")
    unknown = document.get("unknown")
    catalog = document.get("catalog")
    return Lock(
        catalog if isinstance(catalog, str) else "an unknown catalog",
        {name: _without_hash(facts) for name, facts in classes.items()},
        tuple(name for name in unknown if isinstance(name, str))
        if isinstance(unknown, list)
        else (),
    )


def compare_lock(lock: Lock, catalog: NodeCatalog, prompts: Prompts) -> list[LockChange]:
    """
    Say what changed for these graphs since the lock was written.

    Classes that the lock does not know are left alone: there is nothing to compare with.

    Args:
        lock: What they relied on.
        catalog: The catalog that they are to run with now.
        prompts: The graphs; only classes that they use are looked at.

    Returns:
        The changes by class name; each with the places in the graphs that it breaks.

    Raises:
        CatalogError: A definition of the catalog or the lock cannot be read.
    """
    named = _named(prompts)
    changes: list[Change] = []
    for name in _classes(named.values()):
        facts = lock.classes.get(name)
        if facts is None:
            continue
        node = catalog.get(name)
        if node is None:
            changes.append(class_removed(name))
            continue
        now = class_facts(node)
        if facts_hash(now) != facts_hash(facts):
            changes += diff_classes(node_from_facts(name, facts), node_from_facts(name, now))
    if not changes:
        return []
    nodes: dict[str, list[tuple[str, str]]] = {}
    views = {label: GraphView(prompt) for label, prompt in named.items()}
    for label, prompt in named.items():
        for node_id, found in prompt.items():
            nodes.setdefault(found.class_type, []).append((label, node_id))
    out = []
    for change in changes:
        uses = [
            use
            for label, node_id in nodes[change.class_type]
            for use in uses_of(change, label, named[label], views[label], node_id, catalog)
        ]
        out.append(LockChange(change, tuple(uses)))
    return out


def _named(prompts: Prompts) -> dict[str, Prompt]:
    if isinstance(prompts, Prompt):  # A mapping, too, but of nodes.
        return {"": prompts}
    if isinstance(prompts, Mapping):
        return dict(cast("Mapping[str, Prompt]", prompts))
    return {str(index): prompt for index, prompt in enumerate(prompts)}


def _classes(prompts: Iterable[Prompt]) -> list[str]:
    return sorted({node.class_type for prompt in prompts for node in prompt.nodes()})


def _without_hash(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in facts.items() if key != "hash"}


def _class_text(name: str, facts: Mapping[str, Any]) -> str:
    lines = [f'  "hash": "{facts_hash(facts)}"']
    for key, value in facts.items():
        if key in _SECTIONS and isinstance(value, Mapping):
            inner = ",\n".join(f"    {_dump(k)}: {_dump(v)}" for k, v in value.items())
            lines.append(f"  {_dump(key)}: {{\n{inner}\n  }}")
        else:
            lines.append(f"  {_dump(key)}: {_dump(value)}")
    return f"{_dump(name)}: {{\n" + ",\n".join(lines) + "\n}"


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
