"""
What a finding is recognised by from one version of a file to the next.
"""

from __future__ import annotations

from collections import Counter
from hashlib import sha256

from comfygraph.lint.diagnostic import Report


def fingerprints_of(report: Report) -> list[str]:
    """
    Give one fingerprint a finding, in their order, each unlike the others of the report.

    Made of rule, node and input, and the pointer where no node is concerned: moved lines,
    other numbers and other words do not change it. Several alike are numbered.
    """
    seen: Counter[str] = Counter()
    out = []
    for found in report:
        place = found.pointer if found.node_id is None else ""
        parts = (found.rule_id, found.node_id or "", found.input or "", place)
        digest = sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]
        seen[digest] += 1
        out.append(f"{digest}:{seen[digest]}")
    return out
