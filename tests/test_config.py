"""
The configuration file, the environment, and what they may not hold.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from comfygraph.config import Config, Settings, load_config, variable_of
from comfygraph.config_keys import SECTIONS, Key, Kind
from comfygraph.errors import UsageError


def config(folder: Path, text: str, name: str = "comfygraph.toml") -> Config:
    """
    Write a configuration and read it as a process in that folder would.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    return load_config(start=str(folder))


def test_the_nearest_file_counts(tmp_path: Path) -> None:
    """
    A folder's own file hides those above, whichever of the two names they have.
    """
    config(tmp_path, '[lint]\nselect = ["CG1"]')
    config(tmp_path / "a", '[tool.comfygraph.lint]\nselect = ["CG2"]', "pyproject.toml")
    (tmp_path / "a" / "b").mkdir()
    found = load_config(start=str(tmp_path / "a" / "b"))

    assert (str(tmp_path / "a" / "pyproject.toml"), ["CG2"]) == (
        found.path, found.section("lint")["select"]
    )  # fmt: skip


def test_our_own_file_comes_before_the_project(tmp_path: Path) -> None:
    """
    In one folder `comfygraph.toml` counts.
    """
    config(tmp_path, '[tool.comfygraph.lint]\nselect = ["CG2"]', "pyproject.toml")

    assert ["CG1"] == config(tmp_path, '[lint]\nselect = ["CG1"]').section("lint")["select"]


@pytest.mark.parametrize("text", ["", "[tool.other]\n", "[project]\nname = 'comfygraph-x'\n"])
def test_a_project_that_says_nothing_of_us(tmp_path: Path, text: str) -> None:
    """
    It is passed over, and the search goes on above.
    """
    above = config(tmp_path, "[lint]\npreview = true")
    found = config(tmp_path / "a", text, "pyproject.toml")

    assert above.path == found.path


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("[lnt]", "unknown section `lnt`", "did you mean `lint`?"),
        ("[lint]\nselct = []", "unknown key `lint.selct`", "did you mean `select`?"),
        ("[lint]\nselect = 'CG1'", "`lint.select` takes a list of texts", None),
        ("[lint]\nselect = [1]", "`lint.select` takes a list of texts", None),
        ("[lint]\npreview = 'yes'", "`lint.preview` takes a true or false", None),
        ("[lint]\njobs = -1", "`lint.jobs` takes a whole number", None),
        ("[lint]\njobs = true", "`lint.jobs` takes a whole number", None),
        ("[lint]\nfail-on = 'bad'", "takes one of error, warning, info, never", None),
        ("[lint.severity]\nCG1 = 'bad'", "takes one of error, warning, info", None),
        ("[lint.per-file-ignores]\na = 'CG1'", "takes a table of lists of texts", None),
        ("lint = 3", "`lint` is no table", "write it as [lint]"),
        ("[lint", "not TOML", None),
        ("x = '\xff'", "not TOML", None),
    ],
)
def test_what_a_file_may_not_say(tmp_path: Path, text: str, message: str, hint: str | None) -> None:
    """
    It is an error that names the file, the key and the nearest one.
    """
    (tmp_path / "comfygraph.toml").write_bytes(text.encode("latin-1"))
    with pytest.raises(UsageError) as caught:
        load_config(start=str(tmp_path))

    assert str(tmp_path / "comfygraph.toml") in caught.value.message
    assert message in caught.value.message
    assert hint in (None, caught.value.hint)


@pytest.mark.parametrize(
    "text",
    [
        "[submit]\napi-key = 'hush-hush'",
        "[submit]\napi_token = 'hush-hush'",
        "CIVITAI_API_TOKEN = 'hush-hush'",
        "[submit]\nurl = 'https://me:hush-hush@host/'",
        "[submit]\nurl = 'https://host/path?token=hush-hush'",
        "[deep.er]\nPrivateKey = 'hush-hush'",
    ],
)
def test_credentials_are_refused(tmp_path: Path, text: str) -> None:
    """
    Whatever a credential's place and spelling, the message names the environment and not the value.
    """
    with pytest.raises(UsageError, match="looks like a credential") as caught:
        config(tmp_path, text)

    assert "CIVITAI_API_TOKEN" in str(caught.value.hint)
    assert "hush" not in f"{caught.value.message}{caught.value.hint}"


def test_rules_may_be_named_after_secrets(tmp_path: Path) -> None:
    """
    Where keys are names of rules, they are no credentials.
    """
    found = config(tmp_path, "[lint.severity]\nsecret-in-value = 'info'")

    assert {"secret-in-value": "info"} == found.section("lint")["severity"]


def test_flag_then_environment_then_file_then_default(tmp_path: Path) -> None:
    """
    The first that says something counts, even where it says no.
    """
    found = config(tmp_path, "[lint]\npreview = true\njobs = 3\nfail-on = 'info'")
    known = Settings("lint", found, {"COMFYGRAPH_LINT_JOBS": "2", "COMFYGRAPH_LINT_PREVIEW": "no"})

    assert False is known.get("preview")
    assert True is known.get("preview", True)
    assert (4, 2) == (known.get("jobs", 4), known.get("jobs"))
    assert ("never", "info") == (known.get("fail-on", "never"), known.get("fail-on"))
    assert "text" == known.get("format")


@pytest.mark.parametrize(
    ("key", "text", "expected"),
    [
        ("select", "CG1, CG2", ["CG1", "CG2"]),
        ("severity", "CG1=info,CG2 = error", {"CG1": "info", "CG2": "error"}),
        ("catalog", "there.json", "there.json"),
        ("target", "tams", "tams"),
        ("preview", "1", True),
    ],
)
def test_values_from_the_environment(key: str, text: str, expected: object) -> None:
    """
    Lists and tables have commas between their parts.
    """
    known = Settings("lint", Config(), {variable_of("lint", key): text})

    assert expected == known.get(key)


@pytest.mark.parametrize(("key", "text"), [("jobs", "many"), ("preview", "x"), ("target", "y")])
def test_wrong_values_from_the_environment(key: str, text: str) -> None:
    """
    The error names the variable.
    """
    known = Settings("lint", Config(), {variable_of("lint", key): text})
    with pytest.raises(UsageError, match=f"COMFYGRAPH_LINT_{key.upper()} takes"):
        known.get(key)


def test_paths_start_at_the_file(tmp_path: Path) -> None:
    """
    A path in the file is taken from the file's folder, wherever the process runs.
    """
    found = config(tmp_path, "[lint]\ncatalog = 'info.json'\nbaseline = '/abs/known.json'")
    known = Settings("lint", found, {})

    assert str(tmp_path / "info.json") == known.get("catalog")
    assert "/abs/known.json" == known.get("baseline")


def test_a_named_file_that_is_missing(tmp_path: Path) -> None:
    """
    It is an error, unlike a nearest file that there is not.
    """
    with pytest.raises(UsageError, match="No such file"):
        load_config(str(tmp_path / "none.toml"))


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    """
    It is refused.
    """
    with pytest.raises(UsageError, match="larger than 1 MB"):
        config(tmp_path, "#" * (1 << 20) + "\n")


@pytest.mark.parametrize(
    ("section", "name", "key"),
    [(section, name, key) for section, keys in SECTIONS.items() for name, key in keys.items()],
)
def test_every_key_has_its_words(section: str, name: str, key: Key) -> None:
    """
    Each key is written with dashes, has help, and a default of its own kind.
    """
    assert name == name.lower().replace("_", "-")
    assert key.help
    assert key.default is None or key.problem(key.default) is None
    assert (key.kind is Kind.CHOICE) <= bool(key.choices)
    assert section in variable_of(section, name).lower()
