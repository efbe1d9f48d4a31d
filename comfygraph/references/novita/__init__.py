"""
Novita: a host of models and pictures. It runs no graphs; it tells which models it has.

The v2 interface answers HTTP 200 with an envelope `{code, msg, data}`, the v3 one without.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from comfygraph.errors import ProtocolError, UsageError
from comfygraph.references.novita.listing import ModelFilter, ModelPage, read_page
from comfygraph.references.novita.model import NovitaModel, read_model
from comfygraph.references.novita.problems import failure, read_envelope
from comfygraph.references.novita.task import NovitaTask, read_task
from comfygraph.targets.base import Exchange, plain_base_url
from comfygraph.targets.http import Auth, HttpRequest, Secret, bearer
from comfygraph.targets.reading import mapping

__all__ = [
    "DEFAULT_BASE_URL",
    "ModelFilter",
    "ModelPage",
    "Novita",
    "NovitaModel",
    "NovitaTask",
]

DEFAULT_BASE_URL = "https://api.novita.ai"
_MODEL_NOT_EXISTS = 2


class Novita:
    """
    Questions to Novita.

    Args:
        auth: `bearer(...)` of an API key.
        base_url: Where the service is.
    """

    def __init__(self, auth: Auth, base_url: str = DEFAULT_BASE_URL) -> None:
        self.base_url = plain_base_url(base_url)
        self._auth = auth

    @classmethod
    def from_config(cls, config: Mapping[str, str]) -> Novita:
        """
        Read `NOVITA_API_KEY` and `NOVITA_BASE_URL`.

        Raises:
            UsageError: There is no key.
        """
        token = config.get("NOVITA_API_KEY", "").strip()
        if not token:
            raise UsageError(
                "no credentials for Novita", hint="set NOVITA_API_KEY to a key of your account"
            )
        return cls(bearer(Secret(token)), config.get("NOVITA_BASE_URL") or DEFAULT_BASE_URL)

    def model(self, version_id: int) -> Exchange[NovitaModel | None]:
        """
        Ask for the model that is a version on Civitai; `None` where Novita has none.

        Raises:
            ProtocolError: The answer is about another version.
        """
        response = yield self._get(f"/v2/model/civitai_version_id/{version_id}")
        code, data = read_envelope(response, f"model for version {version_id} of Civitai")
        found = mapping(data).get("model")
        if code == _MODEL_NOT_EXISTS or not found:
            return None
        model = read_model(found)
        if model.civitai_version_id not in (None, version_id):
            raise ProtocolError(
                f"Novita was asked for version {version_id} and answered with version "
                f"{model.civitai_version_id}"
            )
        return model

    def models(self, filter: ModelFilter) -> Exchange[ModelPage]:
        """
        Ask for a page of the list of models.
        """
        query = urlencode(filter.query(), errors="replace")
        response = yield self._get(f"/v3/model?{query}" if query else "/v3/model")
        if not response.ok:
            raise failure(response, "list of models")
        return read_page(response.json(), filter.limit)

    def task(self, task_id: str) -> Exchange[NovitaTask]:
        """
        Ask how a task is.

        Raises:
            NotFound: There is none.
        """
        query = urlencode({"task_id": task_id}, errors="replace")
        response = yield self._get(f"/v3/async/task-result?{query}")
        if not response.ok:
            raise failure(response, f"task {task_id}")
        return read_task(response.json(), task_id)

    def _get(self, path: str) -> HttpRequest:
        return HttpRequest(
            "GET",
            f"{self.base_url}{path}",
            {"Accept": "application/json", "Content-Type": "application/json"},
            auth=self._auth,
            home=self.base_url,
        )
