"""
Which files are looked at.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from comfygraph.lint.files import STDIN, Source, find_sources


@pytest.fixture(autouse=True)
def _tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (
        "b.json", "a.json", "sub/c.json", "sub/deep/D.JSON", "sub/deep/notes.txt",
        ".hidden/e.json", "node_modules/f.json", "sub/.g.json", "ab/h.json",
    ):  # fmt: skip
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}")


def paths(*arguments: str, exclude: tuple[str, ...] = ()) -> list[str]:
    """
    Give the paths that arguments stand for.
    """
    found = find_sources(arguments, exclude=exclude)
    return [source.path.replace(os.sep, "/") for source in found.sources]


def test_a_folder_is_searched_for_json() -> None:
    """
    Through all its folders but the hidden ones and those of tools, sorted by parts of the path.
    """
    assert ["a.json", "ab/h.json", "b.json", "sub/c.json", "sub/deep/D.JSON"] == paths(".")


def test_the_order_of_arguments_does_not_matter() -> None:
    """
    Files are sorted, the standard input is first, and nothing comes twice.
    """
    assert [STDIN, "a.json", "b.json"] == paths("b.json", "./a.json", "-", "a.json", "-")


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.json", ["a.json", "b.json"]),
        ("sub/*", ["sub/c.json"]),
        ("**/*.json", ["a.json", "ab/h.json", "b.json", "sub/c.json"]),
        ("a*/*.json", ["ab/h.json"]),
        ("sub/.*", ["sub/.g.json"]),
        ("s?b/[cd].json", ["sub/c.json"]),
        ("sub/**/*.JSON", ["sub/deep/D.JSON"]),
    ],
)
def test_patterns_that_the_shell_left_alone(pattern: str, expected: list[str]) -> None:
    """
    They are expanded, alike on every system.
    """
    assert expected == paths(pattern)


def test_absolute_patterns(tmp_path: Path) -> None:
    """
    They give absolute paths.
    """
    assert [f"{tmp_path}/a.json", f"{tmp_path}/b.json"] == paths(f"{tmp_path}/*.json")


@pytest.mark.parametrize(
    ("exclude", "expected"),
    [
        ("sub", ["a.json", "ab/h.json", "b.json"]),
        ("sub/deep", ["a.json", "ab/h.json", "b.json", "sub/c.json"]),
        ("a*", ["b.json", "sub/c.json", "sub/deep/D.JSON"]),
        ("**/c.json", ["a.json", "ab/h.json", "b.json", "sub/deep/D.JSON"]),
    ],
)
def test_exclude(exclude: str, expected: list[str]) -> None:
    """
    Excluded folders are not entered.
    """
    assert expected == paths(".", exclude=(exclude,))


def test_exclude_holds_for_named_files_too() -> None:
    """
    A hook names all files; the configuration says which are none of its business.
    """
    found = find_sources(["a.json", "b.json"], exclude=["a.json"])

    assert ((Source("b.json"),), ("a.json",)) == (found.sources, found.unmatched)


def test_what_matches_nothing_is_told() -> None:
    """
    Empty folders and patterns; a named file that is missing is a matter of reading it.
    """
    found = find_sources(["*.png", "missing.json", "a.json"])

    assert ("*.png",) == found.unmatched
    assert ["a.json", "missing.json"] == [source.path for source in found.sources]


def test_a_file_that_is_named_stays_named() -> None:
    """
    A folder that holds it as well does not make it less so.
    """
    for arguments in (["a.json", "."], [".", "a.json"]):
        first = find_sources(arguments).sources[0]

        assert Source("a.json", explicit=True) == first
        assert () == find_sources(arguments).unmatched


def test_a_name_with_pattern_letters_that_exists(tmp_path: Path) -> None:
    """
    It is that file.
    """
    (tmp_path / "x[1].json").write_text("{}")

    assert ["x[1].json"] == paths("x[1].json")
