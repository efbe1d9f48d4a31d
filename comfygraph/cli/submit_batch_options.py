"""
The options of `comfygraph submit` that make a batch of it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class BatchWishes:
    """
    What a person asks of a batch; the fields are options.
    """

    batch: str | None = None
    sweeps: tuple[str, ...] = ()
    params: tuple[str, ...] = ()
    combine: str = "cross"
    max_jobs: int | None = None
    jobs: int = 0
    retries: int = 2
    name: str | None = None
    max_cost: float | None = None
    yes: bool = False
    skip_invalid: bool = False
    quote: bool = False
    detach: bool = False

    @property
    def wanted(self) -> bool:
        """
        Whether it is a batch at all.
        """
        return bool(self.batch or self.sweeps or self.params)


OPTIONS: tuple[Callable[[Any], Any], ...] = (
    click.option(
        "--batch", "-b", metavar="FILE|DIR", default=None,
        help="Run every graph of a folder, or of a JSONL; instead of GRAPH.",
    ),
    click.option(
        "--sweep", "sweeps", metavar="NAME=VALUES", multiple=True,
        help="Run a graph for each of these values: 1..100, 0.1..0.5..0.1, 6,7,8, random:10, "
        "@file.txt.",
    ),
    click.option(
        "--params", "params", metavar="FILE", multiple=True,
        help="Run a graph for each row of a CSV or JSONL whose columns name inputs.",
    ),
    click.option(
        "--combine", metavar="WAY", default="cross", show_default=True,
        help="How sweeps go together: cross, zip, sample:N or sample:N:SEED.",
    ),
    click.option(
        "--max-jobs", type=click.IntRange(min=1), metavar="N", default=None,
        help="How many jobs there may be; default is 100,000.",
    ),
    click.option(
        "--jobs", "-j", type=click.IntRange(0, 1000), metavar="N", default=0,
        help="How many jobs are under way at the same time; default depends on the service.",
    ),
    click.option(
        "--retries", type=click.IntRange(0, 100), metavar="N", default=2, show_default=True,
        help="How often a variant is tried again when its job fails in a way that may pass.",
    ),
    click.option(
        "--name", metavar="TEMPLATE", default=None,
        help="Names of files, such as {batch}/{index:05}_{seed}_{node}.{ext}.",
    ),
    click.option(
        "--max-cost", type=click.FloatRange(min=0), metavar="N", default=None,
        help="Send nothing when the batch is quoted above N, and no more once it has cost N.",
    ),
    click.option("--yes", "-y", is_flag=True, help="Do not ask before a batch that costs money."),
    click.option(
        "--skip-invalid", is_flag=True, help="Leave variants out that lint has errors for."
    ),
    click.option(
        "--quote", is_flag=True, help="With --dry-run: ask the service what the batch would cost."
    ),
    click.option(
        "--detach", is_flag=True,
        help="Leave the batch to `comfygraph worker`, on any machine; needs a --ledger in "
        "PostgreSQL.",
    ),
)  # fmt: skip
"""The options, in the order in which `--help` shows them."""

_FIELDS = (
    "batch", "sweeps", "params", "combine", "max_jobs", "jobs", "retries", "name", "max_cost",
    "yes", "skip_invalid", "quote", "detach",
)  # fmt: skip


def batch_options(command: F) -> F:
    """
    Add the options of batches to a command; it is given them together, as `wishes`.
    """
    from functools import wraps

    @wraps(command)
    def with_wishes(*args: Any, **options: Any) -> Any:
        wishes = BatchWishes(**{name: options.pop(name) for name in _FIELDS})
        return command(*args, wishes=wishes, **options)

    made: Any = with_wishes
    for option in reversed(OPTIONS):
        made = option(made)
    result: F = made
    return result


def refuse_batch_only(wishes: BatchWishes, graph: str) -> None:
    """
    Refuse options of batches where there is none, and a command without a graph.

    Raises:
        UsageError: There is one, or there is no graph.
    """
    if not graph:
        raise click.UsageError("Missing argument 'GRAPH' (or --batch FILE|DIR).")
    usual = BatchWishes()
    for name in _FIELDS:
        if getattr(wishes, name) != getattr(usual, name):
            raise click.UsageError(
                f"--{name.replace('_', '-')} is for batches: --batch, --sweep or --params"
            )
