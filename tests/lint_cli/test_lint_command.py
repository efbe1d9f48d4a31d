"""
`comfygraph lint` from the outside.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import Runner, graph, write


def ids(out: str) -> list[str]:
    """
    Give the ids of the findings in a JSON report.
    """
    return [found["rule_id"] for found in json.loads(out)["diagnostics"]]


def test_a_clean_file(run: Runner, tmp_path: Path) -> None:
    """
    One line, nothing on the error stream, exit code 0.
    """
    write(tmp_path / "a.json", graph())

    assert (0, "no findings in 1 file\n", "") == run("lint", "a.json")


def test_a_finding(run: Runner, tmp_path: Path) -> None:
    """
    Place, severity, id, name, node, source line with carets, what to do, and the counts.
    """
    write(tmp_path / "a.json", graph(colour=3))
    result = run("lint", "a.json")

    assert 0 == result.code
    assert (
        "a.json:9:17: warning CG108 unknown-input   fixable\n"
        "    EmptyImage (1): `EmptyImage` has no input `colour`: the value is ignored\n"
        '    9 | "colour": 3\n'
        "      |           ^\n"
        "    help: did you mean `color`?\n"
        "\n"
        "0 errors, 1 warning in 1 file · 1 fixable with --fix\n"
    ) == result.out


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([], 0),
        (["--fail-on", "warning"], 1),
        (["--fail-on", "info"], 1),
        (["--fail-on", "never"], 0),
        (["--fail-on", "warning", "--exit-zero"], 0),
        (["--severity", "CG108=error"], 1),
        (["--severity", "unknown-input=info", "--fail-on", "warning"], 0),
        (["--select", "CG3", "--fail-on", "info"], 0),
        (["--ignore", "CG1,CG6", "--fail-on", "info"], 0),
        (["--per-file-ignore", "*.json:CG108", "--fail-on", "info"], 0),
    ],
)
def test_exit_codes(run: Runner, tmp_path: Path, arguments: list[str], code: int) -> None:
    """
    The least severity that fails, severities and selections decide.
    """
    write(tmp_path / "a.json", graph(colour=3))

    assert code == run("lint", *arguments, "a.json").code


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--select", "CG999", "a.json"], "`CG999` names no rule"),
        (["--ignore", "unknown-imput", "a.json"], "did you mean `unknown-input`?"),
        (["--severity", "CG301=bad", "a.json"], "`bad` is no severity"),
        (["--per-file-ignore", "CG301", "a.json"], "is not PATTERN:RULES"),
        (["--format", "html", "a.json"], "html"),
        ([], "Missing argument"),
        (["--config", "none.toml", "a.json"], "none.toml"),
    ],
)
def test_wrong_use(run: Runner, tmp_path: Path, arguments: list[str], word: str) -> None:
    """
    Exit code 2, a message, and nothing on the standard output.
    """
    write(tmp_path / "a.json", graph())
    result = run("lint", *arguments)

    assert (2, "") == (result.code, result.out)
    assert word in result.err


@pytest.mark.parametrize(
    "arguments", [["none.json"], ["none.json", "nor.json"], ["*.png"], ["empty"], ["package.json"]]
)
def test_no_input_matched(run: Runner, tmp_path: Path, arguments: list[str]) -> None:
    """
    Exit code 3: a pattern with a slip must not look like a clean run.
    """
    (tmp_path / "empty").mkdir()
    write(tmp_path / "empty" / "package.json", {"name": "x", "version": "1"})
    if arguments == ["package.json"]:
        arguments = ["empty/*.json"]
    result = run("lint", *arguments)

    assert (3, "") == (result.code, result.out)
    assert result.err.splitlines()[-1].startswith(("error:", "  hint:"))


def test_folders_skip_what_is_no_graph(run: Runner, tmp_path: Path) -> None:
    """
    Other JSON is nobody's business, broken or not; a broken graph is.
    """
    write(tmp_path / "package.json", {"name": "x", "scripts": {"a": "b"}})
    write(tmp_path / "list.json", [1, 2, 3])
    write(tmp_path / "empty.json", {})
    (tmp_path / "tsconfig.json").write_text("{ // comment\n}")
    write(tmp_path / "a.json", graph())
    clean = run("lint", ".")
    (tmp_path / "b.json").write_text(json.dumps(graph())[:-2])
    broken = run("lint", ".", "--format", "json")

    assert (0, "no findings in 1 file\n") == (clean.code, clean.out)
    assert (1, ["CG001"]) == (broken.code, ids(broken.out))


def test_named_files_are_always_checked(run: Runner, tmp_path: Path) -> None:
    """
    Unless only graphs are wanted, as in a hook that names every JSON file.
    """
    write(tmp_path / "package.json", {"name": "x"})
    named = run("lint", "package.json", "--format", "json")
    hook = run("lint", "package.json", "--graphs-only")

    assert (1, ["CG003"]) == (named.code, ids(named.out))
    assert (0, "no findings in 0 files\n") == (hook.code, hook.out)


def test_broken_files_do_not_hide_others(run: Runner, tmp_path: Path) -> None:
    """
    Each is told of, with the place in the text.
    """
    (tmp_path / "a.json").write_text('{"1": {"class_type": }}')
    write(tmp_path / "b.json", graph(width=99999))
    result = run("lint", "a.json", "b.json", "missing.json")

    assert 1 == result.code
    assert (
        "a.json:1:22: error CG001 unreadable-document\n    not JSON: expecting value\n"
        in result.out
    )
    assert '    1 | {"1": {"class_type": }}\n      |                      ^\n' in result.out
    assert "b.json:5:16: error CG301 value-above-max" in result.out
    assert "missing.json:1:1: error CG001 unreadable-document\n    no such file\n" in result.out


def test_standard_input(run: Runner) -> None:
    """
    `-` reads it; its name in messages can be chosen.
    """
    data = json.dumps(graph(width=99999)).encode()
    plain = run("lint", "-", stdin=data)
    named = run(
        "lint", "-", "--stdin-filename", "x/y.json", "--per-file-ignore", "x:CG3", stdin=data
    )

    assert plain.out.startswith("<stdin>:1:56: error CG301")
    assert (0, "no findings in 1 file\n") == (named.code, named.out)


def test_the_configuration_counts(run: Runner, tmp_path: Path) -> None:
    """
    The file of the folder, what the environment says above it, and flags above all.
    """
    write(tmp_path / "a.json", graph(colour=3, width=99999))
    (tmp_path / "comfygraph.toml").write_text(
        '[lint]\nselect = ["CG1"]\nformat = "json"\nexclude = ["old"]\n'
        '[lint.severity]\nCG108 = "error"\n'
        '[lint.per-file-ignores]\n"b.json" = ["ALL"]\n'
    )
    write(tmp_path / "b.json", graph(colour=3))
    write(tmp_path / "old" / "c.json", graph(colour=3))

    assert (1, ["CG108"]) == (run("lint", ".").code, ids(run("lint", ".").out))
    assert ["CG301"] == ids(run("lint", "--select", "CG301", "a.json").out)
    assert "warning CG108" in run("lint", "--isolated", "a.json").out


def test_the_environment_counts(
    run: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    `COMFYGRAPH_LINT_*` stands between the file and the flags.
    """
    write(tmp_path / "a.json", graph(colour=3, width=99999))
    monkeypatch.setenv("COMFYGRAPH_LINT_SELECT", "CG108")
    monkeypatch.setenv("COMFYGRAPH_LINT_FORMAT", "concise")

    assert (
        "a.json:9:17: warning CG108 unknown-input: EmptyImage (1): "
        "`EmptyImage` has no input `colour`: the value is ignored\n"
        "0 errors, 1 warning in 1 file · 1 fixable with --fix\n"
    ) == run("lint", "a.json").out


def test_a_catalog_of_ones_own_is_strict_about_files(run: Runner, tmp_path: Path) -> None:
    """
    Its lists are that server's files; the bundled core knows nobody's files.
    """
    catalog = {
        "Load": {
            "input": {"required": {"ckpt_name": [["a.safetensors"]]}},
            "input_order": {"required": ["ckpt_name"]},
            "output": [],
            "output_node": True,
            "name": "Load",
            "category": "x",
        }
    }
    write(tmp_path / "info" / "object_info.json", catalog)
    write(tmp_path / "a.json", {"1": {"class_type": "Load", "inputs": {"ckpt_name": "b"}}})
    strict = run("lint", "--catalog", "info/object_info.json", "a.json")

    assert 1 == strict.code
    assert 3 == run("lint", "--catalog", "none.json", "a.json").code


def test_the_report_can_go_to_a_file(run: Runner, tmp_path: Path) -> None:
    """
    `-o` writes it, without colour, and tells the counts on the error stream.
    """
    write(tmp_path / "a.json", graph(colour=3))
    result = run("lint", "a.json", "--format", "json", "-o", "out.json")

    assert (0, "") == (result.code, result.out)
    assert (
        "0 errors, 1 warning in 1 file · 1 fixable with --fix; written to out.json\n" == result.err
    )
    assert ["CG108"] == ids((tmp_path / "out.json").read_text())


def test_a_report_that_cannot_be_written(run: Runner, tmp_path: Path) -> None:
    """
    It is an error, not a traceback.
    """
    write(tmp_path / "a.json", graph())
    result = run("lint", "a.json", "-o", "none/out.txt")

    assert 3 == result.code
    assert "none/out.txt: cannot be written: No such file or directory" in result.err


def test_statistics(run: Runner, tmp_path: Path) -> None:
    """
    Rules by frequency, with the files and the repairs; also as JSON.
    """
    write(tmp_path / "a.json", graph(colour=3, shade=1))
    write(tmp_path / "b.json", graph(colour=3, width=99999))
    text = run("lint", ".", "--statistics")
    data = run("lint", ".", "--statistics", "--format", "json")

    assert (
        "3  CG108  unknown-input    in 2 files   3 fixable\n"
        "1  CG301  value-above-max  in 1 file\n"
        "1 error, 3 warnings in 2 files · 3 fixable with --fix\n"
    ) == text.out
    assert [("CG108", 3, 2), ("CG301", 1, 1)] == [
        (row["rule_id"], row["count"], row["files"]) for row in json.loads(data.out)["rules"]
    ]


@pytest.mark.parametrize(
    ("arguments", "environment", "colored"),
    [
        ([], {}, False),
        ([], {"FORCE_COLOR": "1"}, True),
        ([], {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        (["--color", "always"], {"NO_COLOR": "1"}, True),
        (["--color", "never"], {"FORCE_COLOR": "1"}, False),
    ],
)
def test_colour(
    run: Runner,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    environment: dict[str, str],
    colored: bool,
) -> None:
    """
    The flag, then NO_COLOR, then FORCE_COLOR, then the terminal; text is the same without it.
    """
    write(tmp_path / "a.json", graph(colour=3, width=99999))
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    result = run("lint", "a.json", *arguments)
    monkeypatch.undo()

    assert colored is ("\x1b[" in result.out)


def test_the_graph_in_an_image(run: Runner) -> None:
    """
    A picture that ComfyUI saved is checked like a file, and is not written to.
    """
    media = Path(__file__).parent.parent / "data" / "media"
    picture = media / "still_00001_.png"
    before = picture.read_bytes()
    result = run("lint", "--fix", picture)

    assert result.code in (0, 1)
    assert before == picture.read_bytes()


def test_patterns_start_where_they_are_written(
    run: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Those of the file at its folder, those of the command line at the current one.
    """
    (tmp_path / "comfygraph.toml").write_text('[lint]\nexclude = ["sub/old/*"]\n')
    for name in ("sub/old/a.json", "sub/new/b.json", "sub/c.json", "sub/d.json"):
        write(tmp_path / name, graph(colour=3))
    monkeypatch.chdir(tmp_path / "sub")
    plain = run("lint", ".", "--format", "json")
    less = run("lint", ".", "--format", "json", "--exclude", "new/*", "--per-file-ignore",
               "./c.json:CG108")  # fmt: skip

    assert ["c.json", "d.json", "new/b.json"] == [
        found["file"] for found in json.loads(plain.out)["diagnostics"]
    ]
    assert ["d.json"] == [found["file"] for found in json.loads(less.out)["diagnostics"]]
    assert [] == ids(
        run("lint", "d.json", "--format", "json", "--per-file-ignore", f"{tmp_path}/sub/*:ALL").out
    )
