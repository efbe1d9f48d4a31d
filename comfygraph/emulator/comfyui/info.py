"""
What a ComfyUI server says about itself: classes, features, models, memory.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from comfygraph.core.values import JsonValue
from comfygraph.emulator.web import json_answer

if TYPE_CHECKING:
    from comfygraph.emulator.comfyui.service import ComfyUI, ServiceHandler

FEATURES: Mapping[str, JsonValue] = MappingProxyType(
    {
        "supports_preview_metadata": True,
        "supports_model_type_tags": True,
        "max_upload_size": 104857600,
        "extension": {"manager": {"supports_v4": True}},
        "node_replacements": True,
        "assets": False,
    }
)
"""What `GET /features` says and what the websocket answers to a client's features."""

FOLDERS = tuple(
    """
    checkpoints configs loras vae text_encoders diffusion_models clip_vision style_models
    embeddings diffusers vae_approx controlnet gligen upscale_models latent_upscale_models
    custom_nodes datasets hypernetworks photomaker classifiers model_patches audio_encoders
    background_removal frame_interpolation geometry_estimation optical_flow detection
    """.split()  # noqa: SIM905  # a list of 27 strings is no easier to read
)


def _answer(value: JsonValue, status: int = 200) -> Response:
    return json_answer(value, status, media_type="application/json; charset=utf-8")


async def object_info(service: ComfyUI, request: Request) -> Response:
    """
    Give every class.
    """
    catalog = service.host.catalog
    return _answer({name: _entry(service, name) for name in catalog.names()})


async def object_info_of(service: ComfyUI, request: Request) -> Response:
    """
    Give one class, `{}` for one that is not there.
    """
    name = request.path_params["node_class"]
    return _answer({name: _entry(service, name)} if name in service.host.catalog else {})


def _entry(service: ComfyUI, name: str) -> JsonValue:
    return dict(service.host.catalog[name].raw)


async def features(service: ComfyUI, request: Request) -> Response:
    """
    Give the features of the server.
    """
    return _answer(dict(FEATURES))


async def system_stats(service: ComfyUI, request: Request) -> Response:
    """
    Give versions and memory; the device is called what it is, an emulator.
    """
    gigabyte = 2**30
    return _answer(
        {
            "system": {
                "os": sys.platform,
                "ram_total": 16 * gigabyte,
                "ram_free": 8 * gigabyte,
                "comfyui_version": "0.33.0",
                "required_frontend_version": "1.49.6",
                "python_version": f"{platform.python_version()} ({platform.python_compiler()})",
                "pytorch_version": "2.9.0",
                "embedded_python": False,
                "argv": ["main.py"],
            },
            "devices": [
                {
                    "name": "cpu (comfygraph emulator)",
                    "type": "cpu",
                    "index": 0,
                    "vram_total": 16 * gigabyte,
                    "vram_free": 8 * gigabyte,
                    "torch_vram_total": 16 * gigabyte,
                    "torch_vram_free": 8 * gigabyte,
                }
            ],
        }
    )


async def models(service: ComfyUI, request: Request) -> Response:
    """
    Give the kinds of model folders.
    """
    return _answer(list(FOLDERS))


async def models_of(service: ComfyUI, request: Request) -> Response:
    """
    Give the files of one folder, as the catalog's classes list them; 404 for another folder.
    """
    folder = request.path_params["folder"]
    if folder not in FOLDERS:
        return Response(status_code=404)
    catalog, names = service.host.catalog, dict[str, None]()
    for class_type in catalog.names():
        for spec in catalog[class_type].inputs.values():
            if spec.files == folder:
                names.update(dict.fromkeys(str(name) for name in spec.options or ()))
    return _answer(list(names))


async def files_of(service: ComfyUI, request: Request) -> Response:
    """
    Give the files of the output, temp or input folder, newest first.
    """
    kind = request.path_params["directory_type"]
    if kind not in {"output", "temp", "input"}:
        return _answer({"error": "Invalid directory type"}, 400)
    found = [path for path in service.engine.store.folder(kind).iterdir() if path.is_file()]
    found.sort(key=lambda path: -path.stat().st_mtime)
    return _answer([f"{path.name} [{kind}]" for path in found])


async def users(service: ComfyUI, request: Request) -> Response:
    """
    Say that there is one user, whose settings the server keeps.
    """
    return _answer({"storage": "server", "migrated": True})


async def nothing_listed(service: ComfyUI, request: Request) -> Response:
    """
    Give an empty list.
    """
    return _answer([])


async def nothing_named(service: ComfyUI, request: Request) -> Response:
    """
    Give an empty object.
    """
    return _answer({})


async def done(service: ComfyUI, request: Request) -> Response:
    """
    Say yes to what an emulator has no use for.
    """
    return Response()


HANDLERS: Mapping[tuple[str, str], ServiceHandler] = MappingProxyType(
    {
        ("GET", "/object_info"): object_info,
        ("GET", "/object_info/{node_class:path}"): object_info_of,
        ("GET", "/features"): features,
        ("GET", "/system_stats"): system_stats,
        ("GET", "/models"): models,
        ("GET", "/models/{folder}"): models_of,
        ("GET", "/embeddings"): nothing_listed,
        ("GET", "/extensions"): nothing_listed,
        ("GET", "/node_replacements"): nothing_named,
        ("GET", "/workflow_templates"): nothing_named,
        ("GET", "/global_subgraphs"): nothing_named,
        ("GET", "/settings"): nothing_named,
        ("GET", "/users"): users,
        ("GET", "/internal/files/{directory_type}"): files_of,
        ("POST", "/free"): done,
    }
)
