"""
One job on its way through the engine: its graph, node by node.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from comfygraph.analysis.flow import Flow
from comfygraph.emulator.facts import NodeView, facts_of, steps_of
from comfygraph.emulator.jobs import Job, NodeFailure, NodeRun, Result
from comfygraph.emulator.outputs import Sheet, show
from comfygraph.emulator.schedule import MissingNodeError, Schedule, link_of
from comfygraph.emulator.signals import (
    NodeEnded,
    NodeRunning,
    NodeSaid,
    NodeShowed,
    NodeStepped,
    RunFailed,
    RunInterrupted,
    RunStarted,
    RunSucceeded,
)

if TYPE_CHECKING:
    from comfygraph.emulator.engine import Engine


class StoppedError(Exception):
    """The job is to stop at this node."""


class FailedError(Exception):
    """The node fails."""

    def __init__(self, failure: NodeFailure) -> None:
        super().__init__(failure.message)
        self.failure = failure


class Run:
    """One job on its way through the engine."""

    def __init__(self, engine: Engine, job: Job) -> None:
        self.engine = engine
        self.job = job
        self.keys: dict[str, str] = {}
        self.facts = Flow({})

    async def go(self) -> None:
        """
        Run the job to its end; its `state` says which.
        """
        engine, job = self.engine, self.job
        try:
            await self._prelude()
            job.phase = "running"
            job.started = engine.clock()
            self.keys = engine.begin(job)
            engine.tell(job, RunStarted(job.cached))
            await self._nodes()
        except StoppedError:
            job.state = "interrupted"
            if job.started is not None:
                engine.tell(job, RunInterrupted(job.current or ""))
        except FailedError as exc:
            job.failure = exc.failure
            job.state = "failed"
            engine.tell(job, RunFailed())
        else:
            job.state = "succeeded"
            engine.tell(job, RunSucceeded())

    async def _prelude(self) -> None:
        for phase, ticks in self.job.prelude:
            self.job.phase = phase
            for tick in range(ticks):
                self.job.phase_share = tick / ticks
                await self._tick()

    async def _tick(self) -> None:
        if self.job.stopping:
            raise StoppedError
        await self.engine.pause()
        if self.job.stopping:
            raise StoppedError

    async def _nodes(self) -> None:
        job, catalog = self.job, self.engine.catalog
        self.facts = facts_of(job.nodes, catalog, self.engine.file_frame)

        def is_output(node_id: str) -> bool:
            definition = catalog.find(job.class_of(node_id))
            return definition is not None and definition.output_node

        def is_lazy(node_id: str, name: str) -> bool:
            definition = catalog.find(job.class_of(node_id))
            spec = definition.inputs.get(name) if definition is not None else None
            return spec is not None and spec.opts.get("lazy") is True

        try:
            schedule = Schedule(
                job.nodes, job.outputs, job.cached, is_output=is_output, is_lazy=is_lazy
            )
        except MissingNodeError as exc:
            if self.engine.hanging:
                # `execution_list.add_node` raises outside of any `try`: the worker is gone.
                await asyncio.Event().wait()
            raise self._failure(job.outputs[0], "NodeNotFoundError", f"Node {exc} not found") from (
                exc
            )
        steps = (steps_of(self.facts, node_id) for node_id in schedule.stuck())
        job.steps_all = max(1, sum(max(1, count) for count in steps))
        while schedule.waiting:
            node_id = schedule.pick()
            if node_id is None:
                first = schedule.stuck()[0]
                kind, message = "graph.DependencyCycleError", "Dependency cycle detected"
                raise FailedError(NodeFailure(first, job.class_of(first), kind, message))
            await self._node(schedule, node_id)

    def _view(self, node_id: str) -> NodeView:
        return NodeView(self.facts, node_id)

    async def _node(self, schedule: Schedule, node_id: str) -> None:
        engine, job = self.engine, self.job
        key = self.keys.get(node_id)
        result = engine.recall(key)
        if result is not None:
            # Also a node that is the same as one before it: it shows that one's files.
            job.runs[node_id] = NodeRun(node_id, 1, 1, finished=True)
            self._finish(schedule, node_id, result)
            return

        run = job.runs.setdefault(node_id, NodeRun(node_id))
        job.current = node_id
        engine.tell(job, NodeRunning(node_id))
        view = self._view(node_id)
        if any(schedule.ask(node_id, source) for source in _asked(view)):
            return
        if job.stopping:
            raise StoppedError
        await self._steps(view, run)
        definition = engine.catalog.find(view.class_type)
        if view.class_type == "GetImageSize":
            frame = view.frame("image")
            size = f"width: {frame.width}, height: {frame.height}\n batch size: {frame.count}"
            engine.tell(job, NodeSaid(node_id, size))
        result = Result()
        if definition is not None and definition.output_node:
            result = await self._show(view, node_id)
        engine.keep(key, result)
        job.executed.append(node_id)
        run.value, run.finished = run.max, True
        self._finish(schedule, node_id, result)

    async def _steps(self, view: NodeView, run: NodeRun) -> None:
        job = self.job
        steps = steps_of(self.facts, run.node_id)
        run.frame = view.frame()
        fails = job.faults.fail_node in {"*", run.node_id, view.class_type}
        for step in range(1, steps + 1):
            await self._tick()
            if fails and step > steps * job.faults.fail_at:
                break
            run.value, run.max = step, steps
            job.steps_done += 1
            self.engine.tell(job, NodeStepped(run.node_id))
        if not steps:
            await self._tick()
            job.steps_done += 1
        if fails:
            raise self._failure(run.node_id, "RuntimeError", job.faults.fail_message)

    async def _show(self, view: NodeView, node_id: str) -> Result:
        job = self.job
        sheet = Sheet(
            view,
            job.title(node_id),
            self.keys.get(node_id, node_id),
            job.metadata,
            self.engine.store,
            job.faults.extra_images,
            job.faults.file_name,
        )
        try:
            showing = await asyncio.to_thread(show, sheet)
        except (OSError, ValueError) as exc:
            raise self._failure(node_id, type(exc).__name__, str(exc)) from exc
        return Result(showing.ui or None, showing.files)

    def _finish(self, schedule: Schedule, node_id: str, result: Result) -> None:
        job = self.job
        if result.ui is not None:
            job.shown[node_id] = result.ui
            job.files[node_id] = result.files
            self.engine.tell(job, NodeShowed(node_id, result.ui))
        self.engine.tell(job, NodeEnded(node_id))
        schedule.finish(node_id)

    def _failure(self, node_id: str, kind: str, message: str) -> FailedError:
        view = self._view(node_id)
        inputs = {
            name: ["<emulated>" if link_of(value) else value] for name, value in view.inputs.items()
        }
        trace = (
            '  File "/opt/ComfyUI/execution.py", line 545, in execute\n    await run()\n',
            f'  File "/opt/ComfyUI/nodes.py", line 1, in {view.class_type}\n    raise {kind}\n',
        )
        class_type = view.class_type
        return FailedError(NodeFailure(node_id, class_type, kind, f"{message}\n", trace, inputs))


def _asked(view: NodeView) -> list[str]:
    if view.class_type != "ComfySwitchNode":
        return []
    link = link_of(view.inputs.get("on_true" if view.truth("switch") else "on_false"))
    return [link[0]] if link is not None else []
