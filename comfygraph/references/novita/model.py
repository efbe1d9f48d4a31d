"""
A model as `GET /v2/model/civitai_version_id/{id}` describes it.
"""

from __future__ import annotations

from typing import NamedTuple

from comfygraph.core.values import JsonValue
from comfygraph.references.kinds import kind_named
from comfygraph.references.resolution import Availability, Resolution
from comfygraph.targets.reading import integer, mapping, number, one_line, text


class NovitaModel(NamedTuple):
    """
    A model of Novita that comes from Civitai. What the answer leaves out is `""` or `None`.

    Args:
        sd_name: What a request for a picture calls it.
        name: Its name on Civitai.
        type: Novita's word: `checkpoint`, `lora`, `vae`, `controlnet`, `textualinversion`,
            `upscaler`; `unknown` where it is not said.
        hash: The first 10 digits of the file's SHA-256, upper case.
        id: Novita's own number.
        enable: 1 usable, 0 not; `None` says neither.
        download_status: 1 the file is there, 0 not.
        dependency_status: 1 what it needs is there, 0 not.
        deleted: When it was taken away, or `""`.
        download_name: The file's name at Novita.
        civitai_model_id: The number of the model on Civitai.
        civitai_version_id: The number of the version.
        nsfw: Whether it is not safe for work.
        commercial_use: `None`, `Image`, `Rent`, `Sell` as Civitai words it (a text).
        different_license: Whether pictures and merges may have another licence.
        trained_words: The words that it listens to.
        tags: What people call it.
        rating: Stars, 0 to 5.
        downloads: How often it was downloaded on Civitai.
        link: Its page.
        download_url: Where Civitai has the file.
        updated: When Civitai's version changed, `YYYY-MM-DD HH:MM:SS` without a zone.
        dependency_name: The model that it needs, or `""`.
        dependency_version_id: The version on Civitai that it needs.
    """

    sd_name: str = ""
    name: str = ""
    type: str = "unknown"
    hash: str = ""
    id: int | None = None
    enable: int | None = None
    download_status: int | None = None
    dependency_status: int | None = None
    deleted: str = ""
    download_name: str = ""
    civitai_model_id: int | None = None
    civitai_version_id: int | None = None
    nsfw: bool | None = None
    commercial_use: str = ""
    different_license: bool | None = None
    trained_words: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    rating: float | None = None
    downloads: int | None = None
    link: str = ""
    download_url: str = ""
    updated: str = ""
    dependency_name: str = ""
    dependency_version_id: int | None = None

    @property
    def kind(self) -> str:
        """The kind as in an AIR: `embedding` for `textualinversion`."""
        return kind_named(self.type)

    @property
    def resolution(self) -> Resolution:
        """
        Whether requests can use it. Documented is no more than `enable == 1`; the rest of the
        order is ours. An unset `enable` confirms nothing, though the file be there.
        """
        name = self.sd_name or None
        if self.deleted:
            return _said(None, Availability.UNAVAILABLE, f"deleted {self.deleted}")
        ready = self.download_status == 1 and self.dependency_status == 1
        if self.enable == 1 and ready:
            return _said(name, Availability.AVAILABLE, "enabled, file and dependencies are ready")
        if self.enable == 0:
            return _said(None, Availability.UNAVAILABLE, "not enabled")
        if self.download_status == 0:
            return _said(name, Availability.PENDING, "the file is not there yet")
        if self.dependency_status == 0:
            return _said(name, Availability.PENDING, "what it depends on is not there yet")
        if self.enable is None:
            detail = "the file is ready, but" if ready else "but"
            return _said(
                name, Availability.UNKNOWN, f"{detail} Novita does not say that it is enabled"
            )
        return _said(name, Availability.UNKNOWN, "enabled, the state of its file is not said")


def _said(name: str | None, availability: Availability, evidence: str) -> Resolution:
    return Resolution("novita", name, availability, evidence.removeprefix("but "))


def read_model(data: JsonValue) -> NovitaModel:
    """
    Read a model; every field may be missing, null, or a text where a number should be.
    """
    data = mapping(data)
    return NovitaModel(
        sd_name=one_line(data.get("sd_name"), 300),
        name=one_line(data.get("name"), 300),
        type=one_line(data.get("type"), 60) or "unknown",
        hash=one_line(data.get("hash"), 64).upper(),
        id=integer(data.get("id")),
        enable=_flag(data.get("enable")),
        download_status=_flag(data.get("download_status")),
        dependency_status=_flag(data.get("dependency_status")),
        deleted=one_line(data.get("delete_time"), 60),
        download_name=one_line(data.get("download_name"), 300),
        civitai_model_id=integer(data.get("civitai_model_id")),
        civitai_version_id=integer(data.get("civitai_version_id")),
        nsfw=_truth(data.get("civitai_nsfw")),
        commercial_use=_words(data.get("civitai_allow_commercial_use")),
        different_license=_truth(data.get("civitai_allow_different_license")),
        trained_words=split_list(data.get("civitai_trained_words")),
        tags=split_list(data.get("civitai_tags")),
        rating=number(data.get("civitai_rating")),
        downloads=integer(data.get("civitai_download_count")),
        link=one_line(data.get("civitai_link"), 500),
        download_url=one_line(data.get("civitai_download_url"), 500),
        updated=one_line(data.get("civitai_update_at"), 60),
        dependency_name=one_line(data.get("civitai_dependency_model_name"), 300),
        dependency_version_id=integer(data.get("civitai_dependency_version_id")) or None,
    )


def split_list(value: JsonValue) -> tuple[str, ...]:
    """
    Split a list that is one text with commas; also takes a real list.
    """
    parts = value if isinstance(value, list) else text(value).split(",")
    return tuple(word for part in parts if (word := one_line(part, 200)))


def _flag(value: JsonValue) -> int | None:
    """0 or 1, also as a truth value or a text; `None` where it is not said."""
    if isinstance(value, bool):
        return int(value)
    return integer(value)


def _truth(value: JsonValue) -> bool | None:
    if isinstance(value, bool):
        return value
    words = {"true": True, "1": True, "false": False, "0": False}
    return words.get(text(value).strip().casefold()) if isinstance(value, str) else None


def _words(value: JsonValue) -> str:
    """A licence is a text; an older SDK had it for a truth value."""
    if isinstance(value, bool):
        return "Sell" if value else "None"
    return one_line(value, 60)
