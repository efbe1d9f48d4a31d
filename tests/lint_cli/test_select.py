"""
Which rules run: selectors, layers, severities, patterns.
"""

from __future__ import annotations

import pickle

import pytest

from comfygraph.errors import UsageError
from comfygraph.lint.builtin import ALWAYS
from comfygraph.lint.diagnostic import Severity
from comfygraph.lint.registry import all_rules, rules_by_name, stable_rules
from comfygraph.lint.select import Selection, SelectLayer, select_rules

STABLE = {rule.id for rule in stable_rules()}


def chosen(*layers: SelectLayer, preview: bool = False) -> set[str]:
    """
    Give the ids that run, but for those that always do.
    """
    return set(select_rules(layers, preview=preview).ids - ALWAYS)


def layer(select: str | None = None, extend: str = "", ignore: str = "") -> SelectLayer:
    """
    Make a layer from words.
    """
    return SelectLayer(
        tuple(select.split()) if select is not None else None,
        tuple(extend.split()),
        tuple(ignore.split()),
    )


def test_all_stable_rules_run_by_default() -> None:
    """
    Without wishes every rule but the preview ones runs.
    """
    assert STABLE - ALWAYS == chosen()


@pytest.mark.parametrize("selector", ["CG301", "cg301", "value-above-max"])
def test_select_one_rule(selector: str) -> None:
    """
    A rule is selected by id in any case, or by name.
    """
    assert {"CG301"} == chosen(layer(selector))


def test_select_by_the_beginning_of_ids() -> None:
    """
    `CG3` stands for the whole family.
    """
    assert {rule_id for rule_id in STABLE if rule_id.startswith("CG3")} == chosen(layer("CG3"))


@pytest.mark.parametrize(
    ("wishes", "runs"),
    [
        (layer("CG3", ignore="CG301"), False),
        (layer("CG301", ignore="CG3"), True),
        (layer("CG301", ignore="CG301"), False),
        (layer("ALL", ignore="CG30"), False),
        (layer(ignore="CG3", extend="CG301"), True),
        (layer("CG1", extend="CG301"), True),
    ],
)
def test_the_more_specific_selector_wins(wishes: SelectLayer, runs: bool) -> None:
    """
    An id beats a prefix and a prefix beats ALL; among equals `ignore` wins.
    """
    assert runs is ("CG301" in chosen(wishes))


def test_a_layer_adds_to_those_below_unless_it_selects() -> None:
    """
    `ignore` in the file holds below a flag that ignores more, and is forgotten by `--select`.
    """
    below = layer(ignore="CG301")

    assert {"CG301", "CG302"}.isdisjoint(chosen(below, layer(ignore="CG302")))
    assert {"CG301"} == chosen(below, layer("CG301"))
    assert "CG301" in chosen(below, layer(extend="CG301"))


def test_what_could_not_be_checked_is_always_told() -> None:
    """
    No selection turns off the findings that say that a check did not happen.
    """
    assert ALWAYS <= select_rules([layer("CG301", ignore="CG000 CG001")]).ids


def test_preview_rules_run_only_where_they_are_asked_for() -> None:
    """
    By their own id or name, or all of them with `preview`.
    """
    preview = {rule.id for rule in all_rules() if rule.status == "preview"}

    assert preview.isdisjoint(chosen(layer("ALL")))
    assert preview <= chosen(layer("ALL"), preview=True)
    assert preview <= chosen(layer(" ".join(sorted(preview)) or None))


@pytest.mark.parametrize(
    ("selector", "hint"),
    [("CG9", None), ("value-abov-max", "did you mean `value-above-max`?"), ("", None)],
)
def test_a_selector_that_names_no_rule(selector: str, hint: str | None) -> None:
    """
    It is an error with the nearest name, whichever list it stands in.
    """
    with pytest.raises(UsageError, match="names no rule") as caught:
        select_rules([SelectLayer(ignore=(selector,))])

    assert hint in (None, caught.value.hint)


def test_severities_by_selector() -> None:
    """
    The more specific wish wins here too.
    """
    severities = select_rules(severities={"CG301": "info", "CG3": "error"}).severities

    assert Severity.INFO == severities["CG301"]
    assert Severity.ERROR == severities["CG302"]
    assert "CG101" not in severities


def test_a_severity_that_is_none() -> None:
    """
    It is an error that lists the severities.
    """
    with pytest.raises(UsageError, match="`fatal` is no severity"):
        select_rules(severities={"CG301": "fatal"})


def test_rules_of_a_file() -> None:
    """
    Patterns start from the folder of the configuration, and match folders too.
    """
    selection = select_rules(
        [layer("CG301 CG302")],
        per_file={"old/": ["CG301"], "*.draft.json": ["CG3"], "new/*.json": ["CG000"]},
        base="/project",
    )

    def ids(file: str) -> set[str]:
        return {rule.id for rule in selection.rules_for(file)} - ALWAYS

    assert {"CG302"} == ids("/project/old/deep/a.json")
    assert set() == ids("/project/x/a.draft.json")
    assert {"CG301", "CG302"} == ids("/project/new/a.json")
    assert {"CG301", "CG302"} == ids("/elsewhere/a.json")


def test_a_selection_can_be_sent_to_another_process() -> None:
    """
    It survives pickling.
    """
    selection = select_rules([layer("CG3")], severities={"CG301": "info"}, per_file={"a": ["CG1"]})

    assert selection == pickle.loads(pickle.dumps(selection))
    assert isinstance(selection, Selection)


def test_names_are_unique() -> None:
    """
    No id, name or former name stands for two rules.
    """
    names = [name for rule in all_rules() for name in (rule.id, rule.name, *rule.aliases)]

    assert len(names) == len(set(names)) == len(rules_by_name())
