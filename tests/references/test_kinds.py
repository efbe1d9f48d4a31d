"""
Kinds of models and the folders that they belong into.
"""

from __future__ import annotations

import pytest

from comfygraph.references.kinds import (
    FOLDERS,
    folder_of_kind,
    kind_fits,
    kind_named,
    kind_of_folder,
)


@pytest.mark.parametrize(
    ("name", "kind", "folder"),
    [
        ("Checkpoint", "checkpoint", "checkpoints"),
        ("LORA", "lora", "loras"),
        ("LoCon", "lycoris", "loras"),
        ("TEXTUAL_INVERSION", "embedding", "embeddings"),
        ("textualinversion", "embedding", "embeddings"),
        ("Controlnet", "controlnet", "controlnet"),
        ("MotionModule", "motion", "animatediff_models"),
        ("diffusion_model", "diffusionmodel", "diffusion_models"),
        ("AESTHETIC_GRADIENT", "ag", None),
        ("Workflows", "other", None),
        ("", "other", None),
    ],
)
def test_names_of_the_services(name: str, kind: str, folder: str | None) -> None:
    """
    However a service writes it, a kind is one word and has one folder.
    """
    found = kind_named(name)

    assert (kind, folder) == (found, folder_of_kind(found))


@pytest.mark.parametrize("folder", sorted(set(FOLDERS.values())))
def test_folders_have_a_kind_and_back(folder: str) -> None:
    """
    The kind of a folder belongs into that folder.
    """
    kind = kind_of_folder(folder)

    assert kind is not None
    assert folder == folder_of_kind(kind)


def test_what_may_stand_where() -> None:
    """
    A LoRA is no checkpoint; what is not known may stand anywhere.
    """
    pairs = [
        ("lora", "loras"), ("dora", "loras"), ("lora", "checkpoints"), ("vae", "loras"),
        ("checkpoint", "unet"), ("clip", "clip"), ("other", "checkpoints"), ("lora", "gligen"),
    ]  # fmt: skip

    assert [True, True, False, False, True, True, True, True] == [
        kind_fits(kind, folder) for kind, folder in pairs
    ]
