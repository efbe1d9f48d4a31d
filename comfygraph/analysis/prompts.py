"""
Prompts: which texts a CONDITIONING holds, which CLIP encoded them, which ControlNets go with it;
and the GUIDERs that take them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from comfygraph.analysis.facts import MOST_TEXTS, Conditioning, Guide, Part, Text
from comfygraph.analysis.sizes import Maker, Transfer
from comfygraph.analysis.view import View


def of(inputs: Sequence[str]) -> Transfer:
    """`of conditioning`: what comes in there. With several names, one an output slot."""
    if len(inputs) == 1:
        return lambda view: view.conditioning(inputs[0])
    return lambda view: tuple(view.conditioning(name) for name in inputs)


def encode(args: Sequence[str]) -> Transfer:
    """`encode text`: the texts at these inputs, encoded by `clip`."""

    def transfer(view: View) -> Conditioning:
        clip = view.model("clip")
        texts = tuple(
            Text(view.node_id, name, view.text(name), clip) for name in args if name in view.inputs
        )
        return Conditioning(texts, None, False, False, view.node_id)

    return transfer


def encode_pair(args: Sequence[str]) -> Transfer:
    """`encode_pair prompt negative_prompt`: one text a slot."""

    def transfer(view: View) -> tuple[Any, ...]:
        clip = view.model("clip")
        return tuple(
            Conditioning((Text(view.node_id, name, view.text(name), clip),), node_id=view.node_id)
            for name in args
        )

    return transfer


def join(args: Sequence[str]) -> Transfer:
    """`join conditioning_1 conditioning_2`: the texts of all of them."""

    def transfer(view: View) -> Conditioning | None:
        found = [view.conditioning(name) for name in args if name in view.inputs]
        texts: tuple[Text, ...] = ()
        controls = None
        is_open = False
        for one in found:
            if one is None:
                is_open = True
                continue
            texts += one.texts
            controls = controls or one.controls
            is_open |= one.open or (one.controls is not None and one.controls is not controls)
        if len(texts) > MOST_TEXTS:
            texts, is_open = texts[:MOST_TEXTS], True
        zero = bool(found) and all(one is not None and one.zero for one in found)
        return Conditioning(texts, controls, is_open, zero, view.node_id)

    return transfer


def zero(args: Sequence[str]) -> Transfer:
    """`zero conditioning`: set to zeros, as if there were no text."""

    def transfer(view: View) -> Conditioning:
        return Conditioning((), zero=True, node_id=view.node_id)

    return transfer


def marked(args: Sequence[str]) -> Transfer:
    """`marked conditioning`: the same texts, told in another way: a weight, an area."""
    return _changed(args, is_open=False)


def touched(args: Sequence[str]) -> Transfer:
    """`touched conditioning`: something goes with it that may change what the model is told."""
    return _changed(args, is_open=True)


def _changed(args: Sequence[str], *, is_open: bool) -> Transfer:
    def transfer(view: View) -> Any:
        found = [view.conditioning(name) for name in args]
        new = [
            one._replace(node_id=view.node_id, open=is_open or one.open) if one else None
            for one in found
        ]
        return new[0] if len(new) == 1 else tuple(new)

    return transfer


def control(args: Sequence[str]) -> Transfer:
    """`control positive negative`: puts the ControlNet at `control_net` on each of them."""

    def transfer(view: View) -> Any:
        net = view.model("control_net")
        strength = view.number("strength")
        out: list[Conditioning | None] = []
        for name in args:
            old = view.conditioning(name)
            if old is None:
                out.append(None)
                continue
            part = None
            if net is not None and net.name:
                below = old.controls
                depth = below.depth + 1 if below is not None else 1
                part = Part("control", view.node_id, "control_net", net.name, strength,
                            net.family, net.sure, below, depth)  # fmt: skip
            changed = old._replace(node_id=view.node_id, open=old.open or part is None)
            out.append(changed._replace(controls=part) if part is not None else changed)
        return out[0] if len(out) == 1 else tuple(out)

    return transfer


def guide(args: Sequence[str]) -> Transfer:
    """`guide positive negative`: a GUIDER with `model`, these prompts and `cfg`; `-` for none."""
    positive, negative = args

    def transfer(view: View) -> Guide:
        return Guide(
            view.model("model"),
            view.conditioning(positive),
            view.conditioning(negative) if negative != "-" else None,
            view.number("cfg"),
            view.node_id,
            (positive, "" if negative == "-" else negative),
        )

    return transfer


VERBS: Mapping[str, Maker] = {
    "of": of, "encode": encode, "encode_pair": encode_pair, "join": join, "zero": zero,
    "marked": marked, "touched": touched, "control": control, "guide": guide,
}  # fmt: skip
"""What the table and the configuration may say of `prompt`."""
