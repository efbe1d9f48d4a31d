"""
`comfygraph schema`.
"""

from __future__ import annotations

import click

from comfygraph.errors import ExitCode

PUBLISHED = {
    "report": "what `comfygraph lint --format json` prints",
    "event": "a line of `comfygraph submit --json`",
    "batch-event": "a line of `comfygraph submit --batch FILE --json`",
    "job-reference": "a job, as `comfygraph submit --no-wait` prints it",
}
"""Schema in `comfygraph/schemas/` → what it describes."""


@click.group(short_help="Write JSON Schemas: of prompts made of your nodes, of what we print.")
def schema() -> None:
    """
    Write JSON Schemas, with which editors complete and check what you type, and programs read
    what comfygraph prints.

    \b
    comfygraph schema prompt -o prompt.schema.json   of your nodes, for editors
    comfygraph schema event                          of a line of `submit --json`
    comfygraph params script.py:graph --schema       of a graph's parameters
    """


@schema.command("prompt", short_help="Of prompts made of your nodes, for editors.")
@click.option(
    "--catalog", "source", metavar="SOURCE",
    help="A saved /object_info or the URL of a server; default is the bundled core.",
)  # fmt: skip
@click.option("--output", "-o", metavar="FILE", help="Write the schema to FILE; default is stdout.")
def prompt(source: str | None, output: str | None) -> int:
    """
    Write a JSON Schema (draft-07) of prompts in the API format, made of your nodes.

    It knows each class with its inputs, closed lists, ranges, defaults and what is required. Of
    files, those that your server has are offered and others are taken. Whether links fit is
    beyond a schema: `comfygraph lint` checks that.

    \b
    comfygraph schema prompt -o prompt.schema.json
    comfygraph schema prompt --catalog http://127.0.0.1:8188 -o prompt.schema.json

    In VS Code, .vscode/settings.json has it complete and check every such file:

    \b
    {"json.schemas": [{"fileMatch": ["*.prompt.json", "graphs/*.json"],
                       "url": "./prompt.schema.json"}]}

    Exit codes: 0 written, 2 usage, 3 no catalog in the file, 4 the server is out of reach.
    """
    from comfygraph.api import load_catalog, prompt_schema
    from comfygraph.cli.output import write_text
    from comfygraph.dsl.prompt_schema import schema_text

    write_text(schema_text(prompt_schema(load_catalog(source))), output)
    return ExitCode.OK


def _published(name: str, what: str) -> click.Command:
    """
    Give the command that prints one of the schemas that come with the package.
    """
    text = f"""
    Write the JSON Schema (2020-12) of {what}.

    Later versions may add members: readers shall bear those that they do not know.

    \b
    comfygraph schema {name} -o {name}.schema.json

    \b
    Exit codes: 0 written, 2 usage.
    """

    @click.command(name, help=text, short_help=f"Of {what}.")
    @click.option(
        "--output", "-o", metavar="FILE", help="Write the schema to FILE; default is stdout."
    )
    def published(output: str | None) -> int:
        from importlib.resources import files

        from comfygraph.cli.output import write_text

        path = files("comfygraph") / "schemas" / f"{name}.json"
        write_text(path.read_text("utf-8"), output)
        return ExitCode.OK

    return published


for _name, _what in PUBLISHED.items():
    schema.add_command(_published(_name, _what))
