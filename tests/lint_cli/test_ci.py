"""
Lint in CI: the pre-commit hooks, the GitHub Action, and what the README says of them.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from comfygraph import __version__
from comfygraph.config import load_config

from .conftest import Runner, graph, write

yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")

ROOT = Path(__file__).parent.parent.parent
README = (ROOT / "README.md").read_text("utf-8")
ACTION = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
HOOKS = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))
STEPS = {step.get("id", index): step for index, step in enumerate(ACTION["runs"]["steps"])}


def blocks(language: str) -> list[str]:
    """
    Give the code blocks of a language in the README's part about CI.
    """
    part = README.partition("<!-- ci:start -->")[2].partition("<!-- ci:end -->")[0]
    return re.findall(rf"```{language}\n(.*?)```", part, re.DOTALL)


def test_generated_parts_of_the_readme(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """
    The tables of rules and keys are what `scripts/make_readme.py` writes; `--update` writes them.
    """
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    from make_readme import with_parts  # type: ignore[import-not-found]  # a script

    sys.modules.pop("make_readme")
    made = with_parts(README)
    if request.config.getoption("--update"):
        (ROOT / "README.md").write_text(made, "utf-8")

    assert made == README


def test_the_readme_shows_hooks_that_exist() -> None:
    """
    The version and the ids in its pre-commit configuration are ours.
    """
    (repository,) = yaml.safe_load(blocks("yaml")[0])["repos"]

    assert f"v{__version__}" == repository["rev"]
    assert {hook["id"] for hook in repository["hooks"]} <= {hook["id"] for hook in HOOKS}


def test_the_readme_shows_an_action_that_exists() -> None:
    """
    The version is ours, the inputs are those of the action, and all is pinned.
    """
    steps = yaml.safe_load(blocks("yaml")[1])["steps"]
    ours = steps[-1]

    assert ours["uses"].endswith(f"@v{__version__}")
    assert set(ours["with"]) <= set(ACTION["inputs"])
    assert all(re.search(r"@v\d+\.\d+\.\d+$", step["uses"]) for step in steps)


def test_the_readme_shows_a_configuration_that_is_one(tmp_path: Path) -> None:
    """
    It is read without complaint.
    """
    (text,) = blocks("toml")
    (tmp_path / "comfygraph.toml").write_text(text)

    assert tomllib.loads(text) == load_config(start=str(tmp_path)).sections


def test_the_readme_shows_commands_that_run(run: Runner, tmp_path: Path) -> None:
    """
    Each line of its shell block ends well in a folder with a graph.
    """
    write(tmp_path / "a.json", graph(colour=3))
    lines = [line.partition("#")[0].split()[1:] for line in blocks("bash")[0].splitlines()]

    assert [0] * len(lines) == [run(*line).code for line in lines]
    assert len(lines) >= 5


@pytest.mark.parametrize("hook", HOOKS, ids=lambda hook: hook["id"])
def test_hooks_are_commands_that_run(run: Runner, tmp_path: Path, hook: dict[str, Any]) -> None:
    """
    A hook gets names of JSON files, graphs and others, and passes when the graphs are fine.
    """
    write(tmp_path / "a.json", graph())
    write(tmp_path / "package.json", {"name": "x"})
    program, *arguments = hook["entry"].split()

    assert ("comfygraph", "python", ["json"]) == (program, hook["language"], hook["types"])
    assert 0 == run(*arguments, "a.json", "package.json").code
    assert 0 == run(*arguments, "package.json").code


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_pre_commit_runs_the_hook(tmp_path: Path) -> None:
    """
    pre-commit itself installs this repository and runs the hook: a broken graph fails it.
    """
    pytest.importorskip("pre_commit", reason="pre-commit is not installed")
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("pre-commit clones a repository, and this is none")
    if not _index_answers():
        pytest.skip("no package index is within reach")
    environment = {**os.environ, "PRE_COMMIT_HOME": str(tmp_path / "home")}
    work = tmp_path / "work"
    write(work / "graph.json", graph(width=99999))
    write(work / "package.json", {"name": "x"})
    _git(work, "init", "-q")
    _git(work, "add", ".")

    def try_hook() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "pre_commit", "try-repo", str(ROOT), "comfygraph-lint",
             "--all-files", "--color", "never"],
            cwd=work, env=environment, capture_output=True, encoding="utf-8", check=False,
        )  # fmt: skip

    broken = try_hook()
    write(work / "graph.json", graph())
    _git(work, "add", ".")
    fine = try_hook()

    assert 1 == broken.returncode, broken.stdout + broken.stderr
    assert "graph.json:5:16: error CG301 value-above-max" in broken.stdout
    assert "package.json" not in broken.stdout
    assert 0 == fine.returncode, fine.stdout + fine.stderr


def _index_answers() -> bool:
    command = [sys.executable, "-m", "pip", "index", "versions", "hatchling"]
    return subprocess.run(command, capture_output=True, check=False, timeout=120).returncode == 0


def _git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)


def test_everything_the_action_uses_is_pinned() -> None:
    """
    Every action of somebody else is named by its full version.
    """
    used = [step["uses"] for step in STEPS.values() if "uses" in step]
    for path in (ROOT / ".github" / "workflows").glob("*.yml"):
        for job in yaml.safe_load(path.read_text("utf-8"))["jobs"].values():
            used += [step["uses"] for step in job["steps"] if "uses" in step]

    assert used
    assert [] == [name for name in used if not re.search(r"@v\d+\.\d+\.\d+$|^\./$", name)]


def test_the_action_runs_no_words_of_its_inputs() -> None:
    """
    Inputs reach the shell through the environment only, so none of them is run.
    """
    scripts = [step["run"] for step in STEPS.values() if "run" in step]

    assert scripts
    assert not any("${{" in script for script in scripts)
    assert all(step["shell"] == "bash" for step in STEPS.values() if "run" in step)


def test_the_action_reads_inputs_and_steps_that_exist() -> None:
    """
    Each expression names an input, or an output of a step.
    """
    text = (ROOT / "action.yml").read_text("utf-8")
    named = set(re.findall(r"inputs\.([a-z-]+)", text))
    steps = set(re.findall(r"steps\.([a-z-]+)\.", text))

    assert set(ACTION["inputs"]) == named
    assert steps <= {key for key in STEPS if isinstance(key, str)}
    assert all(entry["description"] for entry in ACTION["inputs"].values())


class Step:
    """The lint step of the action, as a runner would run it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.outputs: dict[str, str] = {}

    def run(self, *, paths: str = ".", args: str = "", sarif: str = "false") -> str:
        """
        Run the step and give what it printed; its outputs are kept.
        """
        output = self.folder / "github_output"
        output.write_text("")
        command = self.folder / "comfygraph"
        command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m comfygraph "$@"\n')
        command.chmod(0o755)
        result = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", STEPS["lint"]["run"]],
            cwd=self.folder,
            capture_output=True,
            encoding="utf-8",
            check=False,
            env={
                **os.environ,
                "GITHUB_OUTPUT": str(output),
                "COMFYGRAPH": str(command),
                "PATHS": paths,
                "ARGS": args,
                "SARIF": sarif,
                "SARIF_FILE": "out.sarif",
            },
        )
        assert 0 == result.returncode, result.stderr
        self.outputs = dict(line.split("=", 1) for line in output.read_text().splitlines())
        return result.stdout


@pytest.fixture
def step(tmp_path: Path) -> Step:
    """
    A folder with the lint step of the action.
    """
    if shutil.which("bash") is None:
        pytest.skip("the action runs in bash")
    return Step(tmp_path)


def test_the_action_annotates(step: Step) -> None:
    """
    Findings become annotations, and the exit code is kept for the last step.
    """
    write(step.folder / "a b" / "graph.json", graph(width=99999))
    printed = step.run(paths="'a b' missing*")

    assert printed.startswith("::error file=a b/graph.json,line=5,col=16,endColumn=21,title=CG301")
    assert {"exit-code": "1"} == step.outputs


def test_the_action_passes_options_on(step: Step) -> None:
    """
    Words are split as a shell does, and nothing in them is run.
    """
    write(step.folder / "graph.json", graph(width=99999))
    step.run(args="--severity 'CG301=info' --exclude '$(touch gone);*'")

    assert {"exit-code": "0"} == step.outputs
    assert not (step.folder / "gone").exists()


def test_the_action_writes_sarif(step: Step) -> None:
    """
    The report is written whatever is found, and named for the upload.
    """
    write(step.folder / "graph.json", graph(width=99999))
    step.run(sarif="true")
    log = json.loads((step.folder / "out.sarif").read_text())

    assert {"exit-code": "1", "sarif-file": "out.sarif"} == step.outputs
    assert ["CG301"] == [result["ruleId"] for result in log["runs"][0]["results"]]
    assert [] == [
        uri for result in log["runs"][0]["results"]
        if (uri := result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"])
        != "graph.json"
    ]  # fmt: skip


def test_the_last_step_gives_the_exit_code() -> None:
    """
    The action fails when lint does, after the upload.
    """
    last = ACTION["runs"]["steps"][-1]

    assert {"CODE": "${{ steps.lint.outputs.exit-code }}"} == last["env"]
    assert 'exit "$CODE"' == last["run"].strip()
