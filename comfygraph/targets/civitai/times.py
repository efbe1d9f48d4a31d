"""
Durations as Civitai writes them: the .NET text `HH:MM:SS`, from a day on `D.HH:MM:SS`; and
moments as its lists take them: ISO 8601 in UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time

from comfygraph.core.nearest import shorten
from comfygraph.errors import UsageError

_SPAN = re.compile(r"(?:(\d{1,3})\.(?=[01]?\d:|2[0-3]:))?(\d{1,3}):([0-5]\d):([0-5]\d)")


def time_span(seconds: float) -> str:
    """
    Write a duration as the .NET text `HH:MM:SS`, from a day on `D.HH:MM:SS`.
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    day = f"{days}." if days else ""
    return f"{day}{hours:02}:{minutes:02}:{rest:02}"


def read_span(text: str) -> int | None:
    """
    Read `HH:MM:SS` (the hours may be more than a day) or `D.HH:MM:SS` as seconds; `None` for
    anything else.
    """
    found = _SPAN.fullmatch(text.strip())
    if found is None:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def moment(text: str, *, end: bool = False) -> str:
    """
    Read a date or a moment and write it in UTC with milliseconds, `2026-10-02T10:15:30.123Z`.

    Args:
        text: ISO 8601. Without an offset it is UTC; a date alone is its first moment.
        end: Whether a date alone is its last moment instead.

    Raises:
        UsageError: It is neither.
    """
    try:
        if len(text.strip()) <= len("2026-10-02"):
            day = date.fromisoformat(text.strip())
            at = datetime.combine(day, time(23, 59, 59, 999000) if end else time(), UTC)
        else:
            at = datetime.fromisoformat(text.strip())
            at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError) as exc:
        raise UsageError(
            f"`{shorten(text)}` is no date",
            hint="write it like 2026-10-02, or 2026-10-02T10:15:30Z",
        ) from exc
    return at.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
