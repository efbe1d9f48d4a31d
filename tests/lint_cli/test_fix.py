"""
`--fix`, `--unsafe-fixes` and `--diff`.
"""

from __future__ import annotations

import codecs
import gzip
import json
import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfygraph.catalog import load_catalog
from comfygraph.documents import parse_json, recognise
from comfygraph.lint import Diagnostic, Edit, Fix, Report, Severity, lint
from comfygraph.lint.fix import encode_like, fix_report, unified_diff, write_atomically

from .conftest import Runner, graph, write


def offer(pointer: str, action: str, value: object = None, *, safe: bool = True) -> Diagnostic:
    """
    Make a finding with one repair.
    """
    fix = Fix(f"{action} {pointer}", (Edit(pointer, action, value),), safe)
    return Diagnostic("CG108", "x", Severity.WARNING, "x", pointer, fixes=(fix,))


def removing_all(text: str) -> Report:
    """
    Complain of every member but `keep`.
    """
    return Report(
        "x", tuple(offer(f"/{key}", "remove") for key in json.loads(text) if key != "keep"), text
    )


def test_repairs_go_on_until_none_is_left() -> None:
    """
    Neighbours that cannot go in one round go in the next.
    """
    text = json.dumps({**dict.fromkeys("abcdefgh", 1), "keep": 2, **dict.fromkeys("ijkl", 3)})
    fixed = fix_report(removing_all(text), removing_all)

    assert ('{"keep": 2}', 12, 0) == (fixed.text, len(fixed.applied), len(fixed.report))


def test_repairs_that_quarrel_end() -> None:
    """
    A text that was there before ends the rounds.
    """

    def flip(text: str) -> Report:
        return Report("x", (offer("/a", "set", 1 - json.loads(text)["a"]),), text)

    fixed = fix_report(flip('{"a": 0}'), flip)

    assert '{"a": 1}' == fixed.text


def test_repairs_that_do_harm_are_not_applied() -> None:
    """
    One that brings errors is left out, and the others beside it are applied.
    """

    def check(text: str) -> Report:
        value = json.loads(text)
        found = [offer(f"/{key}", "remove") for key in value if key != "keep"]
        if "b" not in value:
            found.append(Diagnostic("CG1", "x", Severity.ERROR, "b is wanted", ""))
        return Report("x", tuple(found), text)

    text = '{"a": 1, "keep": 1, "b": 1, "c": 2, "d": 3}'

    assert '{"keep": 1, "b": 1}' == fix_report(check(text), check).text


def test_unsafe_repairs_wait_to_be_asked_for() -> None:
    """
    Without `unsafe` only safe ones are applied.
    """

    def check(text: str) -> Report:
        done = json.loads(text)["a"] == 2
        return Report("x", () if done else (offer("/a", "set", 2, safe=False),), text)

    assert '{"a": 1}' == fix_report(check('{"a": 1}'), check).text
    assert '{"a": 2}' == fix_report(check('{"a": 1}'), check, unsafe=True).text


@given(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    st.sampled_from(
        ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"]
    ),
)
def test_the_encoding_stays(content: str, encoding: str) -> None:
    """
    What was read and is written again unchanged has the same bytes, with their mark.
    """
    data = json.dumps({"a": content}, ensure_ascii=False).encode(encoding)
    text = data.decode(json.detect_encoding(data))

    assert data == encode_like(text, data)


@pytest.mark.parametrize("mark", [codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE])
def test_the_other_byte_order_stays(mark: bytes) -> None:
    """
    A mark of big-endian text is kept with its order.
    """
    data = mark + '{"é": 1}'.encode("utf-16-be" if len(mark) == 2 else "utf-32-be")

    assert data == encode_like('{"é": 1}', data)


def test_only_the_fault_changes(run: Runner, tmp_path: Path) -> None:
    """
    Marks, line ends, indentation, spelling of numbers and the missing last line end stay.
    """
    before = (
        b'\xef\xbb\xbf{\r\n\t"1" : {"class_type":"EmptyImage",\r\n\t\t"inputs":{"width":64.0e0,'
        b'  "height":64,"batch_size":1, "colour":3,"color":0}},\r\n\t"2":'
        b'{"class_type":"SaveImage","inputs":{"images":["1",0],"filename_prefix":"\\u00e9"}}\r\n}'
    )
    (tmp_path / "a.json").write_bytes(before)
    result = run("lint", "--fix", "--select", "CG108", "a.json")

    assert (0, "repaired 1 finding in 1 file\n") == (result.code, result.err)
    assert before.replace(b'"colour":3,', b"") == (tmp_path / "a.json").read_bytes()


def test_what_is_left_is_told(run: Runner, tmp_path: Path) -> None:
    """
    The report speaks of the file as it is after the repairs.
    """
    write(tmp_path / "a.json", graph(colour=3, width=99999))
    result = run("lint", "--fix", "--format", "json", "a.json")

    assert 1 == result.code
    assert [("CG301", 5)] == [
        (found["rule_id"], found["line"]) for found in json.loads(result.out)["diagnostics"]
    ]


def test_unsafe_fixes_of_the_command(run: Runner, tmp_path: Path) -> None:
    """
    Clamping a value changes the picture, so it waits for `--unsafe-fixes`.
    """
    file = write(tmp_path / "a.json", graph(width=99999))
    first = run("lint", "--fix", "a.json")
    second = run("lint", "--unsafe-fixes", "a.json")

    assert (1, 0) == (first.code, second.code)
    assert 16384 == json.loads(file.read_text())["1"]["inputs"]["width"]


def test_a_clean_file_is_not_written(run: Runner, tmp_path: Path) -> None:
    """
    Neither its bytes nor its time of change move.
    """
    file = write(tmp_path / "a.json", graph())
    os.utime(file, (1, 1))
    run("lint", "--fix", "a.json")

    assert 1 == file.stat().st_mtime


def test_mode_and_links_stay(run: Runner, tmp_path: Path) -> None:
    """
    The file keeps its mode; a symbolic link still points to it, and no scraps are left.
    """
    file = write(tmp_path / "real" / "a.json", graph(colour=3))
    file.chmod(0o640)
    (tmp_path / "a.json").symlink_to(file)
    run("lint", "--fix", "a.json")

    assert (0o640, True) == (file.stat().st_mode & 0o777, (tmp_path / "a.json").is_symlink())
    assert "colour" not in file.read_text()
    assert ["a.json"] == [path.name for path in (tmp_path / "real").iterdir()]


def test_a_write_that_fails_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    When the disk is full the old file is still whole, and no scraps are left.
    """
    from comfygraph.errors import InputError

    file = tmp_path / "a.json"
    file.write_bytes(b"old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(InputError, match="cannot be written: No space left on device"):
        write_atomically(str(file), b"new")

    assert (b"old", ["a.json"]) == (file.read_bytes(), [path.name for path in tmp_path.iterdir()])


def test_the_standard_input_is_repaired_to_the_standard_output(run: Runner) -> None:
    """
    The document and nothing else; the report goes to the error stream.
    """
    data = json.dumps(graph(colour=3, width=99999)).encode()
    result = run("lint", "--fix", "-", stdin=data)
    broken = run("lint", "--fix", "-", stdin=b"{ \n")

    assert json.dumps(graph(width=99999)) == result.out
    assert (1, True) == (result.code, "CG301" in result.err)
    assert (1, "{ \n") == (broken.code, broken.out)


def test_diff_writes_nothing(run: Runner, tmp_path: Path) -> None:
    """
    It prints what `patch` takes, and ends with 1 where there is something to repair.
    """
    file = write(tmp_path / "a.json", graph(colour=3))
    before = file.read_bytes()
    result = run("lint", "--diff", "a.json")
    clean = run("lint", "--diff", "--ignore", "CG108", "a.json")

    assert (1, before) == (result.code, file.read_bytes())
    assert result.out.startswith("--- a/a.json\n+++ b/a.json\n@@ -5,8 +5,7 @@\n")
    assert (0, "") == (clean.code, clean.out)


@given(
    st.lists(st.sampled_from(["a\n", "b\r\n", "c\u2028\n", "\n"]), max_size=8),
    st.lists(st.sampled_from(["a\n", "b\r\n", "d", "\n"]), max_size=8),
)
def test_diffs_apply(
    tmp_path_factory: pytest.TempPathFactory, old: list[str], new: list[str]
) -> None:
    """
    `git apply` makes the one text of the other, whatever ends their lines.
    """
    before, after = "".join(old), "".join(new)
    if before == after or not before or not after:
        return
    folder = tmp_path_factory.mktemp("diff")
    (folder / "x.json").write_bytes(before.encode())
    subprocess.run(
        ["git", "apply", "--unsafe-paths", "--whitespace=nowarn", "-"],
        cwd=folder,
        input=unified_diff("x.json", before, after).encode(),
        check=True,
        env={**os.environ, "GIT_CEILING_DIRECTORIES": str(folder.parent)},
    )

    assert after.encode() == (folder / "x.json").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("unsafe", [False, True])
def test_repairs_of_recorded_faults(unsafe: bool) -> None:
    """
    Of faults that a real server refused, repairs leave fewer errors or as many, never more,
    and a second run finds nothing to do.
    """
    path = Path(__file__).parent.parent / "data" / "validation" / "mutated.jsonl.gz"
    lines = gzip.decompress(path.read_bytes()).splitlines()[::10]
    catalog = load_catalog()

    def check(text: str) -> Report:
        return lint(recognise(parse_json(text), text=text), catalog)

    total = 0
    for line in lines:
        text = json.dumps(json.loads(line)["prompt"], indent=2)
        report = check(text)
        fixed = fix_report(report, check, unsafe=unsafe)
        total += len(fixed.applied)

        assert fixed.report.count(Severity.ERROR) <= report.count(Severity.ERROR)
        assert fixed.text == fix_report(fixed.report, check, unsafe=unsafe).text
    assert total > len(lines) / 10
