"""
Write the generated parts of README.md: the tables of rules, configuration and public names.

    python scripts/make_readme.py
"""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import comfygraph
from comfygraph.config_keys import SECTIONS, Key, Kind
from comfygraph.lint.registry import all_rules
from comfygraph.lint.rule import FAMILIES, Rule

LONGEST = 110
"""Characters from which a sentence is cut at its colon."""

README = Path(__file__).parent.parent / "README.md"


def rules_part() -> str:
    """
    Give the tables of the rules, one a family.
    """
    lines = [
        "`comfygraph rule CG303` explains one, with an example.",
        "Preview rules run with `--preview`.",
        "Rules with a name in the fourth column foretell that very error of the ComfyUI server.",
    ]
    for digit, family in FAMILIES.items():
        rules = [rule for rule in all_rules() if rule.id[2] == digit]
        if not rules:
            continue
        lines += [
            "",
            f"**{family.capitalize()}**",
            "",
            "| Id | Name | Severity | ComfyUI | Finds |",
        ]
        lines += ["|-|-|-|-|-|", *map(_row, rules)]
    return "\n".join(lines)


def _row(rule: Rule) -> str:
    name = f"`{rule.name}`" + (" (preview)" if rule.status == "preview" else "")
    error = f"`{rule.server_error}`" if rule.server_error else ""
    return f"| {rule.id} | {name} | {rule.severity.value} | {error} | {_what(rule)} |"


def _what(rule: Rule) -> str:
    """The first sentence below "What it does", without its verb."""
    text = rule.documentation.partition("## What it does\n")[2].partition("\n\n")[0]
    sentence = re.split(r"(?<=[a-z`)\]])\.(?:\s|$)", " ".join(text.split()), maxsplit=1)[0]
    if len(sentence) > LONGEST and not sentence.startswith("With "):
        sentence = sentence.partition(": ")[0]
    words = sentence.removeprefix("Reports ").replace(": reports ", ": ")
    return words.replace("|", "\\|").rstrip(".")


def config_part() -> str:
    """
    Give the table of the keys of the configuration.
    """
    lines = ["| Key | Takes | Default | What for |", "|-|-|-|-|"]
    for section, keys in SECTIONS.items():
        lines += [_key_row(f"{section}.{name}", key) for name, key in keys.items()]
    return "\n".join(lines)


def _key_row(name: str, key: Key) -> str:
    takes = key.kind.value
    if key.choices:
        words = ", ".join(f"`{choice}`" for choice in key.choices)
        takes = words if key.kind is Kind.CHOICE else f"{takes}: {words}"
    default = "" if key.default is None else f"`{str(key.default).lower()}`"
    return f"| `{name}` | {takes} | {default} | {key.help} |"


def names_part() -> str:
    """
    Give the table of the public names.
    """
    lines = ["| Name | What it is |", "|-|-|"]
    for name in comfygraph.__all__:
        value = getattr(comfygraph, name)
        text = inspect.getdoc(value) or ""
        if inspect.ismodule(value):  # `comfygraph.lint` is a package that can be called.
            text = inspect.getdoc(getattr(value, name)) or ""
        summary = " ".join(text.partition("\n\n")[0].split()).rstrip(".")
        lines.append(f"| `{name}` | {summary.replace('|', chr(92) + '|')} |")
    return "\n".join(lines)


PARTS = {"names": names_part, "rules": rules_part, "config": config_part}


def with_parts(text: str) -> str:
    """
    Give a text with its generated parts written anew.

    Raises:
        ValueError: A part has no place: two marks, such as `<!-- rules:start -->`.
    """
    for name, make in PARTS.items():
        start, end = f"<!-- {name}:start -->\n", f"<!-- {name}:end -->"
        before, found, rest = text.partition(start)
        _, closed, after = rest.partition(end)
        if not found or not closed:
            raise ValueError(f"no place for the part {name!r}")
        text = f"{before}{start}{make()}\n{end}{after}"
    return text


if __name__ == "__main__":
    README.write_text(with_parts(README.read_text("utf-8")), encoding="utf-8")
