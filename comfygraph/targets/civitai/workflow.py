"""
Read a workflow of Civitai's orchestration API.

Statuses are compared without regard to case, unknown ones are no end. Steps say nothing about
nodes, and their progress rate is a guess from the clock: it is passed on as an estimate.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.core.values import JsonValue
from comfygraph.targets.civitai.calls import DEFAULT_BASE_URL, quoted
from comfygraph.targets.civitai.money import read_money
from comfygraph.targets.civitai.store import BLOBS
from comfygraph.targets.events import OutputFile
from comfygraph.targets.observations import (
    FileSeen,
    JobEnded,
    JobPhase,
    JobSeen,
    NoticeSeen,
    Observation,
    Outcome,
    ProgressSeen,
)
from comfygraph.targets.reading import (
    identifier,
    integer,
    is_web_url,
    items,
    kind_of,
    mapping,
    mappings,
    number,
    one_line,
    text,
)

ENDS = {
    "succeeded": Outcome.SUCCEEDED,
    "failed": Outcome.FAILED,
    "expired": Outcome.FAILED,
    "canceled": Outcome.CANCELLED,
    "cancelled": Outcome.CANCELLED,
}
_KINDS = ("image", "video", "audio", "model3d")
_LISTS = {"images": "image", "videos": "video", "audio": "audio", "models": "model3d"}
_TRANSIENT = ("no_provider_available", "timeout", "expired")
_SNAPSHOT = "comfynodepacksnapshot"
_MOST_NOTICES = 50
_ALL_WITHHELD = (
    "the run succeeded, and every file of it is withheld; the option `allow_mature` has mature "
    "content handed out"
)
_MORE_TIME = "allow it more with the option `timeout`"


def read_workflow(workflow: JsonValue, base_url: str = DEFAULT_BASE_URL) -> tuple[Observation, ...]:
    """
    Give what a workflow claims. Never raises.

    Args:
        workflow: The workflow.
        base_url: Where the orchestration API is, for blobs of which only the id is said.
    """
    workflow = mapping(workflow)
    steps = list(mappings(workflow.get("steps")))
    status = status_of(workflow, steps)
    over = status in ENDS
    out: list[Observation] = [*read_money(workflow, steps, over=over)]
    blobs = [seen for step in steps for seen in _blobs(step, over, base_url)]
    out.extend(blobs)
    if over:
        nothing = bool(blobs) and not any(isinstance(seen, FileSeen) for seen in blobs)
        if ENDS[status] is Outcome.SUCCEEDED and nothing:
            out.append(NoticeSeen(_ALL_WITHHELD))
        out.append(_end(status, steps))
    elif status == "processing":
        out.append(JobSeen(JobPhase.STARTED))
        share = _estimate(steps)
        if share is not None:
            out.append(ProgressSeen(share, estimated=True))
        out.extend(_preparations(steps))
    else:
        out.append(JobSeen(JobPhase.QUEUED, _position(steps)))
        out.extend(_preparations(steps))
    return tuple(out)


def status_of(workflow: dict[str, JsonValue], steps: list[dict[str, JsonValue]]) -> str:
    """
    Give the status in lower case; where the workflow has none, what its steps amount to.
    """
    status = text(workflow.get("status")).lower()
    if status:
        return status
    each = [text(step.get("status")).lower() for step in steps]
    if each and all(name in ENDS for name in each):
        return next((name for name in each if name != "succeeded"), "succeeded")
    return "processing" if "processing" in each else ""


def trace_url(workflow: JsonValue) -> str:
    """
    Give the address of the live trace of a workflow's run; empty where there is none (yet).
    """
    for step in mappings(mapping(workflow).get("steps")):
        url = text(mapping(step.get("output")).get("traceUrl"))
        if url:
            return url
    return ""


def has_trace(workflow: JsonValue) -> bool:
    """
    Tell whether a step is a `customComfy` one that leaves a trace of frames.
    """
    return any(
        text(step.get("$type")).lower() == "customcomfy"
        and text(mapping(step.get("input")).get("trace", "binary")).lower() == "binary"
        for step in mappings(mapping(workflow).get("steps"))
    )


def _blobs(step: dict[str, JsonValue], over: bool, base_url: str) -> Iterator[Observation]:
    if not _runs_graph(step):
        return  # layers of node packs are no results
    for entry, kind, preview in _entries(step, f"{base_url}{BLOBS}"):
        yield from _read_blob(entry, kind, preview, over)


def _runs_graph(step: dict[str, JsonValue]) -> bool:
    return text(step.get("$type")).lower() != _SNAPSHOT


def _entries(
    step: dict[str, JsonValue], place: str
) -> Iterator[tuple[dict[str, JsonValue], str, bool]]:
    # steps of other kinds give one blob (`video`, `blob`), or only its id (`blobId`, `blobIds`)
    for name, value in mapping(step.get("output")).items():
        for entry in value if isinstance(value, list) else [value]:
            if name in ("blobId", "blobIds") and isinstance(entry, str) and entry:
                yield {"id": entry, "url": f"{place}/{quoted(entry)}"}, "file", False
            elif (
                isinstance(entry, dict)
                and identifier(entry.get("id"))
                and ("url" in entry or "available" in entry)
            ):
                yield entry, _LISTS.get(name, "file"), name == "tempBlobs"


def _read_blob(
    blob: dict[str, JsonValue], kind: str, preview: bool, over: bool
) -> Iterator[Observation]:
    blob_id = identifier(blob.get("id"))
    url = text(blob.get("url"))
    reason = one_line(blob.get("blockedReason"), 100)
    if is_web_url(url) and blob.get("available") is not False and not reason:
        # lists of one kind come without `type`
        named = text(blob.get("type")).lower()
        yield FileSeen(
            OutputFile(
                url=url,
                name=blob_id,
                kind=named if named in _KINDS else kind_of(blob_id, kind),
                width=integer(blob.get("width")),
                height=integer(blob.get("height")),
                preview=preview,
                id=blob_id,
            )
        )
    elif over or reason:
        said = f"`{one_line(blob_id, 100)}` is withheld by the service"
        yield NoticeSeen(f"{said}: {reason}" if reason else said)


def _estimate(steps: list[dict[str, JsonValue]]) -> float | None:
    shares = [_step_share(step) for step in steps if _runs_graph(step)]
    known = [share for share in shares if share is not None]
    return sum(known) / len(shares) if known else None


def _step_share(step: dict[str, JsonValue]) -> float | None:
    status = text(step.get("status")).lower()
    if status == "succeeded":
        return 1.0
    if status != "processing":
        return None  # while it prepares, the rate is the share that is downloaded
    share = number(step.get("estimatedProgressRate"))
    if share is None:
        jobs = [number(job.get("estimatedProgressRate")) for job in mappings(step.get("jobs"))]
        share = max((rate for rate in jobs if rate is not None), default=None)
    return None if share is None else min(max(share, 0.0), 1.0)


def _position(steps: list[dict[str, JsonValue]]) -> int | None:
    ahead: list[int | None] = []
    for step in steps:
        for job in mappings(step.get("jobs")):
            place = job.get("queuePosition")
            plain = place if not isinstance(place, dict) else place.get("precedingJobs")
            ahead.append(integer(plain))
    return min((place for place in ahead if place is not None and place >= 0), default=None)


def _preparations(steps: list[dict[str, JsonValue]]) -> Iterator[NoticeSeen]:
    for step in steps:
        status = text(step.get("status")).lower()
        if not _runs_graph(step) and status in ("scheduled", "preparing", "processing"):
            yield NoticeSeen("the service installs the node packs")
        preparation = mapping(step.get("preparation"))
        named = [preparation.get("resource"), *items(preparation.get("resources"))]
        for entry in named[:_MOST_NOTICES]:
            resource = one_line(entry, 200) or one_line(mapping(entry).get("resource"), 200)
            if resource:
                yield NoticeSeen(f"the service fetches {resource}")
        places = [mapping(job.get("queuePosition")) for job in mappings(step.get("jobs"))]
        if any(text(place.get("support")).lower() == "unsupported" for place in places):
            yield NoticeSeen("no worker of the service supports this job")


def _end(status: str, steps: list[dict[str, JsonValue]]) -> JobEnded:
    outcome = ENDS[status]
    if outcome is not Outcome.FAILED:
        return JobEnded(outcome)
    # some say the status once more
    reasons = [said for said in dict.fromkeys(_reasons(steps)) if said.lower() != status]
    transient = status == "expired" or any(said.lower() in _TRANSIENT for said in reasons)
    said = "; ".join(reasons)
    if status == "expired":
        said = f"{_expiry(steps)}{f': {said}' if said else ''}; {_MORE_TIME}"
    return JobEnded(outcome, one_line(said), transient=transient)


def _expiry(steps: list[dict[str, JsonValue]]) -> str:
    late = next((step for step in steps if text(step.get("status")).lower() == "expired"), {})
    limit = one_line(late.get("timeout"), 20)
    after = f" after {limit}" if limit else ""
    usage = mapping(mapping(late.get("output")).get("usage"))
    if late and not late.get("startedAt") and not usage:
        return f"expired{after}, before the run began (a cold start: models are fetched first)"
    return f"expired{after}, before it was done"


def _reasons(steps: list[dict[str, JsonValue]]) -> Iterator[str]:
    # in the order in which the service's own programs look
    for step in steps:
        metadata, output = mapping(step.get("metadata")), mapping(step.get("output"))
        yield from _said(metadata.get("error"))
        yield from _said(metadata.get("errors"))
        yield from _said(mapping(metadata.get("error")).get("errors"))
        yield from _said(output.get("errors"))
        for job in mappings(step.get("jobs")):
            for name in ("reason", "blockedReason", "error", "message", "errors"):
                yield from _said(job.get(name))


def _said(value: JsonValue) -> Iterator[str]:
    for item in value[:_MOST_NOTICES] if isinstance(value, list) else [value]:
        said = one_line(item) or one_line(mapping(item).get("message"))
        if said:
            yield said
