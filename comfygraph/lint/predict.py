"""
The answer of ComfyUI's `POST /prompt`, foretold: same status, same node errors.

Models `server.py` (`post_prompt`), `execution.py` (`validate_prompt`) and
`app/node_replace_manager.py` of ComfyUI 0.33.0.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from comfygraph.catalog import NodeCatalog
from comfygraph.documents import recognise
from comfygraph.lint.fault import Checked
from comfygraph.lint.faults import check_node
from comfygraph.lint.server_order import set_order
from comfygraph.lint.walk import ServerError, Walk

Files = Literal["assume", "strict"]

REPLACED = {
    "T2IAdapterLoader": "ControlNetLoader",
    "Load3DAnimation": "Load3D",
    "Preview3DAnimation": "Preview3D",
    "SDV_img2vid_Conditioning": "SVD_img2vid_Conditioning",
    "ConditioningAverage ": "ConditioningAverage",
}
"""Old class names that a server replaces before it validates, if they are not installed."""

MOST_DEPENDENTS = 1_000
"""Failing outputs after these are only told for the nodes that they brought in themselves."""

NodeErrors = Mapping[str, frozenset[tuple[str, str | None]]]


@dataclass(frozen=True, slots=True)
class PredictedResponse:
    """
    What a ComfyUI server would answer.

    Args:
        status: 200 accepted, 400 refused, 500 the prompt makes the server stumble.
        valid: Whether at least one output would run.
        error_type: The type of the error of the whole prompt, or `None`.
        outputs: The ids of the output nodes that would run, in document order.
        node_errors: Node id → set of (error type, input); the input is `None` for cycles
            and exceptions. Can be filled at status 200: some outputs are then dropped.
        rewritten: Node id → input → `[before, after]`: values that the server changes.
        dropped: The ids of the output nodes that would not run though the prompt has them.
    """

    status: int
    valid: bool
    error_type: str | None
    outputs: tuple[str, ...] = ()
    node_errors: NodeErrors = field(default_factory=dict)
    rewritten: Mapping[str, Mapping[str, list[Any]]] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)
    crash: str | None = None

    def to_json(self) -> Any:
        """
        Give the body of the answer in the server's own shape.

        At status 200 without `prompt_id` and `number`, which only a server can give; at
        status 500 the text that the server sends.
        """
        return dict(self.body) if self.status != 500 else "500 Internal Server Error"


def predict_response(
    prompt_json: Any,
    catalog: NodeCatalog,
    *,
    files: Files = "assume",
    targets: Iterable[str] | None = None,
) -> PredictedResponse:
    """
    Foretell what `POST /prompt` answers.

    Args:
        prompt_json: Any JSON value: a prompt, or a whole request body with the key `prompt`.
        catalog: The classes that the server has installed.
        files: `assume` takes any string for the name of an existing file, `strict` only
            those in the catalog's lists.
        targets: `partial_execution_targets`: ids of the output nodes to run; `None` for all.
    """
    document = recognise(prompt_json)
    prompt = prompt_json
    if document.kind in ("wrapped", "tams", "civitai"):
        prompt = document.prompt
        targets = document.targets if targets is None else targets
    return predict(prompt, catalog, files=files, targets=targets)


def predict(
    prompt: Any,
    catalog: NodeCatalog,
    *,
    files: Files,
    targets: Iterable[str] | None,
    checked: Mapping[str, Checked] | None = None,
) -> PredictedResponse:
    """
    Foretell the answer for a bare prompt; see `predict_response`.

    Args:
        checked: The outcome for nodes that were checked before, against the same catalog.
    """
    if not isinstance(prompt, dict):
        return _stumble(f"the prompt is {type(prompt).__name__}")
    given = prompt
    prompt, problem = _replace(prompt, catalog)
    replaced = prompt is not given
    if problem is not None:
        return _stumble(problem)
    outputs: list[str] = []
    wanted = _container(targets)
    for node_id, node in prompt.items():
        refused = _class_problem(node_id, node, catalog)
        if refused is not None:
            return refused
        definition = catalog.find(node["class_type"])
        if definition is None or not definition.output_node:
            continue
        if wanted is None:
            return _stumble("`partial_execution_targets` is no list")
        if node_id in wanted:
            outputs.append(node_id)
    if not outputs:
        return _refuse("prompt_no_outputs", "Prompt has no outputs", "", {})
    done = dict(checked) if checked is not None and not replaced else {}
    return _validate(prompt, catalog, outputs, files == "strict", done)


class _Everything:
    """What contains every node id."""

    def __contains__(self, node_id: object) -> bool:
        return True


def _container(targets: Any) -> Container[str] | None:
    """Give what the server asks `node_id in targets` of; `None` where that raises."""
    if targets is None:
        return _Everything()
    if isinstance(targets, str | dict):
        return targets  # Parts of a text, keys of an object: as Python has it.
    if isinstance(targets, Iterable):
        return {target for target in targets if isinstance(target, str)}
    return None


def _validate(
    prompt: Mapping[str, Any],
    catalog: NodeCatalog,
    outputs: list[str],
    strict: bool,
    done: dict[str, Checked],
) -> PredictedResponse:
    def check(node_id: str) -> Checked:
        if node_id not in done:
            node = prompt[node_id]
            definition = catalog[node["class_type"]]
            done[node_id] = check_node(node_id, node, definition, prompt, catalog.find, strict)
        return done[node_id]

    walk = Walk(check, lambda node_id: prompt[node_id]["class_type"])
    good: list[str] = []
    failed: list[str] = []
    dependents: dict[str, list[str]] = {}
    bad: list[str] = []
    seen = 0
    for output in set_order(outputs) if len(outputs) > 1 else outputs:
        if walk.visit(output).valid:
            good.append(output)
            continue
        failed.append(output)
        # The server blames this output on every bad node so far, its own or not.
        fresh = [node_id for node_id in walk.visited[seen:] if walk.verdicts[node_id].errors]
        seen = len(walk.visited)
        bad += fresh
        for node_id in bad if len(failed) <= MOST_DEPENDENTS else fresh:
            dependents.setdefault(node_id, []).append(output)
    fatal = next(
        (f for n in walk.visited for f in done[n].faults if f.server_error == "fatal"), None
    )
    if fatal is not None:
        return _stumble(fatal.details)
    errors = {node_id: walk.verdicts[node_id].errors for node_id in dependents}
    node_errors = {
        node_id: {
            "errors": [_error_json(error) for error in found],
            "dependent_outputs": dependents[node_id],
            "class_type": prompt[node_id]["class_type"],
        }
        for node_id, found in errors.items()
    }
    summary = {
        node_id: frozenset((error.type, error.input) for error in found)
        for node_id, found in errors.items()
    }
    rewritten = {
        node_id: {
            name: [prompt[node_id]["inputs"][name], after] for name, after in rewrites.items()
        }
        for node_id in walk.visited
        if (rewrites := done[node_id].rewrites)
    }
    if good:
        return PredictedResponse(
            200, True, None, _in_order(prompt, good), summary, rewritten, _in_order(prompt, failed),
            {"node_errors": node_errors},
        )  # fmt: skip
    lines = [
        f"{error.message}: {error.details}" for output in failed for error in errors.get(output, ())
    ]
    error: dict[str, Any] = {
        "type": "prompt_outputs_failed_validation",
        "message": "Prompt outputs failed validation",
        "details": "\n".join(lines),
        "extra_info": {},
    }
    return PredictedResponse(
        400, False, error["type"], (), summary, rewritten, _in_order(prompt, failed),
        {"error": error, "node_errors": node_errors},
    )  # fmt: skip


def _in_order(prompt: Mapping[str, Any], node_ids: list[str]) -> tuple[str, ...]:
    chosen = set(node_ids)
    return tuple(node_id for node_id in prompt if node_id in chosen)


def _error_json(error: ServerError) -> dict[str, Any]:
    return {
        "type": error.type,
        "message": error.message,
        "details": error.details,
        "extra_info": dict(error.extra_info),
    }


def _class_problem(node_id: str, node: Any, catalog: NodeCatalog) -> PredictedResponse | None:
    if not isinstance(node, dict):
        return _stumble(f"node {node_id} is {type(node).__name__}, not an object")
    meta = node.get("_meta", {})
    title = meta.get("title") if isinstance(meta, dict) else None
    if "class_type" not in node:
        if not isinstance(meta, dict):
            return _stumble(f"`_meta` of node {node_id} is {type(meta).__name__}")
        name = title or f"ID #{node_id}"
        message = (
            f"Node '{name}' has no class_type. "
            "The workflow may be corrupted or a custom node is missing."
        )
        return _missing_class(node_id, None, title, message)
    class_type = node["class_type"]
    if isinstance(class_type, list | dict):
        return _stumble(f"`class_type` of node {node_id} is {type(class_type).__name__}")
    if isinstance(class_type, str) and catalog.find(class_type) is not None:
        return None
    if not isinstance(meta, dict):
        return _stumble(f"`_meta` of node {node_id} is {type(meta).__name__}")
    title = title or class_type
    message = f"Node '{title}' not found. The custom node may not be installed."
    return _missing_class(node_id, class_type, title, message)


def _missing_class(node_id: str, class_type: Any, title: Any, message: str) -> PredictedResponse:
    extra = {"node_id": node_id, "class_type": class_type, "node_title": title}
    return _refuse("missing_node_type", message, f"Node ID '#{node_id}'", extra)


def _refuse(kind: str, message: str, details: str, extra: Mapping[str, Any]) -> PredictedResponse:
    error = {"type": kind, "message": message, "details": details, "extra_info": dict(extra)}
    return PredictedResponse(400, False, kind, body={"error": error, "node_errors": {}})


def _stumble(reason: str) -> PredictedResponse:
    return PredictedResponse(500, False, None, crash=reason)


def _replace(prompt: dict[str, Any], catalog: NodeCatalog) -> tuple[dict[str, Any], str | None]:
    """Do what the server does to old class names before it validates."""
    out = prompt
    for node_id, node in prompt.items():
        if not isinstance(node, dict):
            continue
        old = node.get("class_type")
        new = REPLACED.get(old) if isinstance(old, str) else None
        if new is None or old in catalog or new not in catalog:
            continue
        if "_meta" not in node:
            return prompt, f"'_meta' (node {node_id} is of the replaced class {old})"
        if out is prompt:
            out = dict(prompt)
        out[node_id] = {**node, "class_type": new}
    return out, None
