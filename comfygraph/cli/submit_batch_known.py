"""
Which batch `comfygraph submit --resume` means, and on what terms it is gone on with.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from comfygraph.jobs.batch.planning import BatchPlan, fingerprint_of
from comfygraph.jobs.ledger import BatchRecord, Ledger

if TYPE_CHECKING:
    from comfygraph.cli.submit_batch_options import BatchWishes
    from comfygraph.cli.submit_run import Request


def fingerprint(
    request: Request, wishes: BatchWishes, target: str, base_url: str, piped: str
) -> str:
    """
    Give a digest of what was asked for: the words of the command that say what is made, and where.

    Args:
        request: What is asked of every job.
        wishes: What is asked of the batch.
        target: The name of the target.
        base_url: Where it is.
        piped: A digest of the graph, where that came from stdin and has no name.
    """
    return fingerprint_of(
        [
            piped or str(Path(wishes.batch or request.graph).absolute()), list(wishes.sweeps),
            [str(Path(name).absolute()) for name in wishes.params], wishes.combine,
            list(request.assignments), list(request.options), target, base_url, str(request.out),
        ]
    )  # fmt: skip


def digest_of_sources(request: Request, wishes: BatchWishes) -> str:
    """
    Give a digest of the files that a batch is made of: of what they say; of those of a folder, of
    their names, sizes and times.
    """
    digest = hashlib.sha256()
    for path in _sources(request, wishes):
        try:
            if path.is_dir():
                for item in sorted(path.iterdir()):
                    facts = item.stat()
                    digest.update(f"{item.name}/{facts.st_size}/{facts.st_mtime_ns}/".encode())
                continue
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        except (OSError, ValueError):  # ValueError: a zero in the path
            digest.update(b"?")
    return digest.hexdigest()


def _sources(request: Request, wishes: BatchWishes) -> Iterator[Path]:
    source = wishes.batch or request.graph
    if source != "-":
        script = source.rpartition(":")[0]
        yield Path(script if script.endswith(".py") else source)
    yield from map(Path, wishes.params)
    for sweep in wishes.sweeps:
        values = sweep.partition("=")[2]
        if values.startswith("@"):
            yield Path(values[1:])


def go_on(
    ledger: Ledger,
    known: BatchRecord,
    request: Request,
    wishes: BatchWishes,
    *,
    template: str,
    stderr: TextIO,
) -> BatchRecord:
    """
    Take the terms of now for a batch of then: what it may cost, how often something is tried
    again, how files are saved. What is made stays as it was written down.

    Raises:
        LedgerError: The ledger cannot be written.
    """
    plan = BatchPlan.of(known)
    if plan.sources != digest_of_sources(request, wishes):
        print(
            "note: a file that it was made of has changed since; the batch goes on as it was "
            "written down, and without --resume it is a new one",
            file=stderr,
        )
    if wishes.max_cost is None and plan.max_cost is not None:
        print(f"note: --max-cost {plan.max_cost:g} of then holds", file=stderr)
    revised = replace(
        plan,
        max_cost=plan.max_cost if wishes.max_cost is None else wishes.max_cost,
        retries=wishes.retries,
        deadline=request.deadline,
        template=template,
        overwrite=request.overwrite,
        max_bytes=request.max_size,
        save_graph=request.save_graph,
    )
    if revised == plan:
        return known
    record = replace(known, spec=revised.to_json())
    ledger.revise_batch(record)
    return record
