"""
What changed between two prompts, whatever ids and positions did.
"""

from __future__ import annotations

from comfygraph.compare.changes import Change, Difference, InputChange, compare

__all__ = ["Change", "Difference", "InputChange", "compare"]
