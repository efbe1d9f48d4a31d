"""
What all tests share.
"""

from __future__ import annotations

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """
    Add `--update`, which rewrites golden files instead of comparing with them.
    """
    parser.addoption("--update", action="store_true", help="rewrite golden files")
