"""
`comfygraph rule`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from comfygraph.errors import UsageError

if TYPE_CHECKING:
    from comfygraph.lint.rule import Rule


@click.command(short_help="Explain a lint rule, or list them all.")
@click.argument("name", required=False, metavar="[ID|NAME]")
@click.option(
    "--format", "format_", type=click.Choice(["md", "json"]), default="md",
    help="Markdown or JSON.",
)  # fmt: skip
def rule(name: str | None, format_: str) -> None:
    """
    Explain a lint rule, or list them all.

    \b
    comfygraph rule
    comfygraph rule CG303
    comfygraph rule type-mismatch --format json

    Exit codes: 0 fine, 2 no such rule.
    """
    from comfygraph.lint.registry import all_rules, nearest_selector, rules_by_name

    if name is None:
        rules = all_rules()
        click.echo(
            json.dumps([rule_to_json(found) for found in rules], indent=2, ensure_ascii=False)
            if format_ == "json"
            else rule_table(rules)
        )
        return
    found = rules_by_name().get(name) or rules_by_name().get(name.upper())
    if found is None:
        near = nearest_selector(name)
        raise UsageError(
            f"no rule is called `{name[:100]}`", hint=f"did you mean `{near}`?" if near else None
        )
    if format_ == "json":
        click.echo(json.dumps(rule_to_json(found), indent=2, ensure_ascii=False))
    else:
        click.echo(rule_page(found))


def rule_to_json(rule: Rule) -> dict[str, Any]:
    """
    Give all that is known of a rule.
    """
    return {
        "id": rule.id,
        "name": rule.name,
        "aliases": list(rule.aliases),
        "family": rule.family,
        "severity": rule.severity.value,
        "status": rule.status,
        "since": rule.since,
        "server_error": rule.server_error,
        "documentation": rule.documentation,
    }


def rule_page(rule: Rule) -> str:
    """
    Give the documentation of a rule as Markdown.
    """
    facts = [f"{rule.severity.value}", f"family: {rule.family}", f"since {rule.since}"]
    if rule.status == "preview":
        facts.append("preview")
    if rule.server_error:
        facts.append(f"ComfyUI answers `{rule.server_error}`")
    if rule.aliases:
        facts.append(f"formerly {', '.join(f'`{alias}`' for alias in rule.aliases)}")
    return f"# {rule.id} {rule.name}\n\n{' · '.join(facts)}\n\n{rule.documentation}"


def rule_table(rules: tuple[Rule, ...]) -> str:
    """
    Give rules as a table, aligned for the terminal: id, name, severity, family.
    """
    wide = max(len(rule.name) for rule in rules)
    return "\n".join(
        f"{rule.id}  {rule.name:<{wide}}  {rule.severity.value:<7}  {rule.family}"
        + (" (preview)" if rule.status == "preview" else "")
        for rule in rules
    )
