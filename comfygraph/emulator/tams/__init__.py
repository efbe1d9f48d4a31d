"""
TensorArt's TAMS (and Tusi) as clients see it: `/v1/jobs/workflow` and what belongs to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from comfygraph.emulator.tams.service import Tams


def routes(service: Tams) -> list[BaseRoute]:
    """
    Give all routes of the service.
    """
    from comfygraph.emulator.tams import jobs, models, resources, stages, templates
    from comfygraph.emulator.web import route

    found: list[BaseRoute] = []
    parts = (stages, jobs, templates, models, resources)
    handlers = {key: handler for part in parts for key, handler in part.HANDLERS.items()}
    for (method, path), handler in handlers.items():
        found.append(route(method, path, service.guarded(handler), service.host, service.refuse))
    for (method, path), handler in resources.OPEN_HANDLERS.items():
        found.append(route(method, path, service.bound(handler), service.host, service.refuse))
    return found
