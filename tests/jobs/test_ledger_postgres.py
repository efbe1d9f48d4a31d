"""
Ledgers in PostgreSQL: addresses, passwords, servers that go away, several that begin at once.
"""

from __future__ import annotations

import sys
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from ledger_engines import intent
from postgres_server import ABSENT, PASSWORD, USER, Server, binaries, database, url_of

from comfygraph.errors import ComfyGraphError, UsageError
from comfygraph.jobs.ledger import Ledger, LedgerError, Query, State, open_ledger
from comfygraph.jobs.ledger.postgres import PostgresEngine
from comfygraph.jobs.ledger.postgres_words import read_url

SECRET = "gr33n-e66s"


@pytest.fixture
def place(postgres_port: int) -> Iterator[str]:
    """
    Give the address of an empty database.
    """
    with database(postgres_port) as url:
        yield url


def engine_of(ledger: Ledger) -> PostgresEngine:
    """
    Give the database of a ledger.
    """
    assert isinstance(ledger.engine, PostgresEngine)
    return ledger.engine


def cut_off(place: str) -> None:
    """
    End all connections to a database but this one, as a server that is started anew does.
    """
    with psycopg.connect(place, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (f"postgresql://me:{SECRET}@db.example:5433/jobs", "postgresql://me@db.example:5433/jobs"),
        (f"postgres://me@db/jobs?password={SECRET}", "postgresql://me@db/jobs"),
        (f"postgresql://me@db/jobs?sslpassword={SECRET}", "postgresql://me@db/jobs"),
        ("postgresql:///jobs?host=/run/pg&port=6", "postgresql:///jobs?host=/run/pg&port=6"),
        ("postgresql://?service=night", "postgresql:///?service=night"),
        (f"postgresql://me:{SECRET}@[::1]:5433/jobs", "postgresql://me@[::1]:5433/jobs"),
    ],
)
def test_a_place_shows_no_password(url: str, shown: str) -> None:
    """
    What a person sees of an address holds all but the secrets.
    """
    assert shown == read_url(url, {})[0]


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://me:{SECRET}@x@db/jobs",
        f"postgresql://me:p/{SECRET}@db/jobs",
        f"postgresql://me@db:{SECRET}/jobs",
        f"postgresql://me@db/jobs?passwort={SECRET}",
        f"postgresql://me:{SECRET}@127.0.0.1:1/jobs",
    ],
)
def test_bad_addresses_show_no_password(url: str) -> None:
    """
    An address that cannot be read, or leads nowhere, is refused without quoting what may be secret.
    """
    with pytest.raises(ComfyGraphError) as caught:
        open_ledger(url)

    said = "".join(traceback.format_exception(caught.value)) + repr(caught.value)
    lines = [line for line in said.splitlines() if SECRET in line]
    assert [] == lines
    assert caught.value.hint


def test_a_wrong_password_is_told_as_such(postgres_port: int) -> None:
    """
    The message says what is wrong, where a password is looked for, and not which was tried.
    """
    url = url_of(postgres_port, "postgres").replace(PASSWORD, SECRET)

    with pytest.raises(LedgerError, match="password authentication failed") as caught:
        open_ledger(url)
    assert SECRET not in f"{caught.value!r} {caught.value.hint}"
    assert "PGPASSWORD" in (caught.value.hint or "")


def test_passwords_come_from_the_environment(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    `PGPASSWORD` serves where the address has no password; nothing shows it.
    """
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    with open_ledger(place.replace(f":{PASSWORD}", "")) as ledger:
        shown = f"{ledger.place} {ledger.engine!r}"

    assert PASSWORD not in shown
    assert USER in shown


def test_without_psycopg_a_person_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Where the extra is missing, its name is given.
    """
    monkeypatch.delitem(sys.modules, "comfygraph.jobs.ledger.postgres", raising=False)
    monkeypatch.setitem(sys.modules, "psycopg", None)

    with pytest.raises(UsageError, match="needs psycopg") as caught:
        open_ledger("postgresql://db/jobs")
    assert caught.value.hint == "pip install 'comfygraph[cluster]'"


def test_a_broken_connection_is_made_anew(place: str) -> None:
    """
    Reads and writes go on after a break, and each takes effect once.
    """
    with open_ledger(place) as ledger:
        ledger.plan([intent("aa11")])
        cut_off(place)
        ledger.plan([intent("bb22")])
        cut_off(place)
        found = [record.id for record in ledger.jobs()]

    assert ["aa11", "bb22"] == found


def test_a_break_within_a_block_writes_nothing(place: str) -> None:
    """
    A block whose connection breaks raises, and none of it is there; the next one works.
    """
    with open_ledger(place) as ledger:
        ledger.plan([intent("aa11"), intent("bb22")])

        def write_and_break() -> None:
            with ledger.engine.write(durable=True) as write:
                write.run("UPDATE jobs SET label = ? WHERE id = ?", ("x", "aa11"))
                cut_off(place)
                write.run("UPDATE jobs SET label = ? WHERE id = ?", ("x", "bb22"))

        with pytest.raises(LedgerError):
            write_and_break()
        with ledger.claim("bb22") as claim:
            claim.write(state=State.ACCEPTED)
        labels = [record.label for record in ledger.jobs()]

    assert ["", ""] == labels


class Answerless:
    """
    A connection whose answer to COMMIT is lost, after the server has carried it out or before.
    """

    def __init__(self, real: psycopg.Connection[tuple[object, ...]], *, arrives: bool) -> None:
        self._real = real
        self._arrives = arrives

    def __getattr__(self, name: str) -> object:
        return getattr(self._real, name)

    def execute(self, query: object, values: object = None) -> object:
        if query != "COMMIT":
            return self._real.execute(query, values)  # type: ignore[arg-type]
        if self._arrives:
            self._real.execute("COMMIT")
        self._real.close()
        raise psycopg.OperationalError("the connection was lost")


@pytest.mark.parametrize("arrives", [True, False])
def test_a_lost_answer_to_a_commit_is_looked_up(place: str, arrives: bool) -> None:
    """
    Where nobody heard whether a block was written, the server is asked: it was, or it raises.
    """
    raised = False
    with open_ledger(place) as ledger:
        ledger.plan([intent("aa11")])
        engine = engine_of(ledger)
        engine._connection = Answerless(engine._connection, arrives=arrives)  # type: ignore[assignment]
        try:
            ledger.plan([intent("bb22")])
        except LedgerError:
            raised = True
        there = "bb22" in [record.id for record in ledger.jobs()]

    assert (arrives, not arrives) == (there, raised)


def test_many_may_begin_at_once(place: str) -> None:
    """
    Several processes that open an empty database at the same moment make one ledger.
    """
    start, ledgers, trouble = threading.Barrier(6), [], []

    def begin() -> None:
        start.wait()
        try:
            ledgers.append(open_ledger(place))
        except ComfyGraphError as exc:
            trouble.append(exc)

    threads = [threading.Thread(target=begin) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for ledger in ledgers:
        ledger.close()

    assert (6, []) == (len(ledgers), trouble)


def test_texts_that_postgres_cannot_hold(place: str) -> None:
    """
    A NUL or half a character in a text costs that sign and nothing else.
    """
    with open_ledger(place) as ledger:
        ledger.plan([intent("aa11", label="a\0b\ud800c"), intent("bb22", label="100% — ?")])
        labels = [record.label for record in ledger.jobs()]
        found = [record.id for record in ledger.jobs(Query(text="100%"))]

    assert ["a\N{REPLACEMENT CHARACTER}b?c", "100% — ?"] == labels
    assert ["bb22"] == found


def test_other_encodings_are_refused(postgres_port: int) -> None:
    """
    A database that cannot hold all texts is named as such, with a way out.
    """
    with psycopg.connect(url_of(postgres_port, "postgres"), autocommit=True) as connection:
        connection.execute("DROP DATABASE IF EXISTS in_ascii")
        connection.execute(
            "CREATE DATABASE in_ascii ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0"
        )
        try:
            with pytest.raises(LedgerError, match="SQL_ASCII"):
                open_ledger(url_of(postgres_port, "in_ascii"))
        finally:
            connection.execute("DROP DATABASE in_ascii WITH (FORCE)")


def test_planning_and_forgetting_at_once_keep_graphs(place: str) -> None:
    """
    A job that is planned while another with the same graph is forgotten has its graph still.
    """
    stop, trouble = threading.Event(), []

    def forget() -> None:
        with open_ledger(place) as other:
            while not stop.is_set():
                other.forget([record.id for record in other.jobs(Query(text="old"))])

    worker = threading.Thread(target=forget)
    worker.start()
    with open_ledger(place) as ledger:
        for number in range(60):
            ledger.plan([intent(f"a{number:03}", label="old")])
            ledger.plan([intent(f"b{number:03}", label="new")])
            try:
                ledger.submission(f"b{number:03}")
            except ComfyGraphError as exc:
                trouble.append(exc)
        stop.set()
        worker.join()

    assert [] == trouble


@pytest.mark.slow
@pytest.mark.skipif(binaries() is None, reason=ABSENT)
def test_a_server_that_is_started_anew(tmp_path: Path) -> None:
    """
    What was durable outlives the server; a write that comes while it is away waits for it.
    """
    server = Server()
    try:
        server.start()
        with open_ledger(url_of(server.port, "postgres")) as ledger:
            ledger.plan([intent("aa11")])
            server.stop()
            again = threading.Timer(0.5, server.start)
            again.start()
            ledger.plan([intent("bb22")])
            again.join()
            found = [record.id for record in ledger.jobs()]
            server.stop()
            engine_of(ledger)._lost = True
            with pytest.raises(LedgerError, match="cannot be reached"):
                ledger.plan([intent("cc33")])
    finally:
        server.remove()

    assert ["aa11", "bb22"] == found
