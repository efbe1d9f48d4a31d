"""
One blob of Civitai's orchestration, seen as a job that is over and has this one file: what fetches
the files of jobs (in pieces, checked, never outside of a folder) fetches it too.
"""

from __future__ import annotations

from comfygraph.targets.base import Exchange, JobRef, LiveStream, PollAnswer
from comfygraph.targets.civitai.target import CivitaiTarget
from comfygraph.targets.events import OutputFile
from comfygraph.targets.http import HttpRequest
from comfygraph.targets.observations import FileSeen, JobEnded, Outcome
from comfygraph.targets.reading import kind_of


class BlobTarget(CivitaiTarget):
    """
    Civitai, reduced to one blob.

    Args:
        target: The account.
        blob_id: The blob.
        nsfw_level: The highest level that is meant to be seen.
    """

    def __init__(self, target: CivitaiTarget, blob_id: str, nsfw_level: str) -> None:
        super().__init__(auth=target.api.auth, base_url=target.base_url, name=target.name)
        self._blob_id = blob_id
        self._nsfw_level = nsfw_level

    @property
    def ref(self) -> JobRef:
        """
        The reference of the job that is not one.
        """
        return JobRef(self.name, self.base_url, self._blob_id, "")

    def poll(self, ref: JobRef) -> Exchange[PollAnswer]:
        """
        Say that it is over and what it made, without asking.
        """
        request = self._request()
        file = OutputFile(request.url, self._blob_id, kind=kind_of(self._blob_id), id=self._blob_id)
        return PollAnswer((FileSeen(file), JobEnded(Outcome.SUCCEEDED)))
        yield request  # an exchange is a generator; this one has nothing to ask

    def stream(self, ref: JobRef) -> LiveStream | None:
        """
        There is none.
        """
        return None

    def download(self, ref: JobRef, file: OutputFile) -> HttpRequest:
        """
        Ask for the bytes, at the level that was allowed.
        """
        return self._request()

    def refresh(self, ref: JobRef, file: OutputFile) -> Exchange[OutputFile] | None:
        """
        A fresh address would pass by the level: there is none.
        """
        return None

    def _request(self) -> HttpRequest:
        return self.api.blob(self._blob_id, nsfw_level=self._nsfw_level, download=True)
