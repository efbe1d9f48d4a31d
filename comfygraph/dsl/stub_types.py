"""
Types of inputs and outputs as the text of a stub.

`s` is `comfygraph.dsl.sockets` and `t` is `typing` there.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from comfygraph.catalog.dynamic import combo_options, slot_type, template_member
from comfygraph.catalog.parse import read_input
from comfygraph.catalog.specs import AUTOGROW, DYNAMIC_COMBO, DYNAMIC_SLOT, MATCH_TYPE
from comfygraph.dsl.facts import HUGE
from comfygraph.dsl.names import identifier
from comfygraph.dsl.plan import MISSING, ClassPlan, InputPlan, option_members

LONG = 60
"""A vocabulary whose text is longer gets a name of its own if it is used again."""

_WITH_VALUE = {"INT": "s.Int", "FLOAT": "s.Float", "STRING": "s.Text", "BOOLEAN": "s.Flag"}


@cache
def core_sockets() -> frozenset[str]:
    """
    Give the socket types that `comfygraph.dsl.sockets` has names for.
    """
    from comfygraph.dsl import socket_types

    return frozenset(name for name in vars(socket_types) if name.isupper())


def socket(kind: str) -> str:
    """
    Give the type of one socket: `s.MODEL`, or a `Literal` where the core has none.
    """
    return f"s.{kind}" if kind in core_sockets() else f"t.Literal[{kind!r}]"


class StubTypes:
    """
    Writes types, and collects the vocabularies and choices that need names of their own.
    """

    def __init__(self) -> None:
        self.choices: list[str] = []
        """Definitions of choices, those inside of others first."""
        self._bodies: dict[str, list[str]] = {}
        self._long: dict[str, tuple[int, str]] = {}

    def output(self, kind: str, variable: str | None) -> str:
        """
        Give the type argument of an output.

        Args:
            kind: Its socket type.
            variable: The type variable that it takes on, for MatchType outputs.
        """
        if kind == MATCH_TYPE:
            return variable or "t.Any"
        if kind == "*":
            return "t.Any"
        return " | ".join(socket(part.strip()) for part in kind.split(","))

    def value(self, plan: ClassPlan, item: InputPlan, variable: str | None) -> str:
        """
        Give the type of an input's argument.
        """
        spec = item.spec
        if spec.type == AUTOGROW:
            _, member = template_member(spec)
            inner = InputPlan(read_input(spec.name, member, required=True))
            return f"s.Group[{self.value(plan, inner, variable)}]"
        if spec.type == DYNAMIC_COMBO:
            return self._choice(plan, item)
        if spec.type == DYNAMIC_SLOT:
            return _source(slot_type(spec))
        if spec.type == MATCH_TYPE:
            return f"s.Source[{variable}]" if variable else "s.Anything"
        if spec.options is not None:
            return self._vocabulary(item)
        if len(item.kinds) == 1 and spec.type in _WITH_VALUE:
            return _WITH_VALUE[spec.type]
        if "*" in item.kinds:
            return "s.Anything"
        parts = [_WITH_VALUE.get(kind) or _source(kind) for kind in item.kinds]
        if item.widget and not any(kind in _WITH_VALUE for kind in item.kinds):
            parts.append("s.Json")
        return " | ".join(parts)

    def literal(self, options: Iterable[Any], name: str) -> str | None:
        """
        Give a `Literal` of these values, or the name under which it is shared.

        Args:
            options: Texts and whole numbers; others cannot be told apart by a type.
            name: The input's name, of which a shared vocabulary gets its own.
        """
        # By their text: `True` and `1` are one to Python, and two to type checkers.
        values = dict.fromkeys(repr(item) for item in options if isinstance(item, str | int))
        if not values:
            return None
        text = f"t.Literal[{', '.join(values)}]"
        if len(text) <= LONG:
            return text
        # Whether it is shared is known at the end: until then a mark stands for it.
        number, _ = self._long.setdefault(text, (len(self._long), name))
        return f"\0{number}\0"

    def resolved(self, text: str) -> tuple[list[str], str]:
        """
        Put vocabularies where their marks stand: a shared one by name, any other in full.

        Args:
            text: The text of the stub with marks.

        Returns:
            The definitions of the shared vocabularies, sorted, and the text.
        """
        parts = text.split("\0")
        numbers = [int(part) for part in parts[1::2]]
        counts = Counter(numbers)
        shown: dict[int, str] = {}
        lines: list[str] = []
        for vocabulary, (number, hint) in self._long.items():
            shown[number] = vocabulary
            if counts[number] > 1:
                digest = hashlib.sha256(vocabulary.encode("utf-8", "surrogatepass")).hexdigest()
                shown[number] = f"_{identifier(hint)}_{digest[:6]}"
                lines.append(f"{shown[number]}: t.TypeAlias = {vocabulary}")
        parts[1::2] = [shown[number] for number in numbers]
        return sorted(lines), "".join(parts)

    def _vocabulary(self, item: InputPlan) -> str:
        spec = item.spec
        if item.is_open:
            return "s.File"
        options = spec.options or ()
        found = self.literal(options, spec.name.rpartition(".")[2])
        parts = [found] if found else []
        if any(isinstance(option, float) for option in options):
            parts.append("builtins.float")
        if not parts:
            parts.append("s.Json")
        if spec.opts.get("multiselect"):
            parts.append(f"t.Sequence[{' | '.join(parts)}]")
        return " | ".join([*parts, "s.Source[s.COMBO]"])

    def _choice(self, plan: ClassPlan, item: InputPlan) -> str:
        short = item.name.rpartition(".")[2]
        plain = item.plain_keys()
        groups: dict[str, list[Any]] = {}
        base = f"_{identifier(plan.class_type)}_{identifier(item.name)}".rstrip("_")
        for option in combo_options(item.spec):
            members = option_members(item.spec, option)
            if members:
                fields = self._fields(plan, members)
                groups.setdefault(fields, []).append(option.get("key"))
        parts = [self.literal(plain, short)]
        for fields, keys in groups.items():
            selector = self.literal(keys, short) or "s.Json"
            body = f"{{\n    {short!r}: {selector},\n{fields}}}"
            bodies = self._bodies.setdefault(base, [])
            if body not in bodies:
                bodies.append(body)
                name = f"{base}_{len(bodies)}"
                self.choices.append(f"{name} = t.TypedDict({name!r}, {body})")
            parts.append(f"{base}_{bodies.index(body) + 1}")
        return " | ".join(part for part in parts if part) or "s.Json"

    def _fields(self, plan: ClassPlan, members: Mapping[str, InputPlan]) -> str:
        out = ""
        for name, member in members.items():
            kind = self.value(plan, member, None)
            out += (
                f"    {name!r}: t.NotRequired[{kind}],\n"
                if member.optional
                else f"    {name!r}: {kind},\n"
            )
        return out


def _source(kind: str) -> str:
    return "s.Anything" if kind == "*" else f"s.Source[{socket(kind)}]"


def default_text(item: InputPlan) -> str:
    """
    Give the default of an argument as it stands in a signature.
    """
    fill = item.fill
    if fill is MISSING:
        return "None" if not item.required else "()"
    if item.spec.type == DYNAMIC_COMBO and fill not in item.plain_keys():
        return "..."
    if fill is None or isinstance(fill, bool):
        return repr(fill)
    if isinstance(fill, int | float):
        return repr(fill) if abs(fill) < HUGE else "..."
    if isinstance(fill, str) and len(fill) <= 80:
        return repr(fill)
    return "..."
