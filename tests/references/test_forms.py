"""
The forms in which a model is named.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfygraph.errors import UsageError
from comfygraph.references.air import Air
from comfygraph.references.forms import (
    FileHash,
    FileName,
    TamsId,
    read_civitai_version,
    read_hash,
    read_reference,
)

AIR = "urn:air:sd1:checkpoint:civitai:4384@128713"
SHA = "ecefb796ff" + "0" * 54


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sdxl/detail.safetensors", FileName("sdxl/detail.safetensors")),
        (f" {AIR} ", Air.parse(AIR)),
        ("urn:air:sd1:checkpoint:civitai:4384", FileName("urn:air:sd1:checkpoint:civitai:4384")),
        ("648628718430054626", TamsId("648628718430054626")),
        ("12345678901234", FileName("12345678901234")),
        (SHA, FileHash(SHA.upper())),
        ("", FileName("")),
    ],
)
def test_forms_of_references(text: str, expected: object) -> None:
    """
    A name is an AIR, a number of TensorArt, a SHA-256, or else a file.
    """
    assert expected == read_reference(text)


@given(st.text(max_size=80))
def test_any_text_is_some_reference(text: str) -> None:
    """
    Every text is read as something, and what is read of it is read the same again.
    """
    found = read_reference(text)

    assert found == read_reference(str(found))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("128713", 128713),
        (AIR, 128713),
        ("civitai:4384@128713", 128713),
        ("https://civitai.com/models/4384?modelVersionId=128713", 128713),
        ("https://www.civitai.com/models/4384/dreamshaper?modelVersionId=128713&x=1", 128713),
        ("https://civitai.com/api/download/models/128713", 128713),
        ("https://civitai.com/api/v1/model-versions/128713", 128713),
        ("https://civitai.com/models/4384", None),
        ("https://example.com/models/1?modelVersionId=128713", None),
        ("https://[civitai.com/models/1", None),
        ("urn:air:sd1:checkpoint:civitai:4384", None),
        ("huggingface:a/b@1", None),
        ("abc", None),
        ("", None),
    ],
)
def test_versions_on_civitai(text: str, expected: int | None) -> None:
    """
    The number of a version is read from what people copy.
    """
    found = read_civitai_version(text)

    assert expected == (found.id if found is not None else None)


def test_hashes() -> None:
    """
    A hash may say its kind; the digits are upper case.
    """
    texts = [SHA, f"sha256:{SHA}", "AutoV2: ecefb796ff", "ECEFB796", "0123456789ab"]

    assert [SHA.upper(), SHA.upper(), "ECEFB796FF", "ECEFB796", "0123456789AB"] == [
        read_hash(text).digits for text in texts
    ]


@pytest.mark.parametrize("text", ["", "abc", "md5:0123456789", "g" * 64, SHA + "0"])
def test_what_is_no_hash_is_told(text: str) -> None:
    """
    Anything else is an error that names it.
    """
    with pytest.raises(UsageError) as caught:
        read_hash(text)

    assert str(caught.value).endswith("is no hash")
