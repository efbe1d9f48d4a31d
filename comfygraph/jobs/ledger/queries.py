"""
From a `Query` to a condition in SQL.
"""

from __future__ import annotations

from typing import Any

from comfygraph.jobs.ledger.base import Query

_SEARCHED = ("label", "id", "job_id", "key", "message", "parameters", "target", "batch")


def conditions(query: Query) -> tuple[str, tuple[Any, ...]]:
    """
    Give a condition, never empty, and its values.
    """
    parts: list[str] = ["1 = 1"]
    values: list[Any] = []
    if query.states:
        names = sorted(state.value for state in query.states)
        parts.append(f"state IN ({', '.join('?' * len(names))})")
        values += names
    for column in ("target", "base_url", "request_digest", "key"):
        value = getattr(query, column)
        if value:
            parts.append(f"{column} = ?")
            values.append(value)
    if query.batch is not None:
        parts.append("batch = ?")
        values.append(query.batch)
    if query.since is not None:
        parts.append("created >= ?")
        values.append(query.since)
    if query.before is not None:
        parts.append("updated < ?")
        values.append(query.before)
    if query.text:
        literal = query.text.lower()
        for char in "\\%_":
            literal = literal.replace(char, f"\\{char}")
        found = " OR ".join(f"LOWER({column}) LIKE ? ESCAPE '\\'" for column in _SEARCHED)
        parts.append(f"({found})")
        values += [f"%{literal}%"] * len(_SEARCHED)
    return " AND ".join(parts), tuple(values)
