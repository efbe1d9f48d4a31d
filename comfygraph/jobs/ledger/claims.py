"""
A claim: the right of one process to carry a job out, and to write about it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, Unpack

from comfygraph.jobs.ledger import statements as sql
from comfygraph.jobs.ledger.base import (
    Changes,
    ClaimLost,
    JobRecord,
    LedgerError,
    ResultRecord,
    State,
)
from comfygraph.jobs.ledger.codec import to_text

if TYPE_CHECKING:
    from comfygraph.jobs.ledger.store import Ledger


class Claim:
    """
    A job that this process carries out. Every write fails once somebody else has taken it over.

    Args:
        ledger: Where it stands.
        job: Its id.
        holder: The token of this process.
    """

    def __init__(self, ledger: Ledger, job: str, holder: str) -> None:
        self.ledger = ledger
        self.job = job
        self._holder = holder
        self._released = False

    def record(self) -> JobRecord:
        """
        Read the job.
        """
        return self.ledger.get(self.job)

    def write(
        self,
        *,
        durable: bool = False,
        events: Sequence[tuple[int, float, dict[str, Any]]] = (),
        results: Sequence[ResultRecord] = (),
        release: bool = False,
        **changes: Unpack[Changes],
    ) -> None:
        """
        Write what is new, all of it or nothing.

        Args:
            durable: Whether it is on the disk when this returns.
            events: Number within the job (from 0), time and JSON form; numbers that are there stay.
            results: Files; one with the same key is replaced.
            release: Whether others may have the job then; nothing more can be written.
            changes: Fields of the record.

        Raises:
            ClaimLost: Somebody else has the job now. Nothing was written.
            LedgerError: It could not be written.
        """
        now = self.ledger.clock()
        sets, values = _assignments(changes, now)
        if release:
            sets.append("holder = ''")
        with self.ledger.engine.write(durable=durable) as write:
            state = changes.get("state")
            if state is State.INTENDED or state is State.ACCEPTED:
                write.run(sql.NEXT_MARK)
            done = write.run(
                f"UPDATE jobs SET {', '.join(sets)} WHERE id = ? AND holder = ?",
                (*values, self.job, self._holder),
            )
            if not done:
                raise ClaimLost(f"job {self.job[:8]} was taken over by another process")
            if events:
                write.run_many(
                    sql.INSERT_EVENT,
                    [
                        (self.job, number, at, json.dumps(body, separators=(",", ":")))
                        for number, at, body in events
                    ],
                )
            if results:
                write.run_many(
                    sql.WRITE_RESULT, [_result_row(self.job, result) for result in results]
                )
        self._released = self._released or release

    def release(self) -> None:
        """
        Let others have the job; a second call does nothing.
        """
        if self._released:
            return
        self._released = True
        with suppress(LedgerError), self.ledger.engine.write(durable=False) as write:
            write.run(sql.RELEASE, (self.job, self._holder))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


def _assignments(changes: Changes, now: float) -> tuple[list[str], list[Any]]:
    sets = ["updated = ?"]
    values: list[Any] = [now]
    for column, value in changes.items():
        match value:
            case State():
                value = value.value
            case bool():
                value = int(value)
            case dict():
                value = to_text(value)
            case _ if column == "extra":
                value = to_text(dict(value))  # type: ignore[call-overload]  # a mapping of texts
        sets.append(f"{column} = ?")
        values.append(value)
    state = changes.get("state")
    if state is State.INTENDED:
        sets.append(f"intended_mark = {sql.THIS_MARK}")
    if state is State.ACCEPTED:
        sets.append(f"accepted_mark = {sql.THIS_MARK}")
    if state is not None:
        sets.append("ended = ?")
        values.append(now if state.ended else None)
    return sets, values


def _result_row(job: str, result: ResultRecord) -> tuple[Any, ...]:
    return (
        job, result.key, result.name, result.node_id, result.kind, result.url, result.path,
        result.size, result.sha256, int(result.preview),
    )  # fmt: skip
