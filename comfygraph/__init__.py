"""
Build, check and run ComfyUI prompt graphs.

Every name is loaded when it is first used, so that `import comfygraph` costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from comfygraph.catalog import InputSpec as InputSpec
    from comfygraph.catalog import NodeCatalog as NodeCatalog
    from comfygraph.catalog import NodeDef as NodeDef
    from comfygraph.catalog import OutputSpec as OutputSpec
    from comfygraph.catalog import load_catalog as load_catalog
    from comfygraph.core.values import Link as Link
    from comfygraph.core.values import Node as Node
    from comfygraph.core.values import Prompt as Prompt
    from comfygraph.errors import ComfyGraphError as ComfyGraphError

__version__ = "0.1.0"

_HOMES = {
    "ComfyGraphError": "comfygraph.errors",
    "InputSpec": "comfygraph.catalog",
    "Link": "comfygraph.core.values",
    "Node": "comfygraph.core.values",
    "NodeCatalog": "comfygraph.catalog",
    "NodeDef": "comfygraph.catalog",
    "OutputSpec": "comfygraph.catalog",
    "Prompt": "comfygraph.core.values",
    "load_catalog": "comfygraph.catalog",
}

__all__ = [
    "ComfyGraphError",
    "InputSpec",
    "Link",
    "Node",
    "NodeCatalog",
    "NodeDef",
    "OutputSpec",
    "Prompt",
    "load_catalog",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'comfygraph' has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
