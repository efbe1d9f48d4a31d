"""
Ratios: what is measured side by side on one machine is compared on it.

In a usual run of the tests, beside others, nothing is measured: the work is done once, and growth
is held by counting calls. With `--benchmark-enable` the ratios are measured, printed next to
their aims, and refused where they miss them by far: a busy machine is no failure.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from measure import KEY, Compare


@pytest.fixture
def compare(
    request: pytest.FixtureRequest, record_property: Callable[[str, object], None]
) -> Compare:
    """
    Give what compares, which measures with `--benchmark-enable` only.
    """
    return Compare(request, record_property)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """
    Print the ratios that were measured, and their aims.
    """
    rows = [
        (report.nodeid.removeprefix("tests/bench/"), *value)
        for outcome in ("passed", "failed")
        for report in terminalreporter.getreports(outcome)
        for name, value in report.user_properties
        if name == KEY and isinstance(value, tuple | list)
    ]
    if rows:
        terminalreporter.section("ratios, and their aims")
    for name, found, aim in rows:
        mark = " " if found <= aim else "*"
        terminalreporter.write_line(f"{found:8.2f} {aim:6.2f} {mark} {name}")
