"""
Secrets in graphs: told by kind, never shown, and few false alarms.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfygraph.catalog import load_catalog
from comfygraph.lint import Diagnostic, lint

CATALOG = load_catalog()
LETTERS = "aB3dE6gH9jK2mN5pQ8sT1vW4xY7zA0cD"

# Put together here, so that no scanner takes this file for a leak.
SECRETS = {
    "an OpenAI key": "sk-" + "proj-" + LETTERS + LETTERS,
    "a Hugging Face token": "hf" + "_" + LETTERS + "aB",
    "a GitHub token": "gh" + "p_" + LETTERS + "aB3d",
    "a GitLab token": "glpat" + "-" + LETTERS[:20],
    "an AWS key id": "AK" + "IA" + "ABCDEFGH12345678",
    "a Google API key": "AI" + "za" + LETTERS + "aBc",
    "a Slack token": "xo" + "xb-1234567890-" + LETTERS,
    "a Replicate token": "r8" + "_" + LETTERS + "aBcDe",
    "a comfy.org key": "comfyui" + "-" + "0123456789abcdef" * 4,
    "a JSON web token": "eyJ" + LETTERS + ".eyJ" + LETTERS + "." + LETTERS,
    "a private key": "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIE\n",
    "a password or token in a URL": "https://ann:" + "hunter22@example.com/cat.png",
    "what looks like a key: a long word of random letters and digits": LETTERS + "fG5hJ8kL",
}
HARMLESS = [
    "a lighthouse at dusk, mask-painted, risk-averse, task-oriented",
    "sdxl/checkpoints/sd_xl_base_1.0_0.9vae.safetensors",
    "9f0c1d2e-3b4a-4c5d-8e6f-7a8b9c0d1e2f",
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "600423083519508503",
    "urn:air:sdxl:checkpoint:civitai:827184@2514310+2402203",
    "https://example.com/view?filename=ComfyUI_00001_.png&type=output",
    "ComfyUI_SDXL_Portrait_2024_Upscale_4x_Final_Version",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "masterpiece,best_quality,ultra_detailed,8k_wallpaper,cinematic",
    "{prompt}-{seed}-{date:yyyy-MM-dd}",
]


def _found(value: str, name: str = "source") -> list[Diagnostic]:
    graph = {"1": {"class_type": "PreviewAny", "inputs": {"source": "x", name: value}}}
    return [d for d in lint(graph, CATALOG) if d.rule_id == "CG606"]


@pytest.mark.parametrize("kind", SECRETS)
def test_secret_is_found_and_not_shown(kind: str) -> None:
    """
    Each kind of secret is found, alone and in a sentence, and stands in no field of the finding.
    """
    value = SECRETS[kind]
    found = _found(value)

    assert [(kind, True)] == [(_kind_of(d), d.sensitive) for d in found]
    assert value[4:] not in repr(found)


@pytest.mark.parametrize("kind", [kind for kind in SECRETS if kind.endswith(("token", "key"))][:3])
def test_secret_in_prose(kind: str) -> None:
    """
    Well-known tokens are found in the middle of a text too.
    """
    found = _found(f"use the key {SECRETS[kind]} for it")

    assert [kind] == [_kind_of(d) for d in found]


def _kind_of(diagnostic: Diagnostic) -> str:
    return diagnostic.message.partition(" holds ")[2].rpartition(" (")[0]


@pytest.mark.parametrize("value", HARMLESS)
def test_harmless(value: str) -> None:
    """
    Prompts, names of files, ids and hashes are no secrets.
    """
    assert [] == [d.message for d in _found(value)]


@pytest.mark.parametrize("name", ["api_key", "password", "auth_token", "hf_token", "secret"])
def test_input_named_for_a_key(name: str) -> None:
    """
    What stands in an input that is named for a credential is one, unless it is a placeholder.
    """
    assert 1 == len(_found("correcthorse7", name))
    for empty in ("", "your-key-here", "<token>", "${API_KEY}", "xxxxxxxx", "None"):
        assert [] == _found(empty, name)


@pytest.mark.parametrize("name", ["keyframes", "token_count", "monkey", "author", "text"])
def test_names_that_only_look_like_it(name: str) -> None:
    """
    A `keyframe` is no key.
    """
    assert [] == _found("correcthorse7", name)


@given(st.text(max_size=200))
def test_any_text(value: str) -> None:
    """
    No text at all makes the rule crash.
    """
    graph = {"1": {"class_type": "PreviewAny", "inputs": {"source": value, "api_key": value}}}

    assert [] == [d.message for d in lint(graph, CATALOG) if d.rule_id == "CG000"]


def test_secrets_of_unknown_classes_are_told() -> None:
    """
    Keys stand in the nodes of packs above all, and no catalog knows them all.
    """
    key = SECRETS["a Hugging Face token"]
    report = lint({"1": {"class_type": "OddNode", "inputs": {"api_key": key}}}, CATALOG)

    assert [("CG101", None), ("CG606", "api_key")] == [(d.rule_id, d.input) for d in report]
    assert not any(key in d.message for d in report)
