"""
Numbers at the end of a report.
"""

from __future__ import annotations

from collections.abc import Sequence

from comfygraph.lint.diagnostic import Report, Severity


def summary_of(reports: Sequence[Report]) -> dict[str, int]:
    """
    Count findings by severity, files, and findings that were silenced.
    """
    return {
        "errors": sum(report.count(Severity.ERROR) for report in reports),
        "warnings": sum(report.count(Severity.WARNING) for report in reports),
        "infos": sum(report.count(Severity.INFO) for report in reports),
        "files": len(reports),
        "suppressed": sum(report.suppressed for report in reports),
    }


def summary_text(reports: Sequence[Report]) -> str:
    """
    Give one line: `2 errors, 1 warning in 12 files · 1 fixable with --fix`.
    """
    counts = summary_of(reports)
    parts = [plural(counts["errors"], "error")]
    if counts["warnings"]:
        parts.append(plural(counts["warnings"], "warning"))
    if counts["infos"]:
        parts.append(f"{counts['infos']} info")
    total = counts["errors"] + counts["warnings"] + counts["infos"]
    files = plural(counts["files"], "file")
    line = f"no findings in {files}" if not total else f"{', '.join(parts)} in {files}"
    fixable = sum(found.fixable for report in reports for found in report.diagnostics)
    if fixable:
        line += f" · {fixable} fixable with --fix"
    if counts["suppressed"]:
        line += f" · {counts['suppressed']} silenced"
    return line


def plural(count: int, word: str) -> str:
    """
    Give a number with its noun.
    """
    return f"{count:,} {word}" if count == 1 else f"{count:,} {word}s"
