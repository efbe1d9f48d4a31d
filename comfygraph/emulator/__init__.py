"""
Local stand-ins of the services: real HTTP and websocket servers on loopback that speak the
dialects of ComfyUI, TAMS and Civitai, and make placeholder pictures.

    from comfygraph.emulator import Emulator

    with Emulator() as emulator:
        print(emulator.url("comfyui"))

Importing this package loads none of the web libraries; starting an `Emulator` does.
"""

from __future__ import annotations

from comfygraph.emulator.faults import Faults
from comfygraph.emulator.host import DEV_TOKEN, Received, Stats
from comfygraph.emulator.server import Emulator

__all__ = ["DEV_TOKEN", "Emulator", "Faults", "Received", "Stats"]
