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

# Written out as `Node as Node`, and no `__all__`: to type checkers, all names of an installed
# package that were imported from elsewhere in another way are its own affair.
from comfygraph.dsl.expression import Node as Node
from comfygraph.dsl.expression import Output as Output
from comfygraph.dsl.expression import RawNode as RawNode
from comfygraph.dsl.expression import Source as Source
from comfygraph.dsl.socket_types import *  # noqa: F403
from comfygraph.dsl.socket_types import BOOLEAN as BOOLEAN
from comfygraph.dsl.socket_types import COMBO as COMBO
from comfygraph.dsl.socket_types import FLOAT as FLOAT
from comfygraph.dsl.socket_types import INT as INT
from comfygraph.dsl.socket_types import STRING as STRING

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
