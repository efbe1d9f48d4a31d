"""
Make the table of ecosystems from a list of Civitai's base models.

    python scripts/make_ecosystems.py air_ecosystems.json

The list has objects with `baseModel` and `airEcosystem`, as the code of Civitai's site has them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

TARGET = Path(__file__).parent.parent / "comfygraph" / "references" / "_ecosystems.py"
# The site's own upscalers are `urn:air:other:upscaler:civitai:147759@164821` and the like.
CORRECTIONS = {"Upscaler": "other"}
HEAD = '''"""
Civitai's base models and the ecosystems of their AIRs. Written by `scripts/make_ecosystems.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

# fmt: off
BASE_MODELS: Mapping[str, str] = {
'''


def table_text(rows: list[dict[str, str]]) -> str:
    """
    Give the text of the module, base models in the order of the alphabet.
    """
    table = {row["baseModel"]: row["airEcosystem"] for row in rows} | CORRECTIONS
    lines = [f'    "{name}": "{table[name]}",' for name in sorted(table, key=str.casefold)]
    return HEAD + "\n".join(lines) + "\n}\n"


def main(source: str) -> None:
    """
    Write the module.
    """
    TARGET.write_text(table_text(json.loads(Path(source).read_text("utf-8"))), "utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
