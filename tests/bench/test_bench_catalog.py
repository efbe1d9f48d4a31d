"""
How fast catalogs are read: the bundled one, and one of 100 MB.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from measure import Compare, best, processor_seconds

from comfygraph.catalog import load_catalog
from comfygraph.catalog.bundled import bundled_catalog, core_data
from comfygraph.catalog.stored import catalog_from_file

WANTED = [
    "KSampler", "CLIPTextEncode", "CheckpointLoaderSimple", "EmptyLatentImage", "LatentUpscale",
    "LoraLoader", "SaveImage", "VAEDecode", "ResizeImageMaskNode", "BatchImagesNode",
]  # fmt: skip
SIZE = 100_000_000


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """
    An `/object_info` of 100 MB: the core, over and over under other names.
    """
    path = tmp_path_factory.mktemp("large") / "object_info.json"
    core = load_catalog()
    entries = {name: json.dumps(core[name].raw) for name in core}
    written = 0
    with path.open("w", encoding="utf-8") as file:
        file.write("{")
        for copy in range(10_000):
            for name, text in entries.items():
                suffix = f"_{copy}" if copy else ""
                lead = ", " if written else ""
                written += file.write(f"{lead}{json.dumps(name + suffix)}: {text}")
            if written >= SIZE:
                break
        file.write("}")
    yield path
    path.unlink()


def test_bundled_catalog(compare: Compare) -> None:
    """
    Opening the bundled catalog and reading ten classes takes at most a tenth of the time that the
    whole file takes to parse.
    """

    def work() -> None:
        bundled_catalog.cache_clear()
        core_data.cache_clear()
        catalog = load_catalog()
        for name in WANTED:
            assert catalog[name].inputs
            assert catalog[name].outputs or catalog[name].output_node

    compare(work, lambda: json.loads(core_data()), aim=0.1)


def test_one_class_costs_one_class(compare: Compare) -> None:
    """
    Reading one class of the bundled catalog parses that class alone: at most a tenth of the time
    that the whole file takes to parse.
    """

    def work() -> None:
        bundled_catalog.cache_clear()
        assert load_catalog()["KSampler"].inputs

    compare(work, lambda: json.loads(core_data()), aim=0.1)


def _parse(large: Path) -> None:
    with large.open("rb") as file:
        assert json.load(file)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_large_catalog_the_first_time(compare: Compare, large: Path, tmp_path: Path) -> None:
    """
    The first time, a catalog of 100 MB takes at most 1.5 times as long as `json.load` of it.
    """
    rounds = iter(range(100))

    def work() -> None:
        catalog = catalog_from_file(large, cache_dir=tmp_path / str(next(rounds)))
        for name in WANTED:
            assert catalog[f"{name}_7"].inputs

    compare(work, lambda: _parse(large), aim=1.5, rounds=1)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_large_catalog_the_second_time(compare: Compare, large: Path, tmp_path: Path) -> None:
    """
    From its index it takes a fifth of the time of `json.load`, Python's start included, and 80 MB.
    """
    catalog_from_file(large, cache_dir=tmp_path)
    command = [sys.executable, "-c", SECOND, str(large), str(tmp_path), *WANTED]
    peak = subprocess.run(command, capture_output=True, check=True).stdout

    assert float(peak) < 80
    if compare.measuring:
        second = min(processor_seconds(command) for _ in range(5))
        compare.hold(second / best(lambda: _parse(large), 1), 0.2)


SECOND = """
import sys
from pathlib import Path
from comfygraph.catalog.stored import catalog_from_file
catalog = catalog_from_file(Path(sys.argv[1]), cache_dir=Path(sys.argv[2]))
for name in sys.argv[3:]:
    assert catalog[name + "_7"].inputs
# Not getrusage: its peak is that of the process that started us, when that was larger.
status = Path("/proc/self/status")
lines = status.read_text().splitlines() if status.exists() else ["VmHWM: 0 kB"]
print(int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024)
"""
