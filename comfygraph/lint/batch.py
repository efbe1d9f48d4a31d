"""
Many files: one after the other or in several processes, with the same outcome in the same order.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Literal

from comfygraph.catalog import NodeCatalog, load_catalog
from comfygraph.core.records import NamedTuple
from comfygraph.documents import (
    Document,
    JsonSyntaxError,
    decode_text,
    open_document,
    parse_json,
    read_bytes,
    recognise,
)
from comfygraph.documents.json_text import MAX_BYTES
from comfygraph.errors import BuildError, ComfyGraphError, InputError
from comfygraph.lint.context import LintOptions
from comfygraph.lint.diagnostic import Report
from comfygraph.lint.engine import crash_report, lint, unbuildable_report, unreadable_report
from comfygraph.lint.files import STDIN, Source
from comfygraph.lint.select import Selection

if TYPE_CHECKING:
    from comfygraph.dsl.scripts import ScriptSpec

FILES_PER_PROCESS = 1000
"""Fewer files than this are checked in the time that a process takes to start."""

CHUNK = 16


class Work(NamedTuple):
    """
    What to do with each file; can be sent to another process.

    Args:
        selection: The rules.
        catalog: Path of a catalog; `None` for the bundled core.
        options: What the person wants to know.
        fix: `"none"`, `"write"` (the standard input is printed), or `"diff"`.
        unsafe: Apply unsafe repairs also.
        graphs_only: Skip files that hold no graph, even where they were named.
        stdin_name: What messages call the standard input.
    """

    selection: Selection
    catalog: str | None = None
    options: LintOptions = LintOptions()
    fix: Literal["none", "write", "diff"] = "none"
    unsafe: bool = False
    graphs_only: bool = False
    stdin_name: str = "<stdin>"


class Outcome(NamedTuple):
    """
    What came of one file.

    Args:
        report: The findings that remain; `None` where the file holds no graph and was skipped.
        applied: Rule ids and titles of the repairs that were applied.
        diff: The repairs as a unified diff, where that was asked for.
        printed: What a repair of the standard input gives back, byte for byte.
        error: What went wrong when it was written, in one line.
    """

    report: Report | None
    applied: tuple[tuple[str, str], ...] = ()
    diff: str = ""
    printed: bytes | None = None
    error: str | None = None


def check_all(sources: Sequence[Source], work: Work, *, jobs: int = 0) -> Iterator[Outcome]:
    """
    Check files; what happens to one does not touch the others.

    Args:
        sources: The files.
        work: What to do with each.
        jobs: Processes; 0 chooses by the number of files.

    Yields:
        One outcome a file, in the order of the files.

    Raises:
        CatalogError: The catalog cannot be read.
    """
    catalog = load_catalog(work.catalog)
    work = _settled(work, catalog)
    count = min(_jobs(jobs, len(sources)), len(sources))
    if count <= 1:
        for source in sources:
            yield check_source(source, work, catalog)
        return
    yield from _in_processes(sources, work, count)


def _settled(work: Work, catalog: NodeCatalog) -> Work:
    severities = dict(work.selection.severities)
    return (
        work._replace(options=work.options._replace(severities=severities)) if severities else work
    )


def _jobs(wanted: int, files: int) -> int:
    if wanted:
        return wanted
    usable = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return max(1, min(usable, files // FILES_PER_PROCESS))


def _in_processes(sources: Sequence[Source], work: Work, count: int) -> Iterator[Outcome]:
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    if sources[0].path == STDIN:  # It sorts first, and only this process can read it.
        yield check_source(sources[0], work, load_catalog(work.catalog))
        sources = sources[1:]
    done = 0
    with ProcessPoolExecutor(count, initializer=_start, initargs=(work,)) as pool:
        try:
            for outcome in pool.map(_check_in_process, sources, chunksize=CHUNK):
                done += 1
                yield outcome
        except BrokenProcessPool:
            message = "a process that checked files ended unexpectedly, perhaps for want of memory"
            for source in sources[done:]:
                yield Outcome(crash_report(message, source.path))


_state: list[tuple[Work, NodeCatalog]] = []
"""What a worker process was started with."""


def _start(work: Work) -> None:
    import signal

    # The parent tells the workers to end; their own tracebacks would only be in the way.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _state[:] = [(work, load_catalog(work.catalog))]


def _check_in_process(source: Source) -> Outcome:
    work, catalog = _state[0]
    outcome = check_source(source, work, catalog)
    report = outcome.report
    if report is not None and not report.diagnostics:
        # A clean file's text is of no use to anybody, and need not travel.
        from dataclasses import replace

        return outcome._replace(report=replace(report, text=None))
    return outcome


def check_source(source: Source, work: Work, catalog: NodeCatalog) -> Outcome:
    """
    Check one file; whatever is in it, this does not raise.
    """
    name = work.stdin_name if source.path == STDIN else source.path
    try:
        return _check(source, name, work, catalog)
    except MemoryError:
        return Outcome(crash_report("out of memory", name))
    except ComfyGraphError as exc:
        return Outcome(crash_report(exc.message, name))
    except Exception as exc:  # A file that breaks us must not hide the others.
        return Outcome(crash_report(f"{type(exc).__name__}: {exc}"[:500], name))


def _check(source: Source, name: str, work: Work, catalog: NodeCatalog) -> Outcome:
    if ".py:" in source.path and source.explicit:
        from comfygraph.dsl.scripts import script_spec

        spec = script_spec(source.path)
        if spec is not None:
            return _check_script(spec, work, catalog)
    wanted = source.explicit and not work.graphs_only
    if source.path.endswith(".py") and wanted:
        from comfygraph.dsl.scripts import nameless

        return Outcome(unreadable_report(nameless(source.path), name))
    data: bytes | None = None
    try:
        if source.path == STDIN:
            data = _standard_input(name)
        document = open_document(source.path if data is None else data, name=name)
    except JsonSyntaxError as exc:
        return _broken(exc, source, name, data, wanted, work)
    except InputError as exc:
        return Outcome(unreadable_report(exc, name) if source.explicit else None)
    if not wanted and not is_graph(document):
        return Outcome(None)
    rules = work.selection.rules_for(name)

    def check(document: Document) -> Report:
        return lint(document, catalog, options=work.options, rules=rules)

    # Findings about an image name the image, not the graph in it.
    report = check(document if document.container is None else document._replace(path=name))
    if work.fix == "none" or document.container is not None:
        return Outcome(report)
    return _fixed(source, name, report, check, data, work)


def check_text(text: str, name: str, work: Work, catalog: NodeCatalog) -> Report | None:
    """
    Check a text that is no file yet, as an editor holds it; whatever is in it, this does not raise.

    Returns:
        The findings, or `None` where the text was not meant to be a graph.
    """
    try:
        try:
            document = recognise(parse_json(text), text=text, path=name)
        except JsonSyntaxError as exc:
            data = text.encode("utf-8", "surrogatepass")
            return unreadable_report(exc, name, text) if _smells_of_graph(data) else None
        if not is_graph(document):
            return None
        return lint(document, catalog, options=work.options, rules=work.selection.rules_for(name))
    except ComfyGraphError as exc:
        return crash_report(exc.message, name)
    except Exception as exc:  # an editor must outlive a text that breaks us
        return crash_report(f"{type(exc).__name__}: {exc}"[:500], name)


def _check_script(spec: ScriptSpec, work: Work, catalog: NodeCatalog) -> Outcome:
    """Run a script and check the graph that it gives; findings are told at its lines."""
    from comfygraph.dsl.scripts import run_script

    try:
        document = run_script(spec).document()
    except (BuildError, InputError) as exc:
        return Outcome(unbuildable_report(exc, spec.path))
    rules = work.selection.rules_for(spec.path)
    return Outcome(lint(document, catalog, options=work.options, rules=rules))


def _fixed(
    source: Source,
    name: str,
    report: Report,
    check: Callable[[Document], Report],
    data: bytes | None,
    work: Work,
) -> Outcome:
    from comfygraph.lint.fix import encode_like, fix_report, unified_diff, write_atomically

    text = report.text or ""
    fixed = fix_report(
        report,
        lambda text: check(recognise(parse_json(text), text=text, path=name)),
        unsafe=work.unsafe,
    )
    if work.fix == "diff":
        return Outcome(fixed.report, fixed.applied, unified_diff(name, text, fixed.text))
    if data is not None:
        return Outcome(fixed.report, fixed.applied, printed=encode_like(fixed.text, data))
    if fixed.text == text:
        return Outcome(report)
    try:
        before = read_bytes(source.path)
        if decode_text(before) != text:
            return Outcome(report, error=f"{name}: changed while it was checked, not repaired")
        write_atomically(source.path, encode_like(fixed.text, before))
    except InputError as exc:
        return Outcome(report, error=exc.message)
    return Outcome(fixed.report, fixed.applied)


def _broken(
    exc: JsonSyntaxError, source: Source, name: str, data: bytes | None, wanted: bool, work: Work
) -> Outcome:
    """Tell of text that is no JSON, unless it never was meant to be a graph."""
    text: str | None = None
    with suppress(InputError):
        data = data if data is not None else read_bytes(source.path)
        text = decode_text(data)
    if not wanted and not _smells_of_graph(data or b""):
        return Outcome(None)
    printed = data if source.path == STDIN and work.fix == "write" else None
    return Outcome(unreadable_report(exc, name, text), printed=printed)


def _standard_input(name: str) -> bytes:
    data = sys.stdin.buffer.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise InputError(f"{name}: larger than {MAX_BYTES >> 20} MB, no graph is that large")
    return data


def is_graph(document: Document) -> bool:
    """
    Tell whether a document was meant to be a graph: `package.json` and the like are not.
    """
    if document.kind == "unknown":
        return False
    return document.kind != "prompt" or bool(document.value)


def _smells_of_graph(data: bytes) -> bool:
    """Tell whether bytes that are no JSON were meant to be a graph: no graph lacks these words."""
    if b"class_type" in data or b"classType" in data:
        return True
    return b'"nodes"' in data and b'"links"' in data
