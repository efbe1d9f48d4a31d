"""
Rate limits that several workers share.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from postgres_server import database

from comfygraph.jobs.cluster.limits import SharedLimits
from comfygraph.jobs.cluster.queue import engine_of, prepare
from comfygraph.jobs.ledger import Ledger, open_ledger


@pytest.fixture
def ledgers(postgres_port: int) -> Iterator[tuple[Ledger, Ledger]]:
    """
    Give the same ledger to two workers.
    """
    with database(postgres_port) as url, open_ledger(url) as one, open_ledger(url) as two:
        prepare(one)
        prepare(two)
        yield one, two


def test_workers_leave_one_after_the_other(ledgers: tuple[Ledger, Ledger]) -> None:
    """
    Requests of two workers under one key depart as far apart as those of one.
    """
    one, two = (SharedLimits(engine_of(ledger)) for ledger in ledgers)
    waits = [limits.reserve("key", 0.1, time.monotonic()) for limits in (one, two, one, two)]
    other = two.reserve("another", 0.1, time.monotonic())

    assert [0, 1, 2, 3] == [round(wait / 10.0) for wait in waits]
    assert 0 == round(other)


def test_a_pause_is_meant_for_all(ledgers: tuple[Ledger, Ledger]) -> None:
    """
    A service that asks one worker to wait makes all of them wait, but nobody for ever.
    """
    one, two = (SharedLimits(engine_of(ledger)) for ledger in ledgers)
    one.hold("key", time.monotonic() + 60.0)
    paused = two.reserve("key", 10.0, time.monotonic())
    one.hold("key", time.monotonic() + 10_000.0)
    two.reserve("key", 10.0, time.monotonic())

    assert 60 == round(paused)
    assert 900 >= two.reserve("key", 1000.0, time.monotonic()) - 1


def test_without_a_database_each_keeps_its_own(ledgers: tuple[Ledger, Ledger]) -> None:
    """
    While the database is away, the limits of the process itself hold.
    """
    limits = SharedLimits(engine_of(ledgers[0]))
    ledgers[0].close()
    now = time.monotonic()

    assert [0.0, 10.0] == [limits.reserve("key", 0.1, now) for _ in range(2)]
