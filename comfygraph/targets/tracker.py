"""
From claims to events: what a service says, in any order, repetition or omission, becomes one
story that only moves forward.

The states of a node only grow (pending, queued, started, then one end that stays), shares of
progress only grow, a file is told once, the end comes once and nothing after it. A node that the
service does not mention is not mentioned here either: absent is not pending.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import assert_never

from comfygraph.targets.events import (
    Event,
    JobCancelled,
    JobEnd,
    JobFailed,
    JobProgress,
    JobQueued,
    JobStarted,
    JobSucceeded,
    NodeCached,
    NodeFailed,
    NodeFinished,
    NodePreview,
    NodeProgress,
    NodeStarted,
    Notice,
    OutputFile,
    OutputReady,
)
from comfygraph.targets.observations import (
    CostSeen,
    FileSeen,
    JobEnded,
    JobPhase,
    JobSeen,
    NodeSeen,
    NodeState,
    NoticeSeen,
    Observation,
    Outcome,
    PollNow,
    PreviewSeen,
    ProgressSeen,
)


@dataclass(slots=True)
class _NodeTrack:
    state: NodeState = NodeState.PENDING
    fraction: float = 0.0
    files: list[int] = field(default_factory=list)


class Tracker:
    """
    Turn the claims about one job into its events.

    Args:
        job_id: The service's id of the job; may be set later, before the first event is read.
        order: Node ids in the order in which they run, where it is known: nodes that turn up in
            one answer are told in this order, since services list them in any.
        previews: Whether pictures of nodes at work are told.
    """

    def __init__(
        self, job_id: str = "", *, order: Sequence[str] = (), previews: bool = False
    ) -> None:
        self.job_id = job_id
        self._rank = {node_id: rank for rank, node_id in enumerate(order)}
        self._previews = previews
        self._phase: JobPhase | None = None
        self._position: int | None = None
        self._fraction = 0.0
        self._cost: float | None = None
        self._nodes: dict[str, _NodeTrack] = {}
        self._files: list[OutputFile] = []
        self._file_index: dict[str, int] = {}
        self._notices: set[NoticeSeen] = set()
        self._end: JobEnd | None = None

    @property
    def end(self) -> JobEnd | None:
        """
        The end of the job, once it is known.
        """
        return self._end

    @property
    def files(self) -> tuple[OutputFile, ...]:
        """
        All files so far, in the order in which they turned up, each with its newest address.
        """
        return tuple(self._files)

    def feed(self, observations: Iterable[Observation]) -> list[Event]:
        """
        Take in what one answer or frame claims; give the events that are new.

        Claims of one answer may stand in any order: its end is told after everything else in it.
        """
        if self._end is not None:
            return []
        events: list[Event] = []
        nodes: list[NodeSeen] = []
        new_files: list[int] = []
        later: list[Observation] = []
        end: JobEnded | None = None
        for seen in observations:
            match seen:
                case JobSeen():
                    self._see_job(seen, events)
                case NodeSeen():
                    nodes.append(seen)
                case FileSeen(file=file):
                    self._see_file(file, new_files)
                case CostSeen(amount=amount):
                    if math.isfinite(amount):
                        self._cost = amount
                case JobEnded():
                    end = end or seen
                case ProgressSeen() | PreviewSeen() | NoticeSeen():
                    later.append(seen)
                case PollNow():
                    pass
                case _:
                    assert_never(seen)
        if self._rank:
            nodes.sort(key=lambda node: self._rank.get(node.node_id, len(self._rank)))
        for node in nodes:
            self._see_node(node, events)
        events.extend(OutputReady(self._files[index]) for index in new_files)
        for seen in later:
            self._see_rest(seen, events)
        if end is not None:
            self._see_end(end, events)
        return events

    def _see_job(self, seen: JobSeen, events: list[Event]) -> None:
        if seen.phase is JobPhase.STARTED:
            self._start_job(events)
            return
        if self._phase is JobPhase.STARTED:
            return
        position = seen.position if seen.position is not None and seen.position >= 0 else None
        nearer = position is not None and (self._position is None or position < self._position)
        if self._phase is None or nearer:
            self._phase = JobPhase.QUEUED
            self._position = position if nearer else self._position
            events.append(JobQueued(self.job_id, self._position))

    def _start_job(self, events: list[Event]) -> None:
        if self._phase is not JobPhase.STARTED:
            self._phase = JobPhase.STARTED
            events.append(JobStarted(self.job_id))

    def _see_node(self, seen: NodeSeen, events: list[Event]) -> None:
        track = self._nodes.setdefault(seen.node_id, _NodeTrack())
        if track.state >= NodeState.FINISHED:
            return
        if seen.state < NodeState.STARTED:
            track.state = max(track.state, seen.state)
            return
        self._start_job(events)
        match seen.state:
            case NodeState.STARTED:
                if track.state is not NodeState.STARTED:
                    track.state = NodeState.STARTED
                    events.append(NodeStarted(seen.node_id))
                self._see_step(seen, track, events)
            case NodeState.CACHED:
                track.state = NodeState.CACHED
                events.append(NodeCached(seen.node_id))
            case NodeState.FAILED:
                track.state = NodeState.FAILED
                message = seen.message or "the node failed"
                events.append(NodeFailed(seen.node_id, message, seen.exception_type))
            case _:
                self._finish_node(seen.node_id, track, events)

    def _see_step(self, seen: NodeSeen, track: _NodeTrack, events: list[Event]) -> None:
        value, maximum = seen.value, seen.max
        if value is None or maximum is None or not math.isfinite(value + maximum):
            return
        if maximum <= 0 or value <= 0:
            return
        value = min(value, maximum)
        fraction = value / maximum
        if fraction > track.fraction:
            track.fraction = fraction
            events.append(NodeProgress(seen.node_id, value, maximum))

    def _finish_node(self, node_id: str, track: _NodeTrack, events: list[Event]) -> None:
        track.state = NodeState.FINISHED
        events.append(NodeFinished(node_id, tuple(self._files[index] for index in track.files)))

    def _see_file(self, file: OutputFile, new_files: list[int]) -> None:
        keys = file_keys(file)
        index = next((self._file_index[key] for key in keys if key in self._file_index), None)
        if index is None:
            index = len(self._files)
            self._files.append(file)
            new_files.append(index)
        else:
            self._files[index] = _newest(self._files[index], file)
        for key in keys:
            self._file_index.setdefault(key, index)
        if file.node_id is not None:
            files = self._nodes.setdefault(file.node_id, _NodeTrack()).files
            if index not in files:
                files.append(index)

    def _see_rest(self, seen: Observation, events: list[Event]) -> None:
        match seen:
            case ProgressSeen(fraction=fraction, estimated=estimated):
                if math.isfinite(fraction) and min(fraction, 1.0) > self._fraction:
                    self._start_job(events)
                    self._fraction = min(fraction, 1.0)
                    events.append(JobProgress(self._fraction, estimated))
            case PreviewSeen(node_id=node_id, image=image, media_type=media_type):
                track = self._nodes.get(node_id) if node_id is not None else None
                over = track is not None and track.state >= NodeState.FINISHED
                if self._previews and not over:
                    events.append(NodePreview(node_id, image, media_type))
            case NoticeSeen():
                if seen not in self._notices:
                    self._notices.add(seen)
                    events.append(Notice(seen.message, seen.node_id))
            case _:
                pass

    def _see_end(self, seen: JobEnded, events: list[Event]) -> None:
        if seen.outcome is Outcome.SUCCEEDED:
            # what ran is done, also where the service did not come round to saying so
            for node_id, track in self._nodes.items():
                if track.state is NodeState.STARTED:
                    self._finish_node(node_id, track, events)
            self._end = JobSucceeded(self.job_id, self.files, self._cost)
        elif seen.outcome is Outcome.FAILED:
            message = seen.message or "the job failed and the service does not say why"
            if seen.node_id is not None:
                failed = NodeSeen(seen.node_id, NodeState.FAILED, message=message)
                self._see_node(failed, events)
            self._end = JobFailed(self.job_id, message, seen.node_id, seen.transient, self.files)
        else:
            self._end = JobCancelled(self.job_id, self.files)
        events.append(self._end)


def file_keys(file: OutputFile) -> list[str]:
    """
    Give the names under which a file is known; two entries that share one are the same file.
    """
    # a signed address changes with every answer, its path does not
    keys = [f"id {file.id}"] if file.id else []
    address = file.url.partition("?")[0] if "://" in file.url else file.url
    return [*keys, f"url {address}"]


def _newest(old: OutputFile, new: OutputFile) -> OutputFile:
    return replace(
        new,
        name=old.name,
        node_id=old.node_id if old.node_id is not None else new.node_id,
        kind=old.kind,
        width=old.width if old.width is not None else new.width,
        height=old.height if old.height is not None else new.height,
        preview=old.preview and new.preview,
        id=old.id or new.id,
        path=old.path or new.path,
    )
