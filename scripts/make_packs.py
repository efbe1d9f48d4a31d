"""
Make the table of node packs from a mapping of class → repositories.

    python scripts/make_packs.py class_to_pack.json[.gz]

Facts only: names of classes and where their source is. For the format see
`comfygraph.catalog.packs`.
"""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path

TARGET = Path(__file__).parent.parent / "comfygraph" / "catalog" / "data" / "packs.txt.gz"
GITHUB = "https://github.com/"


def main(source: str) -> None:
    """
    Write `packs.txt.gz` and say how large it became.
    """
    path = Path(source)
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    classes: dict[str, list[str]] = json.loads(data)
    packs: dict[str, list[str]] = {}
    for name, places in classes.items():
        if "\t" in name or "\n" in name:
            continue
        for place in places:
            packs.setdefault(place.removeprefix(GITHUB), []).append(name)
    lines = ["\t".join([pack, *sorted(packs[pack])]) for pack in sorted(packs)]
    text = ("\n".join(lines) + "\n").encode()
    TARGET.write_bytes(gzip.compress(text, compresslevel=9, mtime=0))
    print(f"{len(packs)} packs, {len(classes)} classes, {TARGET.stat().st_size} bytes")


if __name__ == "__main__":
    main(*sys.argv[1:])
