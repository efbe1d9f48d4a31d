"""
A task: `GET /v3/async/task-result`.
"""

from __future__ import annotations

from typing import NamedTuple

from comfygraph.core.values import JsonValue
from comfygraph.errors import ProtocolError
from comfygraph.targets.reading import (
    identifier,
    integer,
    mapping,
    mappings,
    number,
    one_line,
    text,
)

STATES = ("unknown", "queued", "processing", "succeed", "failed")


class TaskFile(NamedTuple):
    """
    A picture, film or sound that a task made.

    Args:
        kind: `image`, `video` or `audio`.
        url: Where it is, for a while.
        ttl: Seconds that the address holds, or `None`.
        type: `png` and the like, or `""`.
    """

    kind: str
    url: str
    ttl: int | None = None
    type: str = ""


class NovitaTask(NamedTuple):
    """
    A task and what came of it.

    Args:
        id: Its id.
        state: `unknown`, `queued`, `processing`, `succeed` or `failed`.
        type: `TXT_TO_IMG` and the like, or `""`.
        reason: Why it failed, or `""`.
        progress: Percent of the whole task, 0 to 100; `None` where it is not said. Novita tells
            nothing of single steps.
        eta: Seconds that are left, or `None`.
        seed: As a text: it may have 64 bits.
        files: What it made.
    """

    id: str
    state: str = "unknown"
    type: str = ""
    reason: str = ""
    progress: int | None = None
    eta: float | None = None
    seed: str = ""
    files: tuple[TaskFile, ...] = ()

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in ("succeed", "failed")


def read_task(data: JsonValue, task_id: str) -> NovitaTask:
    """
    Read a task. Numbers of 64 bits may be texts.

    Raises:
        ProtocolError: The answer holds none.
    """
    data = mapping(data)
    task = data.get("task")
    if not isinstance(task, dict):
        raise ProtocolError("Novita's answer holds no task")
    state = text(task.get("status")).strip().upper().removeprefix("TASK_STATUS_").casefold()
    percent = number(task.get("progress_percent"))
    return NovitaTask(
        one_line(identifier(task.get("task_id")), 200) or task_id,
        state if state in STATES else "unknown",
        one_line(task.get("task_type"), 60),
        one_line(task.get("reason")),
        None if percent is None else int(min(max(percent, 0.0), 100.0)),
        number(task.get("eta")),
        one_line(identifier(mapping(data.get("extra")).get("seed")), 40),
        tuple(
            TaskFile(
                kind,
                url,
                integer(item.get(f"{kind}_url_ttl")),
                one_line(item.get(f"{kind}_type"), 20),
            )
            for kind in ("image", "video", "audio")
            for item in mappings(data.get(f"{kind}s"))
            if (url := one_line(item.get(f"{kind}_url"), 2000))
        ),
    )
