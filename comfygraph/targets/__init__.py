"""
Targets: the services that run a graph. Each builds requests and reads answers; none opens anything.

    target = get_target("tams", {"TAMS_API_KEY": "..."})
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, cast

from comfygraph.errors import UsageError

if TYPE_CHECKING:
    from comfygraph.targets.base import Target

_FACTORIES: Mapping[str, str] = {
    "civitai": "comfygraph.targets.civitai",
    "comfyapi": "comfygraph.targets.comfyapi",
    "comfyui": "comfygraph.targets.comfyui",
    "emulator": "comfygraph.targets.comfyui",
    "tams": "comfygraph.targets.tams",
}

URL_SETTINGS: Mapping[str, str] = {
    "civitai": "CIVITAI_API_URL",
    "comfyapi": "COMFY_API_URL",
    "comfyui": "COMFYUI_URL",
    "emulator": "COMFYUI_URL",
    "tams": "TAMS_BASE_URL",
}
"""Target → the setting that says where it is."""


def target_names() -> tuple[str, ...]:
    """
    Give the names that `get_target` takes, sorted.
    """
    return tuple(sorted(_FACTORIES))


def get_target(name: str, config: Mapping[str, str] | None = None) -> Target:
    """
    Give a target by name.

    Args:
        name: One of `target_names()`.
        config: Settings by the names of the environment: `TAMS_API_KEY`, `TAMS_APP_ID`,
            `TAMS_PRIVATE_KEY_FILE`, `TAMS_BASE_URL`, `TAMS_CANCEL_STYLE`, `TAMS_CHECK`,
            `TAMS_NOTIFY_URL`, `TAMS_ACCESS_KEYS`, `TAMS_ACCESS_KEYS_FILE`,
            `TAMS_ACCESS_KEY_PLACE`, `CIVITAI_API_TOKEN`, `CIVITAI_API_URL`, `COMFYUI_URL`,
            `COMFYUI_TOKEN`, `COMFYUI_API_KEY`, `COMFYUI_HEADERS`, `COMFY_API_KEY`,
            `COMFY_API_URL`, `COMFY_API_TOKEN`. The environment itself is not read. For
            `emulator`, `COMFYUI_URL` is the embedded emulator's address.

    Raises:
        UsageError: No such target, or a setting is missing or wrong.
    """
    module = _FACTORIES.get(name)
    if module is None:
        raise UsageError(
            f"there is no target `{name}`", hint=f"choose one of {', '.join(target_names())}"
        )
    create = cast("Callable[[str, Mapping[str, str]], Target]", import_module(module).from_config)
    return create(name, config or {})
