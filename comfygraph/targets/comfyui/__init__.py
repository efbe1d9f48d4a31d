"""
A ComfyUI server, and the embedded emulator, which speaks the same dialect.
"""

from __future__ import annotations

from collections.abc import Mapping

from comfygraph.targets.comfyui.access import (
    COMFY_ORG_KEY,
    CREDENTIALS,
    DEFAULT_BASE_URL,
    basic_auth,
    configured_auth,
    server_urls,
)
from comfygraph.targets.comfyui.target import ComfyUITarget
from comfygraph.targets.comfyui.uploads import FileReference
from comfygraph.targets.http import Secret

__all__ = [
    "COMFY_ORG_KEY",
    "CREDENTIALS",
    "DEFAULT_BASE_URL",
    "ComfyUITarget",
    "FileReference",
    "basic_auth",
    "configured_auth",
    "from_config",
    "server_urls",
]


def from_config(name: str, config: Mapping[str, str]) -> ComfyUITarget:
    """
    Make the target from `COMFYUI_URL`, the first address of several (`comfygraph.jobs.pool`
    chooses among them), with the credentials of `configured_auth`.

    `COMFY_API_KEY` is the key of an account at comfy.org, for graphs with API nodes.

    Raises:
        UsageError: The address is no `http:` or `https:` URL, or a credential is badly written.
    """
    url = server_urls(config)[0]
    key = config.get(COMFY_ORG_KEY, "").strip()
    return ComfyUITarget(
        base_url=url,
        auth=configured_auth(url, config),
        comfy_api_key=Secret(key) if key else None,
        name=name,
    )
