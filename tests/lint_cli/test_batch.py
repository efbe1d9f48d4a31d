"""
Many files, several processes, and files or rules that break.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from comfygraph.catalog import load_catalog
from comfygraph.lint import Severity, batch, lint
from comfygraph.lint.batch import Work, check_all
from comfygraph.lint.context import Finding, RuleContext
from comfygraph.lint.files import Source, find_sources
from comfygraph.lint.registry import stable_rules
from comfygraph.lint.rule import rule
from comfygraph.lint.select import select_rules

from .conftest import Runner, graph, write


@rule(id="CG999", name="crashing", severity=Severity.ERROR)
def crashing(ctx: RuleContext) -> Iterator[Finding]:
    """
    Find one thing, then crash.
    """
    yield Finding("found before", "")
    raise ZeroDivisionError("oh dear")


@rule(id="CG998", name="endless", severity=Severity.ERROR)
def endless(ctx: RuleContext) -> Iterator[Finding]:
    """
    Never stop finding things.
    """
    while True:
        yield Finding("again", "/1", "1")


def test_a_rule_that_crashes_does_not_hide_the_others() -> None:
    """
    Its crash is a finding beside those of the other rules, and its own until then.
    """
    report = lint(graph(colour=3), rules=[crashing, *stable_rules()])

    assert {"CG000", "CG999", "CG108"} == {found.rule_id for found in report}
    assert "rule CG999 crashing crashed: ZeroDivisionError: oh dear" in [
        found.message for found in report
    ]


def test_a_rule_that_never_ends_is_cut() -> None:
    """
    A thousand findings of one rule are enough, and it is said that there are more.
    """
    report = lint(graph(), rules=[endless])

    assert 1001 == len(report)
    assert "more than 1,000 findings of this rule: the rest is left out" in [
        found.message for found in report
    ]


def test_several_processes_find_the_same(run: Runner, tmp_path: Path) -> None:
    """
    The same report in the same order, whatever the number of processes.
    """
    for number in range(40):
        write(tmp_path / f"{number}.json", graph(**{"colour": number} if number % 3 else {}))
    (tmp_path / "7.json").write_text('{"1": {"class_type": ')
    one = run("lint", ".", "--jobs", "1", "--format", "json")
    three = run("lint", ".", "--jobs", "3", "--format", "json")

    assert one == three
    assert 1 == one.code


def test_repairs_in_several_processes(run: Runner, tmp_path: Path) -> None:
    """
    Every file is repaired once.
    """
    for number in range(20):
        write(tmp_path / f"{number}.json", graph(colour=number))
    result = run("lint", ".", "--fix", "--jobs", "2")

    assert (0, "repaired 20 findings in 20 files\n") == (result.code, result.err)
    assert not any("colour" in path.read_text() for path in tmp_path.glob("*.json"))


def test_the_standard_input_beside_files_in_processes(run: Runner, tmp_path: Path) -> None:
    """
    The parent reads it.
    """
    write(tmp_path / "a.json", graph())
    write(tmp_path / "b.json", graph())
    result = run("lint", "-", "a.json", "b.json", "--jobs", "2", stdin=b"{")

    assert 1 == result.code
    assert result.out.startswith("<stdin>:1:2: error CG001")


def _die(*_: object) -> None:
    os._exit(9)


def test_a_process_that_dies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The files that it leaves unchecked are told of, not forgotten.
    """
    if os.name != "posix":
        pytest.skip("the workers must be forks to die on command")
    files = [str(write(tmp_path / f"{number}.json", graph())) for number in range(4)]
    monkeypatch.setattr(batch, "check_source", _die)
    outcomes = list(check_all([Source(file) for file in files], Work(select_rules()), jobs=2))

    assert ["CG000"] * 4 == [
        found.rule_id for outcome in outcomes for found in outcome.report or ()
    ]


def test_a_file_that_breaks_us(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    An exception that nobody foresaw is a finding about that file.
    """

    def broken(*_: object, **__: object) -> None:
        raise KeyError("gone")

    file = write(tmp_path / "a.json", graph())
    monkeypatch.setattr(batch, "lint", broken)
    outcome = batch.check_source(Source(str(file)), Work(select_rules()), load_catalog())

    assert [("CG000", "KeyError: 'gone'")] == [
        (found.rule_id, found.message) for found in outcome.report or ()
    ]


def test_a_crash_is_an_internal_error(
    run: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Exit code 3, whatever was asked for: the check did not happen.
    """

    def broken(*_: object, **__: object) -> None:
        raise KeyError("gone")

    write(tmp_path / "a.json", graph())
    monkeypatch.setattr(batch, "lint", broken)

    assert 3 == run("lint", "--exit-zero", "a.json").code


def test_a_file_that_changes_under_our_hands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    It is not overwritten.
    """
    file = write(tmp_path / "a.json", graph(colour=3))
    real = batch.lint

    def meddling(*args: object, **options: object) -> object:
        file.write_text("{}")
        return real(*args, **options)  # type: ignore[arg-type]  # passed through

    monkeypatch.setattr(batch, "lint", meddling)
    work = Work(select_rules(), fix="write")
    outcome = batch.check_source(Source(str(file)), work, load_catalog())

    assert ("{}", f"{file}: changed while it was checked, not repaired") == (
        file.read_text(), outcome.error
    )  # fmt: skip


@pytest.mark.parametrize(("wanted", "files", "expected"), [(3, 1, 3), (0, 10, 1), (0, 1999, 1)])
def test_how_many_processes(wanted: int, files: int, expected: int) -> None:
    """
    As many as are asked for, else none beside this one for few files.
    """
    assert expected == batch._jobs(wanted, files)


def test_sources_of_a_folder_are_not_explicit(tmp_path: Path) -> None:
    """
    What a folder holds and is no graph gives no report at all.
    """
    write(tmp_path / "package.json", {"name": "x"})
    found = find_sources([str(tmp_path)])

    assert [None] == [outcome.report for outcome in check_all(found.sources, Work(select_rules()))]
