"""
The list of models: `GET /v3/model`, page by page.
"""

from __future__ import annotations

from typing import NamedTuple

from comfygraph.core.values import JsonValue
from comfygraph.errors import ProtocolError, UsageError
from comfygraph.references.kinds import kind_named
from comfygraph.references.novita.model import NovitaModel
from comfygraph.targets.reading import integer, items, mapping, mappings, one_line, text

VISIBILITIES = ("public", "private")
SOURCES = ("civitai", "training", "uploading")
TYPES = ("checkpoint", "lora", "vae", "controlnet", "upscaler", "textualinversion")
MOST = 100


class ModelFilter(NamedTuple):
    """
    Which models to list.

    Args:
        query: Words in name, sd_name or tags.
        visibility: `public` or `private`.
        source: `civitai`, `training` or `uploading`.
        types: Kinds, of `TYPES`.
        is_sdxl: Only for SDXL, or only for others.
        is_inpainting: Only for inpainting, or only for others.
        limit: Models on a page, 1 to 100.
        cursor: Where to go on, as the page before says; `""` for the start.
    """

    query_text: str = ""
    visibility: str = ""
    source: str = ""
    types: tuple[str, ...] = ()
    is_sdxl: bool | None = None
    is_inpainting: bool | None = None
    limit: int = MOST
    cursor: str = ""

    def query(self) -> list[tuple[str, str]]:
        """
        Give the parameters of the request.

        Raises:
            UsageError: The limit is out of range, or a word is not known.
        """
        if not 1 <= self.limit <= MOST:
            raise UsageError(f"a page has 1 to {MOST} models, not {self.limit}")
        for word, known in ((self.visibility, VISIBILITIES), (self.source, SOURCES)):
            if word and word not in known:
                raise UsageError(f"`{word}` is none of {', '.join(known)}")
        unknown = [word for word in self.types if word not in TYPES]
        if unknown:
            raise UsageError(f"`{unknown[0]}` is none of {', '.join(TYPES)}")
        pairs = [
            ("filter.visibility", self.visibility),
            ("filter.source", self.source),
            # The plural is what counts: `filter.type`, as an SDK sends it, has no effect.
            *(("filter.types", word) for word in self.types),
            ("filter.is_sdxl", _word(self.is_sdxl)),
            ("filter.is_inpainting", _word(self.is_inpainting)),
            ("filter.query", self.query_text),
            ("pagination.limit", str(self.limit)),
            ("pagination.cursor", self.cursor or "c_0"),
        ]
        return [(name, value) for name, value in pairs if value]


def _word(value: bool | None) -> str:
    return "" if value is None else str(value).lower()


class ListedModel(NamedTuple):
    """
    A model of the list.

    Args:
        name: Its name.
        request_name: What a request for a picture calls it.
        type: Novita's word for its kind.
        id: Novita's own number.
        sd_name: Its other name, which older requests took.
        sha256: Of its file, upper case, or `""`.
        available: Whether it can be used; `None` where it is not said.
        base_model: What it is made for, as Novita words it, or `""`.
        source: Where it is from, or `""`.
        nsfw: Whether it is not safe for work.
        tags: What people call it.
    """

    name: str
    request_name: str
    type: str = "unknown"
    id: int | None = None
    sd_name: str = ""
    sha256: str = ""
    available: bool | None = None
    base_model: str = ""
    source: str = ""
    nsfw: bool | None = None
    tags: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """The kind as in an AIR."""
        return kind_named(self.type)

    def as_version(self, model_id: int, version_id: int) -> NovitaModel:
        """
        Give the same facts in the form of v2, for a version on Civitai whose file this is.
        """
        flag = None if self.available is None else int(self.available)
        return NovitaModel(
            self.request_name,
            self.name,
            self.type,
            self.sha256[:10],
            self.id,
            enable=flag,
            download_status=flag,
            dependency_status=flag,
            civitai_model_id=model_id or None,
            civitai_version_id=version_id,
            nsfw=self.nsfw,
            tags=self.tags,
            link=f"https://civitai.com/models/{model_id}" if model_id else "",
        )


class ModelPage(NamedTuple):
    """
    A page of the list.

    Args:
        models: In the order of the service.
        next_cursor: Where to go on; `""` on the last page.
    """

    models: tuple[ListedModel, ...]
    next_cursor: str = ""


def read_page(data: JsonValue, limit: int) -> ModelPage:
    """
    Read a page. The last one has fewer models than asked for, or no cursor.

    Raises:
        ProtocolError: It holds no list.
    """
    found = mapping(data).get("models")
    if found is not None and not isinstance(found, list):
        raise ProtocolError("Novita's answer holds no list of models")
    models = tuple(_read(item) for item in mappings(found))
    cursor = one_line(mapping(mapping(data).get("pagination")).get("next_cursor"), 200)
    return ModelPage(models, cursor if len(items(found)) >= limit else "")


def _read(data: JsonValue) -> ListedModel:
    data = mapping(data)
    kind = data.get("type")
    word = text(kind) or text(mapping(kind).get("name"))
    sd_name = one_line(data.get("sd_name"), 300)
    status = integer(data.get("status"))
    nsfw = data.get("is_nsfw")
    return ListedModel(
        one_line(data.get("name"), 300),
        one_line(data.get("sd_name_in_api"), 300) or sd_name,
        one_line(word, 60) or "unknown",
        integer(data.get("id")),
        sd_name,
        one_line(data.get("hash_sha256"), 64).upper(),
        None if status is None else status == 1,
        one_line(data.get("base_model"), 80),
        one_line(data.get("source"), 60),
        nsfw if isinstance(nsfw, bool) else None,
        tuple(one_line(tag, 100) for tag in items(data.get("tags")) if text(tag)),
    )
