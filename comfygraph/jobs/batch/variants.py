"""
Variants: every graph of a batch with every point of its space, made one after the other.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from comfygraph.catalog import InputSpec, NodeCatalog
from comfygraph.core.edit import set_input
from comfygraph.core.values import JsonValue, Prompt
from comfygraph.errors import BuildError, EditError, UsageError
from comfygraph.jobs.batch.graphs import Base, Bases
from comfygraph.jobs.batch.places import Place, find_place, read_name, split_name
from comfygraph.jobs.batch.space import Axis, Space
from comfygraph.jobs.batch.tables import MISSING, Text
from comfygraph.jobs.batch.values import read_value, read_values

_LONGEST_VALUE = 40
MAX_JOBS = 100_000
"""How many variants a batch has at most where nobody says otherwise."""


@dataclass(frozen=True, slots=True)
class Variant:
    """
    One graph of a batch.

    Args:
        index: Its number, from 1, in the order of the batch.
        prompt: The graph.
        parameters: What was set, by the name that the person used.
        label: The graph that it was made of.
        options: What else the target takes.
        partial_targets: Ids of the output nodes to run; empty for all.
        changed: The inputs that were set, with what their classes say of them.
        base: The number of the graph that it was made of, from 1.
    """

    index: int
    prompt: Prompt
    parameters: Mapping[str, JsonValue]
    label: str = ""
    options: Mapping[str, JsonValue] | None = None
    partial_targets: tuple[str, ...] = ()
    changed: tuple[Place, ...] = ()
    base: int = 1


class Variants:
    """
    All variants of a batch.

    Args:
        bases: The graphs.
        space: What is set in each of them.
        catalog: Knows the inputs of the classes.
        most: How many variants there may be.
        options: What else the target takes with each of them.

    Raises:
        UsageError: There are more than `most`.
    """

    def __init__(
        self,
        bases: Bases | Sequence[Base],
        space: Space,
        catalog: NodeCatalog,
        *,
        most: int = MAX_JOBS,
        options: Mapping[str, JsonValue] | None = None,
    ) -> None:
        self._bases = bases
        self._space = space
        self._catalog = catalog
        self._options = dict(options or {})
        self._trusted: frozenset[tuple[str, str]] | None = None
        self.alone = False
        """Whether a graph came on its own, as far as they were walked through: see `Base`."""
        self.size = len(bases) * space.size
        if self.size > most:
            raise UsageError(
                f"this would be {self.size:,} jobs, and the limit is {most:,}",
                hint=f"--max-jobs {self.size} allows it; --combine sample:100 takes a hundred",
            )

    def __len__(self) -> int:
        return self.size

    @property
    def trusted(self) -> tuple[tuple[str, str], ...]:
        """
        Give the inputs, `(node id, input)`, that the space sets in every graph, as far as the
        graphs were walked through: their values come from the person, not from a graph.
        """
        return tuple(sorted(self._trusted or ()))

    def __iter__(self) -> Iterator[Variant]:
        index = 0
        for number, base in enumerate(self._bases, 1):
            self.alone = self.alone or base.alone
            setter = self._setter(base, number)
            given = setter.places_of(self._space.names)
            self._trusted = given if self._trusted is None else self._trusted & given
            for point in self._space:
                index += 1
                values = dict(zip(self._space.names, point, strict=True))
                left_out = [name for name, value in values.items() if value is MISSING]
                if left_out:  # there the graph's own value stays, which is nobody's word
                    self._trusted -= setter.places_of(left_out)
                    for name in left_out:
                        del values[name]
                yield setter.variant(index, {**base.given, **values})

    def _setter(self, base: Base, number: int) -> _Setter:
        names = tuple(dict.fromkeys((*base.given, *self._space.names)))
        try:
            setter = _Setter(base, number, names, self._catalog, self._options)
            setter.refuse_the_same(self._space.names)
        except UsageError as exc:
            if len(self._bases) == 1 and not base.given:
                raise
            raise UsageError(f"{base.label}: {exc.message}", hint=exc.hint) from exc
        return setter


class _Setter:
    """
    Sets values in one graph; the names are looked up once.
    """

    def __init__(
        self,
        base: Base,
        number: int,
        names: Sequence[str],
        catalog: NodeCatalog,
        options: Mapping[str, JsonValue],
    ) -> None:
        self._base = base
        self._options = options
        self._number = number
        self._places = {
            name: find_place(base.prompt, read_name(name), catalog)
            for name in names
            if name not in base.parameters
        }

    def places_of(self, names: Sequence[str]) -> frozenset[tuple[str, str]]:
        """
        Give the inputs, `(node id, input)`, that these names stand for.
        """
        found = (self._places.get(name) for name in names)
        return frozenset((place.node_id, place.input) for place in found if place is not None)

    def refuse_the_same(self, names: Sequence[str]) -> None:
        """
        Refuse names that stand for the same input.

        Raises:
            UsageError: Two do.
        """
        seen: dict[tuple[str, str], str] = {}
        for name in names:
            place = self._places.get(name)
            if place is None:
                continue
            other = seen.setdefault((place.node_id, place.input), name)
            if other != name:
                raise UsageError(
                    f"`{other}` and `{name}` are the same input, {place.node_id}.{place.input}",
                    hint="give it values in one way",
                )

    def variant(self, index: int, values: Mapping[str, JsonValue]) -> Variant:
        """
        Make a variant; of two names for the same input the later one counts.
        """
        base = self._base
        parameters: dict[str, JsonValue] = {}
        changed: dict[tuple[str, str], tuple[str, Place]] = {}
        settled: dict[str, JsonValue] = {}
        for name, given in values.items():
            place = self._places.get(name)
            value = _plain(given, place.spec if place is not None else base.parameters[name])
            parameters[name] = value
            if place is None:
                settled[name] = value
                continue
            before = changed.get((place.node_id, place.input))
            if before is not None:
                del parameters[before[0]]
            changed[place.node_id, place.input] = (name, place)
        prompt = base.prompt
        try:
            if settled and base.settle is not None:
                prompt = base.settle(settled)
            for name, place in changed.values():
                prompt = set_input(prompt, place.node_id, place.input, parameters[name])
        except (EditError, BuildError) as exc:
            said = parameters_text(parameters)
            raise UsageError(
                f"variant {index} ({said}) cannot be made: {exc.message}", hint=exc.hint
            ) from exc
        return Variant(
            index,
            prompt,
            parameters,
            base.label,
            self._options,
            base.partial_targets,
            tuple(place for _, place in changed.values()),
            self._number,
        )


def parameters_text(parameters: Mapping[str, JsonValue]) -> str:
    """
    Say in one line what makes a variant: `3.seed=5, positive.text=a cat`.
    """
    said = []
    for name, value in parameters.items():
        text = value if isinstance(value, str) else json.dumps(value)
        plain = "".join(char if char.isprintable() else " " for char in text)
        said.append(
            f"{name}={plain}"
            if len(plain) <= _LONGEST_VALUE
            else f"{name}={plain[:_LONGEST_VALUE]}…"
        )
    return ", ".join(said) or "as it is"


def _plain(value: JsonValue, spec: InputSpec | None) -> JsonValue:
    return read_value(str(value), spec) if isinstance(value, Text) else value


def read_sweep(
    source: str, base: Base, catalog: NodeCatalog, *, chance: int = 0, folder: Path | None = None
) -> Axis:
    """
    Read `--sweep NAME=VALUES`.

    Args:
        source: As the person wrote it.
        base: The first graph of the batch: says what the input wants.
        catalog: Knows the inputs of the classes.
        chance: Where random seeds start.
        folder: Where `@file` is looked for; `None` for the current folder.

    Raises:
        UsageError: It cannot be read, or names no input.
        InputError: A file of values cannot be read.
    """
    name, rest = split_name(source, "=")
    if not rest:
        raise UsageError(
            f"cannot read `--sweep {source[:100]}`",
            hint="write it like --sweep 3.seed=1..100 or --sweep cfg=6,7,8",
        )
    if name.text in base.parameters:
        spec = base.parameters[name.text]
    else:
        spec = find_place(base.prompt, name, catalog, label=f"--sweep {source[:100]}").spec
    return Axis((name.text,), read_values(rest[1:], spec, chance=chance, folder=folder), source)
