"""
Civitai's orchestration API, with `comfy` and `customComfy` steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256

from comfygraph.errors import UsageError
from comfygraph.targets.civitai.calls import DEFAULT_BASE_URL
from comfygraph.targets.civitai.target import CivitaiTarget
from comfygraph.targets.http import Secret, bearer

__all__ = ["DEFAULT_BASE_URL", "CivitaiTarget", "from_config"]


def from_config(name: str, config: Mapping[str, str]) -> CivitaiTarget:
    """
    Make the target from `CIVITAI_API_TOKEN` and `CIVITAI_API_URL`.

    Raises:
        UsageError: The token is missing, or the address is no `http:` or `https:` URL.
    """
    token = config.get("CIVITAI_API_TOKEN", "").strip()
    if not token:
        raise UsageError(
            "no credentials for Civitai",
            hint="set CIVITAI_API_TOKEN to an API key of your account at civitai.com",
        )
    return CivitaiTarget(
        auth=bearer(Secret(token)),
        base_url=config.get("CIVITAI_API_URL") or DEFAULT_BASE_URL,
        name=name,
        account=sha256(f"key {token}".encode()).hexdigest()[:12],
    )
