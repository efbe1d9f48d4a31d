"""
The language server: texts come in, findings go out; every answer is a function of one text.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import Any

from lsprotocol import types
from pygls import uris
from pygls.lsp.server import LanguageServer

from comfygraph.catalog import NodeCatalog, load_catalog
from comfygraph.documents.json_text import MAX_BYTES
from comfygraph.errors import ComfyGraphError
from comfygraph.lint.batch import Work, check_text
from comfygraph.lint.diagnostic import Report
from comfygraph.lsp import actions, places
from comfygraph.lsp.completion import completions_at
from comfygraph.lsp.hover import hover_text
from comfygraph.lsp.reading import Reading
from comfygraph.lsp.text_map import TextMap

DELAY = 0.15
"""Seconds of quiet before a text is checked: not each letter of a word."""


@dataclass(frozen=True, slots=True)
class Checked:
    """
    The findings about one version of a text, as we have them and as the editor was told.
    """

    report: Report
    shown: list[types.Diagnostic]


class GraphServer(LanguageServer):
    """
    A language server for graphs.

    Args:
        work_for: Gives how to check the file at a path; `None` where it is to be left alone.
            Raises our errors where the configuration is wrong.
        delay: Seconds of quiet before a text is checked.
    """

    def __init__(self, work_for: Callable[[str], Work | None], *, delay: float = DELAY) -> None:
        super().__init__(
            "comfygraph",
            version("comfygraph"),
            # Whole texts: lines of the protocol and lines of Python differ, edits by line would
            # go astray in a text that has, say, U+2028 in it.
            text_document_sync_kind=types.TextDocumentSyncKind.Full,
        )
        self._work_for = work_for
        self._delay = delay
        self._readings: dict[str, tuple[str, Reading, TextMap]] = {}
        self._checked: dict[str, Checked] = {}
        self._waiting: dict[str, asyncio.Task[None]] = {}
        self._catalogs: dict[tuple[Any, ...], NodeCatalog] = {}
        self._told: str | None = None

    def reading(self, uri: str) -> tuple[Reading, TextMap]:
        """
        Give the text as the editor has it now, read; kept until it changes.
        """
        text = self.workspace.get_text_document(uri).source
        known = self._readings.get(uri)
        if known is None or known[0] is not text:
            encoding = self.workspace.position_encoding or types.PositionEncodingKind.Utf16
            reading = Reading(text if len(text) <= MAX_BYTES else "", path_of(uri))
            known = self._readings[uri] = (text, reading, TextMap(reading.text, encoding))
            self._checked.pop(uri, None)
        return known[1], known[2]

    def work(self, uri: str) -> tuple[Work, NodeCatalog] | None:
        """
        Give how to check a text; a wrong configuration is told once, and nothing is checked.
        """
        try:
            work = self._work_for(path_of(uri))
            if work is None:
                return None
            return work, self._catalog(work.catalog)
        except ComfyGraphError as exc:
            text = f"{exc.message}\n{exc.hint}" if exc.hint else exc.message
            if text != self._told:
                self._told = text
                self.window_show_message(types.ShowMessageParams(types.MessageType.Error, text))
            return None

    def _catalog(self, path: str | None) -> NodeCatalog:
        key: tuple[Any, ...] = (path,)
        if path is not None and os.path.exists(path):
            stat = os.stat(path)
            key = (path, stat.st_mtime_ns, stat.st_size)
        if key not in self._catalogs:
            self._catalogs[key] = load_catalog(path)
        return self._catalogs[key]

    def check_later(self, uri: str, delay: float | None = None) -> None:
        """
        Check a text when it has been quiet for a while, and tell the editor.
        """
        waiting = self._waiting.pop(uri, None)
        if waiting is not None:
            waiting.cancel()
        pause = self._delay if delay is None else delay
        self._waiting[uri] = asyncio.get_running_loop().create_task(self._check_soon(uri, pause))

    async def _check_soon(self, uri: str, pause: float) -> None:
        await asyncio.sleep(pause)
        reading, _ = self.reading(uri)
        setup = self.work(uri)
        report = None
        if setup is not None:
            # in a thread: a large graph must not hold up what the person types
            report = await asyncio.to_thread(check_text, reading.text, reading.name, *setup)
        if self._waiting.get(uri) is asyncio.current_task():
            del self._waiting[uri]
        if self.reading(uri)[0] is reading:
            self._tell(uri, report)

    def _tell(self, uri: str, report: Report | None) -> Checked:
        document = self.workspace.get_text_document(uri)
        shown = [] if report is None else places.diagnostics_of(report, self.reading(uri)[1], uri)
        checked = Checked(report or Report(path_of(uri), ()), shown)
        self._checked[uri] = checked
        self.text_document_publish_diagnostics(
            types.PublishDiagnosticsParams(uri, shown, document.version)
        )
        return checked

    def checked(self, uri: str) -> Checked:
        """
        Give the findings about the text as it is now.
        """
        reading, _ = self.reading(uri)
        known = self._checked.get(uri)
        if known is None:
            setup = self.work(uri)
            report = None if setup is None else check_text(reading.text, reading.name, *setup)
            known = self._tell(uri, report)
        return known

    def forget(self, uri: str) -> None:
        """
        Drop what is known of a text that was closed, and take its findings back.
        """
        waiting = self._waiting.pop(uri, None)
        if waiting is not None:
            waiting.cancel()
        self._readings.pop(uri, None)
        self._checked.pop(uri, None)
        self.text_document_publish_diagnostics(types.PublishDiagnosticsParams(uri, []))


def path_of(uri: str) -> str:
    """
    Give the path of a file by its URI, or the URI itself where it is no file.
    """
    return uris.to_fs_path(uri) or uri if uri.startswith("file:") else uri


def make_server(work_for: Callable[[str], Work | None], *, delay: float = DELAY) -> GraphServer:
    """
    Make a server that answers; `start_io()` serves the editor that started the process.

    Args:
        work_for: Gives how to check the file at a path, or `None` to leave it alone.
        delay: Seconds of quiet before a text is checked.
    """
    server = GraphServer(work_for, delay=delay)

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    async def opened(params: types.DidOpenTextDocumentParams) -> None:
        server.check_later(params.text_document.uri, 0)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    async def changed(params: types.DidChangeTextDocumentParams) -> None:
        server.check_later(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    async def saved(params: types.DidSaveTextDocumentParams) -> None:
        server.check_later(params.text_document.uri, 0)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    async def closed(params: types.DidCloseTextDocumentParams) -> None:
        server.forget(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    def hover(params: types.HoverParams) -> types.Hover | None:
        return _hover(server, params)

    @server.feature(types.TEXT_DOCUMENT_DEFINITION)
    def definition(params: types.DefinitionParams) -> types.Location | None:
        reading, text_map = server.reading(params.text_document.uri)
        pointer = places.definition_of(reading, text_map.offset(params.position))
        found = [] if pointer is None else _locations(server, params.text_document.uri, [pointer])
        return found[0] if found else None

    @server.feature(types.TEXT_DOCUMENT_REFERENCES)
    def references(params: types.ReferenceParams) -> list[types.Location]:
        reading, text_map = server.reading(params.text_document.uri)
        pointers = places.users_of(reading, text_map.offset(params.position))
        return _locations(server, params.text_document.uri, pointers)

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    def symbols(params: types.DocumentSymbolParams) -> list[types.DocumentSymbol]:
        return places.outline(*server.reading(params.text_document.uri))

    @server.feature(
        types.TEXT_DOCUMENT_CODE_ACTION,
        types.CodeActionOptions([types.CodeActionKind.QuickFix, actions.FIX_ALL]),
    )
    def code_actions(params: types.CodeActionParams) -> list[types.CodeAction]:
        return _actions(server, params)

    @server.feature(
        types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions(trigger_characters=['"'])
    )
    def complete(params: types.CompletionParams) -> list[types.CompletionItem]:
        uri = params.text_document.uri
        reading, text_map = server.reading(uri)
        setup = server.work(uri)
        if setup is None:
            return []
        return completions_at(reading, text_map.offset(params.position), setup[1], text_map)

    return server


def _hover(server: GraphServer, params: types.HoverParams) -> types.Hover | None:
    uri = params.text_document.uri
    reading, text_map = server.reading(uri)
    spot = reading.spot(text_map.offset(params.position))
    setup = server.work(uri) if spot is not None else None
    if spot is None or setup is None:
        return None
    text = hover_text(reading, spot, setup[1])
    if text is None:
        return None
    start, end = spot.span.start, spot.span.end
    if spot.part in ("input", "node") and spot.span.key_start is not None:
        start, end = spot.span.key_start, spot.span.key_end or end
    content = types.MarkupContent(types.MarkupKind.Markdown, text)
    return types.Hover(content, text_map.range(start, end))


def _locations(server: GraphServer, uri: str, pointers: list[str]) -> list[types.Location]:
    reading, text_map = server.reading(uri)
    spans = reading.spans(*pointers)
    out = []
    for pointer in pointers:
        span = spans.get(pointer)
        if span is not None:
            start = span.start if span.key_start is None else span.key_start
            end = span.start + 1 if span.key_end is None else span.key_end
            out.append(types.Location(uri, text_map.range(start, end)))
    return out


def _actions(server: GraphServer, params: types.CodeActionParams) -> list[types.CodeAction]:
    uri = params.text_document.uri
    checked = server.checked(uri)
    _, text_map = server.reading(uri)
    only = params.context.only
    out: list[types.CodeAction] = []
    if _wanted(types.CodeActionKind.QuickFix, only):
        out += actions.actions_at(checked.report, checked.shown, params.range, text_map, uri)
    setup = server.work(uri) if _wanted(actions.FIX_ALL, only) else None
    if setup is not None:
        check = partial(_recheck, name=path_of(uri), setup=setup)
        every = actions.fix_all(checked.report, check, text_map, uri)
        out += [every] if every is not None else []
    return out


def _recheck(text: str, *, name: str, setup: tuple[Work, NodeCatalog]) -> Report:
    return check_text(text, name, *setup) or Report(name, (), text)


def _wanted(kind: str, only: Any) -> bool:
    """Tell whether an editor asks for a kind of action: kinds are trees with dots."""
    return only is None or any(kind == item or kind.startswith(f"{item}.") for item in only)
