"""
Workers as processes of their own that look for signs of life often, for tests that kill them.

They are forked from one process that has imported everything: so they begin at once.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import sys
from collections.abc import Mapping
from multiprocessing.process import BaseProcess

from comfygraph.jobs.cluster.worker import ClusterWorker, WorkerTerms
from comfygraph.jobs.ledger import open_ledger

_PRELOAD = (
    "comfygraph.jobs.async_driver", "comfygraph.targets.comfyui", "comfygraph.targets.civitai",
)  # fmt: skip


def start_worker(place: str, config: Mapping[str, str], concurrency: int = 4) -> BaseProcess:
    """
    Start a worker that ends when the queue is empty.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, *_PRELOAD])
    process = context.Process(target=_run, args=(place, dict(config), concurrency), daemon=True)
    process.start()
    return process


def _run(place: str, config: Mapping[str, str], concurrency: int) -> None:
    os.environ.update(config)
    asyncio.run(_work(place, concurrency))


async def _work(place: str, concurrency: int) -> None:
    with open_ledger(place) as ledger:
        worker = ClusterWorker(
            ledger,
            WorkerTerms(
                ("comfyui", "civitai"), concurrency=concurrency, once=True, beat=0.3, silence=1.5
            ),
            config=os.environ,
            tell=lambda line: print(line, file=sys.stderr, flush=True),
            report=lambda record: None,
        )
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, worker.ask_stop)
        await worker.run()
