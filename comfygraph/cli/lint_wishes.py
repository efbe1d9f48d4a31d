"""
What `comfygraph lint` is asked for: flags, environment and configuration put together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from comfygraph.errors import UsageError
from comfygraph.lint.batch import Work
from comfygraph.lint.context import LintOptions
from comfygraph.lint.globs import anchored
from comfygraph.lint.select import Selection, SelectLayer, select_rules

if TYPE_CHECKING:
    from comfygraph.catalog.lock import Lock
    from comfygraph.config import Settings


def work_of(flags: dict[str, Any], known: Settings) -> Work:
    """
    Give what is to be done with each file.

    Args:
        flags: The options of the command line, by name.
        known: What the environment and the configuration say.

    Raises:
        UsageError: A wish names no rule, or has the wrong form.
    """
    catalog = known.get("catalog", flags["catalog"])
    files = known.get("files", flags["files"]) or ("strict" if catalog else "assume")
    return Work(
        _selection(flags, known),
        catalog=catalog,
        options=LintOptions(
            strict_files=files == "strict",
            target=known.get("target", flags["target"]),
            lock=_lock(known.get("lock", flags["lock"])),
            **_analysis(known),
        ),
        fix=_fix_mode(flags),
        unsafe=flags["unsafe_fixes"],
        graphs_only=flags["graphs_only"],
        stdin_name=flags["stdin_filename"] or "<stdin>",
    )


def _analysis(known: Settings) -> dict[str, Any]:
    """Give what the configuration says of classes and of models."""
    from comfygraph.config import Settings

    told = Settings("analysis", known.config, known.environ)
    classes, families = told.get("classes") or {}, told.get("families") or {}
    if classes:
        from comfygraph.analysis.flow import check_words

        for class_type, words in classes.items():
            check_words(class_type, words)
    return {"classes": classes, "families": families}


def _lock(path: str | None) -> Lock | None:
    if path is None:
        return None
    from pathlib import Path

    from comfygraph.catalog.lock import read_lock

    return read_lock(Path(path))


def _fix_mode(flags: dict[str, Any]) -> Literal["none", "write", "diff"]:
    if flags["diff"]:
        return "diff"
    return "write" if flags["fix"] or flags["unsafe_fixes"] else "none"


def _selection(flags: dict[str, Any], known: Settings) -> Selection:
    layers = [
        SelectLayer(
            tuple(get("select")) if get("select") is not None else None,
            tuple(get("extend-select") or ()),
            tuple(get("ignore") or ()),
        )
        for get in (known.from_file, known.from_environment)
    ]
    layers.append(
        SelectLayer(
            tuple(split(flags["select"])) or None,
            tuple(split(flags["extend_select"])),
            tuple(split(flags["ignore"])),
        )
    )
    per_file = {key: list(value) for key, value in (known.get("per-file-ignores") or {}).items()}
    for text in flags["per_file_ignore"]:
        pattern, _, rules = text.rpartition(":")
        if not pattern:
            raise UsageError(f"`{text}` is not PATTERN:RULES")
        pattern = anchored(pattern, known.config.folder or "")
        per_file.setdefault(pattern, []).extend(split((rules,)))
    severities = dict(known.get("severity") or {})
    for text in flags["severity"]:
        rule, _, level = text.partition("=")
        severities[rule.strip()] = level.strip()
    return select_rules(
        layers,
        severities=severities,
        per_file=per_file,
        base=known.config.folder or "",
        preview=known.get("preview", flags["preview"]),
    )


def split(texts: tuple[str, ...]) -> list[str]:
    """
    Give the parts of texts that have commas between them.
    """
    return [part.strip() for text in texts for part in text.split(",") if part.strip()]
