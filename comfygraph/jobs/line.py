"""
The httpx client of one job, which several threads use at the end of its life.
"""

from __future__ import annotations

from threading import Lock

import httpx

from comfygraph.jobs import wire


class Line:
    """
    A client that is closed when nobody speaks on it any more: a connection that is in use when
    its client is closed would be left open.
    """

    def __init__(self) -> None:
        self.client = httpx.Client(**wire.client_options())
        self._lock = Lock()
        self._talks = 1

    def take(self) -> None:
        """
        Begin a talk.
        """
        with self._lock:
            self._talks += 1

    def hang_up(self) -> None:
        """
        End a talk, or the line's own claim to be kept.
        """
        with self._lock:
            self._talks -= 1
            over = self._talks == 0
        if over:
            self.client.close()
