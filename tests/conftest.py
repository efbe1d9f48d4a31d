"""
What all tests share.
"""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

# Machines that are busy with other things are slow, and that is no failure.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


def pytest_addoption(parser: pytest.Parser) -> None:
    """
    Add `--update`, which rewrites golden files instead of comparing with them.
    """
    parser.addoption("--update", action="store_true", help="rewrite golden files")


@pytest.fixture(autouse=True)
def _own_ledger(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Keep what tests submit out of the ledger of whoever runs them.
    """
    place = tmp_path_factory.getbasetemp() / "ledgers" / f"{uuid.uuid4().hex}.db"
    monkeypatch.setenv("COMFYGRAPH_LEDGER", str(place))


@pytest.fixture(scope="session")
def postgres_port(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[int]:
    """
    Give the port of a PostgreSQL that all workers of this run share; skip where there is none.
    """
    from postgres_server import shared_server

    base = tmp_path_factory.getbasetemp()
    with shared_server(base if worker_id == "master" else base.parent) as port:
        yield port


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """
    Print what came of the processes that were killed.
    """
    sums: Counter[str] = Counter()
    for report in (
        *terminalreporter.getreports("passed"),
        *terminalreporter.getreports("failed"),
    ):
        for name, value in report.user_properties:
            if name == "kills":
                sums.update(json.loads(str(value)))
    if sums:
        figures = " · ".join(f"{name} {count}" for name, count in sums.items())
        terminalreporter.write_line(figures)
