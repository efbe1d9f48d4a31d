"""
AIRs: read, normalised, printed.
"""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfygraph.errors import UsageError
from comfygraph.references.air import Air, airs_in, is_air
from comfygraph.references.ecosystems import ecosystem_of, known_ecosystem

LAYER = "urn:air:comfy:nodepacklayer:comfyregistry:kijai/comfyui-kjnodes@1.4.0+75726e3a616972"

SAMPLES = {
    "urn:air:sd1:checkpoint:civitai:4384@128713": (
        "sd1", "checkpoint", "civitai", "4384", "128713", None,
    ),
    "urn:air:sdxl:checkpoint:civitai:827184@2514310+2402203": (
        "sdxl", "checkpoint", "civitai", "827184", "2514310", "2402203",
    ),
    "urn:air:other:upscaler:civitai:147759@164821": (
        "other", "upscaler", "civitai", "147759", "164821", None,
    ),
    "urn:air:other:other:civitai-r2:civitai-worker-assets@sam_vit_b_01ec64.pth": (
        "other", "other", "civitai-r2", "civitai-worker-assets", "sam_vit_b_01ec64.pth", None,
    ),
    "urn:air:zimageturbo:diffusion_model:huggingface:Comfy-Org/z_image_turbo@main/split_files/"
    "diffusion_models/z_image_turbo_bf16.safetensors": (
        "zimageturbo", "diffusion_model", "huggingface", "Comfy-Org/z_image_turbo",
        "main/split_files/diffusion_models/z_image_turbo_bf16.safetensors", None,
    ),
    "urn:air:flux1:vae:huggingface:black-forest-labs/FLUX.1-dev@main/ae.safetensors": (
        "flux1", "vae", "huggingface", "black-forest-labs/FLUX.1-dev", "main/ae.safetensors", None,
    ),
    "urn:air:other:other:orchestrator:blob@ABC.png": (
        "other", "other", "orchestrator", "blob", "ABC.png", None,
    ),
    "urn:air:oci:image:ghcr:civitai/civitai-spine-comfy@v2.5.5": (
        "oci", "image", "ghcr", "civitai/civitai-spine-comfy", "v2.5.5", None,
    ),
    "urn:air:oci:image:dockerhub:civitai/comfy@sha256:0a1b2c": (
        "oci", "image", "dockerhub", "civitai/comfy", "sha256:0a1b2c", None,
    ),
    "urn:air:comfy:nodepack:comfyregistry:kijai/comfyui-kjnodes@1.4.0": (
        "comfy", "nodepack", "comfyregistry", "kijai/comfyui-kjnodes", "1.4.0", None,
    ),
    LAYER: (
        "comfy", "nodepacklayer", "comfyregistry", "kijai/comfyui-kjnodes", "1.4.0",
        "75726e3a616972",
    ),
}  # fmt: skip


def parts(air: Air) -> tuple[str | None, ...]:
    """
    Give the parts of an AIR in order.
    """
    return (air.ecosystem, air.type, air.source, air.id, air.version, air.suffix)


@pytest.mark.parametrize("text", SAMPLES)
def test_samples_are_read_and_printed(text: str) -> None:
    """
    Real AIRs of every source come apart and together again, strict and loose alike.
    """
    air = Air.parse(text)

    assert SAMPLES[text] == parts(air)
    assert text == str(air)
    assert air == Air.read(text)


def test_an_air_is_normalised() -> None:
    """
    Ecosystem, type and source are lower case, the path of a file keeps its letters.
    """
    air = Air.parse("  URN:AIR:Flux1:VAE:HuggingFace:BFL/FLUX.1-dev@main/AE.safetensors\n")

    assert "urn:air:flux1:vae:huggingface:BFL/FLUX.1-dev@main/AE.safetensors" == str(air)
    assert "AE.safetensors" == air.file_name


def test_numbers_of_a_model_on_civitai() -> None:
    """
    The numbers are numbers for models of Civitai, and nothing for others.
    """
    air = Air.parse("urn:air:sdxl:checkpoint:civitai:827184@2514310+2402203")
    pack = Air.parse("urn:air:comfy:nodepack:comfyregistry:a/1@2")

    assert (827184, 2514310, 2402203) == (air.model_id, air.version_id, air.file_id)
    assert (None, None, None) == (pack.model_id, pack.version_id, pack.file_id)
    assert air == Air.civitai("SDXL", "Checkpoint", 827184, 2514310, 2402203)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "is no AIR"),
        ("model.safetensors", "is no AIR"),
        ("civitai:4384@128713", "is no AIR"),
        ("urn:air:sd1:checkpoint:civitai", "is no AIR"),
        ("urn:air:sd1:checkpoint:civitai:4384@128713\n.x", "is no AIR"),
        ("urn:air:sd1:checkpoint:civitai:4384@", "is no AIR"),
        ("urn:air:sd1:checkpoint:civitai:4384@１２", "is no AIR"),
        ("urn:air:sd1:checkpoint:civitai:abc@1", "names its model by no number"),
        ("urn:air:sd1:checkpoint:civitai:4384", "lacks the version of the model: `@` and a number"),
        ("urn:air:sd1:checkpoint:civitai:4384@v2", "has a version that is no number"),
        ("urn:air:sd1:checkpoint:civitai:4384@1+ab", "has a file that is no number"),
    ],
)
def test_what_is_no_air_is_told(text: str, complaint: str) -> None:
    """
    The message says what is wrong, the hint what an AIR looks like.
    """
    with pytest.raises(UsageError) as caught:
        Air.parse(text)

    assert f"`{text}` {complaint}".split() == str(caught.value).split()
    assert "an AIR is urn:air:ECOSYSTEM:TYPE:SOURCE:ID@VERSION" == caught.value.hint


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("civitai:4384@128713", ("", "", "civitai", "4384", "128713", None)),
        ("air:sd1:checkpoint:civitai:4384", ("sd1", "checkpoint", "civitai", "4384", None, None)),
        ("sdxl:civitai:1@2+3", ("sdxl", "", "civitai", "1", "2", "3")),
        ("foo:bar", ("", "", "foo", "bar", None, None)),
    ],
)
def test_loose_forms_are_read(text: str, expected: tuple[str | None, ...]) -> None:
    """
    What the servers take is taken where it is asked for.
    """
    air = Air.read(text)

    assert air is not None
    assert expected == parts(air)


@pytest.mark.parametrize("text", ["", "model.safetensors", "a b:c", "urn:air:", "x" * 3000 + ":1"])
def test_what_cannot_be_read_is_nothing(text: str) -> None:
    """
    A text that even the servers refuse gives nothing, whatever its length.
    """
    air = Air.read(text)

    assert None is air


def test_airs_are_found_in_a_text() -> None:
    """
    The embeddings of a prompt are found, without the weight and the brackets around them.
    """
    first = "urn:air:sd1:embedding:civitai:7808@9208"
    text = f"(embedding:{first}:1.2), a cat, embedding:urn:air:sd1:oops. {LAYER}"
    found = list(airs_in(text))

    assert [first, "urn:air:sd1:oops", LAYER] == [word for _, _, word in found]
    assert all(text[start:end] == word for start, end, word in found)
    assert [True, True, False] == [is_air(first), is_air(" URN:AIR:x"), is_air("urn")]


PART = st.from_regex(r"[A-Za-z0-9_\-]{1,8}", fullmatch=True)


@given(
    ecosystem=PART, kind=PART, model=st.integers(0, 10**17), version=st.integers(0, 10**17),
    file=st.none() | st.integers(0, 10**17),
)  # fmt: skip
def test_every_model_of_civitai_has_an_air(
    ecosystem: str, kind: str, model: int, version: int, file: int | None
) -> None:
    """
    What is made of numbers is read back as the same, found in a text, and equal to its key.
    """
    air = Air.civitai(ecosystem, kind, model, version, file)

    assert air == Air.parse(str(air)) == Air.read(str(air))
    assert [str(air)] == [word for _, _, word in airs_in(f"<{air}>")]
    assert air.key == Air.parse(str(air).upper()).key


@given(st.text(max_size=60) | st.from_regex(r"(urn:air:)?[a-c:@+./%]{0,30}", fullmatch=True))
def test_any_text_is_read_or_refused(text: str) -> None:
    """
    No text brings anything but an AIR or our own error; what is parsed stays the same.
    """
    try:
        air = Air.parse(text)
    except UsageError:
        return

    assert air == Air.parse(str(air))


def test_ecosystems_of_base_models() -> None:
    """
    Base models have ecosystems, also as TAMS writes them; fine-tuned families have their root's.
    """
    names = ["SD 1.5", "Pony", "illustrious", "Flux.1 D", "SDXL1.0", "Upscaler", "Pony V7", "x"]

    assert ["sd1", "sdxl", "sdxl", "flux1", "sdxl", "other", "auraflow", None] == [
        ecosystem_of(name) for name in names
    ]
    assert ["sd1", "sdxl", "comfy", None] == [
        known_ecosystem(key) for key in ("sd15", "SDXL", "comfy", "zimage")
    ]


def test_airs_are_cheap() -> None:
    """
    Reading AIRs loads none of the large libraries.
    """
    code = (
        "import sys, comfygraph.references.air, comfygraph.references.kinds,"
        " comfygraph.references.ecosystems;"
        "print(*{'pydantic', 'httpx', 'networkx', 'asyncio', 'sqlite3'} & set(sys.modules))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True
    )

    assert "" == result.stdout.strip()
