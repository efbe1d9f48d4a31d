"""
What lint offers instead of a name that is not there.
"""

from __future__ import annotations

import pytest

from comfygraph.catalog import catalog_from_mapping
from comfygraph.core.nearest import nearest
from comfygraph.lint import LintOptions, lint


@pytest.mark.parametrize(
    ("wanted", "known", "expected"),
    [
        ("dream.safetensors", ["sd_xl_1.safetensors"], []),
        ("a.safetensors", ["b.safetensors"], []),
        ("dreamshaper8.safetensors", ["dreamshaper_7.safetensors"], ["dreamshaper_7.safetensors"]),
        ("dreamshaper8.ckpt", ["dreamshaper8.safetensors"], ["dreamshaper8.safetensors"]),
        ("imaeg.bin", ["image.bin"], ["image.bin"]),
        ("euler_ancestal", ["euler", "euler_ancestral"], ["euler_ancestral"]),
    ],
)
def test_endings_make_no_names_alike(wanted: str, known: list[str], expected: list[str]) -> None:
    """
    Files of models are compared without what they all end with.
    """
    assert expected == nearest(wanted, known)


@pytest.mark.parametrize(
    ("files", "message", "help"),
    [
        (
            ["sd_1.ckpt"],
            '`name` is `"dream.safetensors"`, and the only value of its list is `"sd_1.ckpt"`',
            None,
        ),
        (
            ["sd_xl_1.safetensors", "v1.safetensors"],
            '`name` is `"dream.safetensors"`, not one of the 2 values of its list',
            "one of `sd_xl_1.safetensors`, `v1.safetensors`",
        ),
    ],
)
def test_lists_of_models(files: list[str], message: str, help: str | None) -> None:
    """
    A file that is none of a short list: the list is told, in words that fit its length.
    """
    catalog = catalog_from_mapping(
        {
            "Loader": {
                "input": {"required": {"name": [files]}},
                "input_order": {"required": ["name"]},
                "output": [],
                "output_is_list": [],
                "output_name": [],
                "name": "Loader",
                "display_name": "Loader",
                "description": "",
                "category": "",
                "output_node": True,
            }
        }
    )
    graph = {"1": {"class_type": "Loader", "inputs": {"name": "dream.safetensors"}}}
    report = lint(graph, catalog, options=LintOptions(strict_files=True))

    assert [("CG303", message, help)] == [(d.rule_id, d.message, d.help) for d in report]
