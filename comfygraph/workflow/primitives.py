from __future__ import annotations
def apply_primitives(graph): pass
