"""
A worker as a process of its own that looks for signs of life often, for tests that kill it.

    python cluster_worker.py LEDGER CONCURRENCY
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys

from comfygraph.jobs.cluster.worker import ClusterWorker, WorkerTerms
from comfygraph.jobs.ledger import open_ledger


async def main(place: str, concurrency: int) -> None:
    with open_ledger(place) as ledger:
        terms = WorkerTerms(
            ("comfyui", "civitai"), concurrency=concurrency, once=True, beat=0.2, silence=0.8
        )
        worker = ClusterWorker(
            ledger,
            terms,
            config=os.environ,
            tell=lambda line: print(line, file=sys.stderr, flush=True),
            report=lambda record: print(record.id, record.state.value, flush=True),
        )
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, worker.ask_stop)
        await worker.run()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2])))
