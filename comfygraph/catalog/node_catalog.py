"""
`NodeCatalog`: every node class of one ComfyUI, each parsed when it is first asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

from comfygraph.catalog.specs import NodeDef

Origin = Literal["bundled", "file", "server", "mapping"]


MOST_MISSES = 100
"""Unknown classes after which the names of all classes are read, to know the next ones by."""


class NodeCatalog(Mapping[str, NodeDef]):
    """
    An immutable mapping of `class_type` → `NodeDef`.

    Args:
        read: Gives the `/object_info` entry of a class, or `None` if there is none.
        names: Gives the names of all classes; called only when they are all needed.
        label: How messages call the catalog, such as `ComfyUI 0.33.0 (bundled)`.
        origin: Where it came from. Lists of files in a bundled catalog are those of some
            other machine, so lint takes any name there; a server's own lists are the truth.
        files_of: Gives input name → folder for a class, where the source knows.
    """

    def __init__(
        self,
        read: Callable[[str], Mapping[str, Any] | None],
        names: Callable[[], list[str]],
        *,
        label: str,
        origin: Origin,
        files_of: Callable[[str], Mapping[str, str]] | None = None,
    ) -> None:
        self._read = read
        self._list = names
        self._files_of = files_of
        self._names: list[str] | None = None
        self._defs: dict[str, NodeDef | None] = {}
        self._missed = 0
        self._known: frozenset[str] | None = None
        self.label = label
        self.origin: Origin = origin

    def __repr__(self) -> str:
        return f"<NodeCatalog {self.label}>"

    def find(self, class_type: str) -> NodeDef | None:
        """
        Give the definition of a class, or `None`.
        """
        try:
            return self._defs[class_type]
        except KeyError:
            pass
        if self._missed >= MOST_MISSES:
            # Looking for what is not there costs a scan; a hostile graph asks for it often.
            if self._known is None:
                self._known = frozenset(self.names())
            if class_type not in self._known:
                return None
        entry = self._read(class_type)
        files = self._files_of(class_type) if self._files_of and entry is not None else {}
        found = NodeDef(class_type, entry, files) if entry is not None else None
        self._defs[class_type] = found
        self._missed += found is None
        return found

    def __getitem__(self, class_type: str) -> NodeDef:
        found = self.find(class_type)
        if found is None:
            raise KeyError(class_type)
        return found

    def __contains__(self, class_type: object) -> bool:
        return isinstance(class_type, str) and self.find(class_type) is not None

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def __len__(self) -> int:
        return len(self.names())

    def names(self) -> list[str]:
        """
        Give the names of all classes, in the order of the source.
        """
        if self._names is None:
            self._names = self._list()
        return self._names


def catalog_from_mapping(
    object_info: Mapping[str, Any], *, label: str = "the given catalog", origin: Origin = "mapping"
) -> NodeCatalog:
    """
    Wrap an `/object_info` document that is already in memory; entries are read on demand.
    """

    def read(name: str) -> Mapping[str, Any] | None:
        entry = object_info.get(name)
        return entry if isinstance(entry, Mapping) else None

    def names() -> list[str]:
        return [name for name, entry in object_info.items() if isinstance(entry, Mapping)]

    from comfygraph.catalog.bundled import core_files

    return NodeCatalog(read, names, label=label, origin=origin, files_of=core_files)
