"""
From one name of a model to the name that a service wants: the table first, then the services
that know.

Civitai finds a version by its number or the hash of a file; nobody finds a file by its name, and
TAMS has no search at all. So the table is the only way from a file to TensorArt.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from comfygraph.analysis.families import family_of_ecosystem
from comfygraph.errors import TargetError, UsageError
from comfygraph.references.air import Air, is_air
from comfygraph.references.civitai import CivitaiVersion
from comfygraph.references.forms import CivitaiVersionId, FileHash, TamsId
from comfygraph.references.kinds import kind_fits
from comfygraph.references.lists import FileLists
from comfygraph.references.lookup import Lookup
from comfygraph.references.resolution import Availability, Resolution
from comfygraph.references.table import ModelTable, Names, names_of
from comfygraph.references.uses import (
    EMBEDDINGS,
    Confidence,
    FamilyGuess,
    ModelUse,
    guess_family,
)

TargetName: TypeAlias = Literal["civitai", "comfyui", "tams"]
ServiceName: TypeAlias = Literal["civitai", "comfyui", "tams", "novita"]
"""Also what knows models and runs no graphs."""

BY_NUMBER = frozenset({"checkpoints", "loras"})
"""What TensorArt wants by number; files of other folders it provides under their own names."""

_EMBEDDING_ENDINGS = (".safetensors", ".pt", ".bin")
_TELL = "tell its AIR in a file for --map, or its `civitai` version or `sha256`"

LABELS = {
    "civitai": "Civitai", "comfyui": "the ComfyUI server", "novita": "Novita", "tams": "TensorArt",
}  # fmt: skip
"""Service → what people call it."""

HashOf: TypeAlias = Callable[[str | None, str], FileHash | None]
"""Folder and name of a file → its hash, or `None` where the file is not at hand."""


@dataclass(frozen=True, slots=True)
class Resolver:
    """
    Finds what a service calls the models of a graph.

    Args:
        table: What the person says.
        lookup: The services.
        hash_of: Gives the hash of a file at hand.
    """

    table: ModelTable
    lookup: Lookup
    hash_of: HashOf | None = None
    _lists: FileLists = field(default_factory=FileLists, init=False, repr=False, compare=False)

    def names(self, use: ModelUse) -> Names:
        """
        Give all names of a model that are known without asking anybody.
        """
        own = names_of(use.reference)
        found = self.table.find(use.reference)
        return own.merged(found) if found is not None else own

    def resolve(self, use: ModelUse, target: TargetName) -> Resolution:
        """
        Find the name of a model for a service; asks others only where no name is known.
        """
        names = self.names(use)
        malformed = _malformed(names)
        if malformed is not None:
            return malformed._replace(target=target)
        match target:
            case "civitai":
                return self._for_civitai(use, names)
            case "tams":
                return self._for_tams(use, names)
            case "comfyui":
                return self._for_comfyui(use, names)

    def check(self, use: ModelUse, target: ServiceName) -> Resolution:
        """
        Find the name of a model for a service, and ask that service whether it can use it.
        """
        if target == "novita":
            return self._on_novita(use, self.names(use))
        found = self.resolve(use, target)
        if found.name is None:
            return found
        if target == "civitai":
            return self._asked(found, lambda: self._on_civitai(found))
        if target == "tams":
            return self._asked(found, lambda: self._on_tams(use, found))
        # of classes that nobody has described, and of embeddings in texts, servers list nothing
        listed = not use.guessed and use.span is None
        if found.availability is _UNKNOWN and listed and use.listed is None:
            return found._replace(help="give --catalog the address of the server to ask it")
        return found

    def family(self, use: ModelUse, found: Resolution | None = None) -> FamilyGuess | None:
        """
        Give what a model is made for: by who keeps it, by its AIR, else by its name.

        Args:
            use: The model.
            found: What came of looking for it.
        """
        if found is not None and found.base_model:
            family = family_of_ecosystem(found.base_model)
            if family is not None:
                label = LABELS.get(found.target, found.target)
                return FamilyGuess(family, Confidence.HIGH, f"the base model on {label}")
        names = self.names(use)
        by_air = guess_family(names.air) if names.air is not None else None
        by_file = guess_family(names.file) if names.file is not None else None
        return by_air or use.family or by_file

    # Civitai

    def _for_civitai(self, use: ModelUse, names: Names) -> Resolution:
        air = names.air
        evidence = "as the graph has it" if air == use.reference else f"in {self.table.path}"
        base_model = ""
        if air is None:
            found = self._version_of(use, names)
            if isinstance(found, Resolution):
                return found._replace(target="civitai")
            version, evidence, air = found
            base_model = version.base_model
            if not version.usable:
                evidence += ", which is not for everybody"
            if air is None:
                return Resolution(
                    "civitai", None, Availability.UNKNOWN,
                    f"version {version.id} is for `{version.base_model}`, "
                    "whose ecosystem is not known",
                    "tell its AIR in a file for --map",
                )  # fmt: skip
        if use.folder is not None and air.type and not kind_fits(air.type, use.folder):
            return Resolution(
                "civitai", None, Availability.UNAVAILABLE,
                f"{air} is of type {air.type}, and `{use.input}` takes {use.folder}",
            )  # fmt: skip
        return Resolution("civitai", str(air), _UNKNOWN, evidence, base_model=base_model)

    def _version_of(
        self, use: ModelUse, names: Names
    ) -> tuple[CivitaiVersion, str, Air | None] | Resolution:
        """The version on Civitai, how it was found, and the AIR of the very file."""
        digest = names.hash
        by = "hash"
        try:
            if names.version is not None:
                version = self.lookup.civitai_version(names.version.id)
                if version is None:
                    return _nothing(f"Civitai has no version {names.version.id}")
                return version, f"version {version.id} on Civitai", version.air
            if digest is None and self.hash_of is not None and names.file is not None:
                digest = self.hash_of(use.folder, names.file.name)
                by = "hash of the file"
            if digest is None:
                known = "TensorArt's number" if names.tams is not None else "the name of a file"
                return _nothing(f"nobody can find a model on Civitai by {known}", _TELL)
            version = self.lookup.civitai_hash(digest)
        except TargetError as exc:
            return _nothing(exc.message, exc.hint)
        if version is None:
            return _nothing(f"Civitai has no file with the {by} {digest.digits[:10]}")
        return version, f"by the {by}, on Civitai", _exact_air(version, digest)

    def _on_civitai(self, found: Resolution) -> Resolution:
        air = Air.read(found.name or "")
        if air is None or not self.lookup.civitai.has_token:
            return found._replace(help="set CIVITAI_API_TOKEN to have Civitai asked")
        resource = self.lookup.civitai_resource(air)
        if resource is None:
            return found._replace(
                availability=Availability.UNAVAILABLE, evidence="Civitai has no such resource"
            )
        if not resource.can_generate:
            return found._replace(
                availability=Availability.UNAVAILABLE,
                evidence="Civitai has it, and does not let jobs use it",
            )
        canonical = Air.read(resource.air)
        if canonical is not None and canonical.ecosystem != air.ecosystem:
            evidence = f"on Civitai, which calls it {canonical}"
        else:
            evidence = "on Civitai" + (
                ", with a permission or restriction" if resource.restricted else ""
            )
        return found._replace(availability=Availability.AVAILABLE, evidence=evidence)

    # Novita

    def _on_novita(self, use: ModelUse, names: Names) -> Resolution:
        number = names.version_id
        sha256 = names.hash.digits if names.hash is not None else ""
        if number is None:
            found = self._version_of(use, names)
            if isinstance(found, Resolution):
                return found._replace(target="novita")
            number = found[0].id
        nothing = Resolution("novita", None, Availability.UNKNOWN, "")
        return self._asked(nothing, lambda: self._novita_says(use, number, sha256))

    def _novita_says(self, use: ModelUse, number: int, sha256: str) -> Resolution:
        model = self.lookup.novita_model(number)
        if model is None:
            return Resolution(
                "novita", None, Availability.UNAVAILABLE,
                f"Novita has no model for version {number} of Civitai",
            )  # fmt: skip
        if use.folder is not None and not kind_fits(model.kind, use.folder):
            return Resolution(
                "novita", None, Availability.UNAVAILABLE,
                f"it is of type {model.type} on Novita, and `{use.input}` takes {use.folder}",
            )  # fmt: skip
        if model.hash and sha256 and not sha256.startswith(model.hash):
            return Resolution(
                "novita", model.sd_name or None, Availability.UNKNOWN,
                f"Novita has another file of that version, with the hash {model.hash}",
            )  # fmt: skip
        found = model.resolution
        needed = model.dependency_version_id
        if found.availability is not Availability.AVAILABLE or needed in (None, number):
            return found
        other = self.lookup.novita_model(needed)
        state = other.resolution.availability if other is not None else Availability.UNAVAILABLE
        if state is Availability.AVAILABLE:
            return found
        return found._replace(
            availability=Availability.UNKNOWN,
            evidence=f"it needs version {needed} of Civitai, which is {state.value} on Novita",
        )

    # TAMS

    def _for_tams(self, use: ModelUse, names: Names) -> Resolution:
        if names.tams is not None:
            same = names.tams == use.reference
            evidence = "as the graph has it" if same else f"in {self.table.path}"
            return Resolution("tams", names.tams.id, Availability.UNKNOWN, evidence)
        if use.folder in BY_NUMBER or use.folder is None:
            return Resolution(
                "tams", None, Availability.UNKNOWN,
                "TensorArt finds models by their number only",
                "tell its number in a file for --map: tams = \"…\"",
            )  # fmt: skip
        found = self._file_of(use, names)
        if found.name is None:
            return found._replace(target="tams")
        return Resolution(
            "tams", found.name, Availability.UNKNOWN,
            "TensorArt provides such files under their own names",
        )  # fmt: skip

    def _on_tams(self, use: ModelUse, found: Resolution) -> Resolution:
        name = found.name or ""
        if not name.isdecimal():
            return found
        model = self.lookup.tams_model(TamsId(name))
        if model is None:
            return found._replace(
                availability=Availability.UNAVAILABLE, evidence="TensorArt has no such model"
            )
        if model.kind and use.folder is not None and not kind_fits(model.kind, use.folder):
            return found._replace(
                availability=Availability.UNAVAILABLE,
                evidence=f"it is of type {model.kind} on TensorArt, "
                f"and `{use.input}` takes {use.folder}",
            )
        facts = ", ".join(part for part in (model.name, model.base_model) if part)
        return found._replace(
            availability=Availability.AVAILABLE,
            evidence=f"on TensorArt: {facts or model.id}",
            base_model=model.base_model,
        )

    # ComfyUI

    def _for_comfyui(self, use: ModelUse, names: Names) -> Resolution:
        found = self._file_of(use, names)
        if found.name is None or use.listed is None:
            return found
        match = self._lists.find(found.name, use.listed)
        if match is None:
            near = self._lists.hint(found.name, use.listed)
            folder = use.folder or "its folders"
            return Resolution(
                "comfyui", None, Availability.UNAVAILABLE,
                f"the server has no `{found.name}` in {folder}", near or "put the file there",
            )  # fmt: skip
        return found._replace(
            name=match, availability=Availability.AVAILABLE, evidence="in the list of the server"
        )

    def _file_of(self, use: ModelUse, names: Names) -> Resolution:
        """The name of the file, from the table or from who keeps it."""
        if names.file is not None:
            if names.file == use.reference:
                return Resolution("comfyui", use.value, _UNKNOWN, "as the graph has it")
            name = _as_used(use, names.file.name)
            return Resolution("comfyui", name, _UNKNOWN, f"in {self.table.path}")
        air = names.air
        if air is not None and air.file_name is not None:
            return Resolution("comfyui", _as_used(use, air.file_name), _UNKNOWN, "in its AIR")
        wanted = names
        if air is not None and air.version_id is not None and names.version is None:
            wanted = names._replace(version=CivitaiVersionId(air.version_id))
        if wanted.version is None and wanted.hash is None:
            return Resolution(
                "comfyui", None, _UNKNOWN, "nobody knows the name of its file",
                "tell it in a file for --map: file = \"…\"",
            )  # fmt: skip
        found = self._version_of(use, wanted)
        if isinstance(found, Resolution):
            return found
        version, evidence, exact = found
        wanted_file = air.file_id if air is not None else exact.file_id if exact else None
        file = version.file_by_id(wanted_file)
        if file is None or not file.name:
            return _nothing(f"{evidence} has no such file")
        if use.folder is not None and not kind_fits(version.kind, use.folder):
            return Resolution(
                "comfyui", None, Availability.UNAVAILABLE,
                f"it is of type {version.kind} on Civitai, "
                f"and `{use.input}` takes {use.folder}",
            )  # fmt: skip
        return Resolution("comfyui", _as_used(use, file.name), _UNKNOWN, evidence)

    def _asked(self, found: Resolution, ask: Callable[[], Resolution]) -> Resolution:
        try:
            return ask()
        except (TargetError, UsageError) as exc:
            return found._replace(evidence=exc.message, help=exc.hint)


_UNKNOWN = Availability.UNKNOWN


def _malformed(names: Names) -> Resolution | None:
    """What means to be an AIR and is none."""
    if names.air is not None or names.file is None or not is_air(names.file.name):
        return None
    try:
        Air.parse(names.file.name)
    except UsageError as exc:
        return _nothing(exc.message, exc.hint)
    return None


def _nothing(evidence: str, help: str | None = None) -> Resolution:
    return Resolution("comfyui", None, _UNKNOWN, evidence, help)


def _exact_air(version: CivitaiVersion, digest: FileHash) -> Air | None:
    """The AIR names the file where it is not the one that the version gives by itself."""
    air, main = version.air, version.file
    if air is None or main is None:
        return air
    for file in version.files:
        same = file.sha256 and file.sha256.startswith(digest.digits)
        if same and file is not main and file.id is not None:
            return replace(air, suffix=str(file.id))
    return air


def _as_used(use: ModelUse, name: str) -> str:
    """In a text an embedding goes by its name alone."""
    if use.span is None or use.folder != EMBEDDINGS:
        return name
    for ending in _EMBEDDING_ENDINGS:
        if name.casefold().endswith(ending):
            return name[: -len(ending)]
    return name
