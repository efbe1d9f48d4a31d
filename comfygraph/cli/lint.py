"""
`comfygraph lint`.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from comfygraph.config_keys import LINT_TARGETS
from comfygraph.errors import ComfyGraphError, ExitCode, InputError, UsageError, clean
from comfygraph.lint.render import FORMATS, Style, render

if TYPE_CHECKING:
    from comfygraph.config import Settings
    from comfygraph.lint.batch import Outcome
    from comfygraph.lint.diagnostic import Report, Severity


@click.command(short_help="Check graphs offline: what the server refuses, and more.")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "--catalog", metavar="FILE",
    help="A saved /object_info to check against; default is the bundled core.",
)  # fmt: skip
@click.option(
    "--files", type=click.Choice(["assume", "strict"]),
    help="Whether names of model and image files must be in the catalog's lists; default is "
    "strict with --catalog, because those lists are your server's.",
)  # fmt: skip
@click.option(
    "--target", type=click.Choice(LINT_TARGETS), help="Also check what this service takes."
)
@click.option("--select", multiple=True, metavar="RULES", help="Run these rules and no others.")
@click.option("--extend-select", multiple=True, metavar="RULES", help="Run these rules also.")
@click.option("--ignore", multiple=True, metavar="RULES", help="Do not run these rules.")
@click.option(
    "--severity", multiple=True, metavar="RULE=LEVEL",
    help="Override a severity: error, warning or info.",
)  # fmt: skip
@click.option(
    "--per-file-ignore", multiple=True, metavar="PATTERN:RULES",
    help="Do not run these rules on files that match.",
)  # fmt: skip
@click.option("--preview/--no-preview", default=None, help="Run preview rules too.")
@click.option("--fix", is_flag=True, help="Apply safe repairs to the files.")
@click.option("--unsafe-fixes", is_flag=True, help="Apply repairs that may change the picture too.")
@click.option("--diff", is_flag=True, help="Show the repairs as a diff and write nothing.")
@click.option("--baseline", metavar="FILE", help="Leave out the findings that this file knows.")
@click.option("--write-baseline", is_flag=True, help="Write all findings to the baseline file.")
@click.option(
    "--lock", metavar="FILE",
    help="Tell what changed in the catalog since this file of `comfygraph catalog lock`.",
)  # fmt: skip
@click.option("--format", "format_", type=click.Choice(FORMATS), help="How findings are printed.")
@click.option("--output", "-o", metavar="FILE", help="Write the report to this file.")
@click.option("--statistics", is_flag=True, help="Count by rule instead of telling each finding.")
@click.option(
    "--color", type=click.Choice(["auto", "always", "never"]), default="auto",
    help="Colour in text; auto looks at NO_COLOR, FORCE_COLOR and the terminal.",
)  # fmt: skip
@click.option(
    "--fail-on", type=click.Choice(["error", "warning", "info", "never"]),
    help="The least severity that makes the exit code 1; default is error.",
)  # fmt: skip
@click.option("--exit-zero", is_flag=True, help="End with 0 whatever is found.")
@click.option("--exclude", multiple=True, metavar="PATTERN", help="Leave files or folders out.")
@click.option(
    "--graphs-only", is_flag=True, help="Skip files that hold no graph even where they are named."
)
@click.option("--stdin-filename", metavar="NAME", help="What to call the standard input.")
@click.option("--jobs", "-j", type=click.IntRange(0), help="Processes; 0 chooses.")
@click.option("--config", metavar="FILE", help="The configuration; default is the nearest.")
@click.option("--isolated", is_flag=True, help="Read no configuration file.")
def lint(paths: tuple[str, ...], **flags: Any) -> int:
    """
    Check graphs offline: everything the server would refuse, and what it should have refused.

    PATH is a file, a folder (searched for *.json), a pattern, - for the standard input, or a
    graph in Python: script.py:graph runs the script, and findings are told at its lines.
    RULES are ids (CG301), beginnings of ids (CG3), names or ALL, with commas between them;
    `comfygraph rule` explains them.

    \b
    comfygraph lint workflows/
    comfygraph lint --fix graph.json
    comfygraph lint --select CG1,CG2 --format json - < graph.json
    comfygraph lint --catalog object_info.json --format sarif -o lint.sarif .

    Exit codes: 0 fine, 1 findings of --fail-on or worse, or a --diff to apply, 2 usage,
    3 a file cannot be read, or there is none.
    """
    from comfygraph.config import Config, Settings, settings

    known = (
        Settings("lint", Config(), os.environ)
        if flags["isolated"]
        else settings("lint", flags["config"])
    )
    return _run(paths, flags, known)


def _run(paths: tuple[str, ...], flags: dict[str, Any], known: Settings) -> int:
    from comfygraph.cli.lint_wishes import split, work_of
    from comfygraph.lint.batch import check_all
    from comfygraph.lint.files import STDIN, find_sources
    from comfygraph.lint.globs import anchored

    base = known.config.folder or ""
    exclude = [
        *(known.get("exclude") or ()),
        *(anchored(item, base) for item in split(flags["exclude"])),
    ]
    found = find_sources(paths, exclude=exclude, base=base)
    for argument in found.unmatched:
        click.echo(clean(f"warning: nothing matches {argument}"), err=True)
    if not found.sources:
        raise InputError("no input matched", hint="name files, folders or patterns, or -")
    names = [source.path for source in found.sources]
    if not any(name == STDIN or ".py:" in name or os.path.exists(name) for name in names):
        more = f" (nor are the other {len(names) - 1})" if len(names) > 1 else ""
        raise InputError(f"{names[0]}: no such file{more}")
    work = work_of(flags, known)
    jobs = known.get("jobs", flags["jobs"])
    outcomes = list(check_all(found.sources, work, jobs=jobs))
    reports = [item.report for item in outcomes if item.report is not None]
    if not reports and not flags["graphs_only"]:
        raise InputError("no graph found in what was named")
    return _tell(outcomes, reports, flags, known)


def _tell(
    outcomes: list[Outcome], reports: list[Report], flags: dict[str, Any], known: Settings
) -> int:
    """Print what came out and give the exit code."""
    reports = _without_known(reports, flags, known)
    fail_on = _fail_on("never" if flags["exit_zero"] else known.get("fail-on", flags["fail_on"]))
    format_ = known.get("format", flags["format_"])
    to_stdout = not any(item.printed is not None or item.diff for item in outcomes)
    _print_repairs(outcomes)
    _print_report(reports, format_, fail_on, flags, to_stdout=to_stdout and not flags["diff"])
    errors = [item.error for item in outcomes if item.error]
    for error in errors:
        click.echo(clean(f"error: {error}"), err=True)
    if errors or any(found.rule_id == "CG000" for report in reports for found in report):
        return ExitCode.INTERNAL
    if flags["exit_zero"]:
        return ExitCode.OK
    failing = fail_on is not None and any(
        found.severity.rank >= fail_on.rank for report in reports for found in report
    )
    return ExitCode.FINDINGS if failing or any(item.diff for item in outcomes) else ExitCode.OK


def _without_known(reports: list[Report], flags: dict[str, Any], known: Settings) -> list[Report]:
    """Write the baseline, and take out the findings that it knows."""
    path = known.get("baseline", flags["baseline"])
    if flags["write_baseline"]:
        _write_baseline(path, reports)
    if not path:
        return reports
    from comfygraph.lint.baseline import load_baseline

    filtered = load_baseline(path).filter(reports)
    if filtered.gone:
        gone = f"{filtered.gone} of the findings in {path} {'is' if filtered.gone == 1 else 'are'}"
        click.echo(f"{gone} gone: write it anew with --write-baseline", err=True)
    return list(filtered.reports)


def _write_baseline(path: str | None, reports: list[Report]) -> None:
    from comfygraph.lint.baseline import baseline_of, render_baseline
    from comfygraph.lint.fix import write_atomically
    from comfygraph.lint.render.summary import plural

    if not path:
        raise UsageError("--write-baseline needs a file", hint="name it with --baseline FILE")
    made = baseline_of(reports, os.path.dirname(os.path.abspath(path)))
    write_atomically(path, render_baseline(made).encode("utf-8", "surrogatepass"))
    click.echo(f"{plural(len(made), 'finding')} written to {path}", err=True)


def _fail_on(word: str) -> Severity | None:
    from comfygraph.lint.diagnostic import Severity

    return None if word == "never" else Severity(word)


def _print_repairs(outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        if outcome.printed is not None:
            sys.stdout.buffer.write(outcome.printed)
            sys.stdout.buffer.flush()
        if outcome.diff:
            from comfygraph.cli.output import write_text

            write_text(outcome.diff, None)
    count = sum(len(item.applied) for item in outcomes)
    if count:
        files = sum(bool(item.applied) for item in outcomes)
        verb = "would repair" if any(item.diff for item in outcomes) else "repaired"
        word = "finding" if count == 1 else "findings"
        click.echo(f"{verb} {count} {word} in {files} file{'s' * (files != 1)}", err=True)


def _print_report(
    reports: list[Report],
    format_: str,
    fail_on: Severity | None,
    flags: dict[str, Any],
    *,
    to_stdout: bool,
) -> None:
    from comfygraph.cli.terminal import use_color

    stream = sys.stdout if to_stdout else sys.stderr
    target = flags["output"]
    color = use_color(flags["color"], stream) and (not target or flags["color"] == "always")
    style = Style(color=color, fail_on=fail_on, statistics=flags["statistics"])
    text = render(reports, format_, style)
    if not target:
        click.echo(text, file=stream, color=color)
        return
    from comfygraph.lint.fix import write_atomically
    from comfygraph.lint.render.summary import summary_text

    try:
        write_atomically(target, f"{text}\n".encode("utf-8", "surrogateescape"))
    except InputError as exc:
        raise ComfyGraphError(exc.message, hint=exc.hint) from exc
    click.echo(f"{summary_text(reports)}; written to {target}", err=True)
