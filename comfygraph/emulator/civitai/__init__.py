"""
Civitai's orchestration service as clients see it: `/v2/consumer/workflows` and what belongs
to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from comfygraph.emulator.civitai.service import Civitai


def routes(service: Civitai) -> list[BaseRoute]:
    """
    Give all routes of the service.
    """
    from comfygraph.emulator.civitai import (
        blobs,
        catalogue,
        edits,
        listing,
        recipes,
        site,
        workflows,
    )
    from comfygraph.emulator.web import route

    found: list[BaseRoute] = []
    handlers = {
        **workflows.HANDLERS,
        **edits.HANDLERS,
        **blobs.HANDLERS,
        **catalogue.HANDLERS,
        **listing.HANDLERS,
        **recipes.HANDLERS,
    }
    for (method, path), handler in handlers.items():
        found.append(route(method, path, service.guarded(handler), service.host, service.refuse))
    without_token = {
        **blobs.OPEN_HANDLERS,
        **catalogue.OPEN_HANDLERS,
        **recipes.OPEN_HANDLERS,
    }
    for (method, path), handler in without_token.items():
        found.append(route(method, path, service.bound(handler), service.host, service.refuse))
    for (method, path), handler in site.OPEN_HANDLERS.items():
        found.append(route(method, path, service.bound(handler), service.host, site.refuse))
    return found
