"""
The ledger: every job is written down before it is sent, and again whenever more is known of it.

    with open_ledger() as ledger:
        for record in ledger.jobs(Query(states=UNFINISHED)):
            print(record.id, record.state)
"""

from __future__ import annotations

from comfygraph.jobs.ledger.base import (
    ENDED,
    UNFINISHED,
    BatchRecord,
    Changes,
    ClaimLost,
    Holder,
    Intent,
    JobRecord,
    LedgerError,
    Query,
    ResultRecord,
    State,
    new_id,
    request_digest_of,
    variant_id,
    variant_key,
)
from comfygraph.jobs.ledger.claims import Claim
from comfygraph.jobs.ledger.opening import default_place, open_ledger
from comfygraph.jobs.ledger.reading import NoSuchJob
from comfygraph.jobs.ledger.store import Held, Ledger

__all__ = [
    "ENDED",
    "UNFINISHED",
    "BatchRecord",
    "Changes",
    "Claim",
    "ClaimLost",
    "Held",
    "Holder",
    "Intent",
    "JobRecord",
    "Ledger",
    "LedgerError",
    "NoSuchJob",
    "Query",
    "ResultRecord",
    "State",
    "default_place",
    "new_id",
    "open_ledger",
    "request_digest_of",
    "variant_id",
    "variant_key",
]
