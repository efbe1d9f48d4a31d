"""
The targets are cheap to import.
"""

from __future__ import annotations

import subprocess
import sys


def test_targets_load_nothing_heavy() -> None:
    """
    All targets together load no HTTP client, no cryptography, no pydantic and no event loop.
    """
    program = (
        "import sys\n"
        "from comfygraph.targets import get_target\n"
        "config = {'TAMS_API_KEY': 'k', 'CIVITAI_API_TOKEN': 'k'}\n"
        "for name in ('tams', 'civitai', 'comfyui', 'emulator'): get_target(name, config)\n"
        "heavy = ('httpx', 'websockets', 'cryptography', 'pydantic', 'asyncio', 'ssl', 'rich')\n"
        "print([name for name in heavy if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)

    assert b"[]" == done.stdout.strip()
