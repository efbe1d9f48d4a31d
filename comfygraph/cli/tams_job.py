"""
A job of TAMS in lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from comfygraph.core.values import JsonValue
from comfygraph.lint.render.text import clean
from comfygraph.targets.observations import (
    CostSeen,
    FileSeen,
    JobEnded,
    JobSeen,
    NodeSeen,
    NodeState,
    Observation,
    ProgressSeen,
)
from comfygraph.targets.reading import mapping, one_line

_WORDS = {
    NodeState.QUEUED: "waits",
    NodeState.STARTED: "runs",
    NodeState.FINISHED: "done",
    NodeState.FAILED: "failed",
}


def job_lines(job_id: str, job: JsonValue, seen: Sequence[Observation]) -> list[str]:
    """
    Give the lines that tell of a job.

    Args:
        job_id: Its id.
        job: The job object.
        seen: What it claims.
    """
    status = one_line(mapping(job).get("status"), 40).lower() or "created"
    lines = [f"job {clean(job_id)}: {clean(status)}{_more(seen)}"]
    nodes: dict[str, NodeSeen] = {}
    for item in seen:
        if isinstance(item, NodeSeen) and (
            item.node_id not in nodes or nodes[item.node_id].state <= item.state
        ):
            nodes[item.node_id] = item
    lines += [_node_line(item) for item in nodes.values()]
    if nodes:
        lines.append("  other nodes: not told")
    lines += [f"  {clean(url)}" for url in _urls(seen)]
    return lines


def _more(seen: Sequence[Observation]) -> str:
    parts = []
    for item in seen:
        match item:
            case CostSeen(amount=amount):
                parts.append(f"{amount:g} credits")
            case JobSeen(position=int(position)):
                parts.append(f"{position} in line before it" if position else "next in line")
            case ProgressSeen(fraction=fraction):
                parts.append(f"{fraction:.0%}")
            case JobEnded(message=message, transient=transient) if message:
                parts.append(clean(message) + (" (another try may work)" if transient else ""))
            case _:
                pass
    return f" · {' · '.join(parts)}" if parts else ""


def _node_line(item: NodeSeen) -> str:
    share = f" {item.value / item.max:.0%}" if item.value is not None and item.max else ""
    return f"  {clean(item.node_id):<6} {_WORDS.get(item.state, 'waits')}{share}"


def _urls(seen: Sequence[Observation]) -> Iterator[str]:
    known: set[str] = set()
    for item in seen:
        if isinstance(item, FileSeen):
            key = item.file.id or item.file.url.partition("?")[0]
            if key not in known:
                known.add(key)
                yield item.file.url
