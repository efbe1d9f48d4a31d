"""
Comfy API v2 as clients of Comfy Cloud and its self-hosted proxy see it: `/api/v2`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from comfygraph.emulator.comfyapi.service import ComfyApi


def routes(service: ComfyApi) -> list[BaseRoute]:
    """
    Give all routes of the service.
    """
    from comfygraph.emulator.comfyapi import assets, events, jobs
    from comfygraph.emulator.web import route

    found: list[BaseRoute] = []
    for (method, path), handler in {**jobs.HANDLERS, **events.HANDLERS, **assets.HANDLERS}.items():
        found.append(route(method, path, service.guarded(handler), service.host, service.refuse))
    for (method, path), handler in assets.OPEN_HANDLERS.items():
        found.append(route(method, path, service.bound(handler), service.host, service.refuse))
    return found
