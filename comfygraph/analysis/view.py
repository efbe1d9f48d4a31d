"""
A node with the facts on its inputs, as the transfer functions see it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from comfygraph.analysis.facts import Conditioning, Content, Domain, Facts, Model, Size, Sound

if TYPE_CHECKING:
    from comfygraph.analysis.families import Family
    from comfygraph.catalog import NodeDef

FileSize = Callable[[str], "Size | None"]
"""Gives the size of the picture in an input file, or `None`."""

FamilyOf = Callable[[str], "tuple[Family | None, bool]"]
"""Gives the family of a model's name or reference, and whether that is sure."""

_SOME_NUMBER = 1e15


class View:
    """
    A node under analysis. One view serves all nodes, one after the other.

    Args:
        facts: Node id → what is known, of all nodes upstream.
        file_size: Looks at input files.
        family_of: Looks models up.
        guessing: Give likely values where a transfer function has one: for drawings and
            estimates, never for findings.
    """

    __slots__ = (
        "class_type", "definition", "facts", "family_of", "file_size", "guessing", "inputs",
        "node_id",
    )  # fmt: skip

    def __init__(
        self,
        facts: Mapping[str, Facts],
        file_size: FileSize,
        family_of: FamilyOf,
        *,
        guessing: bool = False,
    ) -> None:
        self.facts = facts
        self.file_size = file_size
        self.family_of = family_of
        self.guessing = guessing
        self.node_id = ""
        self.class_type = ""
        self.inputs: Mapping[str, Any] = {}
        self.definition: NodeDef | None = None

    def fact(self, domain: int, name: str) -> Any:
        """
        Give what the link at input `name` brings in one domain, or `None`.
        """
        value = self.inputs.get(name)
        if type(value) is not list or len(value) != 2:
            return None
        source, slot = value
        if type(source) is not str or type(slot) is not int:
            return None
        found: Any = self.facts.get(source)
        if found is None:
            return None
        slots = found[domain]
        return slots[slot] if -len(slots) <= slot < len(slots) else None

    def value(self, name: str) -> Any:
        """
        Give the constant at input `name`, written there or brought by its link, or `None`.
        """
        value = self.inputs.get(name)
        return self.fact(Domain.VALUE, name) if type(value) is list else value

    def number(self, name: str) -> float | None:
        """
        Give the number at input `name`, or `None`; one that is too large for any use counts as
        unknown.
        """
        value = self.inputs.get(name)
        if type(value) is list:
            value = self.fact(Domain.VALUE, name)
        if isinstance(value, str):
            try:
                value = float(value[:100])
            except ValueError:
                return None
        if not isinstance(value, int | float) or not -_SOME_NUMBER < value < _SOME_NUMBER:
            return None
        return float(value)

    def integer(self, name: str) -> int | None:
        """
        Give the whole number at input `name`, to the last digit, or `None`.
        """
        value = self.value(name)
        if type(value) is int and value.bit_length() <= 64:
            return value
        number = self.number(name)
        return None if number is None else int(number)

    def text(self, name: str) -> str | None:
        """
        Give the text at input `name`, or `None`.
        """
        value = self.value(name)
        return value if isinstance(value, str) else None

    def size(self, *names: str) -> Size | None:
        """
        Give the pictures at the first of these inputs that is linked, or `None`.
        """
        for name in names:
            if name in self.inputs:
                found = self.fact(Domain.SIZE, name)
                return found if isinstance(found, Size) else None
        return None

    def sizes(self) -> Iterator[Size]:
        """
        Yield the pictures that all inputs bring, in order.
        """
        for name in self.inputs:
            found = self.fact(Domain.SIZE, name)
            if isinstance(found, Size):
                yield found

    def sound(self) -> Sound | None:
        """
        Give the first sound that the inputs bring.
        """
        found = (self.fact(Domain.SIZE, name) for name in self.inputs)
        return next((fact for fact in found if isinstance(fact, Sound)), None)

    def model(self, name: str) -> Model | None:
        """
        Give the MODEL, CLIP, VAE and so on at input `name`, or `None`.
        """
        found = self.fact(Domain.MODEL, name)
        return found if isinstance(found, Model) else None

    def conditioning(self, name: str) -> Conditioning | None:
        """
        Give the CONDITIONING at input `name`, or `None`.
        """
        found = self.fact(Domain.PROMPT, name)
        return found if isinstance(found, Conditioning) else None

    def content(self, name: str) -> Content | None:
        """
        Give what the LATENT at input `name` holds, or `None`.
        """
        found = self.fact(Domain.NOISE, name)
        return found if isinstance(found, Content) else None

    def guess(self, value: Any) -> Any:
        """
        Give a likely value where guesses are wanted, else `None`.
        """
        return value if self.guessing else None
