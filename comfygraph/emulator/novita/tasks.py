"""
`POST /v3/async/txt2img` and `GET /v3/async/task-result`. A task goes on when it is asked for:
queued, 40 percent, 80 percent, over.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import Response

from comfygraph.core.values import JsonValue
from comfygraph.emulator.answers import spoiled
from comfygraph.emulator.novita.service import Novita, ServiceHandler, Task, problem
from comfygraph.emulator.web import faults_of, json_answer, read_object

_MOST_PICTURES = 8
_SIDE = 512
_STEPS = (("QUEUED", 0), ("PROCESSING", 40), ("PROCESSING", 80), ("SUCCEED", 100))
_OPTIONAL = frozenset({"eta", "progress_percent", "reason", "extra", "videos", "audios", "images"})


async def create(service: Novita, request: Request) -> Response:
    """
    Take a task.
    """
    wanted = (await read_object(request)).get("request")
    if not isinstance(wanted, dict) or not isinstance(wanted.get("model_name"), str):
        return problem(400, "INVALID_REQUEST_BODY", "request.model_name is required")
    count = wanted.get("image_num", 1)
    if not isinstance(count, int) or not 1 <= count <= _MOST_PICTURES:
        return problem(400, "INVALID_REQUEST_BODY", "request.image_num is out of range")
    seed = wanted.get("seed", 7)
    task = Task(str(uuid.uuid4()), 0, count, seed if isinstance(seed, int) else 7)
    service.tasks[task.id] = task
    service.host.account.submit("novita")
    return json_answer({"task_id": task.id})


async def result(service: Novita, request: Request) -> Response:
    """
    Tell how a task is.
    """
    task = service.tasks.get(request.query_params.get("task_id", ""))
    if task is None:
        return problem(404, "TASK_NOT_FOUND", "task not found")
    faults = faults_of(request)
    step = min(task.asked, len(_STEPS) - 1)
    task.asked += 1
    state, percent = _STEPS[step]
    failed = bool(faults.fail_node) and state == "SUCCEED"
    over = state == "SUCCEED" and not failed

    def big(number: int) -> JsonValue:
        return number if faults.plain_numbers else str(number)

    view: dict[str, JsonValue] = {
        "extra": {
            "seed": big(task.seed),
            "enable_nsfw_detection": False,
            "debug_info": {
                "request_info": "",
                "submit_time_ms": big(1_700_000_000_000),
                "execute_time_ms": big(1_700_000_000_500),
                "complete_time_ms": big(1_700_000_002_000 if over else 0),
            },
        },
        "task": {
            "task_id": task.id,
            "task_type": "TXT_TO_IMG",
            "status": f"TASK_STATUS_{'FAILED' if failed else state}",
            "reason": faults.fail_message if failed else "",
            "eta": 3 * (len(_STEPS) - 1 - step),
            "progress_percent": percent,
        },
        "images": [
            {
                "image_url": f"{service.host.base_url}/novita/{task.id}_{place}.png",
                "image_url_ttl": big(3600),
                "image_type": "png",
                "nsfw_detection_result": None,
            }
            for place in range(task.pictures if over else 0)
        ],
        "videos": [],
        "audios": [],
    }
    return json_answer(spoiled(view, faults, _OPTIONAL))


async def picture(service: Novita, request: Request) -> Response:
    """
    Give a picture of a task, a placeholder; its address needs no key.
    """
    name = request.path_params["name"]
    task = service.tasks.get(name.rpartition("_")[0])
    place = name.rpartition("_")[2].removesuffix(".png")
    if task is None or place not in map(str, range(task.pictures)):
        return Response(status_code=404)
    from comfygraph.emulator.pictures import draw, png

    made = draw(_SIDE, _SIDE, name, ("placeholder", f"{_SIDE} x {_SIDE}", "Novita"))
    return Response(png(made, {}), media_type="image/png")


async def user(service: Novita, request: Request) -> Response:
    """
    Tell what the account has.
    """
    return json_answer({"allow_features": [], "credit_balance": 100_000, "free_trial": {}})


HANDLERS: Mapping[tuple[str, str], ServiceHandler] = MappingProxyType(
    {
        ("POST", "/v3/async/txt2img"): create,
        ("GET", "/v3/async/task-result"): result,
        ("GET", "/v3/user"): user,
    }
)
OPEN_HANDLERS: Mapping[tuple[str, str], ServiceHandler] = MappingProxyType(
    {("GET", "/novita/{name}"): picture}
)
