"""
Node classes of a catalog as Python classes, each made when it is first asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from typing import Any, cast

from comfygraph.catalog.node_catalog import NodeCatalog
from comfygraph.dsl.expression import Node, NodeClass, OutputAttribute
from comfygraph.dsl.names import RESERVED_IN_MODULE, class_names
from comfygraph.dsl.plan import ClassPlan


class NodeSpace:
    """
    The node classes of one catalog, as attributes under their Python names.

    Args:
        catalog: Where the classes are described.
        module: The module that the classes claim to come from.
    """

    def __init__(self, catalog: NodeCatalog, module: str = "comfygraph.nodes") -> None:
        self._catalog = catalog
        self._module = module
        self._made: dict[str, type[Node[Any]]] = {}
        self._names: dict[str, str] | None = None

    def __getattr__(self, name: str) -> type[Node[Any]]:
        found = self.find(name)
        if found is None:
            raise AttributeError(self._unknown(name))
        return found

    def __getitem__(self, class_type: str) -> type[Node[Any]]:
        """Give a class by the name under which the server registers it."""
        definition = self._catalog.find(class_type)
        if definition is None:
            raise KeyError(class_type)
        made = self._made.get(class_type)
        if made is None:
            short = class_type if class_type.isidentifier() else self._short(class_type)
            made = self._made[class_type] = node_class(ClassPlan(definition), short, self._module)
        return made

    def __dir__(self) -> list[str]:
        return sorted(self.names())

    def find(self, name: str) -> type[Node[Any]] | None:
        """
        Give a class by its Python name, or `None`.
        """
        if name.startswith("__") or not name:
            return None
        # The common case, a name that is an identifier, does without the names of all others.
        if name not in RESERVED_IN_MODULE and _stands_for_itself(name) and name in self._catalog:
            return self[name]
        class_type = self.names().get(name)
        return self[class_type] if class_type is not None else None

    def names(self) -> dict[str, str]:
        """
        Give Python name → class name for all classes.
        """
        if self._names is None:
            self._names = class_names(self._catalog.names())
        return self._names

    def _short(self, class_type: str) -> str:
        return next(short for short, name in self.names().items() if name == class_type)

    def _unknown(self, name: str) -> str:
        from difflib import get_close_matches

        near = get_close_matches(name, self.names(), n=3)
        hint = f", did you mean {' or '.join(near)}?" if near else ""
        return f"{self._catalog.label} has no node class `{name}`{hint}"


def _stands_for_itself(name: str) -> bool:
    from comfygraph.dsl.names import identifier

    return identifier(name) == name


def node_class(plan: ClassPlan, name: str, module: str) -> type[Node[Any]]:
    """
    Make the Python class of a node class.

    Args:
        plan: What the catalog says.
        name: Its Python name.
        module: The module that it is found in.
    """
    body: dict[str, Any] = {"__slots__": (), "__module__": module, "_cg_plan": plan}
    for slot, attribute in enumerate(plan.output_names):
        body[attribute] = OutputAttribute(slot)
    return cast("type[Node[Any]]", NodeClass(name, (Node,), body))


def bind(
    module: str, catalog: NodeCatalog | str | PathLike[str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """
    Give `__getattr__` and `__dir__` for a module whose attributes are the classes of a catalog.

    Args:
        module: The module's `__name__`.
        catalog: The catalog, or the path of its file, which is read at the first use.
    """
    space: list[NodeSpace] = []

    def opened() -> NodeSpace:
        if not space:
            if isinstance(catalog, NodeCatalog):
                space.append(NodeSpace(catalog, module))
            else:
                from pathlib import Path

                from comfygraph.catalog.stored import catalog_from_file

                space.append(NodeSpace(catalog_from_file(Path(catalog)), module))
        return space[0]

    def find(name: str) -> Any:
        if name == "__all__":
            return sorted(opened().names())
        found = opened().find(name)
        if found is None:
            raise AttributeError(
                f"module {module!r} has no attribute {name!r}"
                if name.startswith("__")
                else opened()._unknown(name)
            )
        return found

    def names() -> list[str]:
        return sorted(opened().names())

    return find, names
