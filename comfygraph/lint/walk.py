"""
Which nodes the server visits, and what becomes of each: the recursion of
`validate_inputs` in ComfyUI's `execution.py`, as a loop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from comfygraph.lint.fault import RECURSION_LIMIT, Checked, Fault


class ServerError(NamedTuple):
    """
    One entry of `node_errors[id].errors`; `input` is `None` for cycles and exceptions.
    """

    type: str
    input: str | None
    message: str
    details: str
    extra_info: Mapping[str, Any]


class Verdict(NamedTuple):
    """Whether a node may run, and its own errors: none if only an upstream node is bad."""

    valid: bool
    errors: list[ServerError]


class _Frame:
    __slots__ = ("arrived", "checked", "links", "node_id", "valid")

    def __init__(self, node_id: str, checked: Checked, arrived: tuple[str, str] | None) -> None:
        self.node_id = node_id
        self.checked = checked
        self.arrived = arrived
        self.links: Iterator[tuple[str, str]] = iter(checked.follows[: checked.reached])
        self.valid = True


class Walk:
    """
    The server's visit, one output after the other, with the memo that outputs share.

    Args:
        check: Gives the outcome of one node's own checks; called once per visited node.
        class_of: Gives a node's class for messages.
    """

    def __init__(self, check: Callable[[str], Checked], class_of: Callable[[str], str]) -> None:
        self._check = check
        self._class_of = class_of
        self.verdicts: dict[str, Verdict] = {}
        self.visited: list[str] = []

    def visit(self, output: str) -> Verdict:
        """
        Validate one output node and all that it needs.
        """
        if output in self.verdicts:
            return self.verdicts[output]
        stack = [self._enter(output, None)]
        on_stack = {output: 0}
        while stack:
            frame = stack[-1]
            pushed = False
            for name, source in frame.links:
                if source in self.verdicts:
                    frame.valid &= self.verdicts[source].valid
                elif source in on_stack:
                    self._cycle([item.node_id for item in stack[on_stack[source] :]])
                    frame.valid = False
                else:
                    on_stack[source] = len(stack)
                    stack.append(self._enter(source, (frame.node_id, name)))
                    if len(stack) > RECURSION_LIMIT:
                        self._too_deep(stack)
                        on_stack.pop(source)
                        stack.pop()
                        frame.valid = False
                    pushed = True
                    break
            if pushed and stack[-1] is not frame:
                continue
            if pushed:
                continue
            stack.pop()
            on_stack.pop(frame.node_id)
            verdict = self._leave(frame)
            if stack and not verdict.valid:
                stack[-1].valid = False
        return self.verdicts[output]

    def _enter(self, node_id: str, arrived: tuple[str, str] | None) -> _Frame:
        self.visited.append(node_id)
        return _Frame(node_id, self._check(node_id), arrived)

    def _leave(self, frame: _Frame) -> Verdict:
        known = self.verdicts.get(frame.node_id)  # there already if a cycle closed here
        cycle = known.errors if known is not None else []
        crash = next((f for f in frame.checked.faults if f.server_error == "crash"), None)
        if crash is not None:
            verdict = Verdict(False, [self._exception(frame, crash)])
        else:
            errors = [_plain(f) for f in frame.checked.faults if f.server_error != "execution"]
            errors += cycle
            verdict = Verdict(frame.valid and not errors, errors)
        self.verdicts[frame.node_id] = verdict
        return verdict

    def _exception(self, frame: _Frame, crash: Fault) -> ServerError:
        exception = {"exception_message": crash.details, "exception_type": crash.exception}
        if frame.arrived is None:
            return ServerError(
                "exception_during_validation",
                None,
                "Exception when validating node",
                crash.details,
                {**exception, "traceback": []},
            )
        consumer, name = frame.arrived
        return inner_exception(self._check(consumer), name, frame.node_id, exception)

    def _cycle(self, nodes: list[str]) -> None:
        path = " -> ".join(f"{node} ({self._class_of(node)})" for node in [*nodes, nodes[0]])
        for node in nodes:
            error = ServerError(
                "dependency_cycle",
                None,
                "Dependency cycle detected",
                path,
                {"node_id": node, "cycle_nodes": nodes},
            )
            self.verdicts[node] = Verdict(False, [error])

    def _too_deep(self, stack: list[_Frame]) -> None:
        frame = stack[-1]
        text = "maximum recursion depth exceeded"
        crash = Fault("too-deep", frame.node_id, None, "crash", "", text, {}, "RecursionError")
        self.verdicts[frame.node_id] = Verdict(False, [self._exception(frame, crash)])


def inner_exception(
    consumer: Checked, name: str, node_id: str, exception: Mapping[str, Any]
) -> ServerError:
    """
    Tell an exception in a node as the server does: with the input of its *consumer*.
    """
    spec = consumer.specs.get(name)
    return ServerError(
        "exception_during_inner_validation",
        None,
        "Exception when validating inner node",
        str(exception["exception_message"]),
        {
            "input_name": name,
            "input_config": spec.config if spec is not None else None,
            **exception,
            "traceback": [],
            "linked_node": [node_id, 0],
        },
    )


def _plain(fault: Fault) -> ServerError:
    return ServerError(fault.server_error, fault.input, fault.message, fault.details, fault.extra)
