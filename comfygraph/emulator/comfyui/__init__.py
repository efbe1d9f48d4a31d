"""
A ComfyUI 0.33.0 server as clients see it: REST routes, each also under `/api`, and `/ws`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from comfygraph.emulator.comfyui.service import ComfyUI


def routes(service: ComfyUI) -> list[BaseRoute]:
    """
    Give all routes of the service.
    """
    from starlette.routing import WebSocketRoute

    from comfygraph.emulator.comfyui import files, info, queue, submit
    from comfygraph.emulator.web import route

    plain = {
        **submit.HANDLERS,
        **queue.HANDLERS,
        **files.HANDLERS,
        **info.HANDLERS,
    }
    found: list[BaseRoute] = []
    for prefix in ("", "/api"):
        for (method, path), handler in plain.items():
            guarded = service.guarded(handler)
            found.append(route(method, prefix + path, guarded, service.host, service.refuse))
        found.append(WebSocketRoute(f"{prefix}/ws", service.hub.endpoint))
    for (method, path), handler in queue.API_HANDLERS.items():
        guarded = service.guarded(handler)
        found.append(route(method, f"/api{path}", guarded, service.host, service.refuse))
    return found
