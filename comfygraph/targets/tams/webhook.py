"""
Webhooks of TAMS (`runningNotifyUrl`, `notifyUrl`), as a hint to poll.

What the service sends, and whether it signs it, is not documented: a call says that a job may
have news, and nothing in it is believed. Answer it with 200 at once, and poll the job.
"""

from __future__ import annotations

import re

from comfygraph.core.values import JsonValue
from comfygraph.targets.http import read_json_text
from comfygraph.targets.reading import identifier, mapping, pick

MAX_BODY = 1024 * 1024
"""Bytes of a call that are worth reading."""

_ID = re.compile(r"[0-9A-Za-z_\-]{1,64}")
_NAMES = ("id", "jobId", "job_id")


def job_of_call(body: bytes) -> str | None:
    """
    Give the id of the job that a call is about, or `None` where it names none. Never raises.

        job_id = job_of_call(body)
        if job_id in jobs:
            jobs[job_id].nudge()

    Args:
        body: What was posted: `{"job": {"id": ...}}`, `{"id": ...}` or `{"jobId": ...}`.
    """
    if len(body) > MAX_BODY:
        return None
    data = mapping(read_json_text(body))
    for place in (data.get("job"), mapping(data.get("data")).get("job"), data, data.get("data")):
        found = _id_in(place)
        if found is not None:
            return found
    return None


def _id_in(value: JsonValue) -> str | None:
    found = identifier(value) or identifier(pick(value, *_NAMES))
    return found if _ID.fullmatch(found) else None
