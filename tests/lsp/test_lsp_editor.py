"""
`comfygraph lsp` as an editor meets it: a real client, a real process, the real protocol.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from lsp_editor import Editor, applied, at, editor, position_of
from lsprotocol import types

GRAPH = """{
  "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "a.safetensors"},
        "_meta": {"title": "Loader \N{GRINNING FACE}"}},
  "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 512, "batch_size": 1}},
  "6": {"inputs": {"text": "\N{GRINNING FACE}\N{GRINNING FACE}", "clip": ["4", 1]}, "class_type": "CLIPTextEncode"},
  "3": {"class_type": "KSampler", "inputs": {"seed": 1, "steps": 20, "cfg": 7.0,
        "sampler_name": "Euler", "scheduler": "normal", "denoise": 1.0, "model": ["4", 0],
        "positive": ["6", 0], "negative": ["6", 0], "latent_image": ["5", 0]}},
  "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
  "9": {"class_type": "SaveImage", "inputs": {"images": ["8", 0], "filename_prefix": "x"}}
}
"""  # noqa: E501
NAME = "graph.json"


def with_editor(
    folder: Path, body: Callable[[Editor], Coroutine[Any, Any, None]], *arguments: str
) -> None:
    """
    Run a test in an editor whose folder is a project of its own.
    """

    async def run() -> None:
        async with editor(folder, arguments) as it:
            await body(it)

    if not (folder / "comfygraph.toml").exists():
        (folder / "comfygraph.toml").write_text("", encoding="utf-8")
    asyncio.run(run())


def known(diagnostics: list[types.Diagnostic], rule: str) -> list[types.Diagnostic]:
    """
    Give the findings of one rule.
    """
    return [item for item in diagnostics if item.code == rule]


def test_findings_as_you_type(tmp_path: Path) -> None:
    """
    A finding stands at its value, counted in UTF-16; it goes when the value is right, comes back
    with the mistake, and is taken back when the text is closed.
    """

    async def body(it: Editor) -> None:
        wrong = GRAPH.replace('"clip": ["4", 1]', '"clip": ["44", 1]')
        (found,) = known(await it.open(NAME, wrong), "CG102")
        assert '["44", 1]' == at(wrong, found.range)
        assert types.DiagnosticSeverity.Error == found.severity
        assert "comfygraph" == found.source

        assert [] == known(await it.change(NAME, wrong + " ", GRAPH), "CG102")
        (broken,) = await it.change(NAME, GRAPH[:-3])
        assert "CG001" == broken.code

        assert [] == await it.close(NAME)

    with_editor(tmp_path, body)


def test_other_json_is_left_alone(tmp_path: Path) -> None:
    """
    JSON that is no graph has no findings, whole or half typed.
    """

    async def body(it: Editor) -> None:
        assert [] == await it.open("package.json", '{"name": "x", "version": "1.0.0"}')
        assert [] == await it.change("package.json", '{"name": "x", ')

    with_editor(tmp_path, body)


def test_quick_fix(tmp_path: Path) -> None:
    """
    The repair of a finding is offered at its place, and applying it makes the finding go; all safe
    repairs can be had at once, and nothing is offered where nothing is wrong.
    """

    async def body(it: Editor) -> None:
        (found,) = known(await it.open(NAME, GRAPH), "CG305")
        context = types.CodeActionContext([found])
        document = types.TextDocumentIdentifier(it.uri(NAME))
        actions = await it.client.text_document_code_action_async(
            types.CodeActionParams(document, found.range, context)
        )
        kinds = [item.kind for item in actions or () if isinstance(item, types.CodeAction)]
        assert types.CodeActionKind.QuickFix in kinds
        assert "source.fixAll.comfygraph" in kinds
        for action in actions or ():
            assert isinstance(action, types.CodeAction)
            mended = applied(GRAPH, action)
            assert json.loads(mended)["3"]["inputs"]["sampler_name"] == "euler"
            assert [] == known(await it.change(NAME, mended), "CG305")
            await it.change(NAME, GRAPH)

        nowhere = types.Range(types.Position(0, 0), types.Position(0, 0))
        only = types.CodeActionContext([], only=[types.CodeActionKind.QuickFix])
        none = await it.client.text_document_code_action_async(
            types.CodeActionParams(document, nowhere, only)
        )
        assert [] == list(none or ())

    with_editor(tmp_path, body)


@pytest.mark.parametrize(
    ("mark", "words"),
    [
        ('"KSampler"', ["KSampler", "latent_image", "LATENT"]),
        ('"steps"', ["steps", "INT", "10000"]),
        ('"model": ["4"', ["model", "MODEL"]),
        ('["4", 1]', ["from Loader", "slot 1", "CLIP"]),
    ],
)
def test_hover(tmp_path: Path, mark: str, words: list[str]) -> None:
    """
    On a class stands its signature, on an input its facts, on a link where it comes from.
    """

    async def body(it: Editor) -> None:
        await it.open(NAME, GRAPH)
        hover = await it.client.text_document_hover_async(
            types.HoverParams(
                types.TextDocumentIdentifier(it.uri(NAME)), position_of(GRAPH, mark, 2)
            )
        )

        assert hover is not None
        assert isinstance(hover.contents, types.MarkupContent)
        assert [] == [word for word in words if word not in hover.contents.value]

    with_editor(tmp_path, body)


def test_go_to_the_linked_node_and_back(tmp_path: Path) -> None:
    """
    A link leads to its node; a node leads to the links that come from it.
    """

    async def body(it: Editor) -> None:
        await it.open(NAME, GRAPH)
        document = types.TextDocumentIdentifier(it.uri(NAME))
        where = await it.client.text_document_definition_async(
            types.DefinitionParams(document, position_of(GRAPH, '["6", 0]', 3))
        )
        assert isinstance(where, types.Location)
        assert '"6"' == at(GRAPH, where.range)

        users = await it.client.text_document_references_async(
            types.ReferenceParams(
                types.ReferenceContext(False), document, position_of(GRAPH, '"6":')
            )
        )
        assert ['"positive"', '"negative"'] == [at(GRAPH, item.range) for item in users or ()]

    with_editor(tmp_path, body)


def test_outline(tmp_path: Path) -> None:
    """
    The outline has every node, by title and number, in the order of the text.
    """

    async def body(it: Editor) -> None:
        await it.open(NAME, GRAPH)
        symbols = await it.client.text_document_document_symbol_async(
            types.DocumentSymbolParams(types.TextDocumentIdentifier(it.uri(NAME)))
        )

        assert [
            "Loader \N{GRINNING FACE} (4)",
            "EmptyLatentImage (5)",
            "CLIPTextEncode (6)",
            "KSampler (3)",
            "VAEDecode (8)",
            "SaveImage (9)",
        ] == [item.name for item in symbols or ()]

    with_editor(tmp_path, body)


@pytest.mark.parametrize(
    ("mark", "wanted"),
    [
        ('"Euler"', '"dpmpp_2m"'),
        ('"KSampler"', '"KSamplerAdvanced"'),
        ('"filename_prefix"', '"images"'),
    ],
)
def test_completion(tmp_path: Path, mark: str, wanted: str) -> None:
    """
    Values, classes and inputs are proposed as replacements of what stands there, quotes and all.
    """

    async def body(it: Editor) -> None:
        text = GRAPH.replace('"images": ["8", 0], ', "")
        await it.open(NAME, text)
        items = await it.client.text_document_completion_async(
            types.CompletionParams(
                types.TextDocumentIdentifier(it.uri(NAME)), position_of(text, mark, 2)
            )
        )

        assert isinstance(items, list)
        edits = {item.text_edit.new_text: item.text_edit for item in items if item.text_edit}
        assert wanted in edits
        edit = edits[wanted]
        assert isinstance(edit, types.TextEdit)
        assert mark == at(text, edit.range)

    with_editor(tmp_path, body)


def test_configuration_of_the_folder(tmp_path: Path) -> None:
    """
    The nearest configuration decides; a wrong one is told in the editor, once, and nothing dies.
    """
    (tmp_path / "comfygraph.toml").write_text('[lint]\nignore = ["CG305"]\n', encoding="utf-8")

    async def body(it: Editor) -> None:
        assert [] == known(await it.open(NAME, GRAPH), "CG305")
        (tmp_path / "comfygraph.toml").write_text("[lint]\nselct = []\n", encoding="utf-8")
        assert [] == await it.change(NAME, GRAPH + " ", GRAPH)
        assert [] == await it.change(NAME, GRAPH + " ")
        assert 1 == len(it.messages)
        assert "lint.selct" in it.messages[0]
        (tmp_path / "comfygraph.toml").write_text("", encoding="utf-8")
        assert 1 == len(known(await it.change(NAME, GRAPH), "CG305"))

    with_editor(tmp_path, body)


@pytest.mark.parametrize(
    ("arguments", "hidden", "words"),
    [
        (["--stdio", "--tcp", "9"], "", "--stdio and --tcp exclude each other"),
        (["--select", "CG9999"], "", "CG9999"),
        ([], "pygls", "pip install 'comfygraph[lsp]'"),
    ],
)
def test_wrong_usage_is_told_at_once(arguments: list[str], hidden: str, words: str) -> None:
    """
    Options that exclude each other, rules that do not exist and a missing library end the command
    with exit code 2 and say what to do, before an editor waits for answers.
    """
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({[hidden] if hidden else []!r}));"
        f"from comfygraph.cli import main; sys.exit(main({['lsp', *arguments]!r}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=30, check=False
    )

    assert (2, "") == (done.returncode, done.stdout)
    assert words in done.stderr
    assert "Traceback" not in done.stderr
