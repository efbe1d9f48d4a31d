"""
The bundled core catalog against what a real ComfyUI 0.33.0 said.
"""

from __future__ import annotations

import json
from pathlib import Path

from recorded import DIGESTS, digest, read_digests

from comfygraph.catalog import core_version, load_catalog

LIVE = DIGESTS.parent / "sample_live_answer.json"


def test_every_class_is_as_recorded() -> None:
    """
    Every class of the server is bundled, and each fact of it is what the server said.
    """
    catalog = load_catalog()

    assert read_digests() == {name: digest(dict(catalog[name].raw)) for name in catalog}
    assert 887 == len(catalog)
    assert "0.33.0" == core_version()


def test_a_live_answer_says_the_same() -> None:
    """
    What a live server answers, prose included, has the same facts as the bundled catalog.
    """
    live = json.loads(LIVE.read_bytes())
    catalog = load_catalog()

    assert ["KSampler", "LoadImage"] == list(live)
    for name, entry in live.items():
        ours, theirs = catalog[name], load_catalog(LIVE)[name]
        assert list(ours.inputs) == list(theirs.inputs)
        for key, spec in theirs.inputs.items():
            mine = ours.inputs[key]
            assert (spec.type, spec.required, spec.files) == (mine.type, mine.required, mine.files)
            assert (spec.default, spec.min, spec.max) == (mine.default, mine.min, mine.max)
            assert spec.files is not None or spec.options == mine.options
        assert ours.outputs == theirs.outputs
        assert entry["category"] == ours.category


def test_inputs_that_list_files_know_their_folder() -> None:
    """
    Inputs that name models or input files are marked with the folder that they list.
    """
    catalog = load_catalog()

    assert "checkpoints" == catalog["CheckpointLoaderSimple"].inputs["ckpt_name"].files
    assert "loras" == catalog["LoraLoader"].inputs["lora_name"].files
    assert "input:image" == catalog["LoadImage"].inputs["image"].files
    assert catalog["KSampler"].inputs["sampler_name"].files is None


def test_the_bundled_file_has_no_prose() -> None:
    """
    Facts only: no tooltips, no descriptions.
    """
    import comfygraph.catalog

    path = Path(comfygraph.catalog.__file__).parent / "data" / "core.json"
    text = path.read_text(encoding="utf-8")

    assert '"tooltip": "' not in text.replace('":"', '": "')
    assert all(load_catalog()[name].raw["description"] == "" for name in load_catalog())


def test_every_class_can_be_asked_everything() -> None:
    """
    No class of the core makes any question about it fail.
    """
    for name, node in load_catalog().items():
        assert name == node.class_type
        assert set(node.inputs) >= {
            key for key, spec in node.expand({}).items() if spec.group is None
        }
        assert [spec.slot for spec in node.outputs] == list(range(len(node.outputs)))
        assert "<NodeDef" in repr(node)
