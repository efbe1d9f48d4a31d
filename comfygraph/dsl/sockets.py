"""
The types that graphs in Python are written with.

    from comfygraph.dsl import sockets as s

    def upscaled(image: s.Source[s.IMAGE], factor: float) -> s.Output[s.IMAGE]: ...

A socket type is a `Literal` of its name, so that packages of stubs made from different
servers agree on it. `s.MODEL` and its like are short for those of ComfyUI's core.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Never, TypeAlias, TypeVar

from comfygraph.dsl.expression import Node, Output, RawNode, Source
from comfygraph.dsl.socket_types import *  # noqa: F403
from comfygraph.dsl.socket_types import BOOLEAN, COMBO, FLOAT, INT, STRING

MemberT = TypeVar("MemberT")

Json: TypeAlias = str | int | float | Sequence[Any] | Mapping[str, Any] | None
Int: TypeAlias = int | Source[INT]
Float: TypeAlias = float | Source[FLOAT]
Text: TypeAlias = str | Source[STRING]
Flag: TypeAlias = bool | Source[BOOLEAN]
File: TypeAlias = str | Source[COMBO]
"""The name of a file in a folder of the server."""
Anything: TypeAlias = Source[Never] | Json
Title: TypeAlias = str | None
Group: TypeAlias = Sequence[MemberT | None] | Mapping[str, MemberT] | MemberT
"""Members of an autogrow input: in order (`None` leaves a gap), by name, or a single one."""

__all__ = ["Node", "Output", "RawNode", "Source"]
