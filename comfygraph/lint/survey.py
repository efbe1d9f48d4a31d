"""
One walk over a graph: what every rule would otherwise look for by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from comfygraph.catalog import InputSpec, NodeCatalog, NodeDef
from comfygraph.core.adjacency import topological_order
from comfygraph.documents import Document
from comfygraph.lint.fault import RECURSION_LIMIT, Checked, Fault
from comfygraph.lint.faults import check_node
from comfygraph.lint.finding import Constant, LinkUse, LintOptions, Rewrite
from comfygraph.lint.signs import SAFE_INTEGER, text_signs


class Survey:
    """
    A document and what one walk over its graph found.

    Args:
        document: The document.
        catalog: The classes to check against.
        options: What the person wants to know.

    `nodes` holds the nodes whose class the catalog knows and that are well formed;
    `outputs` the output nodes among them; `faults` what the server would refuse, by kind;
    `signs` tells which rules can have something to say: kinds of fault, and the words that
    `_look` and `_walk` add. Whole families of rules cost a clean graph nothing so.
    """

    def __init__(self, document: Document, catalog: NodeCatalog, options: LintOptions) -> None:
        self.document = document
        self.catalog = catalog
        self.options = options
        # A workflow or a stranger's file in the place of a prompt is one mistake and not one
        # for each member.
        self.workflow_inside = _is_workflow(document)
        self.prompt: Mapping[str, Any] = (
            document.prompt
            if isinstance(document.prompt, dict)
            and not self.workflow_inside
            and document.kind != "unknown"
            else {}
        )
        self.strict_files = options.strict_files or (
            options.target == "comfyui" and catalog.origin != "bundled"
        )
        self.nodes: dict[str, dict[str, Any]] = {}
        self.definitions: dict[str, NodeDef] = {}
        self.unknown: list[str] = []
        self.outputs: list[str] = []
        self.checked: dict[str, Checked] = {}
        self.faults: dict[str, list[Fault]] = {}
        self.strings: list[Constant] = []
        self.numbers: list[Constant] = []
        self.others: list[Constant] = []
        self.undeclared: list[Constant] = []
        self.unlisted: list[Constant] = []
        self.rewrites: list[Rewrite] = []
        self.links: list[LinkUse] = []
        self.signs: set[str] = set()
        self._in_order = True
        self._keys: int | None = 0 if document.base == "" else None
        self._refused = False
        self._own_files = catalog.origin != "bundled"
        self._walk()
        self._look()

    def _walk(self) -> None:
        prompt = self.prompt
        signs = self.signs
        find = self.catalog.find
        strict = self.strict_files
        for node_id, node in prompt.items():
            if not isinstance(node, dict):
                signs.add("malformed")
                continue
            class_type = node.get("class_type")
            inputs = node.get("inputs")
            definition = None
            if isinstance(class_type, str):
                definition = find(class_type)
                if definition is None:
                    self.unknown.append(node_id)
                    self._collect_texts(node_id, inputs)
            else:
                signs.add("no-class" if class_type is None else "malformed")
            if not isinstance(inputs, dict) and "inputs" in node:
                signs.add("malformed")
            self._count(node, inputs, definition)
            if definition is None:
                continue
            checked = check_node(node_id, node, definition, prompt, find, strict)
            self.definitions[node_id] = definition
            for fault in checked.faults:
                self.faults.setdefault(fault.kind, []).append(fault)
                self._refused |= fault.server_error != "execution"
            if definition.output_node:
                self.outputs.append(node_id)
            if isinstance(inputs, dict):
                self.nodes[node_id] = node
                self._collect(node_id, inputs, checked.specs)
                if checked.rewrites:
                    self._rewritten(node_id, inputs, checked)
            self.checked[node_id] = checked

    def _count(self, node: dict[str, Any], inputs: Any, definition: NodeDef | None) -> None:
        """Count the keys of a node of the common shape; others make the count unknown."""
        if self._keys is None or definition is None or not isinstance(inputs, dict):
            self._keys = None
            return
        keys = len(node) + len(inputs)
        if len(node) == 3:
            meta = node.get("_meta")
            if not isinstance(meta, dict) or len(meta) > 1 or isinstance(meta.get("title"), dict):
                self._keys = None
                return
            keys += len(meta)
        elif len(node) != 2:
            self._keys = None
            return
        self._keys += keys

    @property
    def key_count(self) -> int | None:
        """How many keys the whole document has, where that was easy to see."""
        return None if self._keys is None else self._keys + len(self.prompt)

    def _collect_texts(self, node_id: str, inputs: Any) -> None:
        """Keep the texts of a node of an unknown class: secrets and paths are seen in any."""
        if isinstance(inputs, dict):
            self.strings += [
                Constant(node_id, name, value, None)
                for name, value in inputs.items()
                if type(value) is str
            ]

    def _collect(
        self, node_id: str, inputs: Mapping[str, Any], specs: Mapping[str, InputSpec]
    ) -> None:
        new = tuple.__new__  # A third faster than the call of a named tuple's class.
        earlier = self.checked
        signs = self.signs
        for name, value in inputs.items():
            spec = specs.get(name)
            kind = type(value)
            if kind is list:
                if len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], int):
                    source, slot = value
                    self.links.append(new(LinkUse, (node_id, name, source, slot, spec)))
                    if source not in earlier:
                        self._in_order = False
                    if slot < 0 or slot is True or slot is False:
                        signs.add("odd-slot")
                else:
                    self._keys = None
                if spec is None:
                    self.undeclared.append(Constant(node_id, name, value, None))
                    signs.add("undeclared-list")
                continue
            constant = new(Constant, (node_id, name, value, spec))
            if kind is str:
                self.strings.append(constant)
                if spec is not None and spec.files is not None and "\n" not in value:
                    self._file(constant, spec)
            elif kind is int:
                self.numbers.append(constant)
                if not -SAFE_INTEGER <= value <= SAFE_INTEGER:
                    signs.add("unsafe-integer")
            elif kind is float:
                self.numbers.append(constant)
                if value - value != 0.0:
                    signs.add("not-finite")
            else:
                self.others.append(constant)
                if kind is dict:
                    self._keys = None
                signs.add("null" if value is None else "object" if kind is dict else "boolean")
            if spec is None:
                self.undeclared.append(constant)
                signs.add("undeclared")

    def _file(self, constant: Constant, spec: InputSpec) -> None:
        # A bundled catalog lists the files of some other machine: only `\` tells something.
        if (self._own_files or "\\" in constant.value) and (
            constant.value not in (spec.options or ())
        ):
            self.unlisted.append(constant)

    def _rewritten(self, node_id: str, inputs: Mapping[str, Any], checked: Checked) -> None:
        for name, after in checked.rewrites.items():
            before = inputs[name]
            if type(after) is float and type(before) is int:
                continue  # 8 for 8.0: every editor writes that.
            rewrite = Rewrite(node_id, name, before, after, checked.specs[name])
            self.rewrites.append(rewrite)
            self.signs.add("rewritten")

    def _look(self) -> None:
        signs = self.signs
        document = self.document
        signs.update(self.faults)
        signs.add(f"kind:{document.kind}")
        if self.workflow_inside:
            signs.add("workflow-inside")
        elif not isinstance(document.prompt, dict) or document.kind == "unknown":
            signs.add("malformed")
        if self.unknown:
            signs.add("unknown-class")
        if self.unlisted:
            signs.add("unlisted")
        if document.text is not None:
            signs.add("text")
        if self.options.lock is not None:
            signs.add("lock")
        if self.options.target is not None:
            signs.add(f"target:{self.options.target}")
        if len(self.prompt) > RECURSION_LIMIT:
            signs.add("large")
        if self.unknown:
            self._in_order = False
        if not self._in_order and len(self.order) < len(self.adjacency):
            signs.add("cycle")
        targets = document.targets
        if not self.outputs or (targets is not None and not self._wanted(targets)):
            signs.add("no-output")
        elif len(self.outputs) > 1 and (self._refused or not signs.isdisjoint(("cycle", "large"))):
            signs.add("partial")
        if self.outputs and len(self.reachable) < len(self.adjacency):
            signs.add("unreachable")
        for definition in set(self.definitions.values()):
            signs |= definition.traits
        signs.update(text_signs(self.text, self.strings))

    def _wanted(self, targets: Any) -> bool:
        """Tell whether `partial_execution_targets` names an output; what is no list is refused."""
        if not isinstance(targets, list | dict | str):
            return True
        if isinstance(targets, list):
            targets = {target for target in targets if isinstance(target, str)}
        return any(output in targets for output in self.outputs)

    @cached_property
    def adjacency(self) -> dict[str, list[str]]:
        """
        Node id → the ids that its links name and that exist, for every well-formed node.
        """
        prompt = self.prompt
        out: dict[str, list[str]] = {
            node_id: [] for node_id, node in prompt.items() if isinstance(node, dict)
        }
        for link in self.links:
            if link.source in out:
                out[link.node_id].append(link.source)
        for node_id in self.unknown:
            inputs = prompt[node_id].get("inputs")
            if isinstance(inputs, dict):
                out[node_id] += [
                    value[0]
                    for value in inputs.values()
                    if isinstance(value, list)
                    and len(value) == 2
                    and isinstance(value[0], str)
                    and value[0] in out
                ]
        return out

    @cached_property
    def text(self) -> str:
        """
        All texts among the constants, one after the other, each after a line break.
        """
        return "\n".join(["", *[constant.value for constant in self.strings]])

    @cached_property
    def order(self) -> list[str]:
        """
        The ids of all nodes outside of cycles, each after the nodes that it takes inputs from.
        """
        if self._in_order:
            return list(self.adjacency)
        return topological_order(self.adjacency)

    @cached_property
    def reachable(self) -> set[str]:
        """
        The ids of output nodes and of all that they need, over any link.

        A class that the catalog does not know may well be an output, so its node counts as one.
        """
        adjacency = self.adjacency
        seen = {*self.outputs, *self.unknown, *self._meant()}
        pending = list(seen)
        while pending:
            for source in adjacency.get(pending.pop(), ()):
                if source not in seen:
                    seen.add(source)
                    pending.append(source)
        return seen

    def _meant(self) -> Iterator[str]:
        """Give the nodes that links of the wrong spelling mean: that is one cause already."""
        for fault in self.faults.get("dangling-link", ()):
            source = self.prompt[fault.node_id]["inputs"][fault.input][0]
            if isinstance(source, int) and source.bit_length() < 64 and str(source) in self.prompt:
                yield str(source)

    @cached_property
    def knots(self) -> dict[str, int]:
        """
        Node on a cycle → the number of its knot: nodes of one knot can all reach each other.
        """
        if "cycle" not in self.signs:
            return {}
        from comfygraph.core.adjacency import order_and_knots

        _, knots = order_and_knots(self.adjacency)
        return {node_id: index for index, knot in enumerate(knots) for node_id in knot}

    @cached_property
    def faulty(self) -> dict[tuple[str, str | None], set[str]]:
        """
        Input, as `(node id, name)` → the kinds of its faults.
        """
        out: dict[tuple[str, str | None], set[str]] = {}
        for kind, found in self.faults.items():
            for fault in found:
                out.setdefault((fault.node_id, fault.input), set()).add(kind)
        return out

    def kinds_at(self, node_id: str, name: str) -> set[str]:
        """
        Give the kinds of the faults of one input.
        """
        return self.faulty.get((node_id, name), set())


def _is_workflow(document: Document) -> bool:
    graph = document.prompt
    if document.kind == "workflow" or not isinstance(graph, dict):
        return False
    return isinstance(graph.get("nodes"), list)
