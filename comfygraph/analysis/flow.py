"""
The engine: facts flow along the links, each node once, in topological order.

A node sees what its inputs bring and gives what its output slots carry. Nodes on a cycle are
left out, and all that hangs on them stays unknown; so does what comes from classes that nobody
knows. Linear in nodes and links.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from comfygraph.analysis import batches, models, noise, prompts, values
from comfygraph.analysis.facts import NOTHING, Domain, Facts, Sampling, Size
from comfygraph.analysis.families import Family, family_of_ecosystem, family_of_name
from comfygraph.analysis.sizes import Maker, Transfer
from comfygraph.analysis.sockets import SOCKETS, by_sockets, carriers_of
from comfygraph.analysis.table import CLASSES
from comfygraph.analysis.view import FileSize, View
from comfygraph.core.adjacency import topological_order
from comfygraph.errors import UsageError

if TYPE_CHECKING:
    from comfygraph.catalog import NodeCatalog

Nodes: TypeAlias = Mapping[str, Any]
"""A prompt as JSON: node id → `{"class_type", "inputs"}`; what is malformed counts as unknown."""

VERBS: Mapping[str, Mapping[str, Maker]] = {
    "value": values.VERBS,
    "size": batches.VERBS,
    "model": models.VERBS,
    "prompt": prompts.VERBS,
    "noise": noise.VERBS,
}
"""Domain → what can be said of it."""

ALL = "all"
MOST_PLANS = 5_000
"""Classes that are remembered: graphs of strangers may name any number of them."""

MOST_THROUGH = 64
"""Nodes between two others that are looked past: ends of long rows would each take them all."""

_NAMES = tuple(VERBS)
_AIR = "urn:air:"


class Plan:
    """
    What one class does, worked out once.

    Args:
        steps: `(domain, its transfer, the slots that carry the domain)`.
        through: Gives the input that passes through in every domain, or `None` for a class
            that has none.
    """

    __slots__ = ("steps", "through")

    def __init__(
        self,
        steps: tuple[tuple[int, Transfer, tuple[bool, ...]], ...],
        through: Callable[[View], str | None] | None = None,
    ) -> None:
        self.steps = steps
        self.through = through


class Flow:
    """
    What is known of every node of a graph.

    Args:
        nodes: The graph.
        catalog: Its classes, or `None`: then only those of the table are known.
        order: The ids, each after those that it takes inputs from; default is worked out.
        file_size: Gives the size of the picture in an input file.
        classes: Class → domain → words, beside the table and before it.
        families: Model's name or reference → family, its AIR ecosystem or base model.
        guessing: Give likely values where a class has one: for drawings and estimates only.

    Raises:
        UsageError: The words of a class cannot be read.
    """

    def __init__(
        self,
        nodes: Nodes,
        catalog: NodeCatalog | None = None,
        *,
        order: Iterable[str] | None = None,
        file_size: FileSize | None = None,
        classes: Mapping[str, Mapping[str, str]] | None = None,
        families: Mapping[str, str] | None = None,
        guessing: bool = False,
    ) -> None:
        self.nodes = nodes
        self.catalog = catalog
        self.facts: dict[str, Facts] = {}
        self._families = families or {}
        self._classes = classes or {}
        self._plans = {} if self._classes or guessing else _plans_of(catalog)
        self._view = View(self.facts, file_size or _no_file, self.family_of, guessing=guessing)
        for words in self._classes.items():
            check_words(*words)
        self.order = tuple(topological_order(adjacency(nodes)) if order is None else order)
        for node_id in self.order:
            self._visit(node_id)

    def family_of(self, name: str) -> tuple[Family | None, bool]:
        """
        Give the family of a model's name or reference, and whether that is sure.

        A reference map is asked first, then the ecosystem of an AIR, then the name itself.
        """
        told = self._families.get(name)
        if told is not None:
            return family_of_ecosystem(told), True
        if name[:8].casefold() == _AIR:
            found = family_of_ecosystem(name[8:].partition(":")[0])
            return found, found is not None
        return family_of_name(name), False

    def __getitem__(self, node_id: str) -> Facts:
        return self.facts.get(node_id, NOTHING)

    def samplings(self) -> list[Sampling]:
        """
        Give the samplers whose class is known, in the order in which they run.
        """
        found = (self.facts[node_id].sampling for node_id in self.order if node_id in self.facts)
        return [run for run in found if run is not None and run.sure]

    def fact(self, domain: int, node_id: str, slot: int) -> Any:
        """
        Give what an output slot carries in one domain, or `None`.
        """
        return self[node_id].at(domain, slot)

    def size(self, node_id: str, slot: int = 0) -> Size | None:
        """
        Give the pictures on an output slot, or `None`.
        """
        found = self.fact(Domain.SIZE, node_id, slot)
        return found if isinstance(found, Size) else None

    def origin(self, node_id: str, name: str) -> tuple[str, int] | None:
        """
        Give the node and the slot that an input comes from, past nodes that hand everything
        through, at most `MOST_THROUGH`; `None` where it is not linked. Changes the view.
        """
        found: tuple[str, int] | None = None
        inputs = _parts(self.nodes.get(node_id))[1]
        for _ in range(MOST_THROUGH):
            value = inputs.get(name)
            if type(value) is not list or len(value) != 2 or type(value[0]) is not str:
                break
            found = source, _ = value[0], value[1]
            class_type, inputs = _parts(self.nodes.get(source))
            plan = self._plans.get(class_type)
            through = plan.through if plan is not None else None
            after = through(self.view(source)) if through is not None else None
            if after is None:
                break
            name = after
        return found

    def view(self, node_id: str) -> View:
        """
        Give a node with what its inputs bring. The next call changes it.
        """
        node = self.nodes.get(node_id)
        view = self._view
        view.node_id = node_id
        view.class_type, view.inputs = _parts(node)
        view.definition = self.catalog.find(view.class_type) if self.catalog is not None else None
        return view

    def _visit(self, node_id: str) -> None:
        node = self.nodes.get(node_id)
        class_type, inputs = _parts(node)
        plan = self._plans.get(class_type, _UNPLANNED)
        if plan is _UNPLANNED:
            plan = self._plan(class_type)
        if plan is None:
            return
        view = self._view
        view.node_id, view.class_type, view.inputs = node_id, class_type, inputs
        if plan.through is not None:
            name = plan.through(view)
            if name is not None:
                value, *others = ((view.fact(domain, name),) for domain in range(len(SOCKETS)))
                constant = inputs.get(name)
                if type(constant) is not list:
                    value = (constant,)
                size, model, prompt, state = others
                self.facts[node_id] = Facts(value, size, model, prompt, state)
            return
        found: list[Any] = [(), (), (), (), (), None]
        for domain, transfer, carriers in plan.steps:
            fact = transfer(view)
            if fact is None:
                continue
            if type(fact) is Sampling:
                found[5] = fact
                fact = noise.sampled(fact, fact.model) if fact.sure else None
            if type(fact) is tuple:
                found[domain] = _placed(fact, carriers)
            elif carriers == _ONE:
                found[domain] = (fact,)
            else:
                found[domain] = tuple([fact if carries else None for carries in carriers])
        self.facts[node_id] = Facts._make(found)

    def _plan(self, class_type: str) -> Plan | None:
        definition = self.catalog.find(class_type) if self.catalog is not None else None
        words = self._classes.get(class_type)
        if words is None:
            told = CLASSES.get(class_type)
            words = _read(told) if told is not None else {}
        plan: Plan | None
        if ALL in words:
            plan = Plan((), _only if words[ALL] == "only" else _switched)
        else:
            steps = []
            for index, name in enumerate(_NAMES):
                carriers = carriers_of(definition, index)
                if name in words:
                    verb, *args = words[name].split()
                    steps.append((index, VERBS[name][verb](args), carriers or (True,)))
                elif name == "size" and self._view.guessing and (any(carriers) or not definition):
                    steps.append((index, batches.likely(()), carriers or (True,)))
                elif definition is not None and any(carriers):
                    transfer = by_sockets(name, definition)
                    if transfer is not None:
                        steps.append((index, transfer, carriers))
            if "noise" not in words and "ampler" in class_type:
                steps.append((Domain.NOISE, noise.unknown_sampler, carriers_of(definition, 4)))
            plan = Plan(tuple(steps)) if steps else None
        if len(self._plans) < MOST_PLANS:
            self._plans[class_type] = plan
        return plan


_UNPLANNED: Any = object()
_ONE = (True,)
_SHARED: list[tuple[NodeCatalog | None, dict[str, Plan | None]]] = [(None, {})]


def _plans_of(catalog: NodeCatalog | None) -> dict[str, Plan | None]:
    """Give the plans of the classes of a catalog; those of the last one are kept."""
    if _SHARED[0][0] is not catalog:
        _SHARED[0] = (catalog, {})
    return _SHARED[0][1]


def adjacency(nodes: Nodes) -> dict[str, list[str]]:
    """
    Give node id → the nodes that it takes inputs from.
    """
    out: dict[str, list[str]] = {}
    for node_id, node in nodes.items():
        _, inputs = _parts(node)
        out[node_id] = [
            value[0]
            for value in inputs.values()
            if type(value) is list and len(value) == 2 and type(value[0]) is str
        ]
    return out


def check_words(class_type: str, words: Mapping[str, str]) -> None:
    """
    Make sure that what somebody says of a class can be read.

    Raises:
        UsageError: It names no domain or no verb, or a verb lacks its arguments.
    """
    from comfygraph.core.nearest import did_you_mean

    for domain, text in words.items():
        place = f"analysis.classes.{class_type}.{domain}"
        known = VERBS.get(domain)
        if known is None:
            hint = did_you_mean(domain, VERBS) or f"domains are {', '.join(VERBS)}"
            raise UsageError(f"`{place}`: unknown domain", hint=hint)
        verb, *args = text.split() or [""]
        if verb not in known:
            hint = did_you_mean(verb, known) or f"verbs are {', '.join(known)}"
            raise UsageError(f"`{place}`: unknown verb `{verb[:40]}`", hint=hint)
        try:
            known[verb](args)(_EMPTY_VIEW)
        except (IndexError, ValueError) as exc:
            doc = (known[verb].__doc__ or "").strip().replace("\n    ", " ")
            raise UsageError(f"`{place}`: `{verb}` lacks something: {doc}") from exc


def _no_file(name: str) -> None:
    return None


_EMPTY_VIEW = View({}, _no_file, lambda name: (None, False))


def _parts(node: Any) -> tuple[str, Mapping[str, Any]]:
    if type(node) is not dict and not isinstance(node, Mapping):
        return "", {}
    class_type, inputs = node.get("class_type"), node.get("inputs")
    if type(class_type) is str and type(inputs) is dict:
        return class_type, inputs  # The check against `Mapping` costs more than all the rest.
    return (
        class_type if isinstance(class_type, str) else "",
        inputs if isinstance(inputs, Mapping) else {},
    )


def _read(text: str) -> dict[str, str]:
    parts = (part.strip().partition(" ") for part in text.split(";"))
    return {domain: words for domain, _, words in parts}


def _placed(facts: Sequence[Any], carriers: tuple[bool, ...]) -> tuple[Any, ...]:
    """Give several facts to the slots that carry the domain, in order."""
    rest = iter(facts)
    return tuple(next(rest, None) if carries else None for carries in carriers)


def _only(view: View) -> str | None:
    names = [name for name, value in view.inputs.items() if isinstance(value, list)]
    return names[0] if len(names) == 1 else None


def _switched(view: View) -> str | None:
    value = view.value("switch")
    if value is None:
        value = view.guess(False)
    return None if value is None else "on_true" if value else "on_false"
