"""
Which ComfyUI servers there are, and the credentials for one behind a proxy.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping
from urllib.parse import unquote, urlsplit

from comfygraph.errors import UsageError
from comfygraph.targets.http import HeaderAuth, Secret

DEFAULT_BASE_URL = "http://127.0.0.1:8188"
CREDENTIALS = ("COMFYUI_TOKEN", "COMFYUI_API_KEY", "COMFYUI_HEADERS")
"""The settings that hold credentials; they belong to the servers in `COMFYUI_URL`."""
COMFY_ORG_KEY = "COMFY_API_KEY"
"""The setting with the key of an account at comfy.org, which servers pass on for API nodes."""

_BETWEEN = re.compile(r"[,\s]+")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def server_urls(config: Mapping[str, str]) -> tuple[str, ...]:
    """
    Give the addresses in `COMFYUI_URL`, which stand between commas; each once, at least one.
    """
    given = [url for url in _BETWEEN.split(config.get("COMFYUI_URL", "")) if url]
    return tuple(dict.fromkeys(given)) or (DEFAULT_BASE_URL,)


def configured_auth(url: str, config: Mapping[str, str]) -> HeaderAuth | None:
    """
    Give the credentials for a server, or `None`.

    `COMFYUI_TOKEN` becomes `Authorization: Bearer`, else user and password of the address become
    basic authentication; `COMFYUI_API_KEY` becomes `X-API-Key`; `COMFYUI_HEADERS` holds any
    other headers, `Name: value`, one a line or between semicolons.

    Raises:
        UsageError: `COMFYUI_HEADERS` is not written so.
    """
    headers: dict[str, Secret] = {}
    in_url = basic_auth(url)
    if token := config.get("COMFYUI_TOKEN", "").strip():
        headers["Authorization"] = Secret(f"Bearer {token}", "Bearer ***")
    elif in_url is not None:
        headers.update(in_url.values)
    if key := config.get("COMFYUI_API_KEY", "").strip():
        headers["X-API-Key"] = Secret(key)
    headers.update(_other_headers(config.get("COMFYUI_HEADERS", "")))
    return HeaderAuth(headers) if headers else None


def _other_headers(text: str) -> dict[str, Secret]:
    found: dict[str, Secret] = {}
    for line in re.split(r"[\n;]", text):
        name, colon, value = (part.strip() for part in line.partition(":"))
        if not name and not colon:
            continue
        if not colon or not value or not _NAME.fullmatch(name):
            # never the line itself: it holds a secret, or most of one
            raise UsageError(
                "`COMFYUI_HEADERS` holds something that is no header",
                hint="write it like `CF-Access-Client-Id: abc; CF-Access-Client-Secret: def`",
            )
        found[name] = Secret(value)
    return found


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
