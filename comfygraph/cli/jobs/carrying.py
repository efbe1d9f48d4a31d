"""
Carrying several jobs of a ledger out side by side, a line for each as it ends.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import click

from comfygraph.cli.jobs.common import record_to_json, what_text
from comfygraph.cli.progress import clean
from comfygraph.errors import ComfyGraphError, ExitCode, SubmissionUncertain, UsageError

if TYPE_CHECKING:
    from comfygraph.cli.jobs.places import Places
    from comfygraph.jobs.async_clients import Clients
    from comfygraph.jobs.ledger import JobRecord, Ledger
    from comfygraph.jobs.resuming import Terms
    from comfygraph.targets.base import Target

_AT_ONCE = 8
_LOOK = 0.5


@dataclass(slots=True)
class Carrier:
    """
    Carries jobs out.

    Args:
        ledger: Where they are.
        terms: How; the folder is set for each job.
        places: Where their files go.
        wait: Whether to follow them to their end.
        only_watch: Leave what another process carries out to it, and wait for that.
        as_json: Whether the lines are JSON.
    """

    ledger: Ledger
    terms: Terms
    places: Places
    wait: bool = True
    only_watch: bool = False
    as_json: bool = False
    targets: dict[tuple[str, str], Target] = field(default_factory=dict)
    worst: ExitCode = ExitCode.OK
    count: int = 0

    def run(self, records: Iterable[JobRecord]) -> ExitCode:
        """
        Carry them out; give the exit code of the worst.

        Raises:
            KeyboardInterrupt: Ctrl-C; the jobs were left as they are.
        """
        try:
            asyncio.run(self._all(iter(records)))
        except KeyboardInterrupt:
            click.echo("left; `comfygraph jobs resume --all` goes on with them", err=True)
            return ExitCode.INTERRUPTED
        except ExceptionGroup as group:
            # not of one job, which is told in its line, but of choosing them
            raise _first(group) from None
        return self.worst

    async def _all(self, records: Iterator[JobRecord]) -> None:
        from comfygraph.jobs.async_clients import Clients

        async with Clients() as clients, asyncio.TaskGroup() as group:
            for _ in range(_AT_ONCE):
                group.create_task(self._worker(records, clients))

    async def _worker(self, records: Iterator[JobRecord], clients: Clients) -> None:
        for record in records:
            self.count += 1
            try:
                done = await self._one(record, clients)
            except ComfyGraphError as exc:
                self._complain(record, exc)
                continue
            self._report(done)

    async def _one(self, record: JobRecord, clients: Clients) -> JobRecord:
        from comfygraph.jobs.resuming import carry_out

        if self.only_watch:
            record = await self._watched(record)
            if record.state.ended:
                return record
            must_be_there(record)
        if record.embedded:
            return give_up(self.ledger, record)
        terms = replace(self.terms, folder=self.places.folder_for(record))
        return await carry_out(
            record.id,
            ledger=self.ledger,
            target=self._target(record),
            terms=terms,
            clients=clients,
            wait=self.wait,
        )

    async def _watched(self, record: JobRecord) -> JobRecord:
        """
        Wait as long as another process carries the job out.
        """
        while not record.state.ended and being_carried_out(self.ledger, record):
            await asyncio.sleep(_LOOK)
            record = self.ledger.get(record.id)
        return record

    def _target(self, record: JobRecord) -> Target:
        from comfygraph.jobs.resuming import target_for

        place = (record.target, record.base_url)
        if place not in self.targets:
            self.targets[place] = target_for(record, os.environ)
        return self.targets[place]

    def _report(self, record: JobRecord) -> None:
        files = self.ledger.results(record.id)
        if self.as_json:
            paths = [file.path for file in files if file.path]
            print(json.dumps({**record_to_json(record), "files": paths}), flush=True)
        else:
            tail = f": {clean(record.message)}" if record.message else ""
            print(f"{record.id[:8]}  {record.state.value:<9}  {what_text(record)}{tail}")
            for file in files:
                if file.path:
                    print(f"          {clean(file.path)}", flush=True)
        self._note(code_of(record))

    def _complain(self, record: JobRecord, exc: ComfyGraphError) -> None:
        now = self.ledger.get(record.id)
        if self.as_json:
            said = {**record_to_json(now), "error": type(exc).__name__, "message": exc.message}
            print(json.dumps(said), flush=True)
        else:
            word = "uncertain" if isinstance(exc, SubmissionUncertain) else now.state.value
            print(f"{record.id[:8]}  {word:<9}  {what_text(record)}", flush=True)
            click.echo(f"          {clean(exc.message)}", err=True)
            if exc.hint:
                click.echo(f"          hint: {clean(exc.hint)}", err=True)
        self._note(exc.exit_code)

    def _note(self, code: ExitCode) -> None:
        order = (ExitCode.OK, ExitCode.JOB_FAILED, ExitCode.DEADLINE, ExitCode.USAGE)
        rank = {code: place for place, code in enumerate((*order, ExitCode.TARGET))}
        if rank.get(code, 9) > rank.get(self.worst, 9):
            self.worst = code


def _first(group: ExceptionGroup[Exception]) -> Exception:
    exc: Exception = group
    while isinstance(exc, ExceptionGroup):
        exc = exc.exceptions[0]
    return exc


def code_of(record: JobRecord) -> ExitCode:
    """
    Give the exit code that a job in this state stands for.
    """
    match record.state.value:
        case "failed" | "cancelled" | "abandoned":
            return ExitCode.JOB_FAILED
        case "refused" | "uncertain":
            return ExitCode.TARGET
        case _:
            return ExitCode.OK


def being_carried_out(ledger: Ledger, record: JobRecord) -> bool:
    """
    Whether a process has the job, and is not known to be gone.
    """
    from comfygraph.jobs.ledger.leases import Life, life_of

    holder = ledger.holder(record.holder)
    return holder is not None and life_of(holder) is not Life.GONE


def must_be_there(record: JobRecord) -> None:
    """
    Refuse a job that no service is known to have.

    Raises:
        UsageError: It is not.
    """
    if record.embedded or record.state.ended or (record.job_id and record.accepted_mark):
        return
    may = "was not sent yet" if record.state.value == "planned" else "may not have arrived"
    raise UsageError(f"job {record.id[:8]} {may}", hint=f"comfygraph jobs resume {record.id[:8]}")


def give_up(ledger: Ledger, record: JobRecord) -> JobRecord:
    """
    Write down that the job of an embedded emulator is gone with its command.

    Raises:
        Held: The command still runs.
    """
    from comfygraph.jobs.ledger import State

    if record.state.ended:
        return record
    with ledger.claim(record.id) as claim:
        if not claim.record().state.ended:  # its command may have come to the end
            claim.write(
                durable=True,
                state=State.ABANDONED,
                message="the embedded emulator ended with its command",
            )
    return ledger.get(record.id)
