"""
Make `comfygraph/lint/rules/_table.py` from the rules in the files beside it.

    python scripts/make_rule_table.py

The table lets a clean file be checked without importing the rules that it cannot break.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from comfygraph.lint.rule import Rule

RULES = Path(__file__).parent.parent / "comfygraph" / "lint" / "rules"
HEAD = '''"""
What is known of each rule without importing it. Written by `scripts/make_rule_table.py`.
"""

from __future__ import annotations

# id, name, severity, module, since, server error, status, aliases, signs
# fmt: off
TABLE: tuple[
    tuple[str, str, str, str, str, str | None, str, tuple[str, ...], tuple[str, ...]], ...
] = (
'''


def table_text() -> str:
    """
    Give the text of the table, rules ascending by id.
    """
    rows = []
    for path in RULES.glob("[!_]*.py"):
        rule = getattr(import_module(f"comfygraph.lint.rules.{path.stem}"), path.stem)
        assert isinstance(rule, Rule), path
        row = (rule.id, rule.name, rule.severity.value, path.stem, rule.since)
        rows.append((*row, rule.server_error, rule.status, rule.aliases, rule.signs))
    lines = [f"    {row!r},\n".replace("'", '"') for row in sorted(rows)]
    return HEAD + "".join(lines) + ")\n"


if __name__ == "__main__":
    (RULES / "_table.py").write_text(table_text(), encoding="utf-8")
