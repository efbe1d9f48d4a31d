"""
Novita as clients see it: models by their version on Civitai (v2), the list of models and tasks
(v3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from comfygraph.emulator.novita.service import Novita


def routes(service: Novita) -> list[BaseRoute]:
    """
    Give all routes of the service.
    """
    from comfygraph.emulator.novita import models, tasks
    from comfygraph.emulator.web import route

    guarded = {**models.HANDLERS, **tasks.HANDLERS}
    handlers = {place: service.guarded(handler) for place, handler in guarded.items()}
    handlers |= {place: service.bound(handler) for place, handler in tasks.OPEN_HANDLERS.items()}
    return [
        route(method, path, handler, service.host, service.refuse)
        for (method, path), handler in handlers.items()
    ]
