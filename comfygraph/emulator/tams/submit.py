"""
Reading, checking and taking a workflow job.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from comfygraph.core.values import JsonValue
from comfygraph.emulator.estimate import work_of
from comfygraph.emulator.faults import Faults
from comfygraph.emulator.host import rewritten
from comfygraph.emulator.jobs import Job
from comfygraph.emulator.tams.service import Tams, TamsJob, problem
from comfygraph.emulator.tams.views import job_view
from comfygraph.emulator.web import faults_of, json_answer

ACCESS_KEY = "emulator-access-key"
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_REQUIRED = "字段必填"
_IMAGE_NODES = frozenset({"LoadImage", "LoadImageMask", "TensorArt_LoadImage"})
_MODEL_INPUTS = {"ckpt_name": "CHECKPOINT", "lora_name": "LORA", "control_net_name": "CONTROLNET"}


class ArgumentsError(Exception):
    """
    The service refuses the request; `answer` says how.
    """

    def __init__(self, answer: Response) -> None:
        super().__init__("refused")
        self.answer = answer


def field_of(body: Mapping[str, JsonValue], camel: str) -> JsonValue:
    """
    Give a field by its camelCase or its snake_case name; both are taken in requests.
    """
    return body.get(camel, body.get(_snake(camel)))


def _snake(camel: str) -> str:
    return re.sub(r"(?<=[a-z])([A-Z])", lambda found: f"_{found[1].lower()}", camel)


def known_fields(request: Request, body: Mapping[str, JsonValue], *names: str) -> None:
    """
    Refuse a body with other fields than these, if the knobs say so.

    Raises:
        ArgumentsError: It has another.
    """
    if faults_of(request).unknown_fields != "refuse":
        return
    known = {*names, *(_snake(name) for name in names)}
    for name in body:
        if name not in known:
            raise ArgumentsError(problem(400, 3, f'unknown field "{name}"'))


def nodes_of(params: JsonValue, faults: Faults) -> dict[str, dict[str, JsonValue]]:
    """
    Read `params` as a prompt.

    Raises:
        ArgumentsError: It is no map of nodes, or an access key is missing.
    """
    if not isinstance(params, dict) or not params:
        raise ArgumentsError(problem(400, 3, "invalid params: no nodes"))
    nodes: dict[str, dict[str, JsonValue]] = {}
    for node_id, node in params.items():
        class_type = _class_of(node, faults) if isinstance(node, dict) else None
        inputs = node.get("inputs") if isinstance(node, dict) else None
        if not isinstance(class_type, str) or not isinstance(inputs, dict | None):
            raise ArgumentsError(problem(400, 3, f"invalid params: node {node_id}"))
        inputs = dict(inputs or {})
        _want_key(node_id, node, inputs, faults)
        nodes[node_id] = {"class_type": class_type, "inputs": inputs}
    return nodes


def _class_of(node: Mapping[str, JsonValue], faults: Faults) -> JsonValue:
    match faults.node_spelling:
        case "camel":
            return node.get("classType")
        case "snake":
            return node.get("class_type")
        case _:
            return field_of(node, "classType")


def _want_key(
    node_id: str, node: Mapping[str, JsonValue], inputs: dict[str, JsonValue], faults: Faults
) -> None:
    """Look for the key of a private model, and take it out of the inputs of the node."""
    found: JsonValue = node
    path = faults.access_place.split(".")
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    if len(path) == 2 and path[0] == "inputs":
        inputs.pop(path[1], None)
    private = set(faults.private_models.split(",")) - {""}
    for name, value in inputs.items():
        if isinstance(value, str) and value in private and found != ACCESS_KEY:
            lines = [f"{name}: no permission for model {value}"]
            detail = _argument_error(node_id, str(field_of(node, "classType")), lines)
            raise ArgumentsError(problem(faults.argument_status, 3, "Params Valid", [detail]))


def price(service: Tams, nodes: Mapping[str, Mapping[str, JsonValue]]) -> float:
    """
    Give the credits that a graph costs: about 0.8 for twenty steps of a small picture.
    """
    work = work_of(nodes, service.engine.catalog, service.engine.file_frame)
    return max(0.1, round(work * 0.04, 1))


def checked(
    service: Tams, nodes: dict[str, dict[str, JsonValue]], faults: Faults
) -> tuple[dict[str, dict[str, JsonValue]], list[str]]:
    """
    Check a graph, and give it with its output nodes.

    Raises:
        ArgumentsError: It is wrong; the answer has one `ArgumentError` for every bad node.
    """
    _learn_models(service, nodes)
    details = _bad_images(service, nodes, faults)
    if faults.model_names == "refuse":
        details += _bad_models(nodes)
    verdict = service.host.check(nodes, None)
    if verdict.status >= 500:
        raise ArgumentsError(problem(400, 3, "invalid params"))
    if verdict.status != 200:
        details += _bad_nodes(verdict.to_json())
    if details:
        raise ArgumentsError(problem(faults.argument_status, 3, "Params Valid", details))
    return rewritten(nodes, verdict), list(verdict.outputs)


def _argument_error(node_id: str, class_type: str, lines: list[str]) -> JsonValue:
    text = "".join(f"{line}\n" for line in [f"node id: {node_id}", f"class type: {class_type}"])
    return {
        "@type": "type.googleapis.com/tams_api.ArgumentError",
        "field": "workflow",
        "message": text + "".join(f"{line}\n" for line in lines),
    }


def _bad_nodes(body: JsonValue) -> list[JsonValue]:
    details: list[JsonValue] = []
    for node_id, found in body.get("node_errors", {}).items():
        lines = []
        for error in found["errors"]:
            name = (error.get("extra_info") or {}).get("input_name") or "workflow"
            missing = error["type"] == "required_input_missing"
            reason = _REQUIRED if missing else error["message"]
            lines.append(f"{name}: {reason}")
        details.append(_argument_error(node_id, found["class_type"], lines))
    if not details:
        error = body.get("error") or {}
        info = error.get("extra_info") or {}
        details.append(
            _argument_error(
                str(info.get("node_id", "")),
                str(info.get("class_type") or ""),
                [f"workflow: {error.get('message', 'invalid')}"],
            )
        )
    return details


def _bad_models(nodes: Mapping[str, Mapping[str, JsonValue]]) -> list[JsonValue]:
    return [
        _argument_error(node_id, node["class_type"], [f"{name}: no such model"])
        for node_id, node in nodes.items()
        for name in ("ckpt_name", "lora_name")
        if isinstance(value := node["inputs"].get(name), str) and not value.isdigit()
    ]


def _bad_images(
    service: Tams, nodes: Mapping[str, Mapping[str, JsonValue]], faults: Faults
) -> list[JsonValue]:
    # Other texts pass: whether file names work too is not documented.
    details: list[JsonValue] = []
    for node_id, node in nodes.items():
        if node["class_type"] not in _IMAGE_NODES:
            continue
        image = node["inputs"].get("image")
        if image == "":
            reason = _REQUIRED
        elif (
            isinstance(image, str)
            and _UUID.fullmatch(image)
            and not (image in service.results or service.uploaded(image, faults.upload_settles))
        ):
            reason = "image not found"
        else:
            continue
        details.append(_argument_error(node_id, node["class_type"], [f"image: {reason}"]))
    return details


def _learn_models(service: Tams, nodes: Mapping[str, Mapping[str, JsonValue]]) -> None:
    for node in nodes.values():
        for name, kind in _MODEL_INPUTS.items():
            value = node["inputs"].get(name)
            if isinstance(value, str) and value.isdigit():
                service.models.setdefault(value, kind)


def refused_check(request: Request, exc: ArgumentsError) -> Response:
    """
    Answer a check of a bad graph as the knobs want it.
    """
    match faults_of(request).check_style:
        case "valid":
            return json_answer({"valid": False})
        case "omitted":
            return json_answer({})
        case _:
            return exc.answer


def take(
    service: Tams,
    request: Request,
    body: Mapping[str, JsonValue],
    nodes: dict[str, dict[str, JsonValue]],
    *,
    stages: bool = False,
) -> Response:
    """
    Take a job, or give the one that the same `requestId` made before.

    Args:
        service: The service.
        request: The request.
        body: Its body.
        nodes: The graph.
        stages: Whether the graph stands for the stages of a diffusion job.

    Raises:
        ArgumentsError: The request or its graph is wrong.
    """
    request_id = field_of(body, "requestId")
    if not isinstance(request_id, str) or not request_id:
        raise ArgumentsError(problem(400, 3, "invalid requestId"))
    faults = faults_of(request)
    if (known := service.requests.get(request_id)) is not None:
        if faults.duplicate_id == "same":
            return json_answer({"job": job_view(service, known)})
        if faults.duplicate_id == "refuse":
            raise ArgumentsError(problem(400, 6, "requestId already exists"))
    nodes, outputs = checked(service, nodes, faults)
    if faults.no_funds:
        lack = {"message": "insufficient credits"}
        raise ArgumentsError(problem(400, 9, "refused", [lack]))
    notify = field_of(body, "notifyUrl" if stages else "runningNotifyUrl")
    known = TamsJob(
        Job(
            id=service.new_id(),
            number=len(service.jobs),
            nodes=nodes,
            outputs=outputs,
            faults=faults,
            prelude=(("waiting", 1),),
            metadata={"prompt": nodes},
            salt=request_id,
            created=service.engine.clock(),
        ),
        price(service, nodes),
        notify if isinstance(notify, str) else "",
        stages,
    )
    service.jobs[known.job.id] = service.requests[request_id] = known
    service.engine.put(known.job)
    service.host.account.submit("tams")
    return json_answer({"job": {"id": known.job.id, "status": "CREATED"}})
