"""
The rooms of the program: who may import whom, and which library lives where.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "comfygraph"

# A room may import itself and what stands on a lower floor.
FLOORS = (
    ("errors",),
    ("core",),
    ("config_keys",),
    ("config",),
    ("catalog", "documents"),
    ("workflow", "analysis", "dsl", "compare"),
    ("lint", "draw"),
    ("names of models",),
    ("targets",),
    ("references",),
    ("emulator",),
    ("jobs",),
    ("api", "lsp"),
    ("cli", "testing"),
    ("__main__",),
)
APART = dict.fromkeys(
    ("references.air", "references.kinds", "references.ecosystems", "references._ecosystems"),
    "names of models",
)
"""
Modules that are a room of their own: the names of models are plain values, which targets use;
resolving them speaks to services, and uses what targets do.
"""
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}

LIBRARIES = {
    "click": ("cli",),
    "rich": ("cli",),
    "httpx": ("jobs", "references", "catalog"),
    "websockets": ("jobs",),
    "starlette": ("emulator",),
    "uvicorn": ("emulator",),
    "PIL": ("emulator", "jobs/images", "cli/previews"),
    "networkx": ("core/graph",),
    "pydantic": ("workflow", "targets", "references", "jobs"),
    "cryptography": ("targets/tams", "emulator"),
    "platformdirs": ("catalog", "jobs", "cli", "references"),
    "psycopg": ("jobs/ledger/postgres", "jobs/ledger/postgres_words", "jobs/cluster"),
    "procrastinate": ("jobs/cluster",),
    "pygls": ("lsp",),
    "lsprotocol": ("lsp",),
    "pytest": ("testing",),
}
"""Library → the rooms (or modules) that may import it."""

LATE = {"networkx", "httpx", "pydantic", "cryptography", "platformdirs", "PIL", "pytest"}
"""Libraries that are imported in functions, so that importing a module costs nothing of them."""


LONGEST = 420
"""Lines in a file: 400, and a few on the way to splitting it."""


class Import(NamedTuple):
    """One import in the source."""

    module: str
    """The module that imports, such as `lint.rules.dangling_link`."""
    name: str
    line: int
    late: bool
    """In a function, or for the type checker only."""


def module_of(path: Path) -> str:
    """
    Give the name of a module within the package; a package is called by its folder.
    """
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path) -> Iterator[Import]:
    """
    Yield the imports of a file, those within functions too.
    """
    module = module_of(path)
    tree = ast.parse(path.read_text("utf-8"))
    pending: list[tuple[ast.AST, bool]] = [(tree, False)]
    while pending:
        node, late = pending.pop()
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(module, alias.name, node.lineno, late)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute"
            for alias in node.names:
                yield Import(module, f"{node.module}.{alias.name}", node.lineno, late)
        inner = late or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            inner = True
        pending.extend((child, inner) for child in ast.iter_child_nodes(node))


def room_of(module: str) -> str:
    """
    Give the room of a module of ours.
    """
    room, _, rest = module.partition(".")
    return APART.get(f"{room}.{rest.partition('.')[0]}", room)


SOURCES = sorted(PACKAGE.rglob("*.py")) + sorted(PACKAGE.rglob("*.pyi"))
IMPORTS = [
    item for path in SOURCES if module_of(path) not in ("", "nodes") for item in imports_of(path)
]
"""All but those of `comfygraph/__init__`, which gives every public name when it is asked for."""


def test_every_room_is_on_the_plan() -> None:
    """
    A new folder or module at the top has its place in the table.
    """
    rooms = {room_of(module_of(path)) for path in SOURCES} - {"", "nodes"}

    assert set() == rooms - set(FLOOR)


def test_imports_go_downwards() -> None:
    """
    A room imports itself and lower floors, never its neighbours or what stands above.
    """
    wrong = []
    for item in IMPORTS:
        if not item.name.startswith("comfygraph."):
            continue
        here, there = room_of(item.module), room_of(item.name.removeprefix("comfygraph."))
        if there not in FLOOR:
            continue  # A name of the package itself, such as `__version__`.
        if here != there and FLOOR[there] >= FLOOR[here]:
            wrong.append(f"{item.module}:{item.line} imports {item.name}")

    assert [] == wrong


def test_libraries_live_in_their_rooms() -> None:
    """
    Each third-party library is imported only where the table says.
    """
    wrong = []
    for item in IMPORTS:
        rooms = LIBRARIES.get(item.name.split(".")[0])
        place = item.module.replace(".", "/")
        if rooms and not any(place == room or place.startswith(f"{room}/") for room in rooms):
            wrong.append(f"{item.module}:{item.line} imports {item.name}")

    assert [] == wrong


def test_only_known_libraries_are_imported() -> None:
    """
    Everything else is of the standard library, or a dependency that nobody has declared.
    """
    known = {*sys.stdlib_module_names, *LIBRARIES, "comfygraph", "python_multipart"}
    strangers = {item.name.split(".")[0] for item in IMPORTS} - known

    assert set() == strangers


def test_no_test_library_in_the_program() -> None:
    """
    Nothing but `comfygraph.testing` knows pytest, and nothing knows hypothesis.
    """
    assert [] == [
        item for item in IMPORTS
        if item.name.split(".")[0] in ("hypothesis", "jsonschema", "_pytest")
    ]  # fmt: skip


def test_files_are_no_novels() -> None:
    """
    A file is about 250 lines; past 400 it is two files, but for tables and what is named here.
    """
    excused = {"nodes", "lint.rules._table"}
    long = {
        module_of(path): count
        for path in SOURCES
        if (count := len(path.read_text("utf-8").splitlines())) > LONGEST
        and module_of(path) not in excused
        and path.suffix == ".py"
    }

    assert {} == long


def loaded_by(*arguments: str) -> set[str]:
    """
    Give the modules that a run of the command line has loaded at its end.
    """
    code = (
        "import sys; from comfygraph.cli import run; code = run(sys.argv[1:]);"
        "print(*sys.modules, sep='\\n', file=sys.stderr); sys.exit(code)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        encoding="utf-8",
        cwd=ROOT,
        env={**os.environ, "PYTHONWARNINGS": ""},
        check=True,
    )
    return {name.split(".")[0] for name in result.stderr.splitlines()} | set(
        result.stderr.splitlines()
    )


HEAVY = {
    "networkx", "httpx", "jsonschema", "pydantic", "rich", "websockets", "starlette", "uvicorn",
    "PIL", "cryptography", "hypothesis", "asyncio", "ssl", "multiprocessing", "concurrent",
    "platformdirs", "tempfile", "difflib",
}  # fmt: skip


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("--version",),
        ("lint", "--help"),
        ("lint", "examples/hires.json"),
        ("lint", "--isolated", "--format", "json", "examples/hires.json"),
    ],
    ids=" ".join,
)
def test_light_commands_load_nothing_heavy(arguments: tuple[str, ...]) -> None:
    """
    Help and the check of a clean file come without the libraries that cost time.
    """
    assert set() == HEAVY & loaded_by(*arguments)


def test_a_clean_check_loads_few_modules_of_ours() -> None:
    """
    Few rules, no format but the one that is printed, nothing of workflows, jobs or targets.
    """
    loaded = loaded_by("lint", "--isolated", "examples/hires.json")
    ours = {name for name in loaded if name.startswith("comfygraph.")}
    rooms = {name.split(".")[1] for name in ours}
    rules = {name for name in ours if name.startswith("comfygraph.lint.rules.")}

    assert {
        "analysis",
        "catalog",
        "cli",
        "config",
        "config_keys",
        "core",
        "documents",
        "errors",
        "lint",
    } == rooms
    assert len(rules) <= 10, "a rule is loaded only where a graph shows a sign of what it finds"
    assert "tomllib" not in loaded
