"""
Facts that flow along links: what reaches a node from all that stands above it.
"""

from __future__ import annotations
