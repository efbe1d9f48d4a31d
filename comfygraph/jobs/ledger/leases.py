"""
Who holds a claim, and whether they still live: without trusting anybody's clock.

On the same machine the process itself is asked for: it is there, or it is gone. Of a process
elsewhere only its beat is seen: a number that it raises every few seconds. Where that stands still
for long enough, measured here and in small steps, so that a clock that jumps counts for little,
its claims may be taken over.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Callable
from enum import Enum
from functools import cache
from pathlib import Path

from comfygraph.jobs.ledger.base import Holder

BEAT_EVERY = 4.0
"""Seconds between two beats."""
SILENCE = 20.0
"""Seconds without a beat after which a process elsewhere is taken for dead."""
_LONGEST_STEP = 2.0


class Life(Enum):
    """
    What can be said of a process at once.
    """

    LIVES = "lives"
    GONE = "gone"
    ELSEWHERE = "elsewhere"
    """Not to be seen from here: watch its beat."""


def here() -> str:
    """
    Describe this process: machine and its start, process namespace, process, its start.
    """
    pid = os.getpid()
    return f"{_machine()} {pid} {_started(pid)}"


def life_of(holder: Holder) -> Life:
    """
    Say whether a holder lives, where that can be seen from here.
    """
    machine, _, process = holder.place.rpartition(" ")[0].rpartition(" ")
    started = holder.place.rpartition(" ")[2]
    if machine != _machine() or not process.isdigit() or started == "?":
        return Life.ELSEWHERE
    # a process id is used again, the moment of its start is not
    return Life.LIVES if _started(int(process)) == started else Life.GONE


def describe(holder: Holder) -> str:
    """
    Say who that is.
    """
    machine, _, process = holder.place.rpartition(" ")[0].rpartition(" ")
    if machine == _machine():
        return f"process {process}"
    return f"process {process} on {machine.partition(' ')[0]}"


class Watch:
    """
    Watches a beat from far away.

    Args:
        clock: Seconds; one that jumps back or forth delays the verdict, and hardly hastens it.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._seen: dict[str, tuple[int, float, float]] = {}

    def silent(self, holder: Holder, patience: float = SILENCE) -> bool:
        """
        Look at a holder once more; say whether it has been silent for `patience` seconds.

        Only time between looks that are at most a few seconds apart counts.
        """
        now = self._clock()
        beat, waited, last = self._seen.get(holder.id, (-1, 0.0, now))
        if beat != holder.beat:
            self._seen[holder.id] = (holder.beat, 0.0, now)
            return False
        waited += min(max(now - last, 0.0), _LONGEST_STEP)
        self._seen[holder.id] = (beat, waited, now)
        return waited >= patience


@cache
def _machine() -> str:
    """
    Tell this machine, since it was started and as far as processes see each other, from all others.
    """
    host = socket.gethostname().replace(" ", "-") or "unknown"
    if sys.platform != "linux":
        return f"{host} {sys.platform}"
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{host} {boot} {os.readlink('/proc/self/ns/pid')}"
    except OSError:
        return f"{host} linux"


def _started(pid: int) -> str:
    """
    Give the start of a process in ticks since the machine's; `""` for none, `"?"` for unknown.
    """
    if sys.platform != "linux":
        return "?"
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
    except FileNotFoundError:
        return "" if Path("/proc/self/stat").exists() else "?"
    except OSError:
        return ""
    # the name of the program stands in brackets and may hold anything (proc(5))
    fields = stat.rpartition(")")[2].split()
    if len(fields) < 20 or fields[0] in ("Z", "X"):
        return ""
    return fields[19]
