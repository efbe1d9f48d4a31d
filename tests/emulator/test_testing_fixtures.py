"""
The fixtures that `comfygraph.testing` has for the tests of others, used as others would.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from comfygraph.emulator import DEV_TOKEN, Emulator
from comfygraph.targets import get_target, target_names
from comfygraph.testing import settings_for

CONFTEST = "from comfygraph.testing import *\n"
TESTS = """
import os
import pytest
from comfygraph import submit
from comfygraph.testing import Faults, settings_for
from comfygraph.targets import get_target

GRAPH = {
    "1": {"class_type": "EmptyImage",
          "inputs": {"width": 8, "height": 8, "batch_size": 1, "color": 7}},
    "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x"}},
}

@pytest.mark.parametrize("name", ["comfyui", "tams", "civitai", "comfyapi"])
def test_each_service(shared_emulator, name):
    before = dict(shared_emulator.stats().submits)
    job = submit(GRAPH, target=get_target(name, settings_for(shared_emulator)))
    job.result()
    assert shared_emulator.stats().submits[name] == before.get(name, 0) + 1

def test_it_misbehaves(shared_emulator):
    shared_emulator.faults = Faults(route="POST /prompt", errors=99, error_status=403)
    with pytest.raises(Exception, match="does not permit"):
        submit(GRAPH, target=get_target("comfyui", settings_for(shared_emulator)))

def test_it_is_put_back(shared_emulator):
    submit(GRAPH, target=get_target("comfyui", settings_for(shared_emulator))).result()

def test_what_was_sent(emulator):
    submit(GRAPH, target=get_target("comfyui", settings_for(emulator))).result()
    assert any(b'"EmptyImage"' in it.body for it in emulator.received())

def test_environment(emulated):
    submit(GRAPH, target="tams").result()
    assert emulated.stats().submits == {"tams": 1}
    assert os.environ["COMFYUI_URL"] == emulated.url("comfyui")
"""


def test_a_project_uses_the_fixtures(tmp_path: Path) -> None:
    """
    With one line in its `conftest.py`, a project's tests have emulators to submit to.
    """
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_theirs.py").write_text(TESTS)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", tmp_path],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert "8 passed" in done.stdout, done.stdout


@pytest.mark.parametrize("name", target_names())
def test_settings_for_every_target(emulator: Emulator, name: str) -> None:
    """
    Every target can be made from the settings, and is at the emulator.
    """
    settings = settings_for(emulator)

    assert emulator.url() == get_target(name, settings).base_url
    assert DEV_TOKEN == settings["TAMS_API_KEY"]
