"""
An editor for tests: a real client of the protocol that starts `comfygraph lsp` as editors do.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from lsprotocol import types
from pygls.lsp.client import LanguageClient

PATIENCE = 30.0
"""Seconds after which an answer is not waited for any more."""


class Editor:
    """
    One editor with one server; texts are named by file names.
    """

    def __init__(self, client: LanguageClient, folder: Path) -> None:
        self.client = client
        self.folder = folder
        self.messages: list[str] = []
        self._published: asyncio.Queue[types.PublishDiagnosticsParams] = asyncio.Queue()
        self._versions: dict[str, int] = {}

        @client.feature(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        def published(params: types.PublishDiagnosticsParams) -> None:
            self._published.put_nowait(params)

        @client.feature(types.WINDOW_SHOW_MESSAGE)
        def message(params: types.ShowMessageParams) -> None:
            self.messages.append(params.message)

    def uri(self, name: str) -> str:
        """Give the URI of a file by its name."""
        return (self.folder / name).as_uri()

    async def open(self, name: str, text: str) -> list[types.Diagnostic]:
        """Open a text and wait for its findings."""
        self._versions[name] = 1
        item = types.TextDocumentItem(self.uri(name), "json", 1, text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))
        return await self._diagnostics(name)

    async def change(self, name: str, *texts: str) -> list[types.Diagnostic]:
        """Type texts one after the other, and wait for the findings about the last."""
        for text in texts:
            self._versions[name] += 1
            identifier = types.VersionedTextDocumentIdentifier(
                uri=self.uri(name), version=self._versions[name]
            )
            change = types.TextDocumentContentChangeWholeDocument(text)
            self.client.text_document_did_change(
                types.DidChangeTextDocumentParams(identifier, [change])
            )
        return await self._diagnostics(name)

    async def close(self, name: str) -> list[types.Diagnostic]:
        """Close a text and wait for its findings to be taken back."""
        identifier = types.TextDocumentIdentifier(self.uri(name))
        self.client.text_document_did_close(types.DidCloseTextDocumentParams(identifier))
        self._versions[name] = -1
        return await self._diagnostics(name)

    async def _diagnostics(self, name: str) -> list[types.Diagnostic]:
        while True:
            params = await asyncio.wait_for(self._published.get(), PATIENCE)
            closing = self._versions[name] == -1 and params.version is None
            if params.uri == self.uri(name) and (closing or params.version == self._versions[name]):
                return list(params.diagnostics)


@asynccontextmanager
async def editor(folder: Path, arguments: Sequence[str] = ()) -> AsyncIterator[Editor]:
    """
    Start a server and an editor that has been introduced to it.
    """
    client = LanguageClient("tests", "1")
    it = Editor(client, folder)
    await client.start_io(sys.executable, "-m", "comfygraph", "lsp", *arguments, cwd=str(folder))
    try:
        await asyncio.wait_for(
            client.initialize_async(
                types.InitializeParams(
                    capabilities=types.ClientCapabilities(), root_uri=folder.as_uri()
                )
            ),
            PATIENCE,
        )
        client.initialized(types.InitializedParams())
        yield it
    finally:
        await asyncio.wait_for(client.shutdown_async(None), PATIENCE)
        client.exit(None)
        await asyncio.wait_for(client.stop(), PATIENCE)


def position_of(text: str, mark: str, into: int = 1) -> types.Position:
    """
    Give the position some characters into the first occurrence of a mark, in UTF-16 units.
    """
    before = text[: text.index(mark) + into]
    line = before.rpartition("\n")[2]
    return types.Position(before.count("\n"), len(line.encode("utf-16-le")) // 2)


def at(text: str, place: types.Range) -> str:
    """
    Give what stands in a range of one line, counted in UTF-16 units.
    """
    line = text.split("\n")[place.start.line].encode("utf-16-le")
    return line[place.start.character * 2 : place.end.character * 2].decode("utf-16-le")


def applied(text: str, action: types.CodeAction) -> str:
    """
    Give the text after the one edit of an action.
    """
    assert action.edit is not None
    assert action.edit.changes is not None
    ((edit,),) = action.edit.changes.values()
    offsets = []
    for position in (edit.range.start, edit.range.end):
        lines = text.split("\n")
        line = lines[position.line].encode("utf-16-le")[: position.character * 2]
        offsets.append(
            sum(len(item) + 1 for item in lines[: position.line]) + len(line.decode("utf-16-le"))
        )
    return text[: offsets[0]] + edit.new_text + text[offsets[1] :]
