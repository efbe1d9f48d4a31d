"""
Where the files of a variant go: the template of its batch, filled in.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePath

from comfygraph.core.values import JsonValue, Prompt
from comfygraph.errors import UsageError
from comfygraph.jobs.batch.file_names import FileNames, service_name
from comfygraph.jobs.ledger import JobRecord
from comfygraph.targets.events import OutputFile


def namer_for(
    names: FileNames,
    batch: str,
    record: JobRecord,
    prompt: Prompt,
    job_id: Callable[[], str],
) -> Callable[[OutputFile, int], PurePath]:
    """
    Give what names the files of one job.

    Args:
        names: The template.
        batch: The id of the batch.
        record: The job.
        prompt: Its graph, for the titles of nodes.
        job_id: Gives the service's id of the job, once it has one.
    """

    def name(file: OutputFile, number: int) -> PurePath:
        stem, ending = service_name(file.name)
        node = prompt.get(file.node_id) if file.node_id is not None else None
        fields: dict[str, JsonValue] = {
            "batch": batch,
            "index": (record.variant or 0) + 1,
            "label": record.label,
            "node": file.node_id or "",
            "title": node.title if node is not None else "",
            "name": stem,
            "ext": ending,
            "number": number,
            "job": job_id() if names.uses("job") else "",
        }
        return names.path(fields, record.parameters)

    return name


def check_overwriting(names: FileNames, template: str) -> None:
    """
    Refuse a template whose files would replace each other.

    Raises:
        UsageError: With `--overwrite` two variants, or two files of one, could have the same name.
    """
    apart = names.uses("index") or names.uses("job")
    if not apart or not (names.uses("name") or names.uses("number")):
        raise UsageError(
            f"with --overwrite, files named `{template[:100]}` would replace each other",
            hint="put {index} and {number} into the template",
        )
