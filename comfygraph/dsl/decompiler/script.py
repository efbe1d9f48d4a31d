"""
The script: statements in the order in which `build` numbers nodes, small nodes within others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from comfygraph.dsl.builder import one_line
from comfygraph.dsl.decompiler.express import Expressed
from comfygraph.dsl.decompiler.layout import (
    WIDTH,
    Doc,
    Group,
    Text,
    constant,
    flat,
    laid_out,
    width,
)
from comfygraph.dsl.decompiler.naming import (
    LONGEST_TITLE,
    RESERVED,
    ROLES,
    Names,
    class_slug,
    import_order,
    output_slug,
    slug,
)
from comfygraph.dsl.expression import Node, Output
from comfygraph.dsl.groups import is_group
from comfygraph.dsl.plan import ClassPlan

SHORT = 60
"""A node that is used once and no longer than this is written where it is used."""
MOST_UNPACKED = 5
LONGEST_KEYWORD = 60

HEAD = '''\
"""
A graph of {count}, written by `comfygraph decompile`.
"""

from __future__ import annotations

import json

'''
FOOT = """
if __name__ == "__main__":
    print(json.dumps(prompt.to_json(), {options}))
"""


class Script:
    """
    Writes one script.

    Args:
        nodes: Node id → expression, those that feed a node before it.
        shorts: Module → class → its Python name there.
    """

    def __init__(
        self, nodes: Mapping[str, Expressed], shorts: Mapping[str, Mapping[str, str]]
    ) -> None:
        self._nodes = nodes
        self._uses: dict[str, list[tuple[str, str, int]]] = {node_id: [] for node_id in nodes}
        """Node → the inputs that it is linked to: node, input, slot."""
        for item in nodes.values():
            for name, link in item.node.links():
                self._uses[link.node_id].append((item.node.id, name, link.slot))
        self._ids = {id(item.made): node_id for node_id, item in nodes.items()}
        self._imported: dict[str, dict[str, str]] = {"comfygraph.dsl": {"build": "build"}}
        """Module → name there → name in the script."""
        self._names = Names()
        self._classes: dict[str, str] = {}
        """Class → its name in the script."""
        for item in nodes.values():
            class_type = item.node.class_type
            if item.module is not None and class_type not in self._classes:
                short = shorts[item.module][class_type]
                name = self._names.take(f"{short}_node" if short in RESERVED else short)
                self._imported.setdefault(item.module, {})[short] = name
                self._classes[class_type] = name
        self._roles = self._find_roles()
        self._texts: dict[tuple[str, int], str] = {}
        """Output → the variable that holds it."""
        self._whole: dict[str, Doc] = {}
        """Node → the variable that holds it, or its code where it stands within another."""
        self._lines: list[str] = []
        self._group: str | None = None
        """The group whose block is open."""

    def text(self) -> str:
        """
        Give the source.
        """
        ends = [node_id for node_id in self._nodes if not self._uses[node_id]]
        for node_id, item in self._nodes.items():
            code = self._code(item)
            if self._stays_inside(node_id, item, code, len(ends)):
                self._whole[node_id] = code
            else:
                self._state(node_id, item, code)
        built = Group("build(", [("", self._whole[node_id]) for node_id in ends], ")")
        self._lines += laid_out("prompt = ", built)
        count = "one node" if len(self._nodes) == 1 else f"{len(self._nodes)} nodes"
        body = "\n".join(self._lines)
        # Half characters cannot be printed: then everything beyond ASCII is escaped.
        halved = "\\ud" in body
        options = "indent=2" if halved else "indent=2, ensure_ascii=False"
        imports = "\n".join(self._imports())
        head = HEAD.format(count=count)
        return f"{head}{imports}\n\n{body}\n{FOOT.format(options=options)}"

    def _imports(self) -> Iterator[str]:
        for module, names in sorted(self._imported.items()):
            ordered = sorted(names, key=import_order)
            plain = [name for name in ordered if names[name] == name]
            if plain:
                line = f"from {module} import {', '.join(plain)}"
                if width(line) <= WIDTH:
                    yield line
                else:
                    items: list[tuple[str, Doc]] = [("", name) for name in plain]
                    yield from laid_out(f"from {module} import ", Group("(", items, ")"))
            for name in ordered:
                if names[name] != name:
                    yield f"from {module} import {name} as {names[name]}"

    def _need(self, helper: str) -> str:
        self._imported["comfygraph.dsl"][helper] = helper
        return helper

    # Statements -----------------------------------------------------------------------------

    def _stays_inside(self, node_id: str, item: Expressed, code: Doc, ends: int) -> bool:
        uses = self._uses[node_id]
        if len(uses) > 1 or item.title is not None or item.why_raw is not None:
            return False
        if _group_of(item) != (_group_of(self._nodes[uses[0][0]]) if uses else None):
            return False
        if not uses:
            return ends == 1 and len(flat(code)) + len("prompt = build()") <= WIDTH
        if len(flat(code)) > SHORT or self._roles.get(node_id) is not None:
            return False
        # No call in a call in a call: that would be hard to read.
        return not any(
            not isinstance(self._whole.get(link.node_id), str | None)
            for _, link in item.node.links()
        )

    def _state(self, node_id: str, item: Expressed, code: Doc) -> None:
        group = _group_of(item)
        if group is not None and group != self._group:
            block = Group(f"{self._need('group')}(", [("", Text(group))], "):")
            self._lines += laid_out("with ", block)
        self._group = group
        indent = 4 if group is not None else 0
        if item.why_raw is not None:
            text = " " * indent
            text += one_line(f"# {item.node.class_type} would refuse it: {item.why_raw}")
            self._lines.append(text if len(text) < WIDTH else f"{text[: WIDTH - 1]}…")
        used = sorted({slot for _, _, slot in self._uses[node_id]})
        plan = item.plan
        count = len(plan.outputs) if plan is not None else 0
        if plan is None or count == 1 or not used or used[0] < 0 or used[-1] >= count:
            target = self._names.take(self._base(node_id, item))
            self._whole[node_id] = target
        elif len(used) == 1:
            slot = used[0]
            target = self._texts[node_id, slot] = self._names.take(self._base(node_id, item))
            code = _followed(code, _access(item.made, plan, slot))
        elif count <= MOST_UNPACKED:
            names = [self._names.take(self._slot_base(node_id, plan, s)) for s in range(count)]
            self._texts.update({(node_id, slot): name for slot, name in enumerate(names)})
            target = ", ".join(names)
        else:
            target = self._names.take(class_slug(item.node.class_type))
            self._whole[node_id] = target
        self._lines += laid_out(f"{target} = ", code, indent)

    def _base(self, node_id: str, item: Expressed) -> str:
        # A title that was made up to tell twins apart says nothing.
        told = item.title is not None and item.title == item.node.title
        title = slug(item.title or "", LONGEST_TITLE) if told else None
        if title is not None:
            return title
        slots = {slot for _, _, slot in self._uses[node_id]}
        plan = item.plan
        if plan is None or len(slots) != 1 or not 0 <= min(slots) < len(plan.outputs):
            return class_slug(item.node.class_type)
        return self._slot_base(node_id, plan, min(slots))

    def _slot_base(self, node_id: str, plan: ClassPlan, slot: int) -> str:
        spec = plan.outputs[slot]
        names = [name for _, name, used in self._uses[node_id] if used == slot]
        role = self._roles.get(node_id)
        if role is not None:
            return role if set(names) <= {role} else f"{role}_text"
        return output_slug(spec.type, spec.name, plan.class_type, names)

    def _find_roles(self) -> dict[str, str]:
        """
        Give node id → `positive` or `negative` for what ends up in such inputs only.
        """
        found: dict[str, str] = {}
        for node_id in reversed(list(self._nodes)):
            roles = {
                name if name in ROLES else found.get(user, "")
                if name.startswith("conditioning") else ""
                for user, name, _ in self._uses[node_id]
            }  # fmt: skip
            if len(roles) == 1:
                found[node_id] = roles.pop()
        return {
            node_id: role
            for node_id, role in found.items()
            if role and _gives_conditioning(self._nodes[node_id].plan)
        }

    # Expressions ----------------------------------------------------------------------------

    def _code(self, item: Expressed) -> Doc:
        plan = item.plan
        if plan is None:
            items: list[tuple[str, Doc]] = [("", Text(item.node.class_type))]
            items += self._keywords(item.inputs)
            code: Doc = Group(f"{self._need('raw_node')}(", items, ")")
        else:
            given = dict(item.inputs)
            items = []
            for name in plan.positional:
                short = plan.spelled[name]
                # Numbers say more with their names.
                if not isinstance(given.get(short), Node | Output | str | list):
                    break
                items.append(("", self._value(given.pop(short))))
            items += self._keywords(given)
            if item.title is not None and plan.takes_title:
                items.append(("title=", Text(item.title)))
            code = Group(f"{self._classes[plan.class_type]}(", items, ")")
        if item.title is not None and (plan is None or not plan.takes_title):
            code = Group(f"{self._need('named')}(", [("", Text(item.title)), ("", code)], ")")
        return code

    def _keywords(self, inputs: Mapping[str, Any]) -> Iterator[tuple[str, Doc]]:
        odd = {name: value for name, value in inputs.items() if not _is_keyword(name)}
        for name, value in inputs.items():
            if name not in odd:
                yield f"{name}=", self._value(value)
        if odd:
            yield "**", self._value(odd)

    def _value(self, value: Any) -> Doc:
        if isinstance(value, Node):
            return self._whole[self._ids[id(value)]]
        if isinstance(value, Output):
            return self._output(value)
        if isinstance(value, list):
            if any(_holds_source(item) for item in value):
                return Group("[", [("", self._value(item)) for item in value], "]")
        elif isinstance(value, dict) and any(_holds_source(item) for item in value.values()):
            pairs = [(f"{flat(constant(key))}: ", self._value(v)) for key, v in value.items()]
            return Group("{", pairs, "}")
        return constant(value)

    def _output(self, output: Output[Any]) -> Doc:
        node_id = self._ids[id(output.node)]
        held = self._texts.get((node_id, output.slot))
        if held is not None:
            return held
        plan = self._nodes[node_id].plan
        whole = self._whole[node_id]
        count = len(plan.outputs) if plan is not None else output.slot + 1
        if not 0 <= output.slot < count:
            name = self._need("Output")
            return Group(f"{name}(", [("", whole), ("", constant(output.slot))], ")")
        return _followed(whole, _access(output.node, plan, output.slot))


def _group_of(item: Expressed) -> str | None:
    group = item.node.group
    return group if is_group(group) else None


def _gives_conditioning(plan: ClassPlan | None) -> bool:
    return plan is not None and plan.output_types == ("CONDITIONING",)


def _access(made: Node[Any], plan: ClassPlan | None, slot: int) -> str:
    if plan is not None:
        name = plan.output_names[slot]
        if getattr(made, name, None) == Output(made, slot):
            return f".{name}"
    return f"[{flat(constant(slot))}]"


def _followed(doc: Doc, after: str) -> Doc:
    if isinstance(doc, Group):
        return Group(doc.opening, doc.items, doc.closing + after)
    return f"{flat(doc)}{after}"


def _holds_source(value: Any) -> bool:
    """
    Tell whether an expression is in a value. Constants may nest as deep as they like.
    """
    pending = [value]
    while pending:
        item = pending.pop()
        if isinstance(item, Node | Output):
            return True
        if isinstance(item, dict):
            pending.extend(item.values())
        elif isinstance(item, list):
            pending.extend(item)
    return False


def _is_keyword(name: str) -> bool:
    import keyword

    if len(name) > LONGEST_KEYWORD or not name.isidentifier():
        return False
    if keyword.iskeyword(name) or name == "__debug__":
        return False
    if name.isascii():
        return True
    import unicodedata

    # The parser reads identifiers in this form.
    return unicodedata.normalize("NFKC", name) == name and name.isprintable()
