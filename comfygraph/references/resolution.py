"""
What came of looking for a model on a service.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Availability(StrEnum):
    """
    Whether a service can use a model.
    """

    AVAILABLE = "available"
    PENDING = "pending"
    """It is on its way there."""
    UNAVAILABLE = "unavailable"
    UNKNOWN = "unknown"
    """Nobody could say: not asked, or the answer leaves it open."""


class Resolution(NamedTuple):
    """
    What a service calls a model, and whether it can use it.

    Args:
        target: The service: `civitai`, `tams`, `comfyui`, `novita`.
        name: What a graph for that service calls it, or `None`.
        availability: Whether it can be used there.
        evidence: What says so, in words.
        help: What a person can do about it, or `None`.
        base_model: What it is made for, as somebody who keeps it words it; `""` where unsaid.
    """

    target: str
    name: str | None
    availability: Availability
    evidence: str
    help: str | None = None
    base_model: str = ""
