"""
Fetching the files of one job that are missing.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

from comfygraph.cli.progress import clean
from comfygraph.errors import ComfyGraphError, UsageError

if TYPE_CHECKING:
    from comfygraph.cli.jobs.places import Places
    from comfygraph.jobs.ledger import JobRecord, Ledger


def fetch_missing(
    ledger: Ledger,
    record: JobRecord,
    places: Places,
    as_json: bool,
) -> tuple[int, int]:
    """
    Fetch what is missing and print what is there.

    Returns:
        How many files there are now, and how many cannot be had.

    Raises:
        UsageError: Nobody ever said where to, or the folder cannot be written to.
    """
    from comfygraph.jobs.resuming import Terms, plan_for, saved_files, target_for
    from comfygraph.jobs.sync_driver import Job
    from comfygraph.targets.events import Notice

    folder = places.folder_for(record)
    there = saved_files(ledger, record.id, folder)
    wanted = {file.key for file in ledger.results(record.id) if not file.preview}
    if wanted - there.keys() or not wanted:
        if folder is None:
            raise UsageError(
                f"job {record.id[:8]} was to save its files nowhere", hint="name a folder: --out"
            )
        if not record.embedded:
            try:
                target = target_for(record, os.environ)
                terms = Terms(folder=folder, save_graph=True)
                plan = plan_for(ledger.claim(record.id), target, terms)
                with Job(plan) as job:
                    for event in job:
                        if isinstance(event, Notice):
                            print(f"note  {clean(event.message)}", file=sys.stderr)
            except ComfyGraphError as exc:
                print(f"{record.id[:8]}  {clean(exc.message)}", file=sys.stderr)
    there = saved_files(ledger, record.id, folder)
    results = ledger.results(record.id)
    for file in results:
        path = there.get(file.key)
        if path is None:
            continue
        if as_json:
            shown = {"job": record.id, "path": path, "size": file.size, "sha256": file.sha256}
            print(json.dumps(shown), flush=True)
        else:
            print(clean(path), flush=True)
    lost = [file for file in results if file.key not in there and not file.preview]
    for file in lost:
        print(f"{record.id[:8]}  `{clean(file.name)}` is not here", file=sys.stderr)
    return len(there), len(lost)
