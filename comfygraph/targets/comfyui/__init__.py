"""
A ComfyUI server, and the embedded emulator, which speaks the same dialect.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

from comfygraph.targets.comfyui.target import DEFAULT_BASE_URL, ComfyUITarget
from comfygraph.targets.http import HeaderAuth, Secret

__all__ = ["DEFAULT_BASE_URL", "ComfyUITarget", "basic_auth", "from_config"]


def from_config(name: str, config: Mapping[str, str]) -> ComfyUITarget:
    """
    Make the target from `COMFYUI_URL`; a user and password in it become basic authentication.

    `COMFY_API_KEY` is the key of an account at comfy.org, for graphs with API nodes.

    Raises:
        UsageError: The address is no `http:` or `https:` URL.
    """
    url = config.get("COMFYUI_URL") or DEFAULT_BASE_URL
    key = config.get("COMFY_API_KEY", "").strip()
    return ComfyUITarget(
        base_url=url,
        auth=basic_auth(url),
        comfy_api_key=Secret(key) if key else None,
        name=name,
    )


def basic_auth(url: str) -> HeaderAuth | None:
    """
    Give the credentials that stand in a URL, `https://user:password@host`, or `None`.
    """
    try:
        parts = urlsplit(url)
        user, password = parts.username, parts.password
    except ValueError:
        return None
    if user is None:
        return None
    pair = f"{unquote(user)}:{unquote(password or '')}"
    value = f"Basic {b64encode(pair.encode()).decode()}"
    return HeaderAuth({"Authorization": Secret(value, "Basic ***")})
