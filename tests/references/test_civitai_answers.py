"""
What is read of the answers of Civitai's site and orchestration.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from asked import Given, serving
from hypothesis import given
from hypothesis import strategies as st

from comfygraph.catalog import bundled_catalog
from comfygraph.core.values import Prompt
from comfygraph.errors import ComfyGraphError, ProtocolError, UsageError
from comfygraph.references.air import Air
from comfygraph.references.civitai import CivitaiSite, read_version
from comfygraph.references.forms import FileHash, FileName
from comfygraph.references.lookup import Lookup
from comfygraph.references.resolve import Resolver
from comfygraph.references.table import ModelTable, Names
from comfygraph.references.uses import models_of
from comfygraph.references.web import Web
from comfygraph.targets.http import HttpResponse, Secret

VERSION: dict[str, Any] = {
    "id": 7, "modelId": 3, "name": "v1", "baseModel": "Pony",
    "model": {"name": "M", "type": "LoCon"}, "trainedWords": ["a b", None, ""],
    "files": [
        {"id": 1, "name": "train.zip", "type": "Training Data", "hashes": {}},
        {"id": 2, "name": "..\\evil/small.safetensors", "type": "Pruned Model", "sizeKB": 2,
         "hashes": {"SHA256": "b" * 64}},
        {"id": 3, "name": "big.safetensors", "type": "Model", "primary": True,
         "hashes": {"SHA256": "c" * 64}},
    ],
}  # fmt: skip


def test_a_version_without_an_air() -> None:
    """
    Older answers lack `air`: it is made of the parts; names of files have no folders.
    """
    found = read_version(VERSION)

    assert Air.civitai("sdxl", "lycoris", 3, 7) == found.air
    assert ("a b",) == found.trained_words
    assert ["train.zip", "small.safetensors", "big.safetensors"] == [
        file.name for file in found.files
    ]
    assert ("big.safetensors", "small.safetensors", None) == (
        getattr(found.file, "name", None), getattr(found.file_by_id(2), "name", None),
        found.file_by_id(9),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "air", "usable"),
    [
        ({"air": "urn:air:sdxl:lora:civitai:3@7"}, "urn:air:sdxl:lora:civitai:3@7", True),
        ({"air": "nonsense"}, "urn:air:sdxl:lycoris:civitai:3@7", True),
        ({"baseModel": "Something new"}, "None", True),
        ({"modelId": None}, "None", True),
        ({"status": "Draft"}, "urn:air:sdxl:lycoris:civitai:3@7", False),
        ({"status": "Published", "availability": "Private"},
         "urn:air:sdxl:lycoris:civitai:3@7", False),
    ],
)  # fmt: skip
def test_the_air_of_a_version(changes: dict[str, Any], air: str, usable: bool) -> None:
    """
    The site's own AIR comes first where it is one; without an ecosystem there is none.
    """
    found = read_version({**VERSION, **changes})

    assert (air, usable) == (str(found.air), found.usable)


def test_a_hash_leads_to_the_very_file() -> None:
    """
    Where the file is not the one that the version gives by itself, the AIR names it.
    """
    catalog = bundled_catalog()
    names = ("small.safetensors", "big.safetensors")
    prompt = Prompt.from_json(
        {name: {"class_type": "LoraLoaderModelOnly", "inputs": {"lora_name": name}}
         for name in names}
    )  # fmt: skip
    table = ModelTable(
        (Names(FileName(names[0]), hash=FileHash("B" * 10)),
         Names(FileName(names[1]), hash=FileHash("C" * 64)))
    )  # fmt: skip
    with serving(Given(200, VERSION)) as server, Web(spacing=0) as web:
        resolver = Resolver(table, Lookup({"CIVITAI_SITE_URL": server.url}, web=web))
        found = [resolver.resolve(use, "civitai").name for use in models_of(prompt, catalog)]

    air = "urn:air:sdxl:lycoris:civitai:3@7"
    assert [f"{air}+2", air] == found


def test_many_hashes_in_one_question() -> None:
    """
    Up to a hundred SHA-256 go into one question; others are refused before it is asked.
    """
    with serving(Given(200, [VERSION, None])) as server, Web(spacing=0) as web:
        site = CivitaiSite(server.url)
        found = web.run(site.by_hashes(["B" * 64]))
        nothing = web.run(site.by_hashes([]))
        for wrong in (["B" * 64] * 101, ["short"]):
            with pytest.raises(UsageError):
                site.by_hashes(wrong)

    assert ([7], ()) == ([version.id for version in found], nothing)
    assert ["POST /api/v1/model-versions/by-hash"] == [request for request, _ in server.asked]


def test_an_answer_about_another_version(tmp_path: Path) -> None:
    """
    A version that was not asked for is an error, and not kept.
    """
    with (
        serving(Given(200, {**VERSION, "id": 8}), Given(200, VERSION)) as server,
        Lookup({"CIVITAI_SITE_URL": server.url}, cache=tmp_path / "c.sqlite3") as lookup,
    ):
        with pytest.raises(ProtocolError, match="asked for version 7 and answered with"):
            lookup.civitai_version(7)
        found = lookup.civitai_version(7)

    assert 7 == (found.id if found else None)


def test_an_air_cannot_leave_its_place() -> None:
    """
    Dots between slashes of an AIR are no steps up in the address that is asked.
    """
    air = Air.parse("urn:air:other:other:huggingface:a/../../../v1/x@./b%2F.safetensors")
    with serving(Given(404, {})) as server, Web(spacing=0) as web:
        site = CivitaiSite(server.url, server.url, Secret("t"))
        found = web.run(site.resource(air))

    assert found is None
    [(request, _)] = server.asked
    assert request.endswith("huggingface:a/%2E%2E/%2E%2E/%2E%2E/v1/x@./b%252F.safetensors")


def test_an_answer_without_a_number() -> None:
    """
    What is no version is an error of the protocol.
    """
    with pytest.raises(ProtocolError):
        read_version({"name": "x"})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(["id", "modelId", "air", "model", "type", "files", "hashes", "SHA256",
                         "name", "sizeKB", "baseModel", "errors", "messages", "canGenerate"]),
        inner, max_size=4,
    ),
    max_leaves=20,
)  # fmt: skip


@given(JSON, st.sampled_from([200, 200, 400, 403, 404, 500]))
def test_any_answer_is_read_or_refused(body: Any, status: int) -> None:
    """
    No answer brings anything but values and our own errors.
    """
    site = CivitaiSite(token=Secret("k"))
    raw = json.dumps(body).encode()
    air = Air.civitai("sd1", "lora", 1, 2)
    for exchange in (site.version(7), site.by_hash("0" * 10), site.resource(air)):
        next(exchange)
        try:
            exchange.send(HttpResponse(status, {}, raw))
        except StopIteration as stop:
            value = stop.value
        except ComfyGraphError as exc:
            value = exc

        assert value is None or repr(value)
