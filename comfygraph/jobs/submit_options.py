"""
The options of `submit` by name, for the methods of `Prompt` that pass them on.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from comfygraph.core.values import JsonValue
    from comfygraph.jobs.files import Folder
    from comfygraph.jobs.job import OnMark
    from comfygraph.jobs.ledger import Ledger
    from comfygraph.jobs.settings import Settings
    from comfygraph.targets.base import Policy, Target


class SubmitOptions(TypedDict, total=False):
    """
    What `submit` takes besides the graph; see there.
    """

    target: Target | str
    config: Mapping[str, str] | None
    key: str | None
    out: str | os.PathLike[str] | Folder | None
    overwrite: bool
    deadline: float | None
    previews: bool
    options: Mapping[str, JsonValue] | None
    upload_from: Iterable[str | os.PathLike[str]]
    partial_targets: tuple[str, ...]
    policy: Policy | None
    settings: Settings | None
    ledger: Ledger | str | os.PathLike[str] | None
    on_mark: OnMark | None
