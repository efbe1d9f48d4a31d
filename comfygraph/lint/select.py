"""
Which rules run on which file, and how bad their findings are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from comfygraph.core.records import NamedTuple
from comfygraph.errors import UsageError
from comfygraph.lint.builtin import ALWAYS
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.registry import all_rules, matching_ids, nearest_selector, stable_rules
from comfygraph.lint.rule import Rule


class SelectLayer(NamedTuple):
    """
    The wishes of one place: the configuration file, the environment, or the command line.

    Args:
        select: Run these and no others; `None` keeps what the layer below says.
        extend_select: Run these also.
        ignore: Do not run these.
    """

    select: tuple[str, ...] | None = None
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()


class Selection(NamedTuple):
    """
    The rules in force. Holds ids, so that it can be sent to another process.

    Args:
        ids: The rules to run.
        severities: Id → severity, where it is not the rule's own.
        per_file: Patterns (see `globs`) with the ids that do not run on files that they match.
        base: The folder that the patterns start from, posix style with a final `/`, or `""`.
    """

    ids: frozenset[str]
    severities: Mapping[str, Severity]
    per_file: tuple[tuple[str, frozenset[str]], ...] = ()
    base: str = ""

    def rules_for(self, file: str) -> tuple[Rule, ...]:
        """
        Give the rules to run on a file, in the order of the ids.
        """
        ids = self.ids
        if self.per_file:
            from comfygraph.lint.globs import matches_file

            for pattern, ignored in self.per_file:
                if matches_file(pattern, file, self.base):
                    ids -= ignored
        return tuple(rule for rule in all_rules() if rule.id in ids)


def select_rules(
    layers: Iterable[SelectLayer] = (),
    *,
    severities: Mapping[str, str] | None = None,
    per_file: Mapping[str, Sequence[str]] | None = None,
    base: str = "",
    preview: bool = False,
) -> Selection:
    """
    Work out which rules run.

    The more specific selector wins, and `ignore` where both are alike: `select = ["CG301"]` with
    `ignore = ["CG3"]` runs CG301. A layer with `select` forgets the layers below it.

    Args:
        layers: From the weakest to the strongest.
        severities: Selector → `error`, `warning` or `info`.
        per_file: Pattern → selectors that are ignored on the files that it matches.
        base: The folder that the patterns start from.
        preview: Run preview rules also where they are not named one by one.

    Raises:
        UsageError: A selector names no rule, or a severity is none.
    """
    enabled = {rule.id for rule in (all_rules() if preview else stable_rules())}
    unstable = {rule.id for rule in all_rules() if rule.status == "preview"}
    for layer in layers:
        if layer.select is not None:
            enabled = set()
        wishes = [(text, True) for text in (*(layer.select or ()), *layer.extend_select)]
        wishes += [(text, False) for text in layer.ignore]
        resolved = [(*_resolve(text), on) for text, on in wishes]
        # A stable sort: `ignore` comes last among the equally specific ones.
        for weight, ids, on in sorted(resolved, key=lambda item: item[0]):
            if not on:
                enabled -= ids
            elif preview or weight == 5:
                enabled |= ids
            else:
                enabled |= ids - unstable
    return Selection(
        frozenset(enabled | ALWAYS),
        _severities(severities or {}),
        tuple(
            (pattern, frozenset[str]().union(*(_resolve(text)[1] for text in texts)) - ALWAYS)
            for pattern, texts in (per_file or {}).items()
        ),
        base,
    )


def _severities(wishes: Mapping[str, str]) -> dict[str, Severity]:
    out: dict[str, Severity] = {}
    resolved = []
    for text, word in wishes.items():
        if word not in list(Severity):
            raise UsageError(
                f"`{word}` is no severity (of `{text}`)", hint="one of error, warning, info"
            )
        resolved.append((*_resolve(text), Severity(word)))
    for _, ids, severity in sorted(resolved, key=lambda item: item[0]):
        out.update(dict.fromkeys(sorted(ids), severity))
    return out


def _resolve(selector: str) -> tuple[int, frozenset[str]]:
    weight, ids = matching_ids(selector)
    if not ids:
        near = nearest_selector(selector)
        raise UsageError(
            f"`{selector[:100]}` names no rule",
            hint=f"did you mean `{near}`?" if near else "`comfygraph rule` lists them all",
        )
    return weight, ids
