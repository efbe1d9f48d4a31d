"""
From a `Prompt` back to Python: code that builds the same prompt.
"""

from __future__ import annotations

from comfygraph.catalog.bundled import bundled_catalog
from comfygraph.catalog.node_catalog import NodeCatalog
from comfygraph.core.values import Prompt
from comfygraph.dsl.decompiler.express import Expresser
from comfygraph.dsl.decompiler.packed import packed
from comfygraph.dsl.decompiler.script import Script
from comfygraph.dsl.decompiler.size import check_length
from comfygraph.dsl.names import class_names, identifier
from comfygraph.errors import UsageError

CORE = "comfygraph.nodes"


def decompile(
    prompt: Prompt, catalog: NodeCatalog | None = None, *, module: str | None = None
) -> str:
    """
    Give a script whose `prompt` is this prompt, up to node ids and their order.

    Values that `build` fills in are left out. A node whose class no module has, or would not
    take as it is, becomes a `raw_node`. Of what a prompt may hold beside classes, inputs, titles
    and groups, nothing is kept. Nodes that are the same in all but their ids get titles that tell
    them apart, as `build` would take them for one.

    Args:
        prompt: The prompt.
        catalog: The classes of `module`. Without a module, which they could be imported from,
            only classes of the core are used.
        module: The package that `comfygraph stubs` wrote from this catalog; classes that it
            does not have are those of `comfygraph.nodes`.

    Raises:
        BuildError: The prompt is empty, or has a cycle, a dangling or broken link, or a value
            that is not JSON; `problems` lists all of them with their nodes.
        InputError: The script would be longer than `size.LONGEST_SCRIPT`.
        UsageError: `module` is no name of a module.
    """
    check_length(prompt)
    catalogs = {CORE: bundled_catalog()}
    if module is not None and module != CORE:
        if not all(part and identifier(part) == part for part in module.split(".")):
            raise UsageError(f"`{module}` is no name of a module", hint="such as mynodes")
        if catalog is None:
            raise UsageError(f"nobody told which classes `{module}` has", hint="give its catalog")
        catalogs = {module: packed(catalog), **catalogs}
    expressed = Expresser(prompt, catalogs).express()
    used = {item.module for item in expressed.values()}
    shorts = {
        name: {class_type: short for short, class_type in class_names(known.names()).items()}
        for name, known in catalogs.items()
        if name in used
    }
    return Script(expressed, shorts).text()
