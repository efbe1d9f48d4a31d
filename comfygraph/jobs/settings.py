"""
What a conversation takes from its surroundings: time, chance, patience.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from comfygraph.jobs.limits import SHARED_LIMITS, RateLimits
from comfygraph.jobs.upload_cache import SHARED_UPLOADS, UploadCache


@dataclass(frozen=True, slots=True)
class Settings:
    """
    The seams of a job. Times are seconds.

    Args:
        clock: A clock that never goes back.
        chance: Gives a number from 0 to 1, for jitter.
        limits: The rate limits that this job shares with others.
        patience: How long a service may be out of reach while a job of ours runs there.
        uploads: The uploads that this job shares with others.
        longest_wait: The longest `Retry-After` that is waited for; a longer one is an error.
    """

    clock: Callable[[], float] = time.monotonic
    chance: Callable[[], float] = random.random
    limits: RateLimits = SHARED_LIMITS
    uploads: UploadCache = SHARED_UPLOADS
    patience: float = 300.0
    longest_wait: float = 120.0
