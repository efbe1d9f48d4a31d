"""
Civitai, asked about models: its site by version and by hash, its orchestration by AIR.

Sources: the site's `/api/v1/model-versions/{id}`, `/by-hash/{hash}` and `POST /by-hash`, which
take no credential and get none; `/v2/resources/{air}` of the orchestration API.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from comfygraph.core.values import JsonValue
from comfygraph.errors import ProtocolError, TargetError, UsageError
from comfygraph.references.air import Air
from comfygraph.references.ecosystems import ecosystem_of
from comfygraph.references.kinds import kind_named
from comfygraph.targets.base import Exchange, plain_base_url
from comfygraph.targets.civitai.calls import DEFAULT_BASE_URL, resource_path
from comfygraph.targets.civitai.problems import message_of, problem_body
from comfygraph.targets.failures import refusal
from comfygraph.targets.http import Auth, HttpRequest, HttpResponse, Secret, bearer, json_body
from comfygraph.targets.reading import integer, items, mapping, mappings, number, one_line, text

SITE_URL = "https://civitai.com"
MOST_HASHES = 100
"""Hashes in one question, as the site's own limit has it."""

_READY = ("", "published")


class CivitaiFile(NamedTuple):
    """
    A file of a version.

    Args:
        name: `dreamshaper_8.safetensors`.
        id: Its number, or `None`.
        sha256: Upper case, or `""`.
        primary: Whether it is the one that "download" gives.
        type: `Model`, `VAE`, `Training Data`, ... as the site words it.
        size: Bytes, about; 0 where it is not said.
    """

    name: str
    id: int | None = None
    sha256: str = ""
    primary: bool = False
    type: str = "Model"
    size: int = 0


class CivitaiVersion(NamedTuple):
    """
    A version of a model on Civitai.

    Args:
        id: The number of the version.
        model_id: The number of the model, 0 where it is not said.
        name: The name of the version, such as `v8`.
        model_name: The name of the model.
        kind: As in an AIR: `checkpoint`, `lora`, ...
        base_model: As the site words it: `SD 1.5`, `Pony`.
        air: Its AIR, without a file; `None` where the base model has no known ecosystem.
        files: Its files.
        trained_words: The words that it listens to.
        usable: Whether it is published and for everybody.
    """

    id: int
    model_id: int = 0
    name: str = ""
    model_name: str = ""
    kind: str = "other"
    base_model: str = ""
    air: Air | None = None
    files: tuple[CivitaiFile, ...] = ()
    trained_words: tuple[str, ...] = ()
    usable: bool = True

    @property
    def file(self) -> CivitaiFile | None:
        """The file that the model is: the primary one, else the first that is a model."""
        models = [file for file in self.files if file.type in ("Model", "Pruned Model", "VAE")]
        ordered = sorted(models or self.files, key=lambda file: not file.primary)
        return ordered[0] if ordered else None

    def file_by_id(self, file_id: int | None) -> CivitaiFile | None:
        """
        Give one file by its number; the main one for `None`.
        """
        if file_id is None:
            return self.file
        return next((file for file in self.files if file.id == file_id), None)


class CivitaiResource(NamedTuple):
    """
    What the orchestration knows of a resource.

    Args:
        air: Its canonical AIR, which corrects a wrong ecosystem.
        can_generate: Whether jobs may use it; otherwise they are refused.
        name: The names of model and version, or `""`.
        restricted: It takes a permission, a payment, or mature content being allowed.
        sha256: Of its file, upper case, or `""`.
    """

    air: str
    can_generate: bool
    name: str = ""
    restricted: bool = False
    sha256: str = ""


class CivitaiSite:
    """
    Questions to Civitai.

    Args:
        site_url: Where the site is; `/api/v1` is added.
        orchestration_url: Where the orchestration API is.
        token: The API key for the orchestration, or `None`. It never goes to the site.
    """

    def __init__(
        self,
        site_url: str = SITE_URL,
        orchestration_url: str = DEFAULT_BASE_URL,
        token: Secret | None = None,
    ) -> None:
        self.site_url = plain_base_url(site_url).removesuffix("/api/v1")
        self.orchestration_url = plain_base_url(orchestration_url)
        self._auth: Auth | None = bearer(token) if token else None

    @classmethod
    def from_config(cls, config: Mapping[str, str]) -> CivitaiSite:
        """
        Read `CIVITAI_SITE_URL`, `CIVITAI_API_URL` and `CIVITAI_API_TOKEN`, none of them needed.

        Raises:
            UsageError: An address is no `http:` or `https:` URL.
        """
        token = config.get("CIVITAI_API_TOKEN", "").strip()
        return cls(
            config.get("CIVITAI_SITE_URL") or SITE_URL,
            config.get("CIVITAI_API_URL") or DEFAULT_BASE_URL,
            Secret(token) if token else None,
        )

    @property
    def has_token(self) -> bool:
        """Whether the orchestration can be asked."""
        return self._auth is not None

    def version(self, version_id: int) -> Exchange[CivitaiVersion | None]:
        """
        Ask for a version by its number; `None` where there is none.

        Raises:
            ProtocolError: The answer is about another version.
        """
        found = yield from self._version(f"/model-versions/{version_id}", f"version {version_id}")
        if found is not None and found.id != version_id:
            raise ProtocolError(
                f"Civitai was asked for version {version_id} and answered with version {found.id}"
            )
        return found

    def by_hash(self, digits: str) -> Exchange[CivitaiVersion | None]:
        """
        Ask for the version that has a file with this hash, of any of Civitai's six kinds.
        """
        return self._version(f"/model-versions/by-hash/{digits}", f"file with the hash {digits}")

    def _version(self, path: str, what: str) -> Exchange[CivitaiVersion | None]:
        response = yield self._site("GET", path)
        if response.status == 404:
            return None
        return read_version(_answer(response, what))

    def by_hashes(self, digits: Sequence[str]) -> Exchange[tuple[CivitaiVersion, ...]]:
        """
        Ask for the versions that have files with these SHA-256, those that Civitai knows.

        Raises:
            UsageError: There are more than `MOST_HASHES`, or one is no SHA-256.
        """
        if len(digits) > MOST_HASHES or any(len(item) != 64 for item in digits):
            raise UsageError(f"Civitai takes up to {MOST_HASHES} hashes of 64 digits at once")
        return self._by_hashes(list(digits))

    def _by_hashes(self, digits: list[str]) -> Exchange[tuple[CivitaiVersion, ...]]:
        if not digits:
            return ()
        response = yield self._site("POST", "/model-versions/by-hash", json_body(digits))
        found = items(_answer(response, "such files"))
        return tuple(read_version(item) for item in found if isinstance(item, dict))

    def resource(self, air: Air) -> Exchange[CivitaiResource | None]:
        """
        Ask the orchestration for a resource; `None` where it knows none.

        Raises:
            UsageError: There is no token.
        """
        if self._auth is None:
            raise UsageError(
                "no credentials for Civitai",
                hint="set CIVITAI_API_TOKEN to an API key of your account at civitai.com",
            )
        return self._resource(f"{self.orchestration_url}{resource_path(air)}", str(air))

    def _resource(self, url: str, air: str) -> Exchange[CivitaiResource | None]:
        response = yield HttpRequest(
            "GET", url, {"Accept": "application/json"},
            auth=self._auth, home=self.orchestration_url,
        )  # fmt: skip
        if response.status in (400, 404):
            return None
        data = mapping(_answer(response, f"resource {air}"))
        names = [one_line(data.get(key), 120) for key in ("resourceName", "versionName")]
        flags = ("checkPermission", "requiresAuthorization", "hasMatureContentRestriction")
        return CivitaiResource(
            text(data.get("air")) or air,
            data.get("canGenerate") is True,
            " ".join(filter(None, names)),
            any(data.get(flag) is True for flag in flags),
            text(mapping(data.get("hashes")).get("SHA256")).upper(),
        )

    def _site(self, method: str, path: str, body: bytes = b"") -> HttpRequest:
        headers = {"Accept": "application/json"}
        if body:
            headers["Content-Type"] = "application/json"
        return HttpRequest(method, f"{self.site_url}/api/v1{path}", headers, body, follow=not body)


def _answer(response: HttpResponse, what: str) -> JsonValue:
    if not response.ok:
        raise _refusal(response, what)
    return response.json()


def _refusal(response: HttpResponse, what: str) -> TargetError:
    said = message_of(problem_body(response))
    return refusal("Civitai", response, said, credentials="CIVITAI_API_TOKEN", what=what)


def read_version(data: JsonValue) -> CivitaiVersion:
    """
    Read a version as the site gives it.

    Raises:
        ProtocolError: It has no number.
    """
    data = mapping(data)
    version_id = integer(data.get("id"))
    if version_id is None:
        raise ProtocolError("Civitai's answer holds no version of a model")
    model = mapping(data.get("model"))
    kind = kind_named(text(model.get("type")))
    base_model = one_line(data.get("baseModel"), 80)
    model_id = integer(data.get("modelId")) or 0
    status = text(data.get("status")).casefold()
    return CivitaiVersion(
        version_id,
        model_id,
        one_line(data.get("name"), 200),
        one_line(model.get("name"), 200),
        kind,
        base_model,
        _air(data, kind, base_model, model_id, version_id),
        tuple(_file(item) for item in mappings(data.get("files"))),
        tuple(one_line(word, 200) for word in items(data.get("trainedWords")) if text(word)),
        status in _READY and text(data.get("availability")).casefold() != "private",
    )


def _air(
    data: Mapping[str, JsonValue], kind: str, base_model: str, model_id: int, version_id: int
) -> Air | None:
    """The site's own word for it where it is sound, else one made of the parts."""
    given = text(data.get("air"))
    if given:
        try:
            return Air.parse(given)
        except UsageError:
            pass
    ecosystem = ecosystem_of(base_model)
    if ecosystem is None or model_id <= 0 or version_id < 0:
        return None
    return Air.civitai(ecosystem, kind, model_id, version_id)


def _file(data: Mapping[str, JsonValue]) -> CivitaiFile:
    size = number(data.get("sizeKB")) or 0.0
    return CivitaiFile(
        # A name from a service is a name only: no folders.
        one_line(data.get("name"), 300).replace("\\", "/").rpartition("/")[2].strip("."),
        integer(data.get("id")),
        text(mapping(data.get("hashes")).get("SHA256")).upper(),
        data.get("primary") is True,
        text(data.get("type")) or "Model",
        int(min(max(size, 0.0), 1e12) * 1024),
    )
