"""
Patterns for paths.
"""

from __future__ import annotations

import pytest

from comfygraph.errors import UsageError
from comfygraph.lint.globs import matches


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("*.json", "a.json", True),
        ("*.json", "deep/er/a.json", True),
        ("a/*.json", "a/b.json", True),
        ("a/*.json", "a/b/c.json", False),
        ("a/*.json", "x/a/b.json", False),
        ("a/**/c.json", "a/c.json", True),
        ("a/**/c.json", "a/b/b/c.json", True),
        ("a/**", "a/b/c.json", True),
        ("**/b.json", "b.json", True),
        ("old", "old/a.json", True),
        ("old/", "x/old/a.json", True),
        ("old", "older/a.json", False),
        ("./a/b", "a/b/c", True),
        ("[ab].json", "b.json", True),
        ("[!ab].json", "b.json", False),
        ("a?.json", "ab.json", True),
        ("a?.json", "a/.json", False),
        ("a.json", "axjson", False),
        ("[", "[", True),
    ],
)
def test_what_a_pattern_matches(pattern: str, path: str, expected: bool) -> None:
    """
    `*` stays in a folder, `**` does not; a name alone matches anywhere, a folder all within.
    """
    assert expected is matches(pattern, path)


def test_a_range_that_is_none() -> None:
    """
    It is an error of ours.
    """
    with pytest.raises(UsageError, match="is no pattern"):
        matches("[z-a]", "b")
