"""
`--format junit`: XML that CI systems show as test results: a suite a file, a case a finding.

What XML 1.0 cannot carry is not printable either, so `clean` takes it out.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from comfygraph.lint.diagnostic import Diagnostic, Report, Severity
from comfygraph.lint.render.places import place_of, places_of
from comfygraph.lint.render.text import clean


def render_junit(reports: Sequence[Report], *, fail_on: Severity | None = Severity.ERROR) -> str:
    """
    Give reports as JUnit XML.

    Args:
        reports: The reports.
        fail_on: The least severity that is a failure; findings below are told in the case's
            output. `None`: nothing fails.
    """
    suites = [_suite(report, fail_on) for report in reports]
    tests = sum(count for count, _, _ in suites)
    failures = sum(count for _, count, _ in suites)
    body = "\n".join(text for _, _, text in suites)
    head = f'<testsuites name="comfygraph" tests="{tests}" failures="{failures}" errors="0">'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{head}\n{body}\n</testsuites>'


def _suite(report: Report, fail_on: Severity | None) -> tuple[int, int, str]:
    places = places_of(report) if report.diagnostics else {}
    failures = 0
    cases = []
    for found in report:
        place = place_of(found, places, report)
        bad = fail_on is not None and found.severity.rank >= fail_on.rank
        failures += bad
        where = f"{place.file or report.file}:{place.line}:{place.column}"
        cases.append(_case(found, report.file, where, bad=bad))
    if not cases:
        cases.append(f'    <testcase name="lint" classname={_attribute(report.file)}/>')
    head = f'  <testsuite name={_attribute(report.file)} tests="{len(cases)}"'
    head += f' failures="{failures}" errors="0">'
    return len(cases), failures, "\n".join([head, *cases, "  </testsuite>"])


def _case(found: Diagnostic, file: str, where: str, *, bad: bool) -> str:
    at = f" node {found.node_id}" if found.node_id is not None else ""
    at += f" input {found.input}" if found.input is not None else ""
    name = _attribute(f"{found.rule_id} {found.name}{at}")
    text = f"{clean(where)}: {found.severity.value}: {clean(found.message)}"
    if found.help:
        text += f"\nhelp: {clean(found.help)}"
    inner = (
        f"<failure type={_attribute(found.name)} message={_attribute(found.message)}>"
        f"{_text(text)}</failure>"
        if bad
        else f"<system-out>{_text(text)}</system-out>"
    )
    return f"    <testcase name={name} classname={_attribute(file)}>{inner}</testcase>"


def _text(text: str) -> str:
    return escape(text)


def _attribute(text: str) -> str:
    return quoteattr(clean(text))
