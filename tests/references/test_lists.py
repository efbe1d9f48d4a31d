"""
Files in the lists of a server.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfygraph.references.lists import FileLists

LISTED = ("b.ckpt", "sd15\\c.ckpt", "x/twice.ckpt", "y/twice.ckpt", 7, ["odd"])


def test_hints_name_the_nearest_file_and_end_after_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    A slip gets a suggestion; a graph of thousands of slips does not get thousands.
    """
    monkeypatch.setattr("comfygraph.references.lists.MOST_COMPARISONS", 10)
    lists = FileLists()

    assert ["did you mean `b.ckpt`?"] * 2 + [None] == [
        lists.hint("bb.ckpt", LISTED) for _ in range(3)
    ]


def test_an_ending_makes_no_name_alike() -> None:
    """
    Names that have nothing in common but their ending are no suggestion.
    """
    listed = ("random_sd15_fp16.safetensors", "dreamshaper_7.safetensors", "dummy.safetensors")
    names = ("dreamshaper_8.safetensors", "detail.safetensors", "dreamshaper7")
    near = "did you mean `dreamshaper_7.safetensors`?"

    assert [near, None, near] == [FileLists().hint(name, listed) for name in names]


def test_two_lists_are_told_apart() -> None:
    """
    Each folder has a list of its own.
    """
    lists = FileLists()

    assert ["sd15\\c.ckpt", None, None] == [
        lists.find("C.CKPT", LISTED), lists.find("c.ckpt", ("d.ckpt",)), lists.find("c", ()),
    ]  # fmt: skip


@given(st.lists(st.text(max_size=8), max_size=8), st.text(max_size=8))
def test_what_is_found_is_in_the_list(names: list[str], name: str) -> None:
    """
    A name that the list has is found as it is, and nothing is found that the list lacks.
    """
    lists, listed = FileLists(), tuple(names)
    found = lists.find(name, listed)

    assert found is None or found in names
    assert names == [lists.find(one, listed) for one in names]
