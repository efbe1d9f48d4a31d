"""
A process that has everything imported and forks a child for each order that it reads: a kill then
costs milliseconds. It has one thread, so that forking is safe, and opens nothing itself.

Orders come in as lines of JSON, and a line of JSON goes out for each.
"""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import sys
import traceback
from dataclasses import replace
from pathlib import Path
from typing import Any

from kill_points import MortalClients, MortalEngine, Reaper

from comfygraph import cli
from comfygraph.catalog import load_catalog
from comfygraph.cli import submit_batch, submit_run  # noqa: F401
from comfygraph.core.values import Prompt
from comfygraph.emulator.faults import Faults  # noqa: F401  # what a child needs is there already
from comfygraph.jobs import async_driver, wire
from comfygraph.jobs.batch import api  # noqa: F401
from comfygraph.jobs.batch.graphs import Base
from comfygraph.jobs.batch.planning import BatchPlan, write_batch
from comfygraph.jobs.batch.runner import BatchRunner
from comfygraph.jobs.batch.space import Axis, Space, read_combine
from comfygraph.jobs.batch.variants import Variants
from comfygraph.jobs.ledger import Ledger
from comfygraph.jobs.ledger.sqlite import SqliteEngine
from comfygraph.targets import get_target
from comfygraph.targets.base import Target

CATALOG = load_catalog()
PATIENCE = 40.0
"""Seconds after which a child hangs."""


def main() -> None:
    """
    Carry orders out until there are no more.
    """
    wire.client_options()  # reads the certificates
    for line in sys.stdin:
        order = json.loads(line)
        if order.get("here"):  # for what is imported late
            asyncio.run(
                _batch(order, Reaper(lambda number, point: False, lambda point, seen: None))
            )
            print("{}", flush=True)
        else:
            print(json.dumps(_in_a_child(order)), flush=True)


def _in_a_child(order: dict[str, Any]) -> dict[str, Any]:
    """
    Fork, have the order carried out, and say what became of it.
    """
    heard, said = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(heard)
        os._exit(_live(order, said))
    os.close(said)
    in_time = _ends_within(pid, order.get("seconds", PATIENCE))
    with os.fdopen(heard) as pipe:
        words = pipe.read()
    _, status = os.waitpid(pid, 0)
    told = json.loads(words) if words else {}
    if not in_time and "seconds" not in order:
        told["error"] = f"still at work after {PATIENCE:g} s"
    return {"killed": os.WIFSIGNALED(status), "status": status, **told}


def _ends_within(pid: int, seconds: float) -> bool:
    """
    Wait for a child, so many seconds at most; kill it then.
    """
    descriptor = os.pidfd_open(pid)
    try:
        in_time = bool(select.select([descriptor], [], [], seconds)[0])
        if not in_time:
            os.kill(pid, signal.SIGKILL)
        return in_time
    finally:
        os.close(descriptor)


def _live(order: dict[str, Any], said: int) -> int:
    def tell(**words: Any) -> None:
        os.write(said, json.dumps(words).encode())

    def last_words(point: str, seen: set[str]) -> None:
        tell(at=point, seen=sorted(seen))

    fatal, points = order.get("nth"), set(order.get("points", ()))
    reaper = Reaper(lambda number, point: number == fatal or point in points, last_words)
    try:
        if "argv" in order:
            return _command(order)
        asyncio.run(_batch(order, reaper))
    except BaseException:
        tell(error=traceback.format_exc(), seen=sorted(reaper.seen))
        return 1
    tell(seen=sorted(reaper.seen), points=reaper.seen.total())
    return 0


def _command(order: dict[str, Any]) -> int:
    quiet = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    os.environ.update(order["environ"])
    sys.argv = ["comfygraph", *order["argv"]]
    try:
        cli.main()
    except SystemExit as exc:
        return int(exc.code or 0)
    return 0


async def _batch(order: dict[str, Any], reaper: Reaper) -> None:
    """
    Write a batch down, as far as it is not, and carry it out.
    """
    target = hurried(get_target(order["target"], order["config"]))
    count, first = order["jobs"], order["first"]
    plan = BatchPlan(
        count,
        float(count),
        target.name,
        target.base_url,
        parameters=("color",),
        out=order["out"],
        concurrency=order.get("concurrency", 2),
        save_graph=True,
    )
    prompt = Prompt.from_json(order["prompt"])
    axis = Axis(("color",), list(range(first, first + count)), "color")
    variants = Variants([Base(prompt, "graph")], Space([axis], read_combine("cross")), CATALOG)
    ledger = Ledger(MortalEngine(SqliteEngine(Path(order["ledger"])), reaper))
    try:
        batch = write_batch(ledger, order["batch"], "", variants, plan)
        async with MortalClients(reaper) as clients:
            async for _ in BatchRunner(ledger, batch, target, clients=clients).run():
                pass
    finally:
        ledger.close()


def hurried(target: Any) -> Target:
    """
    Have a target asked as often as one likes.
    """
    target.policy = replace(
        target.policy,
        requests_per_second=None,
        poll_intervals=(0.02, 0.05),
        backoff_base=0.01,
        backoff_cap=0.05,
    )
    result: Target = target
    return result


if __name__ == "__main__":
    assert async_driver is not None
    main()
