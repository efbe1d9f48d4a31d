"""
What the commands of `comfygraph jobs` share: the ledger, which jobs are meant, times.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import click

from comfygraph.cli.progress import clean
from comfygraph.errors import UsageError

if TYPE_CHECKING:
    from comfygraph.jobs.ledger import JobRecord, Ledger, Query

F = TypeVar("F", bound=Callable[..., Any])

_SPAN = re.compile(r"([0-9]{1,6})\s*([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_STATES = (
    "planned", "intended", "uncertain", "accepted", "running", "succeeded", "failed", "cancelled",
    "refused", "abandoned",
)  # fmt: skip
_GROUPS = {"unfinished": False, "ended": True}

ledger_option = click.option(
    "--ledger", "place", metavar="PATH", default=None,
    help="The ledger; default is COMFYGRAPH_LEDGER, then one of your own.",
)  # fmt: skip
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON, a job a line.")
no_wait_option = click.option(
    "--no-wait", is_flag=True, help="Leave each as soon as its service has it."
)
deadline_option = click.option(
    "--deadline", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", default=None,
    help="Wait at most so long for each; it may run on (exit code 6).",
)  # fmt: skip
ids_argument = click.argument("ids", metavar="ID...", nargs=-1)


@dataclass(frozen=True, slots=True)
class Selection:
    """
    Which jobs a person means; see `selection_options`.
    """

    states: tuple[str, ...] = ()
    target: str | None = None
    batch: str | None = None
    since: float | None = None
    text: str | None = None

    @property
    def empty(self) -> bool:
        """
        Whether nothing was said.
        """
        return self == Selection()

    def query(self, **others: Any) -> Query:
        """
        Give the query for the ledger.
        """
        from comfygraph.jobs.ledger import ENDED, UNFINISHED, Query, State

        states: set[State] = set()
        for name in self.states:
            if name in _GROUPS:
                states |= ENDED if _GROUPS[name] else UNFINISHED
            else:
                states.add(State(name))
        return Query(
            states=frozenset(states),
            target=self.target or "",
            batch=self.batch,
            since=self.since,
            text=self.text or "",
            **others,
        )


def selection_options(command: F) -> F:
    """
    Add the options that say which jobs are meant; the command takes a `selection`.
    """

    @click.option(
        "--state", "-s", "states", multiple=True, metavar="STATE",
        type=click.Choice([*_GROUPS, *_STATES]),
        help="Jobs in this state; `unfinished` and `ended` stand for several.",
    )  # fmt: skip
    @click.option("--target", "-t", metavar="NAME", default=None, help="Jobs of this service.")
    @click.option("--batch", metavar="ID", default=None, help="Jobs of this batch.")
    @click.option(
        "--since", metavar="WHEN", callback=read_since, default=None,
        help="Jobs since then: 2h, 3d, or a date such as 2026-05-31.",
    )  # fmt: skip
    @click.option("--text", metavar="TEXT", default=None, help="Jobs that say TEXT somewhere.")
    @wraps(command)
    def wrapped(
        *args: Any,
        states: tuple[str, ...],
        target: str | None,
        batch: str | None,
        since: float | None,
        text: str | None,
        **kwargs: Any,
    ) -> Any:
        selection = Selection(states, target, batch, since, text)
        return command(*args, selection=selection, **kwargs)

    return wrapped  # type: ignore[return-value]  # the same command with other parameters


@contextmanager
def opened(place: str | None) -> Iterator[Ledger]:
    """
    Open the ledger that is meant.

    Raises:
        LedgerError: It cannot be read or written.
    """
    from comfygraph.jobs.ledger import open_ledger

    with open_ledger(place) as ledger:
        yield ledger


def chosen(
    ledger: Ledger,
    ids: Sequence[str],
    selection: Selection = Selection(),
    everything: bool = False,
    **others: Any,
) -> Iterator[JobRecord]:
    """
    Yield the jobs that are meant: those with these ids, else those that the selection names.

    Raises:
        UsageError: Nothing was said, or both.
        NoSuchJob: An id fits no job, or more than one.
    """
    if ids and not (selection.empty and not everything):
        raise UsageError("give ids, or say which jobs with options, and not both")
    if ids:
        seen: set[str] = set()
        for job in ids:
            record = ledger.find(job)
            if record.id not in seen:
                seen.add(record.id)
                yield record
        return
    if selection.empty and not everything:
        raise UsageError(
            "which jobs?", hint="give their ids (`comfygraph jobs list`), or options such as --all"
        )
    yield from ledger.jobs(selection.query(**others))


def read_since(ctx: click.Context, param: click.Parameter, value: str | None) -> float | None:
    """
    Read a moment: a span back from now, or a date, in seconds since 1970.
    """
    if value is None:
        return None
    found = _SPAN.fullmatch(value.strip().lower())
    if found is not None:
        return time.time() - int(found[1]) * _SECONDS[found[2]]
    try:
        return datetime.fromisoformat(value.strip()).timestamp()
    except (ValueError, OverflowError, OSError):
        raise click.BadParameter(
            f"{value!r} is no time; write it like 2h, 3d or 2026-05-31", ctx, param
        ) from None


def age_text(seconds: float) -> str:
    """
    Give how long ago something was: `now`, `5 min`, `3 h`, `12 d`.
    """
    for limit, unit, word in ((90, 1, "s"), (5400, 60, "min"), (129600, 3600, "h")):
        if seconds < limit:
            return "now" if seconds < 2 else f"{int(seconds / unit)} {word}"
    return f"{int(seconds / 86400)} d"


def moment_text(at: float | None) -> str:
    """
    Give a moment in local time, `2026-05-31 14:02:11`; a dash for none.
    """
    if at is None or at <= 0:
        return "-"
    return datetime.fromtimestamp(at).strftime("%Y-%m-%d %H:%M:%S")


def what_text(record: JobRecord) -> str:
    """
    Give what a person knows a job by: its file, and what makes this variant.
    """
    parts = [record.label or record.digest[:12]]
    parts += [f"{name}={value}" for name, value in record.parameters.items()]
    return clean(" ".join(parts))


def record_to_json(record: JobRecord) -> dict[str, Any]:
    """
    Give a job as JSON; times are seconds since 1970.
    """
    return {
        "id": record.id,
        "state": record.state.value,
        "target": record.target,
        "base_url": record.base_url,
        "job_id": record.job_id,
        "key": record.key,
        "digest": record.digest,
        "label": record.label,
        "out": record.out,
        "batch": record.batch,
        "variant": record.variant,
        "parameters": dict(record.parameters),
        "retry_of": record.retry_of,
        "attempts": record.attempts,
        "fraction": record.fraction,
        "cost": record.cost,
        "error": record.error,
        "message": record.message,
        "transient": record.transient,
        "created": record.created,
        "updated": record.updated,
        "ended": record.ended,
    }
