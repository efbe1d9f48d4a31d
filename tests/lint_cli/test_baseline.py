"""
Baselines: known findings are not told again.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import Runner, graph, write


def test_only_new_findings_are_told(run: Runner, tmp_path: Path) -> None:
    """
    Known ones are counted; the exit code speaks of the new ones.
    """
    write(tmp_path / "a.json", graph(width=99999))
    written = run("lint", "--baseline", "known.json", "--write-baseline", "a.json")
    same = run("lint", "--baseline", "known.json", "a.json")
    write(tmp_path / "a.json", graph(width=99999, height=99999))
    more = run("lint", "--baseline", "known.json", "--format", "json", "a.json")

    assert (0, "no findings in 1 file · 1 silenced\n") == (written.code, written.out)
    assert (0, "no findings in 1 file · 1 silenced\n") == (same.code, same.out)
    assert 1 == more.code
    assert ["height"] == [found["input"] for found in json.loads(more.out)["diagnostics"]]


def test_the_file_is_readable_and_sorted(run: Runner, tmp_path: Path) -> None:
    """
    One finding a line, paths from the folder of the baseline, with `/`.
    """
    write(tmp_path / "sub" / "b.json", graph(width=99999, colour=1))
    write(tmp_path / "sub" / "a.json", graph(height=99999))
    run("lint", "--baseline", "sub/known.json", "--write-baseline", ".")

    assert (
        '{\n  "version": 1,\n  "findings": [\n'
        '    {"file": "a.json", "rule": "CG301", "node": "1", "input": "height", "count": 1},\n'
        '    {"file": "b.json", "rule": "CG108", "node": "1", "input": "colour", "count": 1},\n'
        '    {"file": "b.json", "rule": "CG301", "node": "1", "input": "width", "count": 1}\n'
        "  ]\n}\n"
    ) == (tmp_path / "sub" / "known.json").read_text()


def test_lines_order_and_values_do_not_matter(run: Runner, tmp_path: Path) -> None:
    """
    A file that was written anew, in another order and with another wrong value, is known.
    """
    write(tmp_path / "a.json", graph(width=99999))
    run("lint", "--baseline", "known.json", "--write-baseline", "a.json")
    shuffled = dict(reversed(graph(width=88888).items()))
    write(tmp_path / "a.json", shuffled, indent=None)

    assert 0 == run("lint", "--baseline", "known.json", "a.json").code


def test_findings_that_are_gone_are_mentioned(run: Runner, tmp_path: Path) -> None:
    """
    Only those of files that were checked.
    """
    write(tmp_path / "a.json", graph(width=99999))
    write(tmp_path / "b.json", graph(width=99999))
    run("lint", "--baseline", "known.json", "--write-baseline", ".")
    write(tmp_path / "a.json", graph())
    result = run("lint", "--baseline", "known.json", "a.json")

    gone = "1 of the findings in known.json is gone: write it anew with --write-baseline\n"

    assert gone == result.err


def test_what_could_not_be_read_is_never_known(run: Runner, tmp_path: Path) -> None:
    """
    A baseline does not take findings that say that a check did not happen.
    """
    (tmp_path / "a.json").write_text("{")
    run("lint", "--baseline", "known.json", "--write-baseline", "a.json")

    assert 1 == run("lint", "--baseline", "known.json", "a.json").code


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"version": 2, "findings": []}', '{"version": 1, "findings": [3]}',
             '{"version": 1, "findings": [{"file": 1, "rule": "", "node": null, "input": null}]}'],
)  # fmt: skip
def test_a_file_that_is_no_baseline(run: Runner, tmp_path: Path, text: str) -> None:
    """
    It is an error of usage.
    """
    write(tmp_path / "a.json", graph())
    (tmp_path / "known.json").write_text(text)
    result = run("lint", "--baseline", "known.json", "a.json")

    assert (2, "") == (result.code, result.out)
    assert "known.json: " in result.err


def test_a_baseline_that_is_missing(run: Runner, tmp_path: Path) -> None:
    """
    The hint says how to make one, and writing without a name is refused.
    """
    write(tmp_path / "a.json", graph())
    missing = run("lint", "--baseline", "known.json", "a.json")
    nameless = run("lint", "--write-baseline", "a.json")

    assert (2, True) == (missing.code, "--write-baseline" in missing.err)
    assert (2, True) == (nameless.code, "--baseline FILE" in nameless.err)
