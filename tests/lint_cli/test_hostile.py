"""
Files that mean no good: an error in bounded time and memory, never a traceback.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

MEGABYTE = 1 << 20


def _deep(path: Path) -> None:
    path.write_bytes(b'{"a":' * 100_000)


def _deep_and_closed(path: Path) -> None:
    path.write_bytes(b"[" * 100_000 + b"]" * 100_000)


def _deep_in_an_input(path: Path) -> None:
    value = "[" * 900 + "]" * 900
    path.write_text(f'{{"1": {{"class_type": "EmptyImage", "inputs": {{"width": {value}}}}}}}')


def _huge(path: Path) -> None:
    with path.open("wb") as file:
        file.write(b'{"1": "')
        file.truncate(100 * MEGABYTE)


def _million_keys(path: Path) -> None:
    path.write_text("{" + ",".join(f'"{number}":0' for number in range(1_000_000)) + "}")


def _many_nodes(path: Path) -> None:
    node = '{"class_type":"EmptyImag%d","inputs":{"a":["1",0]}}'
    nodes = ",".join(f'"{number}":{node % number}' for number in range(40_000))
    path.write_text("{" + nodes + "}")


def _one_wide_node(path: Path) -> None:
    inputs = ",".join(f'"x{number}":{number}' for number in range(60_000))
    path.write_text(f'{{"1":{{"class_type":"EmptyImage","inputs":{{{inputs}}}}}}}')


def _long_names(path: Path) -> None:
    name = "x" * (5 * MEGABYTE)
    path.write_text(f'{{"{name}":{{"class_type":"{name}","inputs":{{"{name}":["{name}",0]}}}}}}')


def _huge_integer(path: Path) -> None:
    inputs = f'"width": {"9" * 1_000_000}'
    path.write_text(f'{{"1": {{"class_type": "EmptyImage", "inputs": {{{inputs}}}}}}}')


def _large_integers(path: Path) -> None:
    inputs = f'"width": {"9" * 4300}, "height": -{"9" * 4300}, "color": 1e999'
    path.write_text(f'{{"1": {{"class_type": "EmptyImage", "inputs": {{{inputs}}}}}}}')


def _not_utf8(path: Path) -> None:
    path.write_bytes(b'{"1": {"class_type": "\xff\xfe"}}')


def _half_characters(path: Path) -> None:
    path.write_text('{"\\ud800": {"class_type": "\\udfff", "inputs": {"\\ud800": "\\ud800"}}}')


def _nul(path: Path) -> None:
    path.write_bytes(b"\0" * 1000)


def _nul_inside(path: Path) -> None:
    path.write_bytes(b'{"1": {"class_type": "a\0b"}}')


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _escapes(path: Path) -> None:
    text = "\\u001b[2J\\u202e\\r\\n::error::x\\u0007"
    path.write_text(f'{{"{text}": {{"class_type": "{text}", "inputs": {{"{text}": "{text}"}}}}}}')


HOSTILE: list[Callable[[Path], None]] = [
    _deep, _deep_and_closed, _deep_in_an_input, _huge, _huge_integer, _large_integers,
    _not_utf8, _half_characters, _nul, _nul_inside, _empty, _escapes, _long_names,
]  # fmt: skip
SLOW: list[Callable[[Path], None]] = [_million_keys, _many_nodes, _one_wide_node]

SECONDS = 30.0
"""What a busy machine of two cores needs at most for 64 MB; most take a tenth of a second."""
MEMORY = 3 << 30


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (int(SECONDS), int(SECONDS)))


def check(path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """
    Run the command in a process of its own, with limits.
    """
    environment = {**os.environ, "COMFYGRAPH_TRACEBACK": "1", "PYTHONUTF8": "1"}
    return subprocess.run(
        [sys.executable, "-m", "comfygraph", "lint", *arguments, str(path)],
        capture_output=True,
        encoding="utf-8",
        preexec_fn=_limit,
        env=environment,
        timeout=SECONDS * 2,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize("make", HOSTILE, ids=lambda make: make.__name__.strip("_"))
def test_hostile_files(tmp_path: Path, make: Callable[[Path], None]) -> None:
    """
    Each is an error of ours, told in a few clean lines.
    """
    path = tmp_path / "graph.json"
    make(path)
    result = check(path)

    assert (1, "") == (result.returncode, result.stderr)
    assert len(result.stdout) < 100_000
    assert all(char.isprintable() or char == "\n" for char in result.stdout)


@pytest.mark.slow
@pytest.mark.parametrize("format_", ["json", "sarif", "github", "junit", "markdown", "concise"])
@pytest.mark.parametrize("make", [_half_characters, _escapes, _large_integers, _nul])
def test_hostile_files_in_every_format(
    tmp_path: Path, make: Callable[[Path], None], format_: str
) -> None:
    """
    No format breaks, and none lets a control character through.
    """
    path = tmp_path / "graph.json"
    make(path)
    result = check(path, "--format", format_)

    assert (1, "") == (result.returncode, result.stderr)
    if format_ in ("json", "sarif"):
        json.loads(result.stdout)
    else:
        allowed = "\n\ufe0f\u200b"
        assert all(char.isprintable() or char in allowed for char in result.stdout)


@pytest.mark.slow
@pytest.mark.parametrize("make", SLOW, ids=lambda make: make.__name__.strip("_"))
def test_large_hostile_files(tmp_path: Path, make: Callable[[Path], None]) -> None:
    """
    Tens of thousands of faults take seconds, not hours, to check and to repair.
    """
    path = tmp_path / "graph.json"
    make(path)
    result = check(path, "--fix")

    assert result.returncode == 1, result.stderr[-2000:]


@pytest.mark.slow
def test_hostile_files_do_not_hide_others(tmp_path: Path) -> None:
    """
    Among them, a fault in a good file is found.
    """
    for make in (_deep, _nul, _not_utf8, _huge_integer, _half_characters):
        make(tmp_path / f"class_type{make.__name__}.json")
    good = {"1": {"class_type": "EmptyImage", "inputs": {"width": 99999}}}
    (tmp_path / "good.json").write_text(json.dumps(good))
    result = check(tmp_path, "--format", "concise")

    assert 1 == result.returncode
    assert any("good.json" in line and "CG301" in line for line in result.stdout.splitlines())
