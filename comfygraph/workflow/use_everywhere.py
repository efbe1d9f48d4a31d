"""
Use Everywhere (cg-use-everywhere): connections that exist only while the editor queues.

The extension matches inputs by type and by patterns, with rules that changed from version
to version; it stores what it came to in `extra.ue_links`, and that is what is used here.
An input that is connected already stays as it is.
"""

from __future__ import annotations

from comfygraph.workflow.issues import UNPROVEN_VIRTUAL
from comfygraph.workflow.live import LiveGraph
from comfygraph.workflow.model import FileLink, as_dict, as_list, node_key, slot_number
from comfygraph.workflow.notes import Notes


def connect_everywhere(root: LiveGraph, notes: Notes) -> None:
    """
    Connect the inputs of the root that `extra.ue_links` lists.
    """
    extra = as_dict(root.file.raw.get("extra"))
    for index, item in enumerate(as_list(extra.get("ue_links"))):
        entry = as_dict(item)
        target = root.by_id.get(node_key(entry.get("downstream")))
        origin = root.by_id.get(node_key(entry.get("upstream")))
        if target is None or origin is None:
            continue
        stored = target.file.inputs
        at = slot_number(entry.get("downstream_slot"))
        name = as_dict(stored[at]).get("name") if 0 <= at < len(stored) else None
        if name is None and 0 <= at < len(target.inputs):
            name = target.inputs[at].name
        slot = next((slot for slot in target.inputs if slot.name == name), None)
        if slot is None or slot.link is not None:
            continue
        key = f"ue_links/{index}"
        slot.link = key
        root.links[key] = FileLink(
            origin.id, slot_number(entry.get("upstream_slot")), target.id, at
        )
        notes.add(
            UNPROVEN_VIRTUAL,
            f"input `{slot.name}` is connected by Use Everywhere, as stored with the workflow",
            f"/extra/ue_links/{index}",
            target.id,
            target.title,
        )
