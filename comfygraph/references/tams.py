"""
TAMS, asked about a model by its number: `GET /v1/models/{id}`. It has no list and no search.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from comfygraph.errors import NotFound
from comfygraph.references.forms import TamsId
from comfygraph.references.kinds import kind_named
from comfygraph.targets.base import Exchange, plain_base_url
from comfygraph.targets.http import Auth, HttpRequest
from comfygraph.targets.reading import mapping, one_line, text
from comfygraph.targets.tams import DEFAULT_BASE_URL, auth_from_config
from comfygraph.targets.tams.status import read_answer


class TamsModel(NamedTuple):
    """
    A model on TensorArt.

    Args:
        id: Its number.
        name: The names of the project and of the version.
        kind: As in an AIR: `checkpoint`, `lora`, ...; `""` where it is not said.
        base_model: As TensorArt words it: `SD 1.5`.
        trigger_words: What it listens to, or `""`.
    """

    id: str
    name: str = ""
    kind: str = ""
    base_model: str = ""
    trigger_words: str = ""


class TamsModels:
    """
    Questions to TAMS.

    Args:
        auth: Who asks.
        base_url: Where the service is.
    """

    def __init__(self, auth: Auth, base_url: str = DEFAULT_BASE_URL) -> None:
        self.base_url = plain_base_url(base_url)
        self._auth = auth

    @classmethod
    def from_config(cls, config: Mapping[str, str]) -> TamsModels:
        """
        Read `TAMS_API_KEY`, or `TAMS_APP_ID` and `TAMS_PRIVATE_KEY_FILE`, and `TAMS_BASE_URL`.

        Raises:
            UsageError: There are no credentials.
        """
        return cls(auth_from_config(config), config.get("TAMS_BASE_URL") or DEFAULT_BASE_URL)

    def model(self, model_id: TamsId) -> Exchange[TamsModel | None]:
        """
        Ask for a model; `None` where there is none.
        """
        response = yield HttpRequest(
            "GET", f"{self.base_url}/v1/models/{model_id.id}", {"Accept": "application/json"},
            auth=self._auth, home=self.base_url,
        )  # fmt: skip
        try:
            data = read_answer(response, "model")
        except NotFound:
            return None
        model = mapping(data.get("model")) or data
        names = [one_line(model.get(key), 120) for key in ("projectName", "name")]
        # The first word of an enumeration may be left out of an answer: it is DEFAULT.
        kind = text(model.get("modelType"))
        return TamsModel(
            model_id.id,
            " ".join(filter(None, names)),
            kind_named(kind) if kind and kind != "DEFAULT" else "",
            one_line(model.get("baseModel"), 80),
            one_line(model.get("triggerWords")),
        )
