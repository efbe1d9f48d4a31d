"""
Reports as text for people and as data for machines; one format a file, loaded when it is used.
"""

from __future__ import annotations

from collections.abc import Sequence

from comfygraph.core.records import NamedTuple
from comfygraph.lint.diagnostic import Report, Severity

FORMATS = ("text", "concise", "json", "sarif", "github", "junit", "markdown")


class Style(NamedTuple):
    """
    How a report is to look.

    Args:
        color: Use ANSI colours, where the format knows any.
        fail_on: The least severity that counts as a failure; `None` for none.
        statistics: Count by rule instead of telling the findings; text and JSON only.
    """

    color: bool = False
    fail_on: Severity | None = Severity.ERROR
    statistics: bool = False


def render(reports: Sequence[Report], format: str, style: Style | None = None) -> str:
    """
    Give reports in one of the `FORMATS`, without a final line end.

    Raises:
        ValueError: There is no such format.
    """
    style = style or Style()
    if style.statistics:
        from comfygraph.lint.render.statistics import render_statistics, render_statistics_json

        return (render_statistics_json if format == "json" else render_statistics)(reports)
    match format:
        case "text":
            from comfygraph.lint.render.text import render_text

            return render_text(reports, color=style.color)
        case "concise":
            from comfygraph.lint.render.text import render_concise

            return render_concise(reports, color=style.color)
        case "json":
            from comfygraph.lint.render.json_format import render_json

            return render_json(reports)
        case "sarif":
            from comfygraph.lint.render.sarif import render_sarif

            return render_sarif(reports)
        case "github":
            from comfygraph.lint.render.github import render_github

            return render_github(reports)
        case "junit":
            from comfygraph.lint.render.junit import render_junit

            return render_junit(reports, fail_on=style.fail_on)
        case "markdown":
            from comfygraph.lint.render.markdown import render_markdown

            return render_markdown(reports)
        case _:
            raise ValueError(f"no format is called {format!r}")
