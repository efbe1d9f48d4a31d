"""
What the rules say of themselves: examples that fire, metadata that fits, a table that is fresh.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import pytest

from comfygraph.catalog import catalog_from_mapping, load_catalog
from comfygraph.catalog.lock import Lock, make_lock
from comfygraph.core.values import Prompt
from comfygraph.lint import LintOptions, Report, Severity
from comfygraph.lint.engine import lint_file
from comfygraph.lint.registry import all_rules
from comfygraph.lint.rule import Rule
from comfygraph.lint.rules import RULES

ROOT = Path(__file__).parents[2]
CAUSES = {"CG110": {"CG302"}, "CG113": {"CG303"}}
"""What a rule about consequences is shown with: the cause is a finding too."""


def _examples(rule: Rule) -> list[bytes]:
    blocks = re.findall(r"```(json|python)\n(.*?)```", rule.documentation, re.S)
    return [
        text.encode() if kind == "json" else json.dumps(eval(text)).encode()
        for kind, text in blocks
    ]


def _lint(rule: Rule, text: bytes) -> Report:
    targets = [sign.removeprefix("target:") for sign in rule.signs if sign.startswith("target:")]
    options = LintOptions(
        strict_files=rule.id == "CG314",
        target=targets[0] if targets else None,
        lock=_older_lock() if "lock" in rule.signs else None,
        families={"664602165660323756": "sdxl"} if rule.id == "CG724" else {},
    )
    return lint_file(text, name="example.json", options=options)


def _older_lock() -> Lock:
    entry = deepcopy(dict(load_catalog()["ImageScale"].raw))
    entry["input"]["required"]["upscale_method"][0].append("lanczos-sharp")
    catalog = catalog_from_mapping({"ImageScale": entry})
    return make_lock(Prompt.from_json({"1": {"class_type": "ImageScale", "inputs": {}}}), catalog)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_example_fires(rule: Rule) -> None:
    """
    The example of a rule sets off this rule, and no other.
    """
    found = {diagnostic.rule_id for diagnostic in _lint(rule, _examples(rule)[0])}

    assert {rule.id} | CAUSES.get(rule.id, set()) == found


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_better_example_is_clean(rule: Rule) -> None:
    """
    What the documentation proposes instead has no finding at all.
    """
    report = _lint(rule, _examples(rule)[1])

    assert [] == [(d.rule_id, d.message) for d in report]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_documentation(rule: Rule) -> None:
    """
    Each rule says what it does, why, and shows both examples.
    """
    heads = re.findall(r"^## (.*)$", rule.documentation, re.M)

    assert ["What it does", "Why is this bad?", "Example", "Use instead"] == heads
    assert len(_examples(rule)) == 2


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_messages(rule: Rule) -> None:
    """
    Messages are one line, start small and have no full stop at the end; so does the help.
    """
    for diagnostic in _lint(rule, _examples(rule)[0]):
        for text in (diagnostic.message, diagnostic.help or "x"):
            assert "\n" not in text
            assert not text.endswith(".")
            assert not re.match(r"[A-Z][a-z]+ [a-z]", text)
        assert len(diagnostic.message) < 300


def test_ids_and_names() -> None:
    """
    Ids ascend and are unique, names are unique and read like words.
    """
    rules = all_rules()
    ids = [rule.id for rule in rules]
    names = [rule.name for rule in rules]

    assert sorted(set(ids)) == ids
    assert len(names) == len(set(names))
    assert [] == [name for name in names if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name)]
    assert [] == [rule.id for rule in rules if not re.fullmatch(r"CG[0-7]\d\d", rule.id)]


def test_table_is_fresh() -> None:
    """
    The table of the rules is what their files say (`scripts/make_rule_table.py`).
    """
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        from make_rule_table import table_text  # type: ignore[import-not-found]  # a script
    finally:
        sys.path.pop(0)

    assert table_text() == (ROOT / "comfygraph/lint/rules/_table.py").read_text("utf-8")


def test_server_errors_are_errors() -> None:
    """
    Only what the server refuses carries the name of a server error, and all of that is an error.
    """
    assert [] == [
        rule.id for rule in RULES if rule.server_error and rule.severity is not Severity.ERROR
    ]


HEAVY = ("networkx", "httpx", "jsonschema", "pydantic", "rich", "websockets", "starlette")


@pytest.mark.parametrize(
    ("graph", "unused"),
    [
        (ROOT / "examples" / "hires.json", ("secret_in_value", "predict", "packs", "graph")),
        (ROOT / "tests" / "data" / "seed" / "tams_workflow.json", ("type_mismatch", "walk")),
    ],
)
def test_a_clean_graph_imports_little(graph: Path, unused: tuple[str, ...]) -> None:
    """
    Checking a clean graph imports neither heavy libraries nor the rules that it cannot break.
    """
    code = (
        "import sys\nfrom comfygraph.cli import run\n"
        f"code = run(['lint', {str(graph)!r}])\n"
        "print('MODULES', code, *sorted(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    line = next(line for line in done.stdout.splitlines() if line.startswith("MODULES"))
    _, exit_code, *modules = line.split()

    assert exit_code == "0"
    assert [] == [name for name in modules if name.partition(".")[0] in HEAVY]
    assert [] == [
        name
        for name in modules
        if name.startswith("comfygraph") and name.rpartition(".")[2] in unused
    ]
