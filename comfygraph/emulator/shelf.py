"""
The models that the emulated services know in common, so that their answers agree.
"""

from __future__ import annotations

import hashlib
from typing import NamedTuple

LAST_VERSION = 99_999_999
"""Numbers above this are versions that nobody knows."""


class ShelfModel(NamedTuple):
    """
    A version of a model.

    Args:
        version: Its number on Civitai.
        model: The number of the model there.
        type: As Civitai's site words it.
        base_model: As Civitai's site words it.
        ecosystem: As its AIR has it.
        kind: As its AIR has it.
        name: The name of the model.
        file: The name of its file.
        file_id: The number of the file.
    """

    version: int
    model: int
    type: str
    base_model: str
    ecosystem: str
    kind: str
    name: str
    file: str
    file_id: int

    @property
    def air(self) -> str:
        """Its AIR."""
        return f"urn:air:{self.ecosystem}:{self.kind}:civitai:{self.model}@{self.version}"

    @property
    def documented(self) -> bool:
        """Whether it is more than made up for its number."""
        return self.version in _BY_VERSION

    @property
    def sha256(self) -> str:
        """A SHA-256 of no file at all, 64 digits, upper case."""
        return _SHA256.get(self.version) or (
            hashlib.sha256(f"version {self.version}".encode()).hexdigest().upper()
        )


# Models of the documents that describe the services; the first is Novita's own example.
_SHELF = (
    ShelfModel(64094, 10028, "Checkpoint", "SD 1.5", "sd1", "checkpoint",
               "NeverEnding Dream (NED)", "neverendingDreamNED_v122BakedVae.safetensors", 49412),
    ShelfModel(128713, 4384, "Checkpoint", "SD 1.5", "sd1", "checkpoint",
               "DreamShaper", "dreamshaper_8.safetensors", 93208),
    ShelfModel(62833, 58390, "LORA", "SD 1.5", "sd1", "lora",
               "Detail Tweaker LoRA", "add_detail.safetensors", 48303),
    ShelfModel(87153, 82098, "LORA", "SD 1.5", "sd1", "lora",
               "Add More Details", "more_details.safetensors", 65001),
    ShelfModel(2514310, 827184, "Checkpoint", "Illustrious", "sdxl", "checkpoint",
               "WAI-illustrious-SDXL", "waiIllustriousSDXL_v160.safetensors", 2402203),
    ShelfModel(9208, 7808, "TextualInversion", "SD 1.5", "sd1", "embedding",
               "EasyNegative", "easynegative.safetensors", 9536),
    ShelfModel(164821, 147759, "Upscaler", "Upscaler", "other", "upscaler",
               "Remacri", "remacri_original.safetensors", 123456),
)  # fmt: skip
_BY_VERSION = {model.version: model for model in _SHELF}
_SHA256 = {64094: "ECEFB796FF" + hashlib.sha256(b"version 64094").hexdigest().upper()[10:]}
"""Where the first digits are known from a document."""


class Shelf:
    """
    Finds models. Any number up to `LAST_VERSION` is one: a checkpoint for SD 1.5, unless a
    document knows better. Those that were asked for once are found by their hash.
    """

    def __init__(self) -> None:
        self._by_hash: dict[str, ShelfModel] = {}
        for model in _SHELF:
            self._learn(model)

    def version(self, number: int) -> ShelfModel | None:
        """
        Give a version by its number on Civitai, or `None`.
        """
        if not 0 < number <= LAST_VERSION:
            return None
        model = _BY_VERSION.get(number) or ShelfModel(
            number, number // 2 + 1, "Checkpoint", "SD 1.5", "sd1", "checkpoint",
            f"Emulated model {number}", f"emulated_{number}.safetensors", number + 1,
        )  # fmt: skip
        self._learn(model)
        return model

    def by_hash(self, digits: str) -> ShelfModel | None:
        """
        Give the version that has a file with a SHA-256 or AutoV2, in any case, or `None`.
        """
        return self._by_hash.get(digits.upper())

    def models(self) -> tuple[ShelfModel, ...]:
        """
        Give the models that documents speak of.
        """
        return _SHELF

    def _learn(self, model: ShelfModel) -> None:
        if len(self._by_hash) < 100_000:
            self._by_hash[model.sha256] = self._by_hash[model.sha256[:10]] = model
