"""
The keys of the configuration: what each takes, its default, and what it is for.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from comfygraph.core.records import NamedTuple


class Kind(Enum):
    """
    What a key takes.
    """

    TEXT = "text"
    PATH = "path"
    FLAG = "true or false"
    NUMBER = "number"
    COUNT = "whole number"
    CHOICE = "choice"
    LIST = "list of texts"
    TABLE = "table of texts"
    LISTS = "table of lists of texts"
    TABLES = "table of tables of texts"


class Key(NamedTuple):
    """
    One key.

    Args:
        kind: What it takes.
        help: What it is for, one line.
        default: Its value where nobody gives one.
        choices: The values that a `CHOICE` (or each value of a `TABLE`) may have.
    """

    kind: Kind
    help: str
    default: Any = None
    choices: tuple[str, ...] = ()

    def problem(self, value: Any) -> str | None:
        """
        Say what is wrong with a value, or `None`.
        """
        if not self._fits(value):
            return f"takes a {self.kind.value}" if self.kind is not Kind.CHOICE else self._one_of()
        if self.choices:
            given = value.values() if isinstance(value, dict) else (value,)
            if any(item not in self.choices for item in given):
                return self._one_of()
        return None

    def _one_of(self) -> str:
        return f"takes one of {', '.join(self.choices)}"

    def _fits(self, value: Any) -> bool:
        match self.kind:
            case Kind.TEXT | Kind.PATH | Kind.CHOICE:
                return isinstance(value, str)
            case Kind.FLAG:
                return isinstance(value, bool)
            case Kind.NUMBER:
                return isinstance(value, int | float) and not isinstance(value, bool)
            case Kind.COUNT:
                return isinstance(value, int) and not isinstance(value, bool) and value >= 0
            case Kind.LIST:
                return _texts(value)
            case Kind.TABLE:
                return isinstance(value, dict) and _texts(list(value.values()))
            case Kind.LISTS:
                return isinstance(value, dict) and all(map(_texts, value.values()))
            case Kind.TABLES:
                return isinstance(value, dict) and all(
                    isinstance(item, dict) and _texts(list(item.values()))
                    for item in value.values()
                )


def _texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


LINT_TARGETS = ("comfyui", "tams", "civitai", "civitai-custom", "civitai-app")
SEVERITIES = ("error", "warning", "info")

LINT: Mapping[str, Key] = {
    "select": Key(Kind.LIST, "run these rules and no others: ids, beginnings of ids, names, ALL"),
    "extend-select": Key(Kind.LIST, "run these rules also"),
    "ignore": Key(Kind.LIST, "do not run these rules"),
    "severity": Key(Kind.TABLE, "rule = error, warning or info", choices=SEVERITIES),
    "per-file-ignores": Key(Kind.LISTS, "pattern = rules that do not run on the files"),
    "preview": Key(Kind.FLAG, "run preview rules too", False),
    "catalog": Key(Kind.PATH, "a saved /object_info to check against, instead of the core"),
    "files": Key(
        Kind.CHOICE,
        "`strict`: names of files must be in the catalog's lists; `assume` takes any name; "
        "default is strict with a catalog of your own",
        choices=("assume", "strict"),
    ),
    "target": Key(
        Kind.CHOICE, "also check what this service takes", choices=LINT_TARGETS
    ),
    "exclude": Key(Kind.LIST, "patterns of files and folders to leave out"),
    "baseline": Key(Kind.PATH, "findings that are known and not told again"),
    "lock": Key(Kind.PATH, "a file of `comfygraph catalog lock`: tell what changed since"),
    "fail-on": Key(
        Kind.CHOICE, "the least severity that makes the exit code 1", "error",
        (*SEVERITIES, "never"),
    ),
    "format": Key(
        Kind.CHOICE, "how findings are printed", "text",
        ("text", "concise", "json", "sarif", "github", "junit", "markdown"),
    ),
    "jobs": Key(Kind.COUNT, "processes; 0 chooses by the number of files", 0),
}  # fmt: skip

SUBMIT: Mapping[str, Key] = {
    "target": Key(Kind.TEXT, "the service to run on; default is the embedded emulator"),
    "url": Key(Kind.TEXT, "the base URL of the service, without credentials"),
    "out": Key(Kind.PATH, "the folder for the files that a job makes"),
    "catalog": Key(Kind.PATH, "a saved /object_info to check against before anything is sent"),
    "timeout": Key(Kind.NUMBER, "seconds after which waiting for the job ends"),
}

ANALYSIS: Mapping[str, Key] = {
    "classes": Key(
        Kind.TABLES,
        'class = what it does to what passes through it, such as `size = "scale 2 image"`; '
        "the words are those of `comfygraph/analysis/table.py`",
    ),
    "families": Key(
        Kind.TABLE, "name or id of a model = its family, AIR ecosystem or base model, such as sdxl"
    ),
}

SECTIONS: Mapping[str, Mapping[str, Key]] = {"lint": LINT, "analysis": ANALYSIS, "submit": SUBMIT}
"""Section → key → what it takes. A command that wants a key of its own adds it here."""
