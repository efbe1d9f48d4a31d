"""
Comfy API v2: Comfy Cloud, deployments on `run.comfy.app`, and a proxy of one's own.
"""

from __future__ import annotations

from collections.abc import Mapping

from comfygraph.errors import UsageError
from comfygraph.targets.comfyapi.target import DEFAULT_BASE_URL, ComfyApiTarget
from comfygraph.targets.http import Secret, bearer, same_origin

__all__ = ["DEFAULT_BASE_URL", "ComfyApiTarget", "from_config"]


def from_config(name: str, config: Mapping[str, str]) -> ComfyApiTarget:
    """
    Make the target from `COMFY_API_KEY`, the key of an account at comfy.org.

    `COMFY_API_URL` is the address, Comfy Cloud by default. `COMFY_API_TOKEN` is the bearer token
    of a proxy that has one of its own; the account's key then only goes along for API nodes.

    Raises:
        UsageError: There is no key and Comfy Cloud wants one, or the address is no URL.
    """
    url = config.get("COMFY_API_URL", "").strip() or DEFAULT_BASE_URL
    key = config.get("COMFY_API_KEY", "").strip()
    token = config.get("COMFY_API_TOKEN", "").strip() or key
    if not token and same_origin(url, DEFAULT_BASE_URL):
        raise UsageError(
            "COMFY_API_KEY is not set",
            hint="make a key at https://platform.comfy.org and put it into the environment",
        )
    return ComfyApiTarget(
        base_url=url,
        auth=bearer(Secret(token)) if token else None,
        comfy_api_key=Secret(key) if key else None,
        name=name,
    )
