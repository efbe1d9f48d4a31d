"""
What a service has against a graph, as findings at their places in the file of the person.
"""

from __future__ import annotations

from collections.abc import Iterable

from comfygraph.core.values import Prompt
from comfygraph.documents import Document
from comfygraph.lint.diagnostic import Diagnostic, Severity
from comfygraph.targets.base import NodeComplaint

REFUSED = "refused"


def complaint_diagnostics(
    complaints: Iterable[NodeComplaint], prompt: Prompt, document: Document, service: str
) -> tuple[Diagnostic, ...]:
    """
    Give a finding for each complaint, in the order of the graph's nodes.

    Args:
        complaints: What the service says.
        prompt: The graph that was sent.
        document: Where the graph stands; one that was converted knows where its nodes came from.
        service: The service, which takes the place of a rule's id.
    """
    order = {node_id: place for place, node_id in enumerate(prompt)}
    found = [_diagnostic(item, prompt, document, service) for item in complaints]
    found.sort(key=lambda item: order.get(item.node_id or "", len(order)))
    return tuple(found)


def _diagnostic(
    complaint: NodeComplaint, prompt: Prompt, document: Document, service: str
) -> Diagnostic:
    node = prompt.get(complaint.node_id)
    name = complaint.input
    if node is None:
        pointer = document.base
    elif name is not None and name in node.inputs:
        pointer = document.input_pointer(node.id, name)
    else:
        pointer = document.node_pointer(node.id)
    return Diagnostic(
        service,
        REFUSED,
        Severity.ERROR,
        f"`{name}`: {complaint.message}" if name else complaint.message,
        pointer,
        node_id=complaint.node_id or None,
        input=name,
        title=node.title if node is not None and node.title != node.class_type else None,
        class_type=node.class_type if node is not None else complaint.class_type,
        file=document.path,
    )
