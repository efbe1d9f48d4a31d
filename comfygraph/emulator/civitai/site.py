"""
The part of Civitai's site that tells of models: `/api/v1/model-versions`. It asks for no token.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import Response

from comfygraph.core.values import JsonValue
from comfygraph.emulator.answers import spoiled
from comfygraph.emulator.civitai.service import Civitai, ServiceHandler
from comfygraph.emulator.shelf import ShelfModel
from comfygraph.emulator.web import BodyError, faults_of, json_answer, read_json

_MOST_HASHES, _MOST_IDS = 100, 10_000
_OPTIONAL = frozenset({"air", "availability", "status", "trainedWords", "stats", "images"})


def version_view(model: ShelfModel) -> dict[str, JsonValue]:
    """
    Give a version as the site words it.
    """
    download = f"https://civitai.com/api/download/models/{model.version}"
    return {
        "id": model.version,
        "modelId": model.model,
        "name": "v1.0",
        "baseModel": model.base_model,
        "baseModelType": "Standard",
        "air": model.air,
        "status": "Published",
        "availability": "Public",
        "nsfwLevel": 1,
        "createdAt": "2023-05-06T16:22:46.000Z",
        "updatedAt": "2023-05-19T08:16:45.000Z",
        "publishedAt": "2023-05-06T17:00:00.000Z",
        "usageControl": "Download",
        "trainedWords": [],
        "earlyAccessEndsAt": None,
        "stats": {"downloadCount": 1, "thumbsUpCount": 1},
        "model": {"name": model.name, "type": model.type, "nsfw": False, "poi": False},
        "files": [
            {
                "id": model.file_id,
                "name": model.file,
                "type": "Model",
                "sizeKB": 2082642.5,
                "metadata": {"format": "SafeTensor", "size": "pruned", "fp": "fp16"},
                "pickleScanResult": "Success",
                "virusScanResult": "Success",
                "hashes": {"AutoV2": model.sha256[:10], "SHA256": model.sha256},
                "downloadUrl": download,
                "primary": True,
            }
        ],
        "images": [],
        "downloadUrl": download,
    }


def _answer(request: Request, model: ShelfModel | None) -> Response:
    if model is None:
        return json_answer({"error": "Model not found"}, 404)
    return json_answer(spoiled(version_view(model), faults_of(request), _OPTIONAL))


async def read(service: Civitai, request: Request) -> Response:
    """
    Give a version by its number.
    """
    text = request.path_params["version_id"]
    if not re.fullmatch(r"[0-9]{1,10}", text):
        return json_answer({"error": "Invalid id"}, 400)
    return _answer(request, service.host.shelf.version(int(text)))


async def by_hash(service: Civitai, request: Request) -> Response:
    """
    Give the version that has a file with a hash.
    """
    return _answer(request, service.host.shelf.by_hash(request.path_params["digits"]))


async def _models(service: Civitai, request: Request, most: int) -> list[ShelfModel]:
    hashes = await read_json(request)
    if not isinstance(hashes, list) or len(hashes) > most:
        raise BodyError(400, f"an array of at most {most} hashes is wanted")
    if any(not isinstance(item, str) or len(item) != 64 for item in hashes):
        raise BodyError(400, "every hash is a SHA256 of 64 characters")
    return [found for item in hashes if (found := service.host.shelf.by_hash(item)) is not None]


async def by_hashes(service: Civitai, request: Request) -> Response:
    """
    Give the versions that have files with some SHA-256; what is not known is left out.
    """
    found = await _models(service, request, _MOST_HASHES)
    views = [version_view(model) for model in found]
    return json_answer(spoiled(views, faults_of(request), _OPTIONAL))


async def ids_by_hashes(service: Civitai, request: Request) -> Response:
    """
    Give the numbers of the versions that have files with some SHA-256.
    """
    found = await _models(service, request, _MOST_IDS)
    return json_answer([{"modelVersionId": model.version, "hash": model.sha256} for model in found])


OPEN_HANDLERS: Mapping[tuple[str, str], ServiceHandler] = MappingProxyType(
    {
        ("GET", "/api/v1/model-versions/by-hash/{digits}"): by_hash,
        ("GET", "/api/v1/model-versions/{version_id}"): read,
        ("POST", "/api/v1/model-versions/by-hash"): by_hashes,
        ("POST", "/api/v1/model-versions/by-hash/ids"): ids_by_hashes,
    }
)


def refuse(request: Request, status: int, message: str) -> Response:
    """
    Answer with an error in the form of the site.
    """
    return json_answer({"error": message}, status)
