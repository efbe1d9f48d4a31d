"""
Jobs: handing a graph to a service, following it to its end, fetching what it made.

    for event in submit(prompt, target="emulator", out="out"):
        ...

Names are loaded when they are first used: httpx costs more than the rest of the package.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from comfygraph.jobs.api import asubmit as asubmit
    from comfygraph.jobs.api import attach as attach
    from comfygraph.jobs.api import submit as submit
    from comfygraph.jobs.async_driver import AsyncJob as AsyncJob
    from comfygraph.jobs.batch.api import resume_batch as resume_batch
    from comfygraph.jobs.batch.api import submit_batch as submit_batch
    from comfygraph.jobs.batch.batch import Batch as Batch
    from comfygraph.jobs.effects import Stage as Stage
    from comfygraph.jobs.files import Folder as Folder
    from comfygraph.jobs.limits import RateLimits as RateLimits
    from comfygraph.jobs.plan import Plan as Plan
    from comfygraph.jobs.settings import Settings as Settings
    from comfygraph.jobs.sync_driver import Job as Job

_HOMES = {
    "AsyncJob": "async_driver",
    "Batch": "batch.batch",
    "Folder": "files",
    "Job": "sync_driver",
    "Plan": "plan",
    "RateLimits": "limits",
    "Settings": "settings",
    "Stage": "effects",
    "asubmit": "api",
    "attach": "api",
    "resume_batch": "batch.api",
    "submit": "api",
    "submit_batch": "batch.api",
}

__all__ = [
    "AsyncJob",
    "Batch",
    "Folder",
    "Job",
    "Plan",
    "RateLimits",
    "Settings",
    "Stage",
    "asubmit",
    "attach",
    "resume_batch",
    "submit",
    "submit_batch",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'comfygraph.jobs' has no attribute {name!r}")
    value = getattr(import_module(f"comfygraph.jobs.{home}"), name)
    globals()[name] = value
    return value
