"""
Rate limits shared by all jobs of one account.
"""

from __future__ import annotations

from threading import Lock


class RateLimits:
    """
    Hand out departure times for requests, so that no key is used faster than its service allows.

    Requests of a key leave one after the other, `1 / rate` seconds apart: a service that counts in
    fixed windows then never sees more than its limit, which a bucket with a burst would overstep
    at the border of two windows. Safe to share between threads.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._free_at: dict[str, float] = {}

    def reserve(self, key: str, rate: float | None, now: float) -> float:
        """
        Take the next departure.

        Args:
            key: Which limit.
            rate: Requests per second; `None` for no limit.
            now: The time on the clock that all users of the key share, in seconds.

        Returns:
            Seconds to wait before sending, 0 or more.
        """
        with self._lock:
            leave = max(self._free_at.get(key, now), now)
            if rate is not None and rate > 0:
                self._free_at[key] = leave + 1.0 / rate
            return leave - now

    def hold(self, key: str, until: float) -> None:
        """
        Let nothing leave before `until`: the service asked for a pause, and means all of us.
        """
        with self._lock:
            self._free_at[key] = max(self._free_at.get(key, until), until)


SHARED_LIMITS = RateLimits()
"""The limits of this process; jobs use them unless they are given others."""
