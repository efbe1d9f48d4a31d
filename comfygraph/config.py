"""
The configuration: flag, then environment, then file, then default.

The file is the nearest `comfygraph.toml`, else a `pyproject.toml` with `[tool.comfygraph]`, in
the current folder or one above it. A key that nobody knows is an error, and so is anything that
looks like a credential: a file in a repository is no place for one.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from comfygraph.config_keys import SECTIONS, Key, Kind
from comfygraph.core.nearest import did_you_mean, shorten
from comfygraph.core.records import NamedTuple
from comfygraph.errors import UsageError

FILE_NAME = "comfygraph.toml"
PROJECT_NAME = "pyproject.toml"
MAX_BYTES = 1 << 20

CREDENTIAL_VARIABLES = "CIVITAI_API_TOKEN, TAMS_API_KEY, TAMS_PRIVATE_KEY_FILE, NOVITA_API_KEY"
_NAMED_BY_RULE = ("lint.severity", "lint.per-file-ignores", "lint.rules", "analysis.families")
"""Tables whose keys are names of rules or files: one may well speak of secrets."""
_CREDENTIAL_WORDS = (
    "apikey", "accesskey", "secret", "token", "password", "passwd", "passphrase", "privatekey",
    "credential", "authorization", "bearer",
)  # fmt: skip


class Config(NamedTuple):
    """
    What a configuration file says.

    Args:
        path: The file, or `None` where there is none.
        sections: Section → key → value, checked against `SECTIONS`.
    """

    path: str | None = None
    sections: Mapping[str, Mapping[str, Any]] = {}

    @property
    def folder(self) -> str | None:
        """Where relative paths in the file start from."""
        return os.path.dirname(self.path) if self.path is not None else None

    def section(self, name: str) -> Mapping[str, Any]:
        """
        Give the keys of a section; none where the file lacks it.
        """
        return self.sections.get(name, {})


class Settings(NamedTuple):
    """
    One section, seen through flags, environment and file.

    Args:
        name: The section, such as `lint`.
        config: The file's content.
        environ: The environment.
    """

    name: str
    config: Config
    environ: Mapping[str, str]

    def get(self, key: str, flag: Any = None) -> Any:
        """
        Give the value of a key: the flag unless it is `None`, then `COMFYGRAPH_<SECTION>_<KEY>`,
        then the file, then the default of the key.

        Paths are absolute where they come from the file: it may lie in another folder.

        Raises:
            UsageError: The value in the environment has the wrong form.
        """
        if flag is not None:
            return flag
        value = self.from_environment(key)
        if value is not None:
            return value
        value = self.from_file(key)
        return value if value is not None else SECTIONS[self.name][key].default

    def from_environment(self, key: str) -> Any:
        """
        Give what the environment says of a key, or `None`.

        Raises:
            UsageError: It has the wrong form.
        """
        variable = variable_of(self.name, key)
        text = self.environ.get(variable)
        if not text:
            return None
        return _from_text(text, SECTIONS[self.name][key], variable)

    def from_file(self, key: str) -> Any:
        """
        Give what the file says of a key, or `None`; paths are absolute.
        """
        value = self.config.section(self.name).get(key)
        folder = self.config.folder
        if isinstance(value, str) and folder and SECTIONS[self.name][key].kind is Kind.PATH:
            return os.path.join(folder, os.path.expanduser(value))
        return value


def variable_of(section: str, key: str) -> str:
    """
    Give the environment variable of a key: `COMFYGRAPH_LINT_FAIL_ON`.
    """
    return f"COMFYGRAPH_{section}_{key}".upper().replace("-", "_")


def settings(section: str, config_file: str | None = None) -> Settings:
    """
    Give the settings of a section as the running process sees them.

    Args:
        section: `lint`, `submit` and so on.
        config_file: The file that `--config` names; default is the nearest.

    Raises:
        UsageError: The file cannot be read, or holds what it should not.
    """
    return Settings(section, load_config(config_file), os.environ)


def load_config(path: str | None = None, *, start: str | None = None) -> Config:
    """
    Read a configuration.

    Args:
        path: The file; default is the nearest.
        start: The folder from which the nearest is looked for; default is the current one.

    Raises:
        UsageError: The file cannot be read, is not TOML, or has keys that it should not have.
    """
    if path is not None:
        return _read(os.path.abspath(path), named=True) or Config()
    folder = os.path.abspath(start or os.getcwd())
    while True:
        for name in (FILE_NAME, PROJECT_NAME):
            candidate = os.path.join(folder, name)
            if os.path.isfile(candidate):
                found = _read(candidate, named=False)
                if found is not None:
                    return found
        parent = os.path.dirname(folder)
        if parent == folder:
            return Config()
        folder = parent


def _read(path: str, *, named: bool) -> Config | None:
    """Read a file; `None` for a `pyproject.toml` that says nothing about us."""
    try:
        with open(path, "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as exc:
        raise UsageError(f"{path}: {exc.strerror or exc}") from exc
    if len(data) > MAX_BYTES:
        raise UsageError(f"{path}: larger than {MAX_BYTES >> 20} MB, no configuration is")
    is_project = os.path.basename(path) == PROJECT_NAME
    if is_project and not named and not _may_concern_us(data):
        return None
    import tomllib  # only where there is something to read

    try:
        document = tomllib.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError) as exc:  # TOMLDecodeError and UnicodeDecodeError are such
        raise UsageError(f"{path}: not TOML: {exc}") from exc
    if is_project:
        tool = document.get("tool")
        table = tool.get("comfygraph") if isinstance(tool, dict) else None
        if table is None:
            return None
        document = table
    if not isinstance(document, dict):
        raise UsageError(f"{path}: `tool.comfygraph` is no table")
    _check(document, path)
    return Config(path, document)


def _may_concern_us(data: bytes) -> bool:
    """Tell cheaply whether a `pyproject.toml` can hold `tool.comfygraph`, however it is spelt."""
    return b"comfygraph" in data and any(
        b"tool" in line and (b"comfygraph" in line or b"tool." not in line)
        for line in data.splitlines()
    )


def _check(document: Mapping[str, Any], path: str) -> None:
    _refuse_credentials(document, path)
    for name, section in document.items():
        keys = SECTIONS.get(name)
        if keys is None:
            raise UsageError(
                f"{path}: unknown section `{shorten(name)}`",
                hint=did_you_mean(name, SECTIONS) or f"sections are {', '.join(SECTIONS)}",
            )
        if not isinstance(section, dict):
            raise UsageError(f"{path}: `{name}` is no table", hint=f"write it as [{name}]")
        for key, value in section.items():
            known = keys.get(key)
            if known is None:
                raise UsageError(
                    f"{path}: unknown key `{name}.{shorten(key)}`",
                    hint=did_you_mean(key, keys) or f"keys are {', '.join(keys)}",
                )
            problem = known.problem(value)
            if problem:
                raise UsageError(f"{path}: `{name}.{key}` {problem}")


def _refuse_credentials(document: Mapping[str, Any], path: str) -> None:
    pending: list[tuple[str, Any]] = [("", document)]
    while pending:
        place, value = pending.pop()
        if isinstance(value, dict):
            for key, item in value.items():
                where = f"{place}.{key}" if place else key
                named = place in _NAMED_BY_RULE
                if not named and _is_credential(key) and not isinstance(item, dict | list):
                    raise _refusal(path, where)
                pending.append((where, item))
        elif isinstance(value, list):
            pending.extend((place, item) for item in value)
        elif isinstance(value, str) and _carries_credentials(value):
            raise _refusal(path, place)


def _is_credential(key: str) -> bool:
    folded = "".join(char for char in key.casefold() if char.isalnum())
    return any(word in folded for word in _CREDENTIAL_WORDS)


def _carries_credentials(value: str) -> bool:
    """Tell whether a URL has a user and a password in it, or a key among its parameters."""
    if "://" not in value:
        return False
    authority, _, query = value.partition("://")[2].partition("?")
    names = (part.partition("=")[0] for part in query.split("&"))
    return "@" in authority.partition("/")[0] or any(map(_is_credential, names))


def _refusal(path: str, where: str) -> UsageError:
    return UsageError(
        f"{path}: `{shorten(where)}` looks like a credential, and files give none",
        hint=f"use the environment: {CREDENTIAL_VARIABLES}",
    )


def _from_text(text: str, key: Key, variable: str) -> Any:
    value: Any = text
    match key.kind:
        case Kind.LIST:
            value = [part.strip() for part in text.split(",") if part.strip()]
        case Kind.FLAG:
            words = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
            value = words.get(text.strip().casefold(), text)
        case Kind.NUMBER | Kind.COUNT:
            try:
                value = int(text) if key.kind is Kind.COUNT else float(text)
            except ValueError:
                value = text
        case Kind.TABLE:
            pairs = (part.partition("=") for part in text.split(",") if part.strip())
            value = {name.strip(): item.strip() for name, _, item in pairs}
        case Kind.TEXT | Kind.PATH | Kind.CHOICE | Kind.LISTS | Kind.TABLES:
            pass
    problem = key.problem(value)
    if problem:
        raise UsageError(f"{variable} {problem}")
    return value
