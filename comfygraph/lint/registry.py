"""
Every rule there is, and the names that a person may use for them.
"""

from __future__ import annotations

from functools import cache

from comfygraph.lint.builtin import BUILTIN_RULES
from comfygraph.lint.conversion_rules import CONVERSION_RULES
from comfygraph.lint.rule import Rule
from comfygraph.lint.rules import RULES


@cache
def all_rules() -> tuple[Rule, ...]:
    """
    Give every rule, in the order of the ids.
    """
    return tuple(sorted((*RULES, *CONVERSION_RULES, *BUILTIN_RULES), key=lambda rule: rule.id))


@cache
def stable_rules() -> tuple[Rule, ...]:
    """
    Give the rules that run where nobody says otherwise.
    """
    return tuple(rule for rule in all_rules() if rule.status == "stable")


@cache
def rules_by_name() -> dict[str, Rule]:
    """
    Give id, name and former names → rule.
    """
    out = {rule.id: rule for rule in all_rules()}
    for rule in all_rules():
        out.update(dict.fromkeys((rule.name, *rule.aliases), rule))
    return out


def matching_ids(selector: str) -> tuple[int, frozenset[str]]:
    """
    Give what a selector stands for.

    Args:
        selector: `ALL`, an id (`CG301`), the beginning of ids (`CG3`) or a name.

    Returns:
        How specific it is (0 for `ALL`, up to 5 for a single rule), and the ids; none where
        it names no rule.
    """
    text = selector.strip()
    folded = text.upper()
    if folded == "ALL":
        return 0, frozenset(rule.id for rule in all_rules())
    if folded.startswith("CG") and len(folded) <= 5 and (folded == "CG" or folded[2:].isdigit()):
        ids = frozenset(rule.id for rule in all_rules() if rule.id.startswith(folded))
        return len(folded), ids
    rule = rules_by_name().get(text.casefold())
    return 5, frozenset((rule.id,)) if rule is not None else frozenset()


def nearest_selector(selector: str) -> str | None:
    """
    Give the name or id that somebody may have meant by a selector that names no rule.
    """
    from comfygraph.core.nearest import nearest

    found = nearest(selector, [*rules_by_name(), "ALL"])
    return found[0] if found else None
