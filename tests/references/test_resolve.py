"""
From one name of a model to the name that a service wants.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from asked import Given, serving

from comfygraph.catalog import bundled_catalog
from comfygraph.core.values import Prompt
from comfygraph.emulator import DEV_TOKEN, Emulator, Faults
from comfygraph.references.air import Air
from comfygraph.references.forms import CivitaiVersionId, FileHash, FileName, TamsId
from comfygraph.references.local import LocalModels
from comfygraph.references.lookup import Lookup
from comfygraph.references.resolution import Resolution
from comfygraph.references.resolve import Resolver, TargetName
from comfygraph.references.table import ModelTable, Names
from comfygraph.references.uses import ModelUse, models_of
from comfygraph.references.web import Web

NewWeb = Callable[..., Web]
CATALOG = bundled_catalog()
AIR = "urn:air:sd1:checkpoint:civitai:4384@128713"
LORA = "urn:air:sd1:lora:civitai:58390@62833"
NUMBER = "664602165660323756"
TABLE = ModelTable(
    (
        Names(FileName("a.ckpt"), Air.parse(AIR), TamsId(NUMBER)),
        Names(FileName("b.ckpt"), version=CivitaiVersionId(128713)),
        Names(FileName("c.ckpt"), version=CivitaiVersionId(999_999_999)),
        Names(FileName("d.ckpt"), hash=FileHash("0123456789")),
        Names(FileName("lora.safetensors"), Air.parse(LORA)),
        Names(FileName("easy.pt"), Air.parse("urn:air:sd1:embedding:civitai:7808@9208")),
    ),
    "models.toml",
)


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    """
    A running emulator of the services that know models.
    """
    with Emulator(["civitai", "tams", "novita"], speed=0, faults=Faults(qps=0)) as running:
        yield running


@pytest.fixture
def config(emulator: Emulator) -> Iterator[dict[str, str]]:
    """
    The settings that lead to the emulator; its faults are undone afterwards.
    """
    url = emulator.url("civitai")
    yield {
        "CIVITAI_SITE_URL": url, "CIVITAI_API_URL": url, "CIVITAI_API_TOKEN": DEV_TOKEN,
        "TAMS_API_KEY": DEV_TOKEN, "TAMS_BASE_URL": url,
        "NOVITA_API_KEY": DEV_TOKEN, "NOVITA_BASE_URL": url,
    }  # fmt: skip
    emulator.faults = Faults(qps=0)


@pytest.fixture
def resolver(config: dict[str, str], new_web: NewWeb) -> Resolver:
    """
    A resolver with the table above, without a cache.
    """
    return Resolver(TABLE, Lookup(config, web=new_web()))


def use(value: str, class_type: str = "CheckpointLoaderSimple", **more: Any) -> ModelUse:
    """
    Give the use of a model in a loader.
    """
    names = {"LoraLoader": "lora_name", "VAELoader": "vae_name", "CLIPTextEncode": "text"}
    inputs = {names.get(class_type, "ckpt_name"): value}
    prompt = Prompt.from_json({"1": {"class_type": class_type, "inputs": inputs}})
    return models_of(prompt, CATALOG)[0]._replace(**more)


def short(found: Resolution) -> tuple[str | None, str, str]:
    """
    Give name, availability and evidence.
    """
    return found.name, found.availability.value, found.evidence


CASES: list[tuple[TargetName, ModelUse, tuple[str | None, str]]] = [
    ("civitai", use("a.ckpt"), (AIR, "in models.toml")),
    ("civitai", use(AIR), (AIR, "as the graph has it")),
    ("civitai", use(NUMBER), (AIR, "in models.toml")),
    ("civitai", use("b.ckpt"), (AIR, "version 128713 on Civitai")),
    ("civitai", use("c.ckpt"), (None, "Civitai has no version 999999999")),
    ("civitai", use("d.ckpt"), (None, "Civitai has no file with the hash 0123456789")),
    ("civitai", use("e.ckpt"),
     (None, "nobody can find a model on Civitai by the name of a file")),
    ("civitai", use("9" * 18),
     (None, "nobody can find a model on Civitai by TensorArt's number")),
    ("civitai", use("lora.safetensors"),
     (None, f"{LORA} is of type lora, and `ckpt_name` takes checkpoints")),
    ("civitai", use("urn:air:sd1:checkpoint:civitai:x@1"),
     (None, "`urn:air:sd1:checkpoint:civitai:x@1` names its model by no number")),
    ("civitai", use("embedding:easy", "CLIPTextEncode"),
     (None, "nobody can find a model on Civitai by the name of a file")),
    ("civitai", use("embedding:easy.pt", "CLIPTextEncode"),
     ("urn:air:sd1:embedding:civitai:7808@9208", "in models.toml")),
    ("tams", use("a.ckpt"), (NUMBER, "in models.toml")),
    ("tams", use(AIR), (NUMBER, "in models.toml")),
    ("tams", use("b.ckpt"), (None, "TensorArt finds models by their number only")),
    ("tams", use("x.vae.pt", "VAELoader"),
     ("x.vae.pt", "TensorArt provides such files under their own names")),
    ("comfyui", use(AIR), ("a.ckpt", "in models.toml")),
    ("comfyui", use("x.ckpt"), ("x.ckpt", "as the graph has it")),
    ("comfyui", use("urn:air:sd1:lora:civitai:82098@87153", "LoraLoader"),
     ("more_details.safetensors", "version 87153 on Civitai")),
    ("comfyui", use("urn:air:flux1:vae:huggingface:a/b@main/x/ae.safetensors", "VAELoader"),
     ("ae.safetensors", "in its AIR")),
    ("comfyui", use("urn:air:sd1:lora:civitai:82098@87153"),
     (None, "it is of type lora on Civitai, and `ckpt_name` takes checkpoints")),
    ("comfyui", use("embedding:easy.pt", "CLIPTextEncode"), ("easy.pt", "as the graph has it")),
    ("comfyui", use("9" * 18), (None, "nobody knows the name of its file")),
    ("comfyui", use("embedding:urn:air:sd1:embedding:civitai:7808@9208", "CLIPTextEncode"),
     ("easy", "in models.toml")),
]  # fmt: skip


@pytest.mark.parametrize(("target", "model", "expected"), CASES, ids=str)
def test_names_for_services(
    resolver: Resolver, target: TargetName, model: ModelUse, expected: tuple[str | None, str]
) -> None:
    """
    The table comes first, then who knows; what nobody knows is said.
    """
    found = resolver.resolve(model, target)

    assert expected == (found.name, found.evidence)


def test_nobody_is_asked_about_what_the_table_knows() -> None:
    """
    Names that are in the table or in the graph cost no request.
    """
    resolver = Resolver(TABLE, Lookup({}, web=Web(offline=True)))
    asked: list[tuple[TargetName, str]] = [
        ("civitai", "a.ckpt"), ("civitai", AIR), ("tams", AIR), ("comfyui", AIR),
        ("comfyui", NUMBER),
    ]  # fmt: skip

    assert [AIR, AIR, NUMBER, "a.ckpt", "a.ckpt"] == [
        resolver.resolve(use(value), target).name for target, value in asked
    ]
    assert 0 == resolver.lookup.web.sent


def test_offline_says_so() -> None:
    """
    What would have to be asked stays without a name.
    """
    found = Resolver(TABLE, Lookup({}, web=Web(offline=True))).resolve(use("b.ckpt"), "civitai")

    assert (None, "unknown", "civitai.com was not asked") == short(found)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("b.ckpt", "b.ckpt"),
        ("B.CKPT", "b.ckpt"),
        ("c.ckpt", "sd15\\c.ckpt"),
        ("other/c.ckpt", "sd15\\c.ckpt"),
        ("twice.ckpt", None),
        ("bb.ckpt", None),
    ],
)
def test_the_list_of_a_server_decides(resolver: Resolver, name: str, expected: str | None) -> None:
    """
    A file is found as the server lists it: also in a folder, also in other case, if it is one.
    """
    listed = ("b.ckpt", "sd15\\c.ckpt", "x/twice.ckpt", "y/twice.ckpt")
    found = resolver.resolve(use(name, listed=listed), "comfyui")

    assert expected == found.name
    assert ("available" if expected else "unavailable") == found.availability.value


def test_a_file_at_hand_is_found_by_its_hash(
    config: dict[str, str], tmp_path: Path, new_web: NewWeb
) -> None:
    """
    A file under `models` is hashed, and Civitai knows it; names cannot lead out of the folder.
    """
    folder = tmp_path / "models"
    (folder / "checkpoints" / "sd15").mkdir(parents=True)
    (folder / "checkpoints" / "sd15" / "mine.ckpt").write_bytes(b"version 128713")
    (tmp_path / "out.ckpt").write_bytes(b"version 128713")
    local = LocalModels(folder)
    resolver = Resolver(ModelTable(), Lookup(config, web=new_web()), local.hash_of)
    digest = hashlib.sha256(b"version 128713").hexdigest().upper()

    assert FileHash(digest) == local.hash_of("checkpoints", "sd15\\mine.ckpt")
    assert [None] * 4 == [
        local.hash_of("checkpoints", "../../out.ckpt"),
        local.hash_of("checkpoints", str(tmp_path / "out.ckpt")),
        local.hash_of("checkpoints", "a\0b"),
        local.hash_of(None, "out.ckpt"),
    ]
    found = resolver.resolve(use("sd15/mine.ckpt"), "civitai")

    assert (AIR, "by the hash of the file, on Civitai") == (found.name, found.evidence)


def test_services_are_asked_whether_they_have_it(emulator: Emulator, resolver: Resolver) -> None:
    """
    `check` asks the service itself, and corrects the ecosystem as Civitai does.
    """
    wrong = Air.civitai("sdxl", "lora", 82098, 87153)
    right = Air.civitai("sd1", "lora", 82098, 87153)
    asked: list[tuple[TargetName, ModelUse]] = [
        ("civitai", use(AIR)), ("civitai", use(str(wrong), "LoraLoader")),
        ("civitai", use(str(Air.civitai("sd1", "checkpoint", 1, 999_999_999)))),
        ("tams", use(NUMBER)), ("tams", use(NUMBER, "LoraLoader")), ("civitai", use("e.ckpt")),
    ]  # fmt: skip
    found = [short(resolver.check(model, target)) for target, model in asked]

    assert [
        (AIR, "available", "on Civitai"),
        (str(wrong), "available", f"on Civitai, which calls it {right}"),
        (str(Air.civitai("sd1", "checkpoint", 1, 999_999_999)), "unavailable",
         "Civitai has no such resource"),
        (NUMBER, "available", "on TensorArt: Emulated checkpoint v1.0, SD 1.5"),
        (NUMBER, "unavailable",
         "it is of type checkpoint on TensorArt, and `lora_name` takes loras"),
        (None, "unknown", "nobody can find a model on Civitai by the name of a file"),
    ] == found  # fmt: skip


NOVITA_CASES = [
    (use("b.ckpt"), Faults(qps=0), ("dreamshaper_8.safetensors", "available")),
    (use(AIR), Faults(qps=0, enable="null"), ("dreamshaper_8.safetensors", "unknown")),
    (use(AIR), Faults(qps=0, no_v2=True), ("dreamshaper_8.safetensors", "available")),
    (use("c.ckpt"), Faults(qps=0), (None, "unavailable")),
    (use("c.ckpt"), Faults(qps=0, no_v2=True), (None, "unavailable")),
    (use("e.ckpt"), Faults(qps=0), (None, "unknown")),
    (use("d.ckpt"), Faults(qps=0), (None, "unknown")),
    (use("urn:air:sd1:lora:civitai:82098@87153"), Faults(qps=0), (None, "unavailable")),
]


@pytest.mark.parametrize(("model", "faults", "expected"), NOVITA_CASES, ids=str)
def test_what_novita_has(
    emulator: Emulator,
    resolver: Resolver,
    model: ModelUse,
    faults: Faults,
    expected: tuple[str | None, str],
) -> None:
    """
    Novita is asked by the version on Civitai, and by the hash where it no longer knows versions.
    """
    emulator.faults = faults
    found = resolver.check(model, "novita")

    assert expected == (found.name, found.availability.value)


@pytest.mark.parametrize(
    "gone", [Given(404, b"<html>"), Given(410, {}), Given(404, {"reason": "API_NOT_FOUND"})]
)
def test_a_route_that_is_gone(new_web: NewWeb, gone: Given) -> None:
    """
    Where the route by version is gone, whoever says so, the list is asked with the file's hash.
    """
    file = {"name": "a.ckpt", "hashes": {"SHA256": "a" * 64}}
    version = {"id": 128713, "model": {"name": "A", "type": "Checkpoint"}, "files": [file]}
    listed = {"name": "A", "sd_name_in_api": "a_1.ckpt", "hash_sha256": "A" * 64, "status": 1,
              "type": {"name": "checkpoint"}}  # fmt: skip
    answers = [gone, Given(body=version), Given(body={"models": [listed]})]
    with serving(*answers) as server:
        config = {"NOVITA_API_KEY": "k", "NOVITA_BASE_URL": server.url,
                  "CIVITAI_SITE_URL": server.url}  # fmt: skip
        lookup = Lookup(config, web=new_web())
        found = Resolver(ModelTable(), lookup).check(use(AIR), "novita")

    assert ("a_1.ckpt", "available") == (found.name, found.availability.value)


def test_another_file_of_a_version(config: dict[str, str], new_web: NewWeb) -> None:
    """
    A hash that is not Novita's tells that it has another file of the version.
    """
    table = ModelTable(
        (Names(FileName("x.ckpt"), version=CivitaiVersionId(128713), hash=FileHash("A" * 64)),)
    )
    found = Resolver(table, Lookup(config, web=new_web())).check(use("x.ckpt"), "novita")

    assert (
        "dreamshaper_8.safetensors",
        "unknown",
        "Novita has another file of that version, with the hash C9FD32EEF3",
    ) == short(found)


@pytest.mark.parametrize(
    ("enable", "expected"),
    [
        (1, ("available", "enabled, file and dependencies are ready")),
        (0, ("unknown", "it needs version 7 of Civitai, which is unavailable on Novita")),
    ],
)
def test_what_a_model_needs_on_novita(
    new_web: NewWeb, enable: int, expected: tuple[str, str]
) -> None:
    """
    A model that needs another one is there when that one is, too.
    """
    ready = {"sd_name": "a", "download_status": 1, "dependency_status": 1, "type": "checkpoint"}
    lora = {**ready, "enable": 1, "civitai_dependency_version_id": 7}
    answers = [
        Given(body={"code": 0, "data": {"model": model}})
        for model in (lora, {**ready, "enable": enable})
    ]
    with serving(*answers) as server:
        config = {"NOVITA_API_KEY": "k", "NOVITA_BASE_URL": server.url}
        lookup = Lookup(config, web=new_web())
        found = Resolver(ModelTable(), lookup).check(use(AIR), "novita")

    assert ("a", *expected) == (found.name, found.availability.value, found.evidence)


def test_a_server_that_was_not_asked(resolver: Resolver) -> None:
    """
    Without the lists of a server, it is told how to have them looked at.
    """
    found = resolver.check(use("x.ckpt"), "comfyui")

    assert ("x.ckpt", "unknown", "give --catalog the address of the server to ask it") == (
        found.name, found.availability.value, found.help,
    )  # fmt: skip


def test_a_resource_that_is_not_enabled(emulator: Emulator, resolver: Resolver) -> None:
    """
    Civitai may know a model and not let jobs use it.
    """
    emulator.faults = Faults(not_enabled=True)
    found = resolver.check(use(AIR), "civitai")

    assert "unavailable" == found.availability.value


def test_troubles_are_no_verdict(config: dict[str, str], new_web: NewWeb) -> None:
    """
    Missing and wrong credentials leave the availability open, and say why.
    """
    wrong = {**config, "CIVITAI_API_TOKEN": "x", "TAMS_API_KEY": ""}
    resolver = Resolver(TABLE, Lookup(wrong, web=new_web()))
    none = Resolver(TABLE, Lookup({}, web=Web(offline=True)))

    assert [
        (AIR, "unknown", "Civitai does not know these credentials (HTTP 401): Unauthorized"),
        (NUMBER, "unknown", "no credentials for TAMS"),
        (AIR, "unknown", "in models.toml"),
    ] == [
        short(resolver.check(use("a.ckpt"), "civitai")),
        short(resolver.check(use("a.ckpt"), "tams")),
        short(none.check(use("a.ckpt"), "civitai")),
    ]
    assert "set CIVITAI_API_TOKEN to have Civitai asked" == (
        none.check(use("a.ckpt"), "civitai").help
    )


def test_what_a_model_is_made_for_by_who_knows_most(resolver: Resolver) -> None:
    """
    Who keeps the model comes before its AIR, and that before its name.
    """
    sdxl_by_name = use("sd_xl_base_1.0.safetensors")
    models = [(sdxl_by_name, None), (use("a.ckpt"), None),
              (sdxl_by_name, Resolution("tams", NUMBER, resolver.check(use(NUMBER), "tams")[2],
                                        "", base_model="SD 1.5"))]  # fmt: skip
    families = [resolver.family(model, found) for model, found in models]

    assert [
        ("sdxl", "low", "its name"),
        ("sd1", "high", "the ecosystem of its AIR"),
        ("sd1", "high", "the base model on TensorArt"),
    ] == [
        (family.family.key, family.confidence.value, family.why)
        for family in families
        if family is not None
    ]
