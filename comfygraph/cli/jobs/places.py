"""
Where the files of jobs go: the options that say it, and the folders.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from comfygraph.jobs.files import Folder
    from comfygraph.jobs.ledger import JobRecord

F = TypeVar("F", bound=Callable[..., Any])


@dataclass(slots=True)
class Places:
    """
    The folders of one command.

    Args:
        out: The folder for all files; default is where each submit was to put them.
        overwrite: Whether files of the same name are replaced, those of this command excepted.
        max_bytes: The largest file to save; default is `files.MAX_FILE_BYTES`.
    """

    out: str | None = None
    overwrite: bool = False
    max_bytes: int | None = None
    _opened: dict[str, Folder] = field(default_factory=dict)

    def folder_for(self, record: JobRecord) -> Folder | None:
        """
        Give the folder for the files of a job, or `None`.

        Raises:
            UsageError: It cannot be written to.
        """
        from comfygraph.jobs.files import MAX_FILE_BYTES, open_folder

        place = self.out or record.out
        if place is None:
            return None
        if place not in self._opened:
            most = MAX_FILE_BYTES if self.max_bytes is None else self.max_bytes
            self._opened[place] = open_folder(place, overwrite=self.overwrite, max_bytes=most)
        return self._opened[place]


def places_options(command: F) -> F:
    """
    Add the options that say where files go; the command takes `places`.
    """

    @click.option(
        "--out", "-o", metavar="DIR", default=None,
        help="Save files in DIR; default is where the submit was to put them.",
    )  # fmt: skip
    @click.option("--overwrite", is_flag=True, help="Replace files of the same name.")
    @wraps(command)
    def wrapped(*args: Any, out: str | None, overwrite: bool, **kwargs: Any) -> Any:
        return command(*args, places=Places(out, overwrite), **kwargs)

    return wrapped  # type: ignore[return-value]  # the same command with other parameters
