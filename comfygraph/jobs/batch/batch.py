"""
`Batch`: a batch as an iterator over its events, for `for` and for `async for`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from types import TracebackType
from typing import Self

from comfygraph.jobs.batch.events import BatchEvent
from comfygraph.jobs.batch.manifest import Row
from comfygraph.jobs.batch.runner import BatchRunner


class Batch:
    """
    A batch, as an iterator over its events; the last one is its end.

        for event in batch:
            ...
        for row in batch.results:
            ...

    It goes on while it is iterated. Left early, it can be gone on with: the ledger has all of it.
    Iterate it with `for` where no event loop runs, else with `async for`.

    Args:
        runner: Carries it out.
        close: Is called when it is over.
    """

    def __init__(self, runner: BatchRunner, close: Callable[[], None] | None = None) -> None:
        self._runner = runner
        self._close = close
        self._events: AsyncGenerator[BatchEvent] | None = None
        self._loop: asyncio.Runner | None = None
        self._closed = False
        self._rows: list[Row] | None = None

    @property
    def id(self) -> str:
        """
        The id of the batch in its ledger.
        """
        return self._runner.batch.id

    @property
    def results(self) -> list[Row]:
        """
        What is known of each variant, in the order of the batch.
        """
        if self._rows is None:
            return list(self._runner.history.rows(None))
        return self._rows

    def stop(self) -> None:
        """
        Send nothing more, and follow what is under way to its end. Fit for a signal handler.
        """
        self._runner.ask_stop()

    def leave(self) -> None:
        """
        Do as `stop`, and follow nothing any more; jobs at the service are left as they are. Fit
        for a signal handler.
        """
        self._runner.ask_leave()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> BatchEvent:
        if self._closed:
            raise StopIteration
        if self._loop is None:
            self._loop = asyncio.Runner()
        try:
            return self._loop.run(self._next())
        except StopAsyncIteration:
            self._finish()
            raise StopIteration from None
        except BaseException:
            self._finish()
            raise

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> BatchEvent:
        if self._closed:
            raise StopAsyncIteration
        try:
            return await self._next()
        except asyncio.CancelledError:
            raise
        except BaseException:
            self._finish()
            raise

    async def _next(self) -> BatchEvent:
        if self._events is None:
            self._events = self._runner.run()
        return await anext(self._events)

    def close(self) -> None:
        """
        Leave the batch; jobs at the service are left as they are. A second call does nothing.
        """
        if not self._closed and self._loop is not None and self._events is not None:
            self._loop.run(self._events.aclose())
        self._finish()

    async def aclose(self) -> None:
        """
        Do as `close`, where an event loop runs.
        """
        if self._events is not None:
            await self._events.aclose()
        self._finish()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    def _finish(self) -> None:
        if self._closed:
            return
        self._closed = True
        if self._loop is not None:
            self._loop.close()
        if self._close is None:
            return
        try:
            self._rows = list(self._runner.history.rows(None))
        finally:
            self._close()
