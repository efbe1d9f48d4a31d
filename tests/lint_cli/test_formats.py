"""
The formats of a report: JSON, SARIF, GitHub, JUnit, Markdown, text.
"""

from __future__ import annotations

import gzip
import json
import re
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft4Validator

from comfygraph.documents import recognise
from comfygraph.lint import Diagnostic, Related, Report, Severity, lint
from comfygraph.lint.render import FORMATS, Style, render
from comfygraph.lint.render.excerpt import columns, excerpt_lines
from comfygraph.lint.render.fingerprints import fingerprints_of
from comfygraph.lint.render.places import Place, places_of
from comfygraph.lint.render.sarif import sarif_of, uri_of
from comfygraph.lint.render.statistics import statistics_of

from .conftest import graph

DATA = Path(__file__).parent.parent / "data"
TITLED = {
    "1": {
        "class_type": "EmptyImage",
        "inputs": {"width": 99999, "height": 64, "batch_size": 1, "colour": 0},
        "_meta": {"title": "a | `b` @me, <i>50%</i>: é\u202e"},
    },
    "2": {"class_type": "ImageScale", "inputs": {"image": ["3", 0]}},
    "3": {"class_type": "ImageScale", "inputs": {"image": ["2", 0]}},
    "4": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}},
}


def report_of(value: Any, *, file: str = "a b/graph.json", indent: int | None = 2) -> Report:
    """
    Lint a value as if it stood in a file.
    """
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    return lint(recognise(value, text=text, path=file))


REPORTS = [report_of(TITLED), report_of(graph(), file="clean.json")]


@st.composite
def reports(draw: st.DrawFn) -> list[Report]:
    """
    Give reports with any words whatsoever in them.
    """
    words = st.text(max_size=30)
    pointers = ["", "/1", "/1/inputs", "/1/inputs/width"]

    def finding() -> Diagnostic:
        return Diagnostic(
            # the last two are of findings of a service, which are of no rule
            draw(st.sampled_from(["CG108", "CG301", "CG000", "CG001", "TAMS", "service"])),
            "some-name",
            draw(st.sampled_from(Severity)),
            draw(words),
            draw(st.sampled_from(pointers)),
            node_id=draw(st.none() | words),
            input=draw(st.none() | words),
            help=draw(st.none() | words),
            title=draw(st.none() | words),
            class_type=draw(st.none() | words),
            related=tuple(
                Related(draw(st.sampled_from(pointers)), draw(words))
                for _ in range(draw(st.integers(0, 2)))
            ),
            place=draw(st.none() | st.just((1, 1))),
        )

    text = json.dumps(graph(), indent=draw(st.sampled_from([None, 2])))
    return [
        Report(
            draw(st.sampled_from(["a.json", "/abs/é b.json", "<stdin>", "x#y?.json"])),
            tuple(finding() for _ in range(draw(st.integers(0, 3)))),
            draw(st.sampled_from([None, text])),
        )
        for _ in range(draw(st.integers(0, 2)))
    ]


@cache
def sarif_schema() -> Draft4Validator:
    """
    Give the official schema of SARIF 2.1.0.
    """
    data = gzip.decompress((DATA / "schemas" / "sarif-2.1.0-rtm.5.json.gz").read_bytes())
    return Draft4Validator(json.loads(data))


@settings(max_examples=50, deadline=None)
@given(reports())
def test_sarif_follows_the_official_schema(found: list[Report]) -> None:
    """
    Whatever a report says, the log is valid.
    """
    log = json.loads(render(found, "sarif"))

    assert [] == [error.message for error in sarif_schema().iter_errors(log)]


def test_sarif_of_findings() -> None:
    """
    A real report: rules with their help, regions, related places, the node as logical place.
    """
    log = sarif_of(REPORTS)
    run = log["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    first = next(item for item in run["results"] if item["ruleId"] == "CG301")
    cycle = next(item for item in run["results"] if item["ruleId"] == "CG103")

    assert [] == [error.message for error in sarif_schema().iter_errors(log)]
    assert sorted({item["ruleId"] for item in run["results"]}) == [rule["id"] for rule in rules]
    assert all(rule["help"]["markdown"].startswith("## What it does") for rule in rules)
    assert all(rules[item["ruleIndex"]]["id"] == item["ruleId"] for item in run["results"])
    assert {
        "physicalLocation": {
            "artifactLocation": {"uri": "a%20b/graph.json"},
            "region": {"startLine": 5, "startColumn": 16, "endLine": 5, "endColumn": 21},
        },
        "logicalLocations": [{"fullyQualifiedName": "1.width", "kind": "property"}],
    } == first["locations"][0]
    assert ["part of the cycle" in item["message"]["text"] for item in cycle["relatedLocations"]]
    assert run["invocations"][0]["executionSuccessful"]


def test_findings_of_a_service() -> None:
    """
    What a service has against a graph is of no rule: it stands under the service's name, and is
    counted by its own.
    """
    names = ["refused", "unknown-model", "refused"]
    found = [Diagnostic("TAMS", name, Severity.ERROR, "no", "/1") for name in names]
    report = Report("graph.json", tuple(found), "{}")
    [run] = sarif_of([report])["runs"]

    assert ["TAMS"] * 3 == [result["ruleId"] for result in run["results"]]
    assert ["TAMS"] == [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert [("TAMS", "refused", 2), ("TAMS", "unknown-model", 1)] == [
        (row.rule_id, row.name, row.findings) for row in statistics_of([report])
    ]


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("a.json", "a.json"),
        ("./x/../a b.json", "a%20b.json"),
        ("é#?.json", "%C3%A9%23%3F.json"),
        ("<stdin>", "stdin"),
        ("/elsewhere/a.json", "file:///elsewhere/a.json"),
    ],
)
def test_uris(file: str, expected: str) -> None:
    """
    Relative where they can be, escaped as RFC 3986 wants it.
    """
    assert expected == uri_of(file)


def test_absolute_paths_within_the_folder_become_relative(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    GitHub finds files only by paths from the root of the repository.
    """
    monkeypatch.chdir(tmp_path)

    assert "sub/a.json" == uri_of(str(tmp_path / "sub" / "a.json"))


def test_fingerprints_do_not_follow_lines() -> None:
    """
    Other lines, order and values give the same ones; two alike are told apart.
    """
    first = report_of(graph(width=99999, colour=1))
    moved = report_of(dict(reversed(graph(colour=2, width=88888).items())), indent=None)
    twice = Report("a", (first.diagnostics[0],) * 2)

    assert set(fingerprints_of(first)) == set(fingerprints_of(moved))
    assert 2 == len(set(fingerprints_of(first)))
    assert 2 == len(set(fingerprints_of(twice)))


def test_github_commands() -> None:
    """
    Properties and messages are escaped as the toolkit of GitHub unescapes them.
    """
    lines = render(REPORTS, "github").splitlines()
    pattern = re.compile(r"::(error|warning|notice) ([a-zA-Z]+=[^:,]*(?:,[a-zA-Z]+=[^:,]*)*)::(.*)")

    assert lines[-1].startswith("4 errors") or "error" in lines[-1]
    assert all(pattern.fullmatch(line) for line in lines[:-1])
    assert any(
        line.startswith("::error file=a b/graph.json,line=5,col=16,endColumn=21,title=CG301 ")
        and "50%25</i>: é·" in line
        for line in lines
    )


@given(reports())
def test_github_lines_stay_lines(found: list[Report]) -> None:
    """
    No words of strangers begin a command of their own.
    """
    lines = render(found, "github").split("\n")

    assert sum(len(report) for report in found) + 1 == len(lines)
    assert all(line.startswith("::") for line in lines[:-1])
    assert not any("\r" in line for line in lines)


@pytest.mark.parametrize(
    ("fail_on", "failures"),
    [(Severity.ERROR, "errors"), (Severity.INFO, "all"), (None, "none")],
)
def test_junit(fail_on: Severity | None, failures: str) -> None:
    """
    A suite a file, a case a finding; a clean file has one case that passes.
    """
    root = ElementTree.fromstring(render(REPORTS, "junit", Style(fail_on=fail_on)))
    count = {
        "errors": sum(report.count(Severity.ERROR) for report in REPORTS),
        "all": len(REPORTS[0]),
        "none": 0,
    }[failures]

    assert ["a b/graph.json", "clean.json"] == [suite.get("name") for suite in root]
    assert [str(len(REPORTS[0])), "1"] == [suite.get("tests") for suite in root]
    assert count == len(root.findall(".//failure")) == int(root.get("failures") or -1)
    assert [] == list(root[1][0])


@given(reports())
def test_junit_is_xml(found: list[Report]) -> None:
    """
    Whatever the words, the document parses and counts right.
    """
    root = ElementTree.fromstring(render(found, "junit").encode())

    assert len(found) == len(root)
    assert int(root.get("tests") or -1) == len(root.findall(".//testcase"))


def test_markdown() -> None:
    """
    A mark, the counts, a table a file; markup and mentions of strangers are plain text.
    """
    text = render(REPORTS, "markdown")
    rows = [line for line in text.splitlines() if line.startswith("| ") and "CG" in line]

    assert text.startswith("<!-- comfygraph lint -->\n### comfygraph lint: ")
    assert len(rows) == len(REPORTS[0])
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 5 for row in rows)
    assert r'EmptyImage "a \| \`b\` @&#8203;me, \<i\>50%\</i\>: é·" \(1\): ' in text
    assert "**`a b/graph.json`**" in text
    assert "clean.json" not in text


def test_markdown_fits_in_a_comment() -> None:
    """
    GitHub takes 65,536 characters; what is left out is counted.
    """
    many = report_of(graph(**{f"input_{number}": number for number in range(900)}))
    text = render([many], "markdown")

    assert len(text) < 65_536
    assert (
        re.search(r"… and \d+ findings more\.$|… and \d+ findings more", text) or " more." in text
    )
    assert text.count("CG108") + int(re.findall(r"and (\d+) finding", text)[0]) == len(many)


@given(reports(), st.sampled_from(FORMATS))
def test_every_format_can_be_printed(found: list[Report], format_: str) -> None:
    """
    Any words whatsoever give text that a UTF-8 stream takes, without control characters.
    """
    text = render(found, format_)
    allowed = "\n\ufe0f"

    assert text.encode()
    if format_ not in ("json", "sarif"):
        assert all(char.isprintable() or char in allowed for char in text)


def test_unknown_format() -> None:
    """
    It is an error of the programmer.
    """
    with pytest.raises(ValueError, match="no format is called 'html'"):
        render([], "html")


SECRET = "sk-abcdefghijklmnopqrstuvwxyz0123"


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("indent", [None, 2])
def test_secrets_are_not_shown(format_: str, indent: int | None) -> None:
    """
    What stands at a sensitive finding is masked in every excerpt, also of other findings.
    """
    value = graph(colour=SECRET)
    text = json.dumps(value, indent=indent)
    pointer = "/1/inputs/colour"
    found = Diagnostic(
        "CG603", "secret", Severity.WARNING, "a secret", pointer, "1", "colour", sensitive=True
    )
    other = Diagnostic("CG301", "x", Severity.ERROR, "other", "/1/inputs/color", "1", "color")
    related = Diagnostic(
        "CG301", "x", Severity.ERROR, "x", "/2", "2", related=(Related(pointer, "here"),)
    )

    assert SECRET not in render([Report("a.json", (found, other, related), text)], format_)


@pytest.mark.parametrize(
    ("line", "start", "end", "expected"),
    [
        ("    short", 4, 9, ("short", "^^^^^")),
        ("\tshort", 1, 6, ("short", "^^^^^")),
        ("日本 x", 3, 4, ("日本 x", "     ^")),
        ("e\u0301 x", 3, 4, ("e\u0301 x", "  ^")),
        ("a" * 300, 0, 3, ("a" * 100 + "…", "^^^")),
        ("a" * 297 + "bbb", 297, 300, ("…" + "a" * 47 + "bbb", " " * 48 + "^^^")),
    ],
)
def test_excerpts(line: str, start: int, end: int, expected: tuple[str, str]) -> None:
    """
    The carets stand below the place, however wide the letters, and long lines are cut around it.
    """
    assert expected == excerpt_lines(Place(1, start + 1, end + 1, line), 100)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=300), st.data())
def test_excerpts_never_grow(line: str, data: st.DataObject) -> None:
    """
    Whatever the line and the place, both lines stay short and the carets below the source.
    """
    start = data.draw(st.integers(0, max(0, len(line) - 1)))
    end = data.draw(st.integers(start + 1, max(start + 1, len(line))))
    source, carets = excerpt_lines(Place(1, start + 1, end + 1, line), 100)

    assert len(source) <= 102
    assert carets.strip(" ") == "^" * len(carets.strip(" "))
    assert columns(carets) <= max(columns(source), 1) + 1


def test_places_point_at_the_value_or_the_key_of_a_node() -> None:
    """
    A value by itself; a node, which goes over many lines, by its key.
    """
    pointers = ["/7", "/7/inputs/filename_prefix", "/7/inputs/absent"]
    text = json.dumps({"7": {"class_type": "A", "inputs": {"filename_prefix": 3}}}, indent=2)
    found = [Diagnostic("CG1", "x", Severity.ERROR, "x", pointer) for pointer in pointers]
    places = places_of(Report("a", tuple(found), text))

    assert [(2, 3), (5, 26), (4, 5)] == [
        (places[pointer].line, places[pointer].column) for pointer in pointers
    ]
