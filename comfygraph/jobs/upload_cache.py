"""
What was uploaded in this process, for all jobs.
"""

from __future__ import annotations

from threading import Lock

_KEPT = 6 * 3600.0
"""Seconds for which an upload is taken to be there still; services keep them for days."""


class UploadCache:
    """
    What was uploaded in this process, so that a file is not sent twice. Safe between threads.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._known: dict[tuple[str, str], tuple[float, str]] = {}

    def get(self, key: str, digest: str, now: float) -> str | None:
        """
        Give the service's name of a file.

        Args:
            key: The service and the account.
            digest: Of the file.
            now: The time on the clock that all users of the cache share, in seconds.
        """
        with self._lock:
            then, name = self._known.get((key, digest), (now, None))
            return name if now - then < _KEPT else None

    def put(self, key: str, digest: str, name: str, now: float) -> None:
        """
        Note an upload.
        """
        with self._lock:
            self._known[key, digest] = (now, name)

    def forget(self, key: str, digest: str) -> None:
        """
        Have a file uploaded again the next time.
        """
        with self._lock:
            self._known.pop((key, digest), None)


SHARED_UPLOADS = UploadCache()
"""The uploads of this process; jobs use them unless they are given others."""
