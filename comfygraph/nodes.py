"""
The node classes of ComfyUI's core, as expressions.

    from comfygraph.nodes import CheckpointLoaderSimple, KSampler

Each class is made from the bundled catalog when it is first asked for; `nodes.pyi`, which
is generated from the same catalog, tells type checkers and editors about all of them.
"""

from __future__ import annotations

from comfygraph.catalog.bundled import bundled_catalog
from comfygraph.dsl.space import bind

__getattr__, __dir__ = bind(__name__, bundled_catalog())
