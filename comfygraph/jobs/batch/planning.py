"""
Writing a batch down before anything is sent, and reading it back to go on with it.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace

from comfygraph.core.values import JsonValue, Node
from comfygraph.errors import UsageError
from comfygraph.jobs.batch.file_names import DEFAULT_TEMPLATE
from comfygraph.jobs.batch.variants import Variant
from comfygraph.jobs.ledger import (
    BatchRecord,
    Intent,
    JobRecord,
    Ledger,
    Query,
    variant_id,
    variant_key,
)
from comfygraph.jobs.weights import node_weights
from comfygraph.targets.base import Submission, Target

_TRIAL_KEY = "00000000-0000-4000-8000-000000000000"


@dataclass(frozen=True, slots=True)
class BatchPlan:
    """
    All that is needed to go on with a batch, beside its jobs; kept as the spec of its record.

    Args:
        jobs: How many variants there are.
        weight: What they weigh together, by `weigh` with these `paces`.
        target: The name of the target.
        base_url: Where the service is.
        parameters: The names of parameters, in the order of the manifest's columns.
        out: The folder for files and manifest, or `None`.
        template: How files are named.
        overwrite: Whether files of the same name are replaced.
        max_bytes: The largest file to save; `None` for the usual.
        save_graph: Whether the graph is saved beside the files.
        concurrency: How many jobs are under way at the same time; 0 for what suits the target.
        retries: How many more jobs a variant may have when it fails in a way that may pass.
        most_retries: How many such jobs all variants may have together.
        max_cost: What all jobs may cost; `None` for no limit.
        expected: What a job was quoted at, in the service's own unit; 0 where unknown.
        deadline: Seconds that a job may take; `None` for the target's.
        folders: Where local files that graphs name may be read.
        trusted: Inputs, `[node id, input]`, whose values the person gave.
        paces: What a unit of work of a class takes; learned from earlier jobs.
        chance: Where random values started.
        fingerprint: What the batch was made of, to find it again.
        sources: A digest of the files that it was made of.
    """

    jobs: int
    weight: float
    target: str
    base_url: str
    parameters: tuple[str, ...] = ()
    out: str | None = None
    template: str = DEFAULT_TEMPLATE
    overwrite: bool = False
    max_bytes: int | None = None
    save_graph: bool = False
    concurrency: int = 0
    retries: int = 2
    most_retries: int = 100
    max_cost: float | None = None
    expected: float = 0.0
    deadline: float | None = None
    folders: tuple[str, ...] = ()
    trusted: tuple[tuple[str, str], ...] = ()
    paces: Mapping[str, float] = field(default_factory=dict)
    chance: int = 0
    fingerprint: str = ""
    sources: str = ""

    def to_json(self) -> dict[str, JsonValue]:
        """
        Give the plan as the spec of a batch.
        """
        plain: dict[str, JsonValue] = json.loads(json.dumps(asdict(self)))
        return plain

    @classmethod
    def of(cls, batch: BatchRecord) -> BatchPlan:
        """
        Read what `to_json` gave.

        Raises:
            UsageError: The batch was made by something else.
        """
        known = {spec.name for spec in fields(cls)}
        given = {key: value for key, value in batch.spec.items() if key in known}
        try:
            given["parameters"] = tuple(given["parameters"])
            given["folders"] = tuple(given["folders"])
            given["trusted"] = tuple((node, name) for node, name in given["trusted"])
            return cls(**given)
        except (KeyError, TypeError, ValueError) as exc:
            raise UsageError(f"the batch `{batch.id}` was not made by this comfygraph") from exc


def new_batch_id() -> str:
    """
    Give a fresh id that tells when: `20261121-143502-3f2a1c`.
    """
    return f"{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(3)}"


def fingerprint_of(parts: Sequence[JsonValue]) -> str:
    """
    Give a digest of what a batch is made of: the same for the same words of a person.
    """
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def weigh(prompt: Mapping[str, Node], paces: Mapping[str, float]) -> float:
    """
    Give what a graph costs: the work of each node at the pace of its class.

    Classes that nothing is known of count with the slowest pace that is known, for rare classes
    are seldom quick; all count alike where nothing is known.
    """
    usual = max(paces.values(), default=1.0)
    work = node_weights(prompt)
    return sum(work[node.id] * paces.get(node.class_type, usual) for node in prompt.values())


def trial_of(variant: Variant) -> Submission:
    """
    Give a variant as it would be handed in, for a price or for a look; no job is made under its
    key.
    """
    return Submission(variant.prompt, _TRIAL_KEY, variant.options or {}, variant.partial_targets)


def intents_of(batch: str, variants: Iterable[Variant], plan: BatchPlan) -> Iterator[Intent]:
    """
    Give what is written down for each variant; the same each time for the same batch.
    """
    for variant in variants:
        number = variant.index - 1
        submission = Submission(
            variant.prompt,
            variant_key(batch, number),
            variant.options or {},
            variant.partial_targets,
        )
        yield Intent(
            variant_id(batch, number),
            plan.target,
            plan.base_url,
            submission,
            label=variant.label,
            out=plan.out,
            batch=batch,
            variant=number,
            parameters=variant.parameters,
        )


def write_batch(
    ledger: Ledger, batch: str, label: str, variants: Iterable[Variant], plan: BatchPlan
) -> BatchRecord:
    """
    Write a batch and all its jobs down; all of it is on the disk when this returns.

    A batch that was written in part by a process that died is written to its end.

    Raises:
        LedgerError: It cannot be written.
        UsageError: There are not as many variants as the plan says: what it was made of has
            changed.
    """
    record = BatchRecord(batch, label, plan.to_json())
    ledger.add_batch(record)
    ledger.plan(intents_of(batch, variants, plan))
    if not is_complete(ledger, batch, plan):
        raise UsageError(
            f"the batch `{batch}` was written in part, and what it was made of has changed since",
            hint="leave --resume out to start anew; nothing of it was sent",
        )
    return record


def is_complete(ledger: Ledger, batch: str, plan: BatchPlan) -> bool:
    """
    Whether all jobs of a batch are written down; before that none is sent.
    """
    return sum(ledger.counts(Query(batch=batch)).values()) >= plan.jobs


def find_batch(ledger: Ledger, batch: str) -> BatchRecord:
    """
    Give a batch by its id, or by the beginning of it.

    Raises:
        UsageError: There is none, or several fit.
    """
    found = [item for item in ledger.batches() if item.id.startswith(batch)]
    exact = [item for item in found if item.id == batch]
    if len(exact or found) == 1:
        return (exact or found)[0]
    if found:
        some = ", ".join(item.id for item in found[:3])
        raise UsageError(f"`{batch}` fits several batches: {some}", hint="give more of the id")
    raise UsageError(
        f"the ledger has no batch `{batch}`", hint="`comfygraph jobs list` shows what it has"
    )


def latest_like(ledger: Ledger, fingerprint: str) -> BatchRecord | None:
    """
    Give the newest batch that was made of the same, or `None`.
    """
    return next(
        (
            item
            for item in reversed(ledger.batches())
            if item.spec.get("fingerprint") == fingerprint
        ),
        None,
    )


def retry_of(ledger: Ledger, record: JobRecord, attempt: int) -> Intent:
    """
    Give what is written down for another try of a job that surely is over; the same each time.

    Args:
        ledger: Has the graph.
        record: The job that failed.
        attempt: The number of the new try, from 2.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    number = record.variant or 0
    place = f"{record.batch}/try {attempt}"
    return Intent(
        variant_id(place, number),
        record.target,
        record.base_url,
        replace(ledger.submission(record.id), key=variant_key(place, number)),
        label=record.label,
        out=record.out,
        batch=record.batch,
        variant=record.variant,
        parameters=record.parameters,
        retry_of=record.id,
    )


def default_concurrency(target: Target) -> int:
    """
    Give how many jobs are under way at the same time where nobody says: enough to keep the
    service busy. A ComfyUI server runs one at a time, and lists its whole queue when asked for one.
    """
    return 4 if target.name in ("comfyui", "emulator") else 16
