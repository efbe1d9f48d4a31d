"""
From a `Prompt` back to Python: code that builds the same prompt.
"""

from __future__ import annotations

from comfygraph.catalog.bundled import bundled_catalog
from comfygraph.catalog.node_catalog import NodeCatalog
from comfygraph.core.values import Prompt
from comfygraph.dsl.decompiler.express import Expresser
from comfygraph.dsl.decompiler.script import Script
from comfygraph.dsl.names import class_names, identifier
from comfygraph.errors import UsageError

CORE = "comfygraph.nodes"


def decompile(
    prompt: Prompt, catalog: NodeCatalog | None = None, *, module: str | None = None
) -> str:
    """
    Give a script whose `prompt` is this prompt, up to node ids and their order.

    Values that `build` fills in are left out. A node of a class that the module does not
    have, or that the class would not take, becomes a `raw_node`. Of what a prompt may hold
    beside classes, inputs and titles, nothing is kept. Nodes that are the same in all but
    their ids get titles that tell them apart.

    Args:
        prompt: The prompt.
        catalog: The classes of `module`; the bundled core if left out.
        module: The module that has the node classes of this catalog, written by
            `comfygraph stubs`; `comfygraph.nodes` if left out, with the classes of the core.

    Raises:
        BuildError: The prompt has a cycle, a dangling link or a value that is not JSON;
            `problems` lists all of them with their nodes.
        UsageError: `module` is no name of a module.
    """
    if module is None:
        catalog, module = bundled_catalog(), CORE
    elif not all(part and identifier(part) == part for part in module.split(".")):
        raise UsageError(f"`{module}` is no name of a module", hint="such as mynodes")
    expressed = Expresser(prompt, catalog or bundled_catalog()).express()
    known = catalog or bundled_catalog()
    classes = {name: short for short, name in class_names(known.names()).items()}
    return Script(expressed, classes, module).text()
