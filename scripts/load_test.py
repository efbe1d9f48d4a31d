"""
Carry ten thousand jobs out over the emulator, and say what that took of the client.

    python scripts/load_test.py                       # 10,000 jobs of ComfyUI
    python scripts/load_test.py --target tams --qps 200 --jobs 2000 --save

TAMS takes five requests a second; `--qps 200` is the same at forty times the speed. The emulator is
a process of its own and counts what arrives; all other figures are those of this one, the client.
It fails where a job does not end well or is handed in twice, where memory is above the limit or
grows, where a file is missing, or where more than one request in a thousand comes too soon: a busy
emulator gets late what left in time.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from comfygraph.core.values import Prompt
from comfygraph.emulator import DEV_TOKEN
from comfygraph.jobs.batch.api import submit_batch
from comfygraph.jobs.batch.events import BatchEnded, VariantEnded
from comfygraph.targets import get_target

MOST_MEMORY = 150.0
"""MB that the client may take."""
GROWTH = 1.15
"""How many times the memory at a tenth of the jobs that at the end may be."""

_PROMPT = Prompt.from_json(
    {
        "1": {
            "class_type": "EmptyImage",
            "inputs": {"width": 16, "height": 16, "batch_size": 1, "color": 0},
        },
        "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "out"}},
    }
)
_EMULATE = """
import json, sys, time
from comfygraph.emulator import Emulator, Faults
from comfygraph.emulator.tams.service import Tams
arrived, refused, allowed = [], [0], Tams._allowed
def count(self, caller, qps):
    arrived.append(time.monotonic())
    fits = allowed(self, caller, qps)
    refused[0] += not fits
    return fits
Tams._allowed = count
with Emulator(speed=0, any_token=True, faults=Faults(qps=float(sys.argv[1]), lag=0)) as emulator:
    print(emulator.url(), flush=True)
    sys.stdin.readline()
    stats = emulator.stats()
    busiest = begin = 0
    for end, moment in enumerate(arrived):
        while moment - arrived[begin] >= 1:
            begin += 1
        busiest = max(busiest, end - begin + 1)
    print(json.dumps([stats.requests, stats.submits, busiest, refused[0]]), flush=True)
"""


@dataclass(slots=True)
class Figures:
    """
    What a load took.

    Args:
        jobs: How many jobs there were.
        succeeded: How many of them ended well.
        seconds: How long all of it took, from the first event to the last.
        cpu: Seconds of the processor that the client took meanwhile.
        memory: Part of the jobs that have ended → resident MB of the client then.
        submits: How many jobs the service was handed.
        requests: How many requests it answered.
        busiest: The most requests under the rate limit within any second (tams).
        refused: How many of them came too soon.
        files: How many files were saved.
    """

    jobs: int
    succeeded: int = 0
    seconds: float = 0.0
    cpu: float = 0.0
    memory: dict[float, float] = field(default_factory=dict)
    submits: int = 0
    requests: int = 0
    busiest: int = 0
    refused: int = 0
    files: int = 0

    @property
    def peak(self) -> float:
        """
        The most resident MB that were seen.
        """
        return max(self.memory.values(), default=0.0)

    def __str__(self) -> str:
        memory = " · ".join(f"{share:.0%} {size:.0f} MB" for share, size in self.memory.items())
        return (
            f"{self.succeeded:,} of {self.jobs:,} jobs in {self.seconds:.1f} s"
            f" · {self.requests / max(self.seconds, 1e-9):.0f} requests/s"
            f" · client CPU {1000 * self.cpu / self.jobs:.1f} ms a job\nmemory: {memory}"
            + (f"\nfiles: {self.files:,}" if self.files else "")
            + (f"\nbusiest second: {self.busiest}, refused: {self.refused}" if self.busiest else "")
        )


def main() -> int:
    """
    Run the load and print its figures.
    """
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--jobs", type=int, default=10_000)
    parser.add_argument("--target", choices=["comfyui", "civitai", "tams"], default="comfyui")
    parser.add_argument("--qps", type=float, default=0.0, help="the rate limit (tams)")
    parser.add_argument("--concurrency", type=int, default=8)
    parser.add_argument("--save", action="store_true", help="fetch the files too")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out" if wanted.save else None
        figures = run_load(
            wanted.jobs,
            Path(folder),
            target=wanted.target,
            qps=wanted.qps,
            concurrency=wanted.concurrency,
            out=out,
        )
    print(figures)
    first = next(iter(figures.memory.values()))
    fine = (
        figures.succeeded == figures.submits == figures.jobs
        and figures.peak < MOST_MEMORY
        and figures.peak < GROWTH * first
        and figures.refused <= figures.requests / 1000
        and figures.files == (figures.jobs if wanted.save else 0)
    )
    return 0 if fine else 1


def run_load(
    jobs: int,
    folder: Path,
    *,
    target: str = "comfyui",
    qps: float = 0.0,
    concurrency: int = 8,
    out: Path | None = None,
) -> Figures:
    """
    Carry a batch out against an emulator in a process of its own.

    Args:
        jobs: How many.
        folder: For the ledger.
        target: The service.
        qps: Requests a second that the service takes and the client keeps to; 0 for no limit.
        concurrency: How many jobs are under way at the same time.
        out: Where files go, or `None`.
    """
    with subprocess.Popen(
        [sys.executable, "-c", _EMULATE, str(qps)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        try:
            url = server.stdout.readline().strip()
            figures = asyncio.run(_carry(jobs, folder, url, target, qps, concurrency, out))
        finally:
            server.stdin.write("\n")
            server.stdin.close()
        requests, submits, figures.busiest, figures.refused = json.loads(server.stdout.readline())
    figures.requests = sum(requests.values())
    figures.submits = submits.get(target, 0)
    return figures


async def _carry(
    jobs: int,
    folder: Path,
    url: str,
    target: str,
    qps: float,
    concurrency: int,
    out: Path | None,
) -> Figures:
    figures = Figures(jobs)
    marks = [max(int(jobs * share), 1) for share in (0.1, 0.5, 1.0)]
    batch = submit_batch(
        _PROMPT,
        target=_service(target, url, qps),
        sweep={"color": range(jobs)},
        ledger=folder / "ledger.db",
        lint=False,
        concurrency=concurrency,
        out=out,
    )
    started, cpu = time.monotonic(), time.process_time()
    ended = 0
    async for event in batch:
        if isinstance(event, VariantEnded):
            ended += 1
            figures.files += sum(out is not None and Path(file).is_file() for file in event.files)
            if ended in marks:
                figures.memory[ended / jobs] = resident()
        elif isinstance(event, BatchEnded):
            figures.succeeded = event.succeeded
    figures.seconds = time.monotonic() - started
    figures.cpu = time.process_time() - cpu
    return figures


def _service(name: str, url: str, qps: float) -> Any:
    config = {
        "comfyui": {"COMFYUI_URL": url},
        "civitai": {"CIVITAI_API_URL": url, "CIVITAI_API_TOKEN": DEV_TOKEN},
        "tams": {"TAMS_BASE_URL": url, "TAMS_API_KEY": DEV_TOKEN},
    }
    target: Any = get_target(name, config[name])
    rate = 0.9 * qps if qps else None
    target.policy = replace(
        target.policy, requests_per_second=rate, poll_intervals=(0.05, 0.1, 0.2)
    )
    return target


def resident() -> float:
    """
    Give the resident MB of this process.
    """
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    sys.exit(main())
