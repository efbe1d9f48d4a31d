"""
The services that know models, in one place: each is set up when it is first asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from comfygraph.errors import TargetError
from comfygraph.references.air import Air
from comfygraph.references.cache import AnswerCache, default_cache
from comfygraph.references.civitai import CivitaiResource, CivitaiSite, CivitaiVersion
from comfygraph.references.forms import FileHash, TamsId
from comfygraph.references.novita import ModelFilter, Novita, NovitaModel
from comfygraph.references.resolution import Availability
from comfygraph.references.tams import TamsModel, TamsModels
from comfygraph.references.web import Web

_HOUR = 3600.0
_GONE = (404, 405, 410)
FACTS_KEPT = 30 * 24 * _HOUR
"""What a number stands for does not change."""
STATE_KEPT = 6 * _HOUR
"""Whether a service has it does."""
NOTHING_KEPT = _HOUR
"""What is not there may come."""


class Lookup:
    """
    Asks services about models. Close it, or use it as a context manager.

    Args:
        config: Settings by the names of the environment: `CIVITAI_SITE_URL`, `CIVITAI_API_URL`,
            `CIVITAI_API_TOKEN`, `TAMS_API_KEY` (or `TAMS_APP_ID` and `TAMS_PRIVATE_KEY_FILE`),
            `TAMS_BASE_URL`, `NOVITA_API_KEY`, `NOVITA_BASE_URL`.
        offline: Send nothing; kept answers only.
        refresh: Ask again even where an answer is kept.
        cache: Where answers are kept; the user's cache by default.
        web: Carries the questions; made of the other arguments by default.

    Every question raises `TargetError` where no answer came, `OfflineError` being one, and
    `UsageError` where credentials are missing.
    """

    def __init__(
        self,
        config: Mapping[str, str],
        *,
        offline: bool = False,
        refresh: bool = False,
        cache: Path | None = None,
        web: Web | None = None,
    ) -> None:
        self._config = config
        self.web = web or Web(
            offline=offline, refresh=refresh, cache=AnswerCache(cache or default_cache())
        )

    def __enter__(self) -> Lookup:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """
        Close the connections.
        """
        self.web.close()

    @cached_property
    def civitai(self) -> CivitaiSite:
        """Civitai, with the address and token of the configuration."""
        return CivitaiSite.from_config(self._config)

    @cached_property
    def _tams(self) -> TamsModels:
        return TamsModels.from_config(self._config)

    @cached_property
    def _novita(self) -> Novita:
        return Novita.from_config(self._config)

    def civitai_version(self, version_id: int) -> CivitaiVersion | None:
        """
        Give a version on Civitai by its number, or `None`.
        """
        return self.web.run(self.civitai.version(version_id), _facts)

    def civitai_hash(self, digest: FileHash) -> CivitaiVersion | None:
        """
        Give the version on Civitai that has a file with a hash, or `None`.
        """
        return self.web.run(self.civitai.by_hash(digest.digits), _facts)

    def civitai_resource(self, air: Air) -> CivitaiResource | None:
        """
        Give what Civitai's orchestration knows of a resource, or `None`.
        """
        return self.web.run(self.civitai.resource(air), _state)

    def tams_model(self, model_id: TamsId) -> TamsModel | None:
        """
        Give a model on TensorArt by its number, or `None`.
        """
        return self.web.run(self._tams.model(model_id), _facts)

    def novita_model(self, version_id: int) -> NovitaModel | None:
        """
        Give the model on Novita that is a version on Civitai, or `None`.

        Nobody outside knows whether the route by version, of 2023, still answers. Where it does
        not, the version's hash is looked for in the list of models.
        """
        try:
            return self.web.run(self._novita.model(version_id), _novita_state)
        except TargetError as exc:
            # of a model that is not there, the route itself says so with 200
            if exc.status not in _GONE:
                raise
        version = self.civitai_version(version_id)
        return self._listed(version) if version is not None else None

    def _listed(self, version: CivitaiVersion) -> NovitaModel | None:
        hashes = {file.sha256 for file in version.files if file.sha256}
        names = [version.model_name, *(file.name.rpartition(".")[0] for file in version.files)]
        for name in dict.fromkeys(filter(None, names)):
            page = self.web.run(self._novita.models(ModelFilter(query_text=name)), _page_kept)
            for listed in page.models:
                if listed.sha256 in hashes:
                    return listed.as_version(version.model_id, version.id)
        return None


def _page_kept(_: object) -> float:
    return STATE_KEPT


def _facts(found: object) -> float:
    return NOTHING_KEPT if found is None else FACTS_KEPT


def _state(found: object) -> float:
    return NOTHING_KEPT if found is None else STATE_KEPT


def _novita_state(found: NovitaModel | None) -> float:
    sure = found is not None and found.resolution.availability is Availability.AVAILABLE
    return STATE_KEPT if sure else NOTHING_KEPT
