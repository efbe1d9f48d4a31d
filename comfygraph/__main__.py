"""
`python -m comfygraph`.
"""

from __future__ import annotations

from comfygraph.cli import main

main()
