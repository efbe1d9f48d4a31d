"""
The facts that a real ComfyUI 0.33.0 gave of each class, as one digest a class.

    python tests/catalog/recorded.py object_info.json.gz

writes the digests anew from a recorded `/object_info`. Nothing of the product is used, so that
what it keeps of a catalog is compared with what the server said.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

DIGESTS = Path(__file__).parent.parent / "data" / "catalog" / "core_digests.json.gz"
_KEYS = (
    "output", "output_name", "output_matchtypes", "name", "category",
    "python_module",
)  # fmt: skip
_FLAGS = ("output_node", "api_node", "deprecated", "experimental", "is_input_list", "dev_only")
_PROSE = ("tooltip", "placeholder")


def digest(entry: dict[str, Any]) -> str:
    """
    Give 10 hexadecimal digits of the facts of one entry, order of inputs included.
    """
    sections = {key: _facts(value) for key, value in entry["input"].items() if value}
    order = {key: entry["input_order"][key] for key in sections}
    facts = [
        sections,
        order,
        [entry.get(key) or None for key in _KEYS],
        [flag is True for flag in entry["output_is_list"]],
        # Null where the author gave none; the editor shows the class name.
        entry.get("display_name") or entry["name"],
        [entry.get(key) is True for key in _FLAGS],
    ]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:10]


def _facts(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _facts(v) for k, v in value.items() if k not in _PROSE or not isinstance(v, str)}
    return [_facts(item) for item in value] if isinstance(value, list) else value


def read_digests() -> dict[str, str]:
    """
    Give class → digest as recorded.
    """
    found: dict[str, str] = json.loads(gzip.decompress(DIGESTS.read_bytes()))
    return found


def main(source: str) -> None:
    """
    Write the digests of a recorded `/object_info`.
    """
    entries = json.loads(gzip.decompress(Path(source).read_bytes()))
    text = json.dumps({name: digest(entries[name]) for name in sorted(entries)}, indent=0)
    DIGESTS.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


if __name__ == "__main__":
    main(*sys.argv[1:])
