"""
Generate `comfygraph/nodes.pyi` and `comfygraph/dsl/socket_types.py` from the bundled catalog.

    python scripts/make_nodes_stub.py
"""

from __future__ import annotations

from pathlib import Path

from comfygraph.catalog import bundled_catalog, core_version
from comfygraph.dsl.core_stub import core_stub, socket_module

ROOT = Path(__file__).resolve().parent.parent / "comfygraph"


def main() -> None:
    """
    Write both files.
    """
    sockets = socket_module(bundled_catalog())
    (ROOT / "dsl" / "socket_types.py").write_text(sockets, encoding="utf-8")
    stub = core_stub(bundled_catalog(), core_version())
    (ROOT / "nodes.pyi").write_text(stub, encoding="utf-8")


if __name__ == "__main__":
    main()
