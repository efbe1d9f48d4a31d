"""
Make the bundled core catalog from a recorded `/object_info`.

    python scripts/make_core_catalog.py object_info.json[.gz] model_inputs.json VERSION

Facts only: names, types, ranges, defaults, options, output names and flags.
Prose (tooltips, descriptions, search words) and what can be derived stay out.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from typing import Any

from comfygraph.catalog.compact import compact_entry, write_lines

TARGET = Path(__file__).parent.parent / "comfygraph" / "catalog" / "data"


def main(object_info: str, model_inputs: str, version: str) -> None:
    """
    Write `core.json` and say how large it became.
    """
    source = Path(object_info)
    data = gzip.decompress(source.read_bytes()) if source.suffix == ".gz" else source.read_bytes()
    catalog: dict[str, dict[str, Any]] = json.loads(data)
    files: dict[str, dict[str, str]] = json.loads(Path(model_inputs).read_bytes())
    entries = {
        name: compact_entry(name, entry, files.get(name, {})) for name, entry in catalog.items()
    }
    TARGET.mkdir(exist_ok=True)
    text = write_lines({"version": version, "source": "ComfyUI"}, entries)
    (TARGET / "core.json").write_text(text, encoding="utf-8")
    print(f"{len(entries)} classes, {len(text.encode())} bytes")


if __name__ == "__main__":
    main(*sys.argv[1:])
