"""
What a ledger writes down about jobs, and the two small surfaces that it is built from.

A job is written down before it is sent (`Intent`), carried out under a `Claim` that only one
process holds, and read back as a `JobRecord`. Nothing in here is secret: no credentials, no signed
addresses.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TypedDict

from comfygraph.core.values import JsonValue
from comfygraph.errors import ComfyGraphError, ExitCode
from comfygraph.targets.base import JobRef, Submission, graph_digest

_NOTHING: Mapping[str, JsonValue] = {}
_NO_TEXTS: Mapping[str, str] = {}


class LedgerError(ComfyGraphError):
    """
    The ledger cannot be read or written: no space, no right, not a ledger, too new.
    """

    exit_code = ExitCode.INTERNAL


class ClaimLost(LedgerError):
    """
    Another process has taken the job over; whoever sees this must let go of it.
    """


class State(Enum):
    """
    How far a job is known to be.
    """

    PLANNED = "planned"
    """Written down; nothing was sent, so sending it is safe."""
    INTENDED = "intended"
    """About to be sent: the job may exist."""
    UNCERTAIN = "uncertain"
    """Sent, and nobody could find out whether it arrived."""
    ACCEPTED = "accepted"
    """The service has it."""
    RUNNING = "running"
    """The service works on it."""
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    REFUSED = "refused"
    """There surely was no job: the service refused the graph, or nothing left this machine."""
    ABANDONED = "abandoned"
    """Nobody follows it any more: the service forgot it, or a person gave it up."""

    @property
    def ended(self) -> bool:
        """
        Whether nothing more will happen to it.
        """
        return self in ENDED


UNFINISHED = frozenset(
    {State.PLANNED, State.INTENDED, State.UNCERTAIN, State.ACCEPTED, State.RUNNING}
)
ENDED = frozenset(State) - UNFINISHED


@dataclass(frozen=True, slots=True)
class Intent:
    """
    That a graph shall be run once: what is written before anything is sent.

    Args:
        id: The id in the ledger, see `new_id` and `variant_id`; planning the same id twice is
            planning it once.
        target: The name of the target.
        base_url: Where the service is, without credentials; `""` for an embedded emulator.
        submission: The graph, its key and its options.
        label: What a person calls it, such as the file of the graph.
        out: The folder for its files, or `None`.
        batch: The id of its batch, or `""`.
        variant: Its place in the batch, from 0.
        parameters: What makes this variant: name → value.
        retry_of: The id of the job that this one is to replace, or `""`.
    """

    id: str
    target: str
    base_url: str
    submission: Submission
    label: str = ""
    out: str | None = None
    batch: str = ""
    variant: int | None = None
    parameters: Mapping[str, JsonValue] = field(default_factory=lambda: _NOTHING)
    retry_of: str = ""


@dataclass(frozen=True, slots=True)
class JobRecord:
    """
    What is known about one job. Times are seconds since 1970 by the clock of whoever wrote them.

    Args:
        id: The id in the ledger.
        state: How far it is.
        target: The name of the target.
        base_url: Where the service is.
        key: The idempotency key.
        digest: `graph_digest` of the graph.
        request_digest: `request_digest_of` what was asked for.
        job_id: The service's id, `""` where it is not known.
        extra: What else the target needs to find it again.
        label: What a person calls it.
        out: The folder for its files, or `None`.
        batch: Its batch, or `""`.
        variant: Its place in the batch, or `None`.
        parameters: What makes this variant.
        retry_of: The job that it replaces, or `""`.
        attempts: How often it was about to be sent.
        fraction: How far the service had come, 0 to 1, when it was last written down.
        cost: In the service's own unit, where it said so.
        error: The class of what went wrong (`"Rejected"`, `"JobFailed"`), or `""`.
        message: What went wrong, in one line, or `""`.
        transient: Whether another try may work.
        created: When it was planned.
        updated: When it was last written to.
        ended: When it was over, or `None`.
        intended_mark: A number that only grows, taken when it was about to be sent; 0 before.
        accepted_mark: The same for when the service had it; 0 before.
        holder: Who has claimed it, or `""`.
    """

    id: str
    state: State
    target: str
    base_url: str
    key: str
    digest: str
    request_digest: str
    job_id: str = ""
    extra: Mapping[str, str] = field(default_factory=lambda: _NO_TEXTS)
    label: str = ""
    out: str | None = None
    batch: str = ""
    variant: int | None = None
    parameters: Mapping[str, JsonValue] = field(default_factory=lambda: _NOTHING)
    retry_of: str = ""
    attempts: int = 0
    fraction: float = 0.0
    cost: float | None = None
    error: str = ""
    message: str = ""
    transient: bool = False
    created: float = 0.0
    updated: float = 0.0
    ended: float | None = None
    intended_mark: int = 0
    accepted_mark: int = 0
    holder: str = ""

    @property
    def embedded(self) -> bool:
        """
        Whether it ran on an emulator that ended with its command.
        """
        return not self.base_url

    @property
    def ref(self) -> JobRef:
        """
        The reference under which the target finds the job.
        """
        return JobRef(self.target, self.base_url, self.job_id, self.key, self.digest, self.extra)


class Changes(TypedDict, total=False):
    """
    What a claim may change about a job.
    """

    state: State
    base_url: str
    job_id: str
    extra: Mapping[str, str]
    attempts: int
    fraction: float
    cost: float | None
    error: str
    message: str
    transient: bool
    out: str | None


@dataclass(frozen=True, slots=True)
class ResultRecord:
    """
    One file of a job.

    Args:
        key: What tells it from the other files of the job.
        name: What the service calls it.
        node_id: The node that made it, where known.
        kind: As in `OutputFile`.
        url: Its address without the query of a signed one.
        path: Where it was saved, `""` while it was not.
        size: Bytes of the saved file.
        sha256: Digest of the saved file, 64 hex digits, or `""`.
        preview: Made by a node that only shows.
    """

    key: str
    name: str
    node_id: str | None = None
    kind: str = "image"
    url: str = ""
    path: str = ""
    size: int = 0
    sha256: str = ""
    preview: bool = False


@dataclass(frozen=True, slots=True)
class BatchRecord:
    """
    A batch: `spec` is whatever its maker needs to go on with it.
    """

    id: str
    label: str = ""
    spec: Mapping[str, JsonValue] = field(default_factory=lambda: _NOTHING)
    created: float = 0.0


@dataclass(frozen=True, slots=True)
class Holder:
    """
    A process that holds claims.

    Args:
        id: A random token.
        place: Machine, process namespace, process and its start, as `leases.here` writes them.
        beat: A number that grows while the process lives.
    """

    id: str
    place: str
    beat: int


@dataclass(frozen=True, slots=True)
class Query:
    """
    Which jobs are meant; all conditions hold.

    Args:
        states: These states; empty for all.
        target: This target.
        base_url: This place.
        batch: This batch; `None` for any, `""` for jobs of no batch.
        since: Planned at or after this time, in seconds since 1970.
        before: Last written to before this time.
        text: A part of label, ids, key, message or parameters, in any case.
        request_digest: Asked for exactly this.
        key: With this idempotency key.
        newest_first: In which order.
        limit: At most so many; `None` for all.
    """

    states: frozenset[State] = frozenset()
    target: str = ""
    base_url: str = ""
    batch: str | None = None
    since: float | None = None
    before: float | None = None
    text: str = ""
    request_digest: str = ""
    key: str = ""
    newest_first: bool = False
    limit: int | None = None


def new_id() -> str:
    """
    Give a fresh id for the ledger: 16 hex digits.
    """
    return uuid.uuid4().hex[:16]


def variant_id(batch: str, index: int) -> str:
    """
    Give the id of a variant, the same each time: a batch that is planned twice is planned once.
    """
    return hashlib.sha256(f"{batch}/{index}".encode()).hexdigest()[:16]


def variant_key(batch: str, index: int) -> str:
    """
    Give the idempotency key of a variant, a UUID, the same each time.
    """
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"comfygraph:{batch}/{index}"))


def request_digest_of(target: str, base_url: str, submission: Submission, digest: str = "") -> str:
    """
    Give a digest of what is asked for, and of whom: 64 hex digits. The key does not count.

    Args:
        target: The name of the target.
        base_url: Where it is.
        submission: What is asked for.
        digest: The digest of its graph, where it is known.
    """
    asked = [
        target,
        base_url,
        digest or graph_digest(submission.prompt),
        dict(submission.options),
        sorted(submission.partial_targets),
    ]
    text = json.dumps(asked, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
