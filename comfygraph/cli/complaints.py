"""
What a service has against a graph, printed at its places in the file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from comfygraph.cli.terminal import use_color

if TYPE_CHECKING:
    from comfygraph.catalog import NodeCatalog
    from comfygraph.core.values import Prompt
    from comfygraph.documents import Document
    from comfygraph.targets.failures import GraphRejected


def tell_complaints(
    exc: GraphRejected,
    document: Document,
    prompt: Prompt,
    catalog: NodeCatalog,
    *,
    color: str,
    stream: TextIO,
) -> None:
    """
    Print the complaints of a refused graph as findings.

    Args:
        exc: Holds the complaints.
        document: Where the graph stands.
        prompt: The graph.
        catalog: What a workflow of the editor was converted with.
        color: `auto`, `always` or `never`.
        stream: Where to print.
    """
    from comfygraph.lint.diagnostic import Report
    from comfygraph.lint.render.text import report_lines
    from comfygraph.targets.complaints import complaint_diagnostics

    if document.kind == "workflow":
        from comfygraph.lint.workflows import converted

        document = converted(document, catalog).document
    found = complaint_diagnostics(exc.complaints, prompt, document, "service")
    report = Report(document.path, found, document.text)
    for line in report_lines(report, color=use_color(color, stream)):
        print(line, file=stream)
