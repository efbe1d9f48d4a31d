"""
The engine: one queue and one worker, which walks each job's graph node by node.

It does what a ComfyUI server does around the work, without the work: takes the job with the
lowest number, leaves out nodes whose results it still has, runs the others in ComfyUI's order,
lets samplers make their steps, stops when it is told to, and writes the files of output nodes.
Services watch it through signals.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from heapq import heapify, heappop, heappush
from itertools import count
from typing import TypeAlias

from comfygraph.catalog import NodeCatalog
from comfygraph.emulator.facts import Frame
from comfygraph.emulator.jobs import ENDED, Job, NodeFailure, Result
from comfygraph.emulator.pictures import size_of
from comfygraph.emulator.run import Run
from comfygraph.emulator.schedule import signatures
from comfygraph.emulator.signals import JobEnded, QueueChanged, RunFailed, Signal
from comfygraph.emulator.store import FileStore

Watcher: TypeAlias = Callable[[Job | None, Signal], None]
MAX_HISTORY = 10_000


class Engine:
    """
    Runs jobs, one at a time. Everything is called on the event loop.

    Args:
        catalog: Tells which nodes are output nodes and which inputs are lazy.
        store: Where files go.
        speed: Ticks a second: a sampler's step is one, any other node one. 0 for no pauses.
        caching: Whether results are kept from one job to the next.
        hanging: Whether a graph that kills a real ComfyUI's worker is left hanging, as it is
            there (a reachable input that no class declares, linked to a missing node).
        clock: Seconds since 1970.
    """

    def __init__(
        self,
        catalog: NodeCatalog,
        store: FileStore,
        *,
        speed: float = 20.0,
        caching: bool = True,
        hanging: bool = False,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.catalog = catalog
        self.store = store
        self.speed = speed
        self.clock = clock
        self.running: Job | None = None
        self.history: dict[str, Job] = {}
        self.watchers: list[Watcher] = []
        self.read_input: Callable[[str], bytes | None] = store.read_input
        self._caching = caching
        self.hanging = hanging
        self._queue: list[tuple[float, int, Job]] = []
        self._order = count()
        self._cache: dict[str, Result] = {}
        self._wake = asyncio.Event()
        self._worker: asyncio.Task[None] | None = None

    def start(self) -> None:
        """
        Start the worker on the running event loop.
        """
        self._worker = asyncio.get_running_loop().create_task(self._work())

    async def stop(self) -> None:
        """
        Stop the worker, whatever it does, and let those go that wait for a job.
        """
        if self._worker is not None:
            self._worker.cancel()
            await asyncio.gather(self._worker, return_exceptions=True)
        for job in [*self.pending(), *([self.running] if self.running else [])]:
            job.over.set()

    async def restart(self) -> None:
        """
        Begin anew, as a server that was restarted: queue, history and kept results are gone.
        """
        await self.stop()
        self.running = None
        self._queue.clear()
        self.history.clear()
        self._cache.clear()
        self.start()

    def pending(self) -> list[Job]:
        """
        Give the waiting jobs as the queue holds them: the next one first, the rest half sorted.
        """
        return [job for _, _, job in self._queue]

    def ahead_of(self, job: Job) -> int:
        """
        Give how many waiting jobs run before this one.
        """
        mine = next((item[:2] for item in self._queue if item[2] is job), None)
        return sum(item[:2] < mine for item in self._queue) if mine is not None else 0

    def remaining(self) -> int:
        """
        Give the number of jobs that wait or run.
        """
        return len(self._queue) + (self.running is not None)

    def put(self, job: Job) -> None:
        """
        Put a job into the queue.
        """
        heappush(self._queue, (job.number, next(self._order), job))
        self.tell(None, QueueChanged())
        self._wake.set()

    def withdraw(self, job: Job) -> bool:
        """
        Take a waiting job out of the queue; it never happened. Tells whether it was there.
        """
        kept = [item for item in self._queue if item[2] is not job]
        if len(kept) == len(self._queue):
            return False
        self._queue = kept
        heapify(self._queue)
        job.state = "interrupted"
        job.ended = self.clock()
        job.over.set()
        self.tell(None, QueueChanged())
        return True

    def stop_job(self, job: Job) -> bool:
        """
        Stop a job: at once if it waits, at the next tick if it runs. Tells whether it could.
        """
        if self.withdraw(job):
            return True
        if job.state in ENDED:
            return False
        job.stopping = True
        return True

    def tell(self, job: Job | None, signal: Signal) -> None:
        for watcher in self.watchers:
            watcher(job, signal)

    async def _work(self) -> None:
        while True:
            job = await self._next()
            self.running = job
            job.state = "running"
            self.tell(None, QueueChanged())
            try:
                await Run(self, job).go()
            except Exception as exc:
                # A mistake of the emulator's own must not cost more than the job.
                where = job.current or next(iter(job.nodes), "")
                job.failure = NodeFailure(
                    where, job.class_of(where), type(exc).__name__, f"{exc}\n"
                )
                job.state = "failed"
                self.tell(job, RunFailed())
            self.history[job.id] = job
            if len(self.history) > MAX_HISTORY:
                del self.history[next(iter(self.history))]
            self.running = None
            job.current = None
            job.ended = self.clock()
            job.over.set()
            self.tell(None, QueueChanged())
            self.tell(job, JobEnded())

    async def _next(self) -> Job:
        while True:
            wait: float | None = None
            if self._queue:
                job = self._queue[0][2]
                wait = job.created + job.faults.slow_start - self.clock()
                if wait <= 0:
                    heappop(self._queue)
                    return job
            self._wake.clear()
            try:
                await asyncio.wait_for(self._wake.wait(), wait)
            except TimeoutError:
                continue

    async def pause(self, ticks: float = 1) -> None:
        """
        Let so many ticks pass.
        """
        await asyncio.sleep(ticks / self.speed if self.speed > 0 else 0)

    def file_frame(self, name: str) -> Frame | None:
        """
        Give the size of the picture in an input file, or `None`.
        """
        data = self.read_input(name)
        found = size_of(data) if data is not None else None
        return Frame(found[0], found[1]) if found is not None else None

    def begin(self, job: Job) -> dict[str, str]:
        """
        Work out the keys of a job's nodes, and forget the results that it has no use for.
        """
        keys = signatures(job.nodes, job.salt)
        wanted = set(keys.values())
        kept = self._cache.items() if self._caching else ()
        self._cache = {key: result for key, result in kept if key in wanted}
        job.cached = tuple(node_id for node_id, key in keys.items() if key in self._cache)
        return keys

    def recall(self, key: str | None) -> Result | None:
        """
        Give the kept result under a key.
        """
        return self._cache.get(key) if key is not None else None

    def keep(self, key: str | None, result: Result) -> None:
        """
        Keep a result.
        """
        if key is not None:
            self._cache[key] = result
