"""
Graphs, options and small mappings as they stand in a ledger.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from comfygraph.core.values import JsonValue, Prompt
from comfygraph.jobs.ledger.base import JobRecord, LedgerError, State
from comfygraph.jobs.ledger.engine import Row
from comfygraph.targets.base import Submission

_NO_VARIANT = -1


def pack(submission: Submission) -> tuple[str, bytes]:
    """
    Give the digest and the compressed bytes of a graph with its options.

    Options that are addresses with credentials or a query in them are left out: they may let
    whoever reads the ledger in somewhere.
    """
    options = {
        name: value for name, value in submission.options.items() if not _may_be_secret(value)
    }
    document = [submission.prompt.to_json(), options, list(submission.partial_targets)]
    body = json.dumps(document, separators=(",", ":")).encode()
    return hashlib.sha256(body).hexdigest(), zlib.compress(body, 6)


def unpack(body: bytes, key: str) -> Submission:
    """
    Read what `pack` gave.

    Raises:
        LedgerError: It is damaged.
    """
    prompt, options, partial = _unpacked(body)
    return Submission(prompt, key, dict(options), partial)


@lru_cache(maxsize=2)  # whoever carries a job out reads its graph more than once
def _unpacked(body: bytes) -> tuple[Prompt, dict[str, JsonValue], tuple[str, ...]]:
    try:
        prompt, options, partial = json.loads(zlib.decompress(body))
    except (zlib.error, ValueError) as exc:
        raise LedgerError("the graph in the ledger is damaged") from exc
    return Prompt.from_json(prompt), options, tuple(partial)


def _may_be_secret(option: JsonValue) -> bool:
    todo = [option]
    while todo:
        value = todo.pop()
        if isinstance(value, Mapping):
            todo += value.values()
        elif isinstance(value, list | tuple):
            todo += value
        elif isinstance(value, str) and _lets_in(value):
            return True
    return False


def _lets_in(text: str) -> bool:
    if "://" not in text:
        return False
    try:
        parts = urlsplit(text)
    except ValueError:
        return True
    return bool(parts.query or parts.username or parts.password)


def column_of(variant: int | None) -> int:
    """
    Write the place in a batch; it sorts, so it is never null.
    """
    return _NO_VARIANT if variant is None else variant


def to_text(mapping: Mapping[str, Any]) -> str:
    """
    Write a small mapping; nothing for an empty one.
    """
    return json.dumps(dict(mapping), separators=(",", ":")) if mapping else ""


def from_text(text: str) -> dict[str, Any]:
    """
    Read what `to_text` gave.
    """
    return json.loads(text) if text else {}


def record_of(row: Row) -> JobRecord:
    """
    Read a row of `statements.SELECT_JOBS`.
    """
    (
        job, state, target, base_url, key, digest, request_digest, job_id, extra,
        label, out, batch, variant, parameters, retry_of, attempts, fraction, cost,
        error, message, transient, created, updated, ended, intended_mark,
        accepted_mark, holder,
    ) = row  # fmt: skip
    return JobRecord(
        id=job,
        state=State(state),
        target=target,
        base_url=base_url,
        key=key,
        digest=digest,
        request_digest=request_digest,
        job_id=job_id,
        extra=from_text(extra),
        label=label,
        out=out,
        batch=batch,
        variant=None if variant == _NO_VARIANT else variant,
        parameters=from_text(parameters),
        retry_of=retry_of,
        attempts=attempts,
        fraction=fraction,
        cost=cost,
        error=error,
        message=message,
        transient=bool(transient),
        created=created,
        updated=updated,
        ended=ended,
        intended_mark=intended_mark,
        accepted_mark=accepted_mark,
        holder=holder,
    )
