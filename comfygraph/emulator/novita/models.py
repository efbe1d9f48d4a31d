"""
`GET /v2/model/civitai_version_id/{id}` and `GET /v3/model`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import Response

from comfygraph.core.values import JsonValue
from comfygraph.emulator.answers import spoiled
from comfygraph.emulator.novita.service import Novita, ServiceHandler, problem
from comfygraph.emulator.shelf import ShelfModel
from comfygraph.emulator.web import faults_of, json_answer

_MOST = 100
_ENABLED: Mapping[str, JsonValue] = {"1": 1, "0": 0, "null": None}
_TAGS = {"checkpoint": ["base model", "photorealistic"], "lora": ["detail"]}
_TYPES = {"embedding": "textualinversion", "lycoris": "lora"}
_OPTIONAL = frozenset({
    "hash_sha256", "sd_name_in_api", "categories", "tags", "download_url", "cover_url", "source",
    "base_model", "base_model_type", "is_nsfw", "next_cursor", "version", "model_id", "hash",
})  # fmt: skip


def _type(model: ShelfModel) -> str:
    return _TYPES.get(model.kind, model.kind)


def model_view(model: ShelfModel, enable: JsonValue) -> dict[str, JsonValue]:
    """
    Give a model in the form of v2: flags are numbers or texts, lists are texts with commas, and
    the picture's sides are swapped, as in Novita's own example.
    """
    return {
        "id": None,
        "model_id": "",
        "hash": model.sha256[:10],
        "name": model.name,
        "type": _type(model),
        "version": "",
        "sd_name": model.file,
        "third_source": "civitai",
        "enable": enable,
        "download_name": model.file,
        "download_status": 1,
        "dependency_status": 1,
        "delete_time": "",
        "create_time": "",
        "update_time": "",
        "civitai_link": f"https://civitai.com/models/{model.model}",
        "civitai_model_id": model.model,
        "civitai_version_id": model.version,
        "civitai_nsfw": False,
        "civitai_allow_commercial_use": "Rent",
        "civitai_allow_different_license": True,
        "civitai_download_url": f"https://civitai.com/api/download/models/{model.version}",
        "civitai_create_at": "2023-05-06 16:22:46",
        "civitai_update_at": "2023-05-19 08:16:45",
        "civitai_trained_words": "",
        "civitai_tags": ",".join(_TAGS.get(model.kind, ())),
        "civitai_download_count": 1,
        "civitai_favorite_count": 1,
        "civitai_comment_count": 0,
        "civitai_rating_count": 1,
        "civitai_rating": 4.96,
        "civitai_images": [],
        "civitai_image_url": "",
        "civitai_image_nsfw": "None",
        "civitai_image_height": 768,
        "civitai_image_width": 540,
        "civitai_image_seed": 2972238300,
        "civitai_dependency_model_name": "",
        "civitai_dependency_version_id": None,
    }


async def by_version(service: Novita, request: Request) -> Response:
    """
    Give the model that is a version on Civitai.
    """
    text = request.path_params["version_id"]
    faults = faults_of(request)
    known = service.host.shelf.version(int(text)) if re.fullmatch(r"[0-9]{1,10}", text) else None
    if known is None:
        match faults.no_model:
            case "null":
                return json_answer({"code": 0, "msg": "", "data": {"model": None}})
            case "absent":
                return json_answer({"code": 0, "msg": "", "data": {}})
            case _:
                return json_answer({"code": 2, "msg": "model not exists", "data": {}})
    view = model_view(known, _ENABLED.get(faults.enable, 1))
    envelope = {"code": 0, "msg": "", "data": {"model": view}}
    return json_answer(spoiled(envelope, faults, _OPTIONAL | {"code", "msg"}))


async def listing(service: Novita, request: Request) -> Response:
    """
    Give a page of the list.
    """
    query = request.query_params
    limit = _number(query.get("pagination.limit", str(_MOST)))
    cursor = re.fullmatch(r"c_([0-9]{1,9})", query.get("pagination.cursor", "c_0"))
    if limit is None or not 1 <= limit <= _MOST or cursor is None:
        return problem(400, "INVALID_REQUEST_BODY", "pagination is out of range")
    start = int(cursor[1])
    chosen = [model for model in service.host.shelf.models() if _wanted(model, request)]
    page = chosen[start : start + limit]
    more = start + limit < len(chosen)
    last = "" if faults_of(request).last_cursor == "empty" else f"c_{start + limit}"
    view: dict[str, JsonValue] = {
        "models": [_listed(model, start + place) for place, model in enumerate(page)],
        "pagination": {"next_cursor": f"c_{start + limit}" if more else last},
    }
    return json_answer(spoiled(view, faults_of(request), _OPTIONAL))


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,9}", text) else None


def _wanted(model: ShelfModel, request: Request) -> bool:
    query = request.query_params
    # Several types come as one text with commas or as several parameters: documents show one.
    types = [word for text in query.getlist("filter.types") for word in text.split(",") if word]
    words = query.get("filter.query", "").casefold()
    facts = {
        "filter.visibility": "public",
        "filter.source": "civitai",
        "filter.is_sdxl": str(model.ecosystem == "sdxl").lower(),
        "filter.is_inpainting": "false",
    }
    return (
        all(query.get(name, fact) == fact for name, fact in facts.items())
        and (not types or _type(model) in types)
        and words in f"{model.name} {model.file} {' '.join(_TAGS.get(model.kind, ()))}".casefold()
    )


def _listed(model: ShelfModel, place: int) -> dict[str, JsonValue]:
    return {
        "id": 100_000 + place,
        "name": model.name,
        "sd_name": model.file,
        "sd_name_in_api": model.file,
        "hash_sha256": model.sha256,
        "type": {"name": _type(model), "display_name": model.type},
        "status": 1,
        "categories": [],
        "tags": list(_TAGS.get(model.kind, ())),
        "download_url": "",
        "download_url_ttl": 0,
        "cover_url": "",
        "source": "civitai",
        "base_model": model.base_model,
        "base_model_type": "Standard",
        "is_nsfw": False,
    }


HANDLERS: Mapping[tuple[str, str], ServiceHandler] = MappingProxyType(
    {
        ("GET", "/v2/model/civitai_version_id/{version_id}"): by_version,
        ("GET", "/v3/model"): listing,
    }
)
