from __future__ import annotations
def renumber(root, bodies): pass
