"""
`comfygraph jobs list`.
"""

from __future__ import annotations

import json
import shutil
import sys
from typing import TYPE_CHECKING

import click

from comfygraph.cli.jobs.common import (
    Selection,
    age_text,
    json_option,
    ledger_option,
    opened,
    record_to_json,
    selection_options,
    what_text,
)
from comfygraph.cli.progress import clean
from comfygraph.errors import ExitCode

if TYPE_CHECKING:
    from comfygraph.jobs.ledger import JobRecord, Ledger, Query

_COLOURS = {
    "succeeded": "green",
    "failed": "red",
    "refused": "red",
    "abandoned": "red",
    "uncertain": "yellow",
    "intended": "yellow",
    "running": "cyan",
    "accepted": "cyan",
}
_ID, _STATE, _TARGET, _AGE, _COST = 8, 9, 8, 6, 7


@click.command("list")
@selection_options
@click.option(
    "--limit", "-n", type=click.IntRange(min=1), default=20, show_default=True, metavar="N",
    help="At most so many.",
)  # fmt: skip
@click.option("--all", "everything", is_flag=True, help="However many there are.")
@json_option
@ledger_option
def command(
    selection: Selection, limit: int, everything: bool, as_json: bool, place: str | None
) -> int:
    """
    List jobs, newest first.

    \b
    comfygraph jobs list
    comfygraph jobs list --state unfinished
    comfygraph jobs list -t civitai --since 2d
    comfygraph jobs list --batch 7f3a --text seed=5
    comfygraph jobs list --all --json | jq -r 'select(.state == "failed").id'

    Exit codes: 0 fine, also where there are none, 2 usage, 3 the ledger cannot be read.
    """
    with opened(place) as ledger:
        query = selection.query(newest_first=True, limit=None if everything else limit)
        if as_json:
            for record in ledger.jobs(query):
                print(json.dumps(record_to_json(record)))
            return ExitCode.OK
        return _table(ledger, query, selection)


def _table(ledger: Ledger, query: Query, selection: Selection) -> ExitCode:
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 0
    shown = 0
    for record in ledger.jobs(query):
        if not shown:
            print(f"{'ID':<{_ID}}  {'STATE':<{_STATE}}  {'TARGET':<{_TARGET}}  "
                  f"{'AGE':>{_AGE}}  {'COST':>{_COST}}  JOB")  # fmt: skip
        shown += 1
        print(_line(record, ledger.clock(), width))
    counts = ledger.counts(selection.query())
    total = sum(counts.values())
    if not total:
        print("no such jobs" if not selection.empty else "no jobs yet", file=sys.stderr)
        return ExitCode.OK
    order = sorted(counts.items(), key=lambda item: -item[1])
    words = ", ".join(f"{count} {state.value}" for state, count in order)
    more = "" if shown == total else f" (of {total}; --all shows them)"
    print(f"{shown} shown{more}: {words}", file=sys.stderr)
    return ExitCode.OK


def _line(record: JobRecord, now: float, width: int) -> str:
    state = record.state.value
    word = state
    if state == "running" and record.fraction > 0:
        word = f"run {int(100 * record.fraction):>3} %"
    cost = "" if record.cost is None else f"{record.cost:.7g}"
    start = f"{record.id[:_ID]:<{_ID}}  "
    word = f"{word:<{_STATE}}"
    rest = f"  {clean(record.target):<{_TARGET}}  {age_text(now - record.created):>{_AGE}}"
    rest += f"  {cost:>{_COST}}  "
    what = what_text(record)
    if record.message:
        what = f"{what}: {clean(record.message)}"
    used = len(start) + len(word) + len(rest)
    if width and used + len(what) > width:
        what = what[: max(width - used - 1, 0)] + "…"
    colour = _COLOURS.get(state)
    return start + (click.style(word, fg=colour) if width and colour else word) + rest + what
